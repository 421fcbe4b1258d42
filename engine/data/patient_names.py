"""Patients in names of files and folders, and in DICOM headers, and the keyed hash that hides every identifier."""

import hashlib
import hmac
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import median
from typing import Final, Literal

from engine.data.decoded_image import UnreadableFile
from engine.data.files import detect_format
from engine.data.parallel import map_in_threads
from engine.data.parsing import parse
from engine.data.source import SourceItem
from engine.folders import cache_root
from engine.job_context import UNATTENDED, JobContext

FolderRole = Literal["patients", "classes", "unsure"]
# BIDS, BraTS (the last number of the older names is the time point), IXI, OASIS, ADNI, TCGA, UPENN-GBM, UCSF-PDGM.
_DATASETS: Final = (
    r"sub-[A-Za-z0-9]+",
    r"BraTS-[A-Z]{2,4}-\d{5}",
    r"BraTS2021_\d{5}",
    r"BraTS\d{2}_(?:Training|Validation)_\d{3}",
    r"BraTS\d{2}_(?:2013|CBICA|TCIA\d+|TMC)_[A-Z0-9]+",
    r"IXI\d{3}",
    r"OAS[12]_\d{4}",
    r"OAS[34]\d{4}",
    r"\d{3}_S_\d{4}",
    r"TCGA[-_][A-Z0-9]{2}[-_][A-Z0-9]{4}",
    r"UPENN-GBM-\d{5}",
    r"UCSF-PDGM-\d{3,4}",
)
_WORDS: Final = r"(?:patient|subject|subj)[-_ ]?\d+"
_KNOWN: Final = re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(_DATASETS)}|{_WORDS})(?![0-9])", re.IGNORECASE)
_PATIENT_FOLDER: Final = re.compile(
    rf"(?:.*{_KNOWN.pattern}.*|(?:sub|pat|pt|case|p|s|id|volunteer|mrn)[-_ ]?\d+"
    rf"|(?:patient|subject|subj|volunteer)[-_ ]?[a-z])",
    re.IGNORECASE,
)
_CLASS_FOLDER: Final = re.compile(
    r"(?:class|grade|who|stage|label|type|tumou?r|group|category|cat|level|score|birads|t)[-_ ]?(?:\d+|[ivx]+)|[ivx]+",
    re.IGNORECASE,
)
_MOSTLY: Final = 0.8
_MANY_FOLDERS, _MAX_CLASS_NUMBERS, _MIN_UNSURE = 20, 10, 5
_MAX_SLICES: Final = 500
_FEW_IMAGES: Final = 10


def find_known_name(path: str) -> str:
    """Return the patient that a path names in the manner of a well-known dataset; '' if there is none.

    >>> find_known_name("Training/sub-01/anat/sub-01_T1w.nii.gz")
    'sub-01'
    >>> find_known_name("glioma/gg (12).jpg")
    ''
    """
    found = _KNOWN.findall(path)
    return found[-1].casefold() if found else ""


def judge_folders(counts: Mapping[str, int]) -> FolderRole:
    """Tell folders of patients from folders of classes by their names and number.

    Args:
        counts: name of a folder -> its images.
    """
    names = list(counts)
    if len(names) < 2:
        return "classes"
    if _share(names, _PATIENT_FOLDER) >= _MOSTLY:
        return "patients"
    if _share(names, _CLASS_FOLDER) >= _MOSTLY:
        return "classes"
    if _share(names, re.compile(r".*\d.*")) >= _MOSTLY:
        return _judge_numbered(counts)
    many = len(names) >= _MANY_FOLDERS and median(counts.values()) <= _FEW_IMAGES
    return "unsure" if many else "classes"


def judge_files(files: Mapping[str, Sequence[str]]) -> FolderRole | None:
    """Tell folders of patients by their files: numbered folders, alike but for their number, name each of their files.

    Args:
        files: name of a folder -> names of its files.

    Returns:
        'patients', or None if that is not so.

    Examples:
        >>> judge_files({"HGG_1": ["HGG_1_t1_5.png"], "HGG_2": ["HGG_2_t1_7.png"]})
        'patients'
    """
    names = list(files)
    if len(names) < 2 or _share(names, _CLASS_FOLDER) or len({re.sub(r"\d+", "", name) for name in names}) > 1:
        return None
    is_numbered = all(re.search(r"\D[-_ ]?\d", name) for name in names)
    is_named = all(
        file.startswith(name) and not file[len(name) :][:1].isdecimal() for name in names for file in files[name]
    )
    return "patients" if is_numbered and is_named else None


def judge_contents(patients: Mapping[str, set[str]]) -> FolderRole | None:
    """Tell folders of patients from folders of classes by the PatientIDs in them; None if those say nothing.

    Args:
        patients: name of a folder -> PatientIDs of some of its files, '' for a file without one.
    """
    if any(len(found) > 1 for found in patients.values()):
        return "classes"
    ids = [patient for found in patients.values() for patient in found if patient]
    if len(ids) < max(2, len(patients)) or len(set(ids)) < len(ids):
        return None
    numbered = _share(list(patients), re.compile(r".*\d.*")) >= _MOSTLY
    return "patients" if numbered or len(patients) >= _MIN_UNSURE else None


def _judge_numbered(counts: Mapping[str, int]) -> FolderRole:
    if len(counts) >= _MANY_FOLDERS and median(counts.values()) <= _MAX_SLICES:
        return "patients"
    plain = all(name.isdecimal() and len(name) <= 2 for name in counts)
    if len(counts) < _MIN_UNSURE or (plain and len(counts) <= _MAX_CLASS_NUMBERS):
        return "classes"
    return "unsure"


def _share(names: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(pattern.fullmatch(name) is not None for name in names) / len(names)


@dataclass(frozen=True)
class FolderReading:
    """Items after their folders were read, a note on it, and a question if the meaning of folders is not certain."""

    items: list[SourceItem]
    question: str = ""
    note: str = ""


@dataclass(frozen=True)
class FolderRule:
    """How to read folders: a role that the user chose or 'auto', and whether labels stay as they are."""

    role: str
    keeps_labels: bool


def read_folders(items: Sequence[SourceItem], rule: FolderRule, judged: FolderRole | None) -> FolderReading:
    """Set the patients of items that lie in one folder per patient; such folders are no classes.

    Args:
        items: the items, with their folders.
        rule: the user's choice.
        judged: what the files in the first folders say, None if they say nothing.
    """
    first = [item.folders[0] if item.folders else "" for item in items]
    counts = Counter(name for name in first if name)
    role = judged or judge_files(_group_files(items)) or judge_folders(counts)
    second = _second_folders(items)
    if rule.role == "classes":
        return FolderReading(_set_patients(items, second, True) if _are_patients(second) else list(items))
    if rule.role == "patients" and role == "classes" and any(second):
        return FolderReading(_set_patients(items, second, True))
    if rule.role == "patients" or role == "patients":
        keeps_labels = rule.keeps_labels and rule.role == "auto"
        note = "" if keeps_labels else f"The {len(counts):,} folders are read as patients, not as classes."
        return FolderReading(_set_patients(items, first, keeps_labels), note=note)
    if _are_patients(second):
        return FolderReading(_set_patients(items, second, True))
    return FolderReading(list(items), _ask(counts) if role == "unsure" else "")


def _group_files(items: Iterable[SourceItem]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in items:
        if item.folders:
            found.setdefault(item.folders[0], []).append(item.name.rpartition("/")[2])
    return found


def _second_folders(items: Iterable[SourceItem]) -> list[str]:
    return ["/".join(item.folders[:2]) if len(item.folders) > 1 else "" for item in items]


def _are_patients(folders: Sequence[str]) -> bool:
    names = Counter(name.rsplit("/", 1)[-1] for name in folders if name)
    return sum(names.values()) >= _MOSTLY * len(folders) and judge_folders(names) == "patients"


def _set_patients(items: Sequence[SourceItem], patients: Sequence[str], keeps_labels: bool) -> list[SourceItem]:
    return [
        replace(item, patient=patient, label=item.label if keeps_labels else None)
        for item, patient in zip(items, patients, strict=True)
    ]


def _ask(counts: Mapping[str, int]) -> str:
    shown = ", ".join(f"'{name}'" for name in list(counts)[:3])
    return f"The {len(counts):,} folders ({shown}, …) may be classes or patients."


SALT_FILE: Final = "patients.salt"
_TAGS: Final = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID")
_PLACEHOLDER: Final = re.compile(
    r"0*|x+|-+|anon\w*|none|no[ _-]?(?:name|id)|unknown|nobody|patient|test|n/?a|de-?identif\w*|removed", re.IGNORECASE
)


def read_patients(files: Sequence[Path | None], context: JobContext = UNATTENDED) -> list[str]:
    """Return an identifier of the patient of each DICOM file: PatientID, else the UID of the study or series.

    Args:
        files: the files; None, and files of other formats, have none ('').
        context: asked between files whether to stop.
    """
    unique = list(dict.fromkeys(file for file in files if file is not None))  # many slices may be of one file
    found = dict(zip(unique, map_in_threads(_read_patient, unique, context), strict=True))
    return ["" if file is None else found[file] for file in files]


def read_patient_ids(folders: Sequence[Sequence[Path]], context: JobContext = UNATTENDED) -> list[set[str]]:
    """Return the PatientIDs in some files of each folder; files without one, or with a placeholder, count as ''."""

    def read(files: Sequence[Path]) -> set[str]:
        return {_usable(_parse_header(file)[0]) for file in files}

    return list(map_in_threads(read, folders, context))


def _read_patient(file: Path) -> str:
    patient, study, series = _parse_header(file)
    return _usable(patient) or study or series


def _usable(patient: str) -> str:
    return "" if _PLACEHOLDER.fullmatch(patient) else patient


def _parse_header(file: Path) -> tuple[str, str, str]:
    """Return PatientID and the UIDs of study and series of a file, from a limited process; '' where it has none."""
    with suppress(UnreadableFile, OSError):
        if detect_format(file) == "dicom":
            patient, study, series = parse(read_header, file)
            return patient.casefold(), study, series  # one patient, however the device writes the letters
    return "", "", ""


def read_header(file: Path) -> tuple[str, str, str]:
    """Return PatientID and the UIDs of study and series of a DICOM file; '' where it has none."""
    from pydicom import dcmread

    from engine.data.dicom_header import DAMAGE

    try:
        header = dcmread(file, force=True, stop_before_pixels=True, specific_tags=list(_TAGS))
        patient, study, series = (str(header.get(tag) or "").strip() for tag in _TAGS)
    except DAMAGE:  # the reader reports the file
        return "", "", ""
    return patient, study, series


def hide_patient(patient: str) -> str:
    """Return an opaque name for an identifier: a hash with a secret of this computer; '' stays ''."""
    if not patient:
        return ""
    return hmac.new(_salt(cache_root()), patient.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()[:16]


@cache
def _salt(folder: Path) -> bytes:
    """Return the secret of this computer, made on first use; one of this process where it cannot be stored."""
    file, fresh = folder / SALT_FILE, os.urandom(32)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
            target.write(fresh)
        return fresh
    except FileExistsError:
        return file.read_bytes() or fresh
    except OSError:
        return fresh
