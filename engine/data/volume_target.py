"""Where and in which format a result is written as a volume. Light to import, for checks before any work."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from engine.errors import DataError

NIFTI_SUFFIXES: Final = (".nii.gz", ".nii")
INSTALL: Final = 'pip install "engram-mri[dicom]"'
VolumeFormat = Literal["nifti", "dicom"]


@dataclass(frozen=True)
class VolumeTarget:
    """Place of a written volume.

    Args:
        path: NIfTI file, which is replaced, or new folder of a DICOM series.
        format: 'nifti' or 'dicom'.
        keep_patient_data: whether a DICOM series keeps the name, identifiers, dates and UIDs of its source.
    """

    path: Path
    format: VolumeFormat = "nifti"
    keep_patient_data: bool = False

    def check(self, source: str | Path) -> None:
        """Check that the volume can be written.

        Raises:
            DataError: the name is not that of a NIfTI file or a new folder, it is the source, or highdicom is missing.

        Examples:
            >>> VolumeTarget(Path("out.nii.gz")).check("head.nii.gz")
        """
        if self.format == "dicom":
            self._check_folder()
        elif not self.path.name.casefold().endswith(NIFTI_SUFFIXES):
            raise DataError(
                f"'{self.path.name}' is not the name of a NIfTI file.",
                "End it in .nii.gz or .nii, or choose the format DICOM (--volume-format dicom).",
            )
        elif self.path.exists() and Path(source).exists() and self.path.samefile(source):
            name = self.path.name
            raise DataError(f"'{name}' is the input itself.", "Choose another name; the input is never overwritten.")

    def _check_folder(self) -> None:
        if problem := find_missing_package():
            raise DataError(problem, f"Install it: {INSTALL}")
        if self.path.exists() and not (self.path.is_dir() and not any(self.path.iterdir())):
            raise DataError(
                f"'{self.path.name}' already exists and is not an empty folder.",
                "A DICOM series needs a folder of its own; choose a new one.",
            )


def find_missing_package() -> str:
    """Return a sentence on the missing package that writes DICOM series; empty if it is installed."""
    return "" if importlib.util.find_spec("highdicom") else "Writing a DICOM series needs the package highdicom."
