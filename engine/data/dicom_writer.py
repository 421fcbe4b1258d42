# mypy: disallow-untyped-calls=False
"""Derived DICOM series of results, with the geometry and the intensities of the series that the images came from.

Each slice is a new single-frame object: highdicom's `SOPClass` gives it the modules of patient, study, series,
equipment and SOP, and this module adds the image plane, the pixels and the modality. By default nothing of the source's
header is copied but the modality, so that the export meets the Basic Application Level Confidentiality Profile of
DICOM PS3.15 Annex E: all UIDs are new, and the same within one export.
"""

import shutil
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage
from pydicom.valuerep import DSfloat

from engine.data.decoded_image import UnreadableFile
from engine.data.dicom_header import DAMAGE
from engine.data.files import find_folder_of, is_dicom_content
from engine.data.series_folder import list_series_files
from engine.data.volume_grid import TO_RAS, VolumeGrid
from engine.durable import replace
from engine.errors import DataError

_PATIENT: Final = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyID", "StudyDate"),
    *("StudyTime", "StudyDescription", "AccessionNumber", "ReferringPhysicianName", "FrameOfReferenceUID"),
)
_FACTS: Final = ("SpecificCharacterSet", "Rows", "Modality", "BurnedInAnnotation")
# The attributes that each modality requires; what a derived image does not know is empty.
_MODALITIES: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "MR": (
        MRImageStorage,
        {
            **{"ImageType": ["DERIVED", "SECONDARY", "OTHER"], "RescaleType": "US"},
            **{"ScanningSequence": "RM", "SequenceVariant": "NONE", "ScanOptions": None, "MRAcquisitionType": None},
            **{"RepetitionTime": None, "EchoTime": None, "EchoTrainLength": None},
        },
    ),
    "CT": (
        CTImageStorage,
        {
            **{"ImageType": ["DERIVED", "SECONDARY", "AXIAL"], "RescaleType": "HU"},
            **{"KVP": None, "AcquisitionNumber": None},
        },
    ),
}
_PROFILE: Final = {
    **{"CodeValue": "113100", "CodingSchemeDesignator": "DCM"},
    "CodeMeaning": "Basic Application Confidentiality Profile",
}
_METHOD: Final = "PS3.15 Annex E Basic Profile: header of the source not copied"
_LEVELS: Final = 2**16 - 1
_SERIES_NUMBER: Final = 9001


@dataclass(frozen=True)
class Derivation:
    """What made the images.

    Args:
        run: name of the run.
        model: its kind of model, such as 'ae'.
        process: what was done, such as 'reconstruction'.
        version: version of Engram.
    """

    run: str
    model: str
    process: str
    version: str

    def __str__(self) -> str:
        return f"{self.process.capitalize()} by the {self.model} model '{self.run}' (Engram {self.version})"


def read_source(source: Path, keep_patient_data: bool, series: str = "") -> Dataset:
    """Read what a derived series needs of the header of its source.

    The source was opened before, by a process with limits; this reads a few attributes of its first file.

    Args:
        source: DICOM file, or what `open_scan` opens as a series.
        keep_patient_data: whether to read the attributes of the patient and the study, too.
        series: the series, as in `open_scan`.

    Raises:
        DataError: it is no DICOM image, or its modality is neither MR nor CT.
    """
    tags = [*_FACTS, *(_PATIENT if keep_patient_data else ())]
    folder = find_folder_of(source)
    try:
        files = list_series_files(folder, series) if folder.is_dir() else [source]
    except UnreadableFile:
        files = []
    for file in files:
        try:
            if file.is_file() and is_dicom_content(file):
                head = dcmread(file, force=True, stop_before_pixels=True, specific_tags=tags)
                if head.get("Rows"):
                    head.PatientIdentityRemoved = "NO" if keep_patient_data else "YES"
                    return _require_modality(head)
        except DAMAGE:
            continue
    raise DataError(f"'{source.name}' is not a DICOM series.", "Write a NIfTI volume (.nii.gz).")


def _require_modality(head: Dataset) -> Dataset:
    modality = str(head.get("Modality", "") or "MR")
    if modality not in _MODALITIES:
        raise DataError(
            f"The modality of the source is {modality}; a derived series is written for MR and CT.",
            "Write a NIfTI volume (.nii.gz).",
        )
    head.Modality = modality
    return head


def write_series(
    folder: Path, slices: NDArray[np.float32], grid: VolumeGrid, source: Dataset, derivation: Derivation
) -> Path:
    """Write displayed slices as a derived DICOM series with the geometry and the intensities of its source.

    Args:
        folder: new or empty folder.
        slices: (slices, height, width), from 0 (black) to 1 (white), in the order of the `Scan`.
        grid: grid of the `Scan`.
        source: what `read_source` returned.
        derivation: what made the images.

    Raises:
        DataError: the source does not say where its slices lie.
    """
    if grid.affine is None:
        raise DataError(
            "The source does not say where its slices lie, so no DICOM series can be written.",
            "Write a NIfTI volume (.nii.gz).",
        )
    voxels = grid.to_voxels(grid.to_values(slices))
    temporary = folder.with_name(f"{folder.name}-{uuid.uuid4().hex[:8]}.new")
    temporary.mkdir(parents=True)
    try:
        for number, made in enumerate(_make_objects(voxels, grid, source, derivation), 1):
            made.save_as(temporary / f"{number:04d}.dcm", enforce_file_format=True)
        if folder.exists():
            folder.rmdir()
        replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _make_objects(
    voxels: NDArray[np.float32], grid: VolumeGrid, source: Dataset, derivation: Derivation
) -> Iterable[Dataset]:
    from highdicom import UID
    from highdicom.base import SOPClass

    storage, facts = _MODALITIES[source.Modality]
    shared = _describe(derivation, source) | facts | _describe_plane(grid) | _describe_values(voxels, grid)
    shared["FrameOfReferenceUID"] = UID()
    patient = {name: str(source[name].value) for name in _PATIENT if source.get(name)}  # without its encoding
    fixed: dict[str, Any] = {
        **{"study_instance_uid": UID(), "series_instance_uid": UID(), "series_number": _SERIES_NUMBER},
        **{"sop_class_uid": storage, "modality": source.Modality, "transfer_syntax_uid": ExplicitVRLittleEndian},
        **{"manufacturer": "Engram", "manufacturer_model_name": "Engram", "software_versions": derivation.version},
        "specific_character_set": "ISO_IR 192",
        "series_description": f"Not for diagnosis: {derivation.process}, {derivation.run}"[:64],
    }
    for index in range(voxels.shape[2]):
        made = SOPClass(**fixed, sop_instance_uid=UID(), instance_number=index + 1)
        place = TO_RAS @ (np.array(grid.affine) @ [0, 0, index, 1])[:3]
        stored = np.rint((voxels[:, :, index].T - shared["RescaleIntercept"]) / shared["RescaleSlope"])
        own = {"ImagePositionPatient": _decimals(place), "PixelData": stored.clip(0, _LEVELS).astype("<u2").tobytes()}
        for name, value in {**shared, **patient, **own}.items():
            setattr(made, name, value)
        yield made


def _describe(derivation: Derivation, source: Dataset) -> dict[str, Any]:
    """Return the attributes on the derivation and on the identity of the patient."""
    said = {
        "DerivationDescription": f"{derivation}. Not for diagnosis.",
        "ImageComments": "Not for diagnosis.",
        "BurnedInAnnotation": "YES" if source.get("BurnedInAnnotation") == "YES" else "NO",
        "LossyImageCompression": "00",
        "PatientIdentityRemoved": source.PatientIdentityRemoved,
    }
    if source.PatientIdentityRemoved == "NO":
        return said
    code = Dataset()
    for name, value in _PROFILE.items():
        setattr(code, name, value)
    codes = DicomSequence([code])
    removed = {"DeidentificationMethod": _METHOD, "DeidentificationMethodCodeSequence": codes}
    return said | removed | {"LongitudinalTemporalInformationModified": "REMOVED"}


def _describe_plane(grid: VolumeGrid) -> dict[str, Any]:
    """Return the attributes of the image plane that all slices share."""
    axes = np.array(grid.affine)[:3, :3]
    sides = np.linalg.norm(axes, axis=0)
    cosines = TO_RAS @ (axes / sides)
    return {
        "ImageOrientationPatient": _decimals(cosines[:, :2].T.ravel()),
        "PixelSpacing": _decimals(sides[[1, 0]]),
        "SliceThickness": _decimals([grid.spacing_mm[2]])[0],
        "SpacingBetweenSlices": _decimals([sides[2]])[0],
        **{"PositionReferenceIndicator": None, "PatientPosition": None},
    }


def _describe_values(voxels: NDArray[np.float32], grid: VolumeGrid) -> dict[str, Any]:
    """Return the attributes of the pixels: 16 bits, which one slope and one intercept turn into the source's values."""
    low, high = float(voxels.min()), float(voxels.max())
    black, white = grid.levels[0] if len(set(grid.levels)) == 1 else (low, high)
    slope = (high - low) / _LEVELS or 1.0
    return {
        **{"SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME1" if black > white else "MONOCHROME2"},
        **{"Rows": voxels.shape[1], "Columns": voxels.shape[0], "PixelRepresentation": 0},
        **{"BitsAllocated": 16, "BitsStored": 16, "HighBit": 15},
        **{"RescaleIntercept": _decimals([low])[0], "RescaleSlope": _decimals([slope])[0]},
        "VOILUTFunction": "LINEAR_EXACT",
        "WindowCenter": _decimals([(black + white) / 2])[0],
        "WindowWidth": _decimals([max(abs(white - black), slope)])[0],
    }


def _decimals(values: Iterable[float]) -> list[DSfloat]:
    """Return numbers as decimal strings of at most 16 characters."""
    return [DSfloat(f"{float(value) + 0.0:.10g}") for value in values]
