"""Patients in the headers of DICOM files, and the keyed hash that hides every identifier."""

import hashlib
import hmac
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Final

from pydicom import dcmread

from engine.data.dicom_header import DAMAGE
from engine.data.files import detect_format
from engine.folders import cache_root

SALT_FILE: Final = "patients.salt"
_TAGS: Final = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID")
_PLACEHOLDER: Final = re.compile(
    r"0*|x+|-+|anon\w*|none|no[ _-]?(?:name|id)|unknown|nobody|patient|test|n/?a|de-?identif\w*|removed", re.IGNORECASE
)


def read_patients(files: Sequence[Path | None]) -> list[str]:
    """Return an identifier of the patient of each DICOM file: PatientID, else the UID of the study or series.

    Args:
        files: the files; None, and files of other formats, have none ('').
    """
    unique = list(dict.fromkeys(file for file in files if file is not None))  # many slices may be of one file
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8), "patients") as pool:
        found = dict(zip(unique, pool.map(_read_patient, unique), strict=True))
    return ["" if file is None else found[file] for file in files]


def read_patient_ids(folders: Sequence[Sequence[Path]]) -> list[set[str]]:
    """Return the PatientIDs in some files of each folder; files without one, or with a placeholder, count as ''."""

    def read(files: Sequence[Path]) -> set[str]:
        return {_usable(_read_header(file)[0]) for file in files}

    with ThreadPoolExecutor(min(os.cpu_count() or 1, 8), "patients") as pool:
        return list(pool.map(read, folders))


def _read_patient(file: Path) -> str:
    patient, study, series = _read_header(file)
    return _usable(patient) or study or series


def _usable(patient: str) -> str:
    return "" if _PLACEHOLDER.fullmatch(patient) else patient


def _read_header(file: Path) -> tuple[str, str, str]:
    try:
        if detect_format(file) != "dicom":
            return "", "", ""
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
