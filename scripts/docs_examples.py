"""What the commands of the documentation stand for when scripts/run_docs.py runs them: small files, and a tiny run."""

import csv
import shlex
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from engine.data.phantom import phantom
from scripts import sample_volumes

SIZE, PATIENTS, CASES, SLICES = 64, 60, 3, 48
STANDS = {
    **{"RUN": "tiny", "RUN2": "tiny-2", "SOURCE": "source", "FOLDER": "folder", "IMAGE": "head.png", "DIR": "out"},
    **{"boxes.csv": "source/lesion_boxes.csv", "lesion_boxes.csv": "source/lesion_boxes.csv"},
    "patients.csv": "source/patients.csv",
}
TINY = f"--model ae --size {SIZE} --filters 8,8,8 --latent 8 --epochs 1"
RUNS = tuple(f"train --data source {TINY} --seed {seed} --run {name}" for seed, name in enumerate(("tiny", "tiny-2")))
# Commands that need a cluster, a display or hours.
ELSEWHERE = ("study", "search", "app")
# Less of what takes long.
FEW = {"--epochs": "2", "--pairs": "2"}
BACKENDS = {"torch": "torch", "jax": "jax"}


def write_files() -> None:
    """Write into the current folder the images, tables, volumes and series that the pages name."""
    write_images(Path("source"))
    for number in range(CASES):
        sample_volumes.write_case(Path("folder"), number)
    for name in ("scan.nii.gz", "volume.nii.gz"):
        shutil.copy(next(Path("folder").glob("*/*_t1.nii.gz")), name)
    write_series(Path("series-folder"), ["T1"])
    write_series(Path("disc-folder"), ["Localizer", "T1", "T2"])
    shutil.copy("series-folder/0-24.dcm", "head.dcm")
    for name in ("head.png", "noisy.png"):
        shutil.copy(next(Path("source").glob("Testing/*/*.png")), name)
    Path("space.json").write_text('{"latent": [4]}', "utf-8")


def write_images(folder: Path) -> None:
    """Write two images of each patient, with a table of the patients and one of the lesions."""
    patients, boxes = [], []
    for number in range(2 * PATIENTS):
        head = phantom(size=SIZE, seed=5, index=number, label="meningioma_tumor", plane="axial")
        split = "Training" if number < PATIENTS * 1.5 else "Testing"
        path = folder / split / head.label / f"case{number // 2:03d}_{number % 2}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((head.image * 255).round().astype("uint8")).save(path)
        rows, columns = np.nonzero(head.mask)
        size = [(np.ptp(each) + 1) / SIZE for each in (columns, rows)]
        center = [(each.min() + 0.5) / SIZE + side / 2 for each, side in zip((columns, rows), size, strict=True)]
        name = path.relative_to(folder).as_posix()
        patients.append((name, f"P{number // 2}"))
        boxes.append((name, *center, *size))
    write_table(folder / "patients.csv", ("file", "patient"), patients)
    write_table(folder / "lesion_boxes.csv", ("file", "x_center", "y_center", "width", "height"), boxes)


def write_table(path: Path, head: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """Write a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([head, *rows])


def write_series(folder: Path, names: list[str]) -> None:
    """Write DICOM series of one study, each a stack of axial slices of the same head."""
    folder.mkdir()
    study, frame = generate_uid(), generate_uid()
    for number, name in enumerate(names):
        series = generate_uid()
        for at in range(SLICES):
            head = phantom(size=SIZE, seed=5, index=number, label="no_tumor", plane="axial")
            data = make_slice(head.image * np.sin(np.pi * (at + 1) / (SLICES + 1)))
            data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
            data.SeriesNumber, data.InstanceNumber, data.SeriesDescription = number + 1, at + 1, name
            data.ImagePositionPatient = [-SIZE, -SIZE, 3.0 * at]
            data.save_as(folder / f"{number}-{at}.dcm", enforce_file_format=True)


def make_slice(image: np.ndarray) -> Dataset:
    """Return a DICOM image of intensities from 0 to 1."""
    data, stored = Dataset(), (image * 1000).astype(np.uint16)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = MRImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
    data.Modality, data.PhotometricInterpretation, data.SamplesPerPixel = "MR", "MONOCHROME2", 1
    data.Rows, data.Columns = stored.shape
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation, data.PixelData = 15, 0, stored.tobytes()
    data.ImageOrientationPatient, data.PixelSpacing, data.SliceThickness = [1, 0, 0, 0, 1, 0], [2, 2], 3
    return data


def fill_in(line: str) -> list[str]:
    """Return the words of a command with files and runs for its placeholders; empty if it cannot be run here.

    Trainings and measurements are cut short.
    """
    words = shlex.split(line, comments=True)
    words = words[: next((at for at, word in enumerate(words) if word in (">", "||", "|")), None)]
    lacks = any(word in BACKENDS and find_spec(BACKENDS[word]) is None for word in words)
    is_remote = words[:1] != ["engram"] or words[1] in ELSEWHERE or "--cluster" in words or "/shared/runs" in words
    if is_remote or lacks:
        return []
    words = [STANDS.get(word, word) for word in words]
    words = [FEW.get(before, word) for before, word in zip(["", *words], words, strict=False)]
    if words[1] == "train":
        words += ["--epochs", "1"] if "--config" in words or "--preset" in words else TINY.split()
    return words
