"""Readers of images and volumes, and small valid files for them."""

import gzip
import io
import os
import tempfile
import zipfile
import zlib
from pathlib import Path
from unittest import mock

import nibabel
import numpy as np
import pydicom
from PIL import Image
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.fileset import FileSet
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    MRImageStorage,
    RLELossless,
    generate_uid,
)

from engine.data import (
    archive_folder,
    dicom,
    dicom_series,
    nifti,
    patient_names,
    raster,
    research_volumes,
    series_folder,
)
from engine.data.decoded_image import UnreadableFile
from engine.data.files import detect_format, list_pictures
from engine.data.foreign_files import describe_foreign
from engine.lesions import read_masks

# What `engine.data.scan.serve` and the source of a folder turn into a sentence.
READABLE = (UnreadableFile, OSError, MemoryError)
GRAY = (np.add.outer(np.arange(12), np.arange(10)) * 11).astype(np.uint8)
VOLUME = np.arange(60, dtype=np.int16).reshape(5, 4, 3)
SHIPPED = ("MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm")


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return an image as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def make_pictures(kind: str) -> list[bytes]:
    """Return small pictures of a format, one for each way to store them."""
    gray = Image.fromarray(GRAY)
    deep = Image.fromarray(GRAY.astype(np.uint16) * 250)
    color = gray.convert("RGB")
    upright = Image.Exif()
    upright[274] = 6
    if kind == "PNG":
        return [
            encode(gray, kind),
            encode(deep, kind),
            encode(color.convert("P"), kind),
            encode(gray.convert("LA"), kind),
        ]
    if kind == "JPEG":
        return [encode(gray, kind), encode(color, kind, progressive=True), encode(color, kind, exif=upright)]
    if kind == "TIFF":
        real = Image.fromarray(GRAY.astype(np.float32) / 7)
        packed = [
            encode(gray, kind, compression=name) for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
        ]
        pages = encode(gray, kind, save_all=True, append_images=[gray, deep])
        return [encode(gray, kind), encode(deep, kind), encode(real, kind), pages, *packed]
    if kind == "BMP":
        return [encode(gray, kind), encode(color, kind), encode(gray.convert("1"), kind)]
    return [encode(color, kind), encode(gray, kind)]


def make_masks() -> list[bytes]:
    """Return small pictures of the formats that a mask may have."""
    return [picture for kind in ("PNG", "JPEG", "TIFF", "BMP") for picture in make_pictures(kind)]


def read_picture(path: Path) -> object:
    """Read a picture in the three ways in which Engram does."""
    detect_format(path)
    describe_foreign(path)
    try:
        raster.upright_size(path)
        with path.open("rb") as file:
            raster.read_picture(file)
    except READABLE:
        pass
    return raster.read_scan(path)


def make_dicom(syntax: UID, frames: int = 1, **tags: object) -> bytes:
    """Return a small DICOM file."""
    data, file = Dataset(), io.BytesIO()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = MRImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid(entropy_srcs=["engram"])
    data.PhotometricInterpretation, data.SamplesPerPixel, data.NumberOfFrames = "MONOCHROME2", 1, frames
    data.Rows, data.Columns = GRAY.shape
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.ImageOrientationPatient, data.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [0, 0, 0]
    data.PixelSpacing, data.SliceThickness, data.PatientID = [0.5, 0.5], 2, "7"
    data.RescaleSlope, data.RescaleIntercept, data.WindowCenter, data.WindowWidth = 2, -3, 100, 90
    data.PixelData = GRAY.tobytes() * frames
    if syntax in (JPEGBaseline8Bit, JPEG2000Lossless):
        kind = "JPEG" if syntax == JPEGBaseline8Bit else "JPEG2000"
        data.PixelData = encapsulate([encode(Image.fromarray(GRAY), kind)] * frames)
    for keyword, value in tags.items():
        setattr(data, keyword, value)
    data.save_as(file, enforce_file_format=True)
    return file.getvalue()


def make_dicoms() -> list[bytes]:
    """Return small DICOM files of every encoding that Engram reads without an extra."""
    plain = make_dicom(ExplicitVRLittleEndian)
    packed = pydicom.dcmread(io.BytesIO(plain))
    packed.compress(RLELossless)
    rle = io.BytesIO()
    packed.save_as(rle)
    syntaxes = (JPEGBaseline8Bit, JPEG2000Lossless, DeflatedExplicitVRLittleEndian)
    shipped = [Path(str(get_testdata_file(name))).read_bytes() for name in SHIPPED]
    return [plain, make_dicom(ExplicitVRLittleEndian, 3), rle.getvalue(), *map(make_dicom, syntaxes), *shipped]


def read_dicom(path: Path) -> object:
    """Read a DICOM file alone, as an image of a data set, and for its patient."""
    patient_names.read_header(path)
    try:
        dicom.read_picture(path)
    except READABLE:
        pass
    return dicom.read_scan(path)


def make_niftis() -> list[bytes]:
    """Return small NIfTI volumes."""
    made = [
        nibabel.Nifti1Image(VOLUME, np.diag([2, 2, 3, 1])),
        nibabel.Nifti2Image(VOLUME.astype(np.float32), np.eye(4)),
    ]
    made.append(nibabel.Nifti1Image(np.stack([VOLUME, VOLUME], -1).astype(np.uint8), np.eye(4)))
    return [image.to_bytes() for image in made]


def make_mgh() -> list[bytes]:
    """Return small volumes of FreeSurfer."""
    return [nibabel.MGHImage(kind, np.eye(4)).to_bytes() for kind in (VOLUME, VOLUME.astype(np.float32))]


def make_nrrd() -> list[bytes]:
    """Return small NRRD volumes, which need an extra: plain, compressed, as text, of two components."""
    start = b"NRRD0004\ntype: short\nendian: little\n"
    space = b"space: left-posterior-superior\nspace directions: (1,0,0) (0,2,0) (0,0,3)\nspace origin: (0,0,0)\n"
    flat = b"dimension: 3\nsizes: 5 4 3\n"
    text = " ".join(map(str, VOLUME.ravel())).encode()
    return [
        start + flat + space + b"encoding: raw\n\n" + VOLUME.tobytes(),
        start + flat + b"encoding: gzip\n\n" + gzip.compress(VOLUME.tobytes()),
        start + flat + b"encoding: ascii\n\n" + text,
        start + b"dimension: 4\nsizes: 2 5 2 3\nkinds: vector space space space\nencoding: raw\n\n" + VOLUME.tobytes(),
    ]


def make_mha(data: str = "LOCAL") -> list[bytes]:
    """Return small MetaImage volumes, which need an extra: plain, compressed; or with their voxels in another file."""
    head = b"ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nDimSize = 5 4 3\n"
    head += b"TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0\nElementSpacing = 1 2 3\nElementType = MET_SHORT\n"
    plain = head + f"ElementDataFile = {data}\n".encode()
    packed = zlib.compress(VOLUME.tobytes())
    sizes = f"CompressedData = True\nCompressedDataSize = {len(packed)}\n".encode()
    return (
        [plain + VOLUME.tobytes(), head + sizes + b"ElementDataFile = LOCAL\n" + packed] if data == "LOCAL" else [plain]
    )


def write_raw(folder: Path) -> None:
    """Write the voxels of a MetaImage header."""
    (folder / "a.raw").write_bytes(VOLUME.tobytes())


def write_series(folder: Path) -> None:
    """Write two slices of a series."""
    for number in (1, 2):
        (folder / f"{number}.dcm").write_bytes(make_slice(number))


def make_slice(number: int) -> bytes:
    """Return one slice of a series."""
    place = {"ImagePositionPatient": [0, 0, 3 * number], "InstanceNumber": number, "SeriesInstanceUID": "1.2.3"}
    return make_dicom(ExplicitVRLittleEndian, **place, Modality="MR", SeriesNumber=4, SeriesDescription="T1")


def make_disc_index() -> list[bytes]:
    """Return the index of a disc with two slices."""
    with tempfile.TemporaryDirectory() as name:
        files = FileSet()
        for number in (1, 2):
            data = pydicom.dcmread(io.BytesIO(make_slice(number)))
            data.StudyInstanceUID, data.StudyDate, data.StudyTime, data.StudyID = "1.2", "20200101", "0101", "1"
            files.add(data)
        files.write(name)
        files._stage["t"].cleanup()  # pydicom leaves it to the collector, which warns
        return [(Path(name) / "DICOMDIR").read_bytes()]


def read_series(path: Path) -> object:
    """Read a folder as one series, and a file of it alone, as Engram does for a disc."""
    try:
        dicom_series.read_slice_header(path)
        dicom.read_scan(path)
    except READABLE:
        pass
    return series_folder.read_scan(path.parent, None, "T1")


def make_archives() -> list[bytes]:
    """Return small zip archives of images, with folders and with a name of another alphabet."""
    made = []
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", method) as archive:
            archive.writestr("images/Training/glioma/ä.png", make_pictures("PNG")[0])
            archive.writestr("images/.hidden", b"x")
            archive.writestr("images/Training/no/b.dcm", make_slice(1))
        made.append(file.getvalue())
    return made


def read_archive(path: Path) -> object:
    """Unpack an archive into an empty cache; nothing may lie outside it or be a link."""
    with tempfile.TemporaryDirectory() as name, mock.patch.dict(os.environ, ENGRAM_CACHE=f"{name}/cache"):
        folder = archive_folder.unpack(path)
        found = list(folder.rglob("*"))
        assert not [each for each in found if each.is_symlink()], found
        assert [os.listdir(name), os.listdir(f"{name}/cache")] == [["cache"], ["archives"]]
        return list(list_pictures(folder, lambda file, reason: None))


def read_nifti(path: Path) -> object:
    """Read a NIfTI volume for a data set and alone."""
    for plane in ("axial", "stored"):
        try:
            nifti.count_slices(path, plane)
        except READABLE:
            continue
    return nifti.read_scan(path)


def read_mask(path: Path) -> object:
    """Read a picture as the mask of another one."""
    return read_masks(path.parent, {"image.png": [path.name]})


def make_analyze() -> tuple[bytes, bytes]:
    """Return the two files of a NIfTI pair."""
    files = nibabel.Nifti1Pair.make_file_map()
    for holder in files.values():
        holder.fileobj = io.BytesIO()
    nibabel.Nifti1Pair(VOLUME, np.eye(4)).to_file_map(files)
    return files["header"].fileobj.getvalue(), files["image"].fileobj.getvalue()


def write_voxels(folder: Path) -> None:
    """Write the second file of a pair."""
    (folder / "a.img").write_bytes(make_analyze()[1])


def zip_all(seeds: list[bytes]) -> list[bytes]:
    """Compress each file."""
    return [gzip.compress(seed, 1) for seed in seeds]


read_research = research_volumes.read_scan
