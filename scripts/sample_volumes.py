"""Write a made-up dataset of volumes in the layout of BraTS: `python scripts/sample_volumes.py FOLDER [CASES]`."""

import sys
import tempfile
from pathlib import Path

import nibabel
import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine.data.phantom import phantom
from engine.noise import add_noise

SHAPE, SPACING_MM = (48, 56, 40), 4.0
CONTRASTS = {"t1": (0.6, -0.2), "t1ce": (0.6, 0.5), "t2": (0.4, 0.4), "flair": (0.5, 0.45)}  # brain, lesion


def write_case(folder: Path, number: int, finer: int = 1) -> None:
    """Write the four series and the mask of one head, an ellipsoid with a lesion, in voxels of 4 mm or a part of it."""
    rng, shape = np.random.default_rng(number), [finer * side for side in SHAPE]
    name = f"BraTS20_Training_{number + 1:03d}"
    (folder / name).mkdir(parents=True, exist_ok=True)
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij"), -1)
    radius = np.linalg.norm(grid / rng.uniform(0.6, 0.85, 3), axis=-1)
    brain, ventricles = radius < 1, np.linalg.norm(grid / (0.1, 0.3, 0.2), axis=-1) < 1
    lesion = brain & (np.linalg.norm(grid - rng.uniform(-0.35, 0.35, 3), axis=-1) < rng.uniform(0.12, 0.25))
    texture = 0.05 * np.sin(grid @ rng.uniform(4, 12, (3, 6))).sum(-1)
    for series, (level, extra) in CONTRASTS.items():
        values = brain * (level + texture - 0.3 * ventricles) + lesion * extra
        noisy = np.abs(values + brain * rng.normal(0, 0.02, shape)) * rng.uniform(500, 3000)
        save(folder / name / f"{name}_{series}.nii.gz", noisy.astype(np.int16), SPACING_MM / finer)
    save(folder / name / f"{name}_seg.nii.gz", 4 * lesion.astype(np.uint8), SPACING_MM / finer)


def write_series(folder: Path) -> Path:
    """Write an axial DICOM series of a head, every third slice of one T2 volume, and return its folder."""
    with tempfile.TemporaryDirectory() as scratch:
        write_case(Path(scratch), number=3, finer=3)
        volume = np.asarray(nibabel.load(next(Path(scratch).glob("*/*_t2.nii.gz"))).dataobj, np.uint16)
    folder.mkdir(parents=True, exist_ok=True)
    series, step_mm = generate_uid(), SPACING_MM / 3
    for number in range(0, volume.shape[2], 3):
        head, rows = Dataset(), np.ascontiguousarray(volume[::-1, ::-1, number].T)
        head.file_meta = FileMetaDataset()
        head.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        head.SOPClassUID = head.file_meta.MediaStorageSOPClassUID = MRImageStorage
        head.SOPInstanceUID = head.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        head.SeriesInstanceUID = head.FrameOfReferenceUID = head.StudyInstanceUID = series
        head.Modality, head.SeriesDescription, head.InstanceNumber = "MR", "T2 axial", number + 1
        head.Rows, head.Columns = rows.shape
        head.PixelSpacing, head.SliceThickness = [step_mm, step_mm], SPACING_MM
        head.ImageOrientationPatient, head.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, number * step_mm]
        head.BitsAllocated = head.BitsStored = 16
        head.HighBit, head.PixelRepresentation, head.SamplesPerPixel = 15, 0, 1
        head.PhotometricInterpretation, head.PixelData = "MONOCHROME2", rows.tobytes()
        head.save_as(folder / f"IM{number:04d}", enforce_file_format=True)
    return folder


def write_noisy_image(path: Path) -> Path:
    """Write a phantom with a lesion and Rician noise as a picture, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = phantom(size=192, seed=7, index=0, label="meningioma_tumor", plane="axial")
    noisy = add_noise(head.image[None, ..., None], "rician", 0.08, seed=0)[0, ..., 0]
    Image.fromarray((255 * np.clip(noisy, 0, 1)).round().astype(np.uint8)).save(path)
    return path


def save(path: Path, values: np.ndarray, spacing_mm: float) -> None:
    """Write one volume."""
    nibabel.save(nibabel.Nifti1Image(values, np.diag([*[spacing_mm] * 3, 1.0])), path)


if __name__ == "__main__":
    for case in range(int(sys.argv[2]) if len(sys.argv) > 2 else 12):
        write_case(Path(sys.argv[1]), case)
