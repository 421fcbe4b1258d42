import struct

import nibabel
import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from engine.config import DataConfig

VOLUME = np.arange(4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)  # every voxel tells where it came from
STORED = np.arange(30, dtype=np.uint16).reshape(5, 6) * 10


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """A cache of its own for each test, so that none finds what another left."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("ENGRAM_CACHE", str(folder))
    return folder


@pytest.fixture
def config():
    """Make a small config: `config()`, `config(fit="squash")`."""

    def make(**changes):
        return DataConfig(**{"size": 32, **changes})

    return make


@pytest.fixture
def noise():
    """Make a gray image of noise, another for each seed: `noise(3)`, `noise(3, (20, 30))`."""

    def make(seed, shape=(24, 24)):
        return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)

    return make


@pytest.fixture
def tree(tmp_path, noise):
    """Make a folder of PNG images, each of its own noise: `tree("Training/glioma/1.png", ...)`."""

    def make(*names):
        for seed, name in enumerate(names):
            file = tmp_path / "scans" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(noise(seed)).save(file)
        return tmp_path / "scans"

    return make


@pytest.fixture
def dicom(tmp_path):
    """Write a DICOM file of stored values: `dicom(STORED, WindowCenter=100, WindowWidth=50)`."""

    def write(stored=STORED, syntax=ExplicitVRLittleEndian, **tags):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = syntax
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = MRImageStorage
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
        data.PhotometricInterpretation, data.SamplesPerPixel = "MONOCHROME2", 1
        data.Rows, data.Columns = stored.shape[-2:]
        if stored.ndim == 3:
            data.NumberOfFrames = len(stored)
        data.BitsAllocated = data.BitsStored = stored.dtype.itemsize * 8
        data.HighBit = data.BitsStored - 1
        data.PixelRepresentation = int(stored.dtype.kind == "i")
        data.PixelData = stored.tobytes()
        for keyword, value in tags.items():
            setattr(data, keyword, value)
        if "FloatPixelData" in tags:
            del data.PixelData
        data.save_as(tmp_path / "scan.dcm", enforce_file_format=True)
        return tmp_path / "scan.dcm"

    return write


def write_nifti(path, volume=VOLUME, affine=None, kind=nibabel.Nifti1Image):
    """Write a NIfTI file."""
    nibabel.save(kind(volume, np.eye(4) if affine is None else affine), path)
    return path


def item(**tags):
    """A sequence of one item: `item(PixelSpacing=[2, 1])`; values of tables go as `(VR, value)`."""
    inner = Dataset()
    for keyword, value in tags.items():
        if isinstance(value, tuple):
            inner.add_new(keyword, *value)
        else:
            setattr(inner, keyword, value)
    return Sequence([inner])


@pytest.fixture
def text_dicom(dicom):
    """Write a DICOM file whose numbers are these texts, also wrong ones: `text_dicom(WindowCenter="750,0")`."""

    def write(stored=STORED, texts=None, **tags):
        file = dicom(stored, **tags)
        data = dcmread(file)
        for keyword, text in texts.items():
            data.add_new(keyword, "LO", text)
        data.save_as(file)
        content = file.read_bytes()
        for keyword in texts:
            tag = struct.pack("<HH", tag_for_keyword(keyword) >> 16, tag_for_keyword(keyword) & 0xFFFF)
            content = content.replace(tag + b"LO", tag + b"DS")
        file.write_bytes(content)
        return file

    return write
