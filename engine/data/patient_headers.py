"""Patients in the headers of DICOM files, and the keyed hash that hides every identifier."""

import hashlib
import hmac
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from pydicom import dcmread

from engine.data.decoded_image import UnreadableFile
from engine.data.dicom_header import DAMAGE
from engine.data.files import detect_format
from engine.data.parallel import map_in_threads
from engine.data.parsing import parse
from engine.folders import cache_root
from engine.job_context import UNATTENDED, JobContext

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
