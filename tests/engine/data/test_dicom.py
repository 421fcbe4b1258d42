import base64
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import HTJ2K, HTJ2KLossless, HTJ2KLosslessRPCL

from engine.data.decoded_image import UnreadableFile
from engine.data.dicom import read_picture, read_scan, read_values
from tests.engine.data.conftest import STORED


def shipped(name):
    """A file that comes with pydicom."""
    return Path(get_testdata_file(name))


def test_a_real_file_is_shown_with_its_window():
    data = dcmread(shipped("MR_small.dcm"))
    scan = read_scan(shipped("MR_small.dcm"))
    expected = ((data.pixel_array - (600 - 0.5)) / (1600 - 1) + 0.5).clip(0, 1)
    np.testing.assert_allclose(scan.pixels[0], expected, atol=1e-6)
    assert scan.kind == "dicom"
    assert scan.orientation == ("R", "L", "A", "P")
    assert scan.spacing_mm == (0.3125, 0.3125)
    assert scan.slice_spacing_mm == 0.8
    assert scan.notes == ("Displayed with the window/level stored in the file: level 600, width 1600.",)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")  # of the padding
@pytest.mark.parametrize("name", ["implicit", "bigendian", "RLE", "padded", "jp2klossless"])
def test_every_encoding_of_one_image_gives_the_same_pixels(name):
    plain = read_scan(shipped("MR_small.dcm")).pixels
    np.testing.assert_allclose(read_scan(shipped(f"MR_small_{name}.dcm")).pixels, plain, atol=1e-6)


def test_slope_and_intercept_come_before_the_window(dicom):
    scan = read_scan(dicom(RescaleSlope=2, RescaleIntercept=-100, WindowCenter=100.5, WindowWidth=401))
    np.testing.assert_allclose(scan.pixels[0], (((STORED * 2.0 - 100) - 100) / 400 + 0.5).clip(0, 1), atol=1e-6)


def test_signed_values(dicom):
    stored = STORED.astype(np.int16) - 150
    scan = read_scan(dicom(stored, WindowCenter=0.5, WindowWidth=301))
    np.testing.assert_allclose(scan.pixels[0], (stored / 300 + 0.5).clip(0, 1), atol=1e-6)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("LINEAR", lambda x: ((x - 99.5) / 99 + 0.5).clip(0, 1)),
        ("LINEAR_EXACT", lambda x: ((x - 100) / 100 + 0.5).clip(0, 1)),
        ("SIGMOID", lambda x: 1 / (1 + np.exp(-4 * (x - 100) / 100))),
    ],
)
def test_the_three_shapes_of_a_window(dicom, shape, expected):
    scan = read_scan(dicom(WindowCenter=100, WindowWidth=100, VOILUTFunction=shape))
    np.testing.assert_allclose(scan.pixels[0], expected(STORED.astype(float)), atol=1e-6)


def test_the_first_of_several_windows_counts(dicom):
    scan = read_scan(dicom(WindowCenter=[100, 0], WindowWidth=[100, 1000]))
    assert "level 100, width 100" in scan.notes[0]


@pytest.mark.parametrize("tags", [{}, {"WindowCenter": 100, "WindowWidth": 0}, {"WindowCenter": "", "WindowWidth": ""}])
def test_without_a_window_the_values_are_spread(dicom, tags):
    scan = read_scan(dicom(**tags))
    assert scan.pixels.min() == 0
    assert scan.pixels.max() == 1
    assert "No window/level stored in the file" in scan.notes[0]


def test_monochrome1_is_inverted_so_that_white_is_white(dicom):
    window = {"WindowCenter": 145.5, "WindowWidth": 291}
    straight = read_scan(dicom(**window)).pixels
    scan = read_scan(dicom(PhotometricInterpretation="MONOCHROME1", **window))
    np.testing.assert_allclose(scan.pixels, 1 - straight, atol=1e-6)
    assert "MONOCHROME1" in scan.notes[0]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("window", [{}, {"WindowCenter": 145, "WindowWidth": 291}])
def test_padding_outside_the_field_of_view_is_black_and_measures_nothing(dicom, photometric, window):
    stored = STORED.copy()
    stored[0] = 60_000
    scan = read_scan(dicom(stored, PhotometricInterpretation=photometric, PixelPaddingValue=60_000, **window))
    assert not scan.pixels[0, 0].any()
    assert scan.pixels[0, 1:].max() == pytest.approx(1, abs=0.05 if not window else 0.25)


def test_a_look_up_table_stands_in_for_a_window(dicom):
    file = dicom(STORED.clip(0, 255))
    data = dcmread(file)
    table = Dataset()
    table.add_new(0x00283002, "US", [256, 0, 8])
    table.add_new(0x00283006, "US", list(range(255, -1, -1)))
    data.VOILUTSequence = Sequence([table])
    data.save_as(file)
    scan = read_scan(file)
    np.testing.assert_allclose(scan.pixels[0], 1 - STORED.clip(0, 255) / 255, atol=1e-6)
    assert "look-up table" in scan.notes[0]


@pytest.mark.parametrize(
    ("cosines", "letters"),
    [
        ([1, 0, 0, 0, 1, 0], ("R", "L", "A", "P")),  # axial
        ([1, 0, 0, 0, 0, -1], ("R", "L", "S", "I")),  # coronal
        ([0, 1, 0, 0, 0, -1], ("A", "P", "S", "I")),  # sagittal
        ([-1, 0, 0, 0, 1, 0], ("L", "R", "A", "P")),  # stored mirrored: said, not flipped
    ],
)
def test_letters_come_from_the_direction_cosines(dicom, cosines, letters):
    scan = read_scan(dicom(ImageOrientationPatient=cosines, WindowCenter=145.5, WindowWidth=291))
    assert scan.orientation == letters
    np.testing.assert_allclose(scan.pixels[0], STORED / 290, atol=1e-6)


def test_oblique_slices_are_called_oblique(dicom):
    scan = read_scan(dicom(ImageOrientationPatient=[1, 0, 0, 0, 0.8, -0.6]))
    assert scan.orientation == ("R", "L", "A", "P")
    assert any("oblique" in note for note in scan.notes)


def test_patient_orientation_serves_where_there_are_no_cosines(dicom):
    assert read_scan(dicom(PatientOrientation=["L", "F"])).orientation == ("R", "L", "S", "I")


@pytest.mark.parametrize("tags", [{}, {"PatientOrientation": ["X", "F"]}, {"ImageOrientationPatient": [0.0] * 6}])
def test_an_unknown_orientation_is_said(dicom, tags):
    scan = read_scan(dicom(**tags))
    assert scan.orientation is None
    assert scan.notes[-1] == "The file has no orientation information; shown as stored. Left and right are not known."


def test_frames_are_slices(dicom):
    frames = np.stack([STORED, STORED[::-1], STORED // 2])
    scan = read_scan(dicom(frames, WindowCenter=145.5, WindowWidth=291))
    np.testing.assert_allclose(scan.pixels, frames / 290, atol=1e-6)


def test_frames_of_an_enhanced_file_have_their_own_settings(dicom):
    def item(**tags):
        inner = Dataset()
        for keyword, value in tags.items():
            setattr(inner, keyword, value)
        return Sequence([inner])

    shared, frames = Dataset(), [Dataset(), Dataset()]
    shared.PlaneOrientationSequence = item(ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    shared.PixelMeasuresSequence = item(PixelSpacing=[2.0, 1.0], SliceThickness=3.0)
    for slope, frame in enumerate(frames, 1):
        frame.PixelValueTransformationSequence = item(RescaleSlope=slope, RescaleIntercept=0)
        frame.FrameVOILUTSequence = item(WindowCenter=145.5 * slope, WindowWidth=290 * slope + 1)
    scan = read_scan(
        dicom(
            np.stack([STORED, STORED]),
            SharedFunctionalGroupsSequence=Sequence([shared]),
            PerFrameFunctionalGroupsSequence=Sequence(frames),
        )
    )
    for number, slope in enumerate((1, 2)):
        expected = (STORED * slope - (145.5 * slope - 0.5)) / (290 * slope) + 0.5
        np.testing.assert_allclose(scan.pixels[number], expected.clip(0, 1), atol=1e-6)
    assert "different for each frame" in scan.notes[0]
    assert scan.orientation == ("A", "P", "S", "I")
    assert scan.aspect == 2
    assert scan.slice_spacing_mm == 3


@pytest.mark.parametrize("name", ["SC_rgb_rle.dcm", "SC_rgb_dcmtk_+eb+cr.dcm", "SC_ybr_full_422_uncompressed.dcm"])
def test_color_becomes_luma(name):
    scan = read_scan(shipped(name))
    assert scan.pixels.shape == (1, 100, 100)
    red = scan.pixels[0, 5]  # the image begins with a band of pure red
    np.testing.assert_allclose(red, 0.299, atol=0.02)


def test_palette_color_becomes_luma():
    scan = read_scan(shipped("examples_palette.dcm"))
    assert scan.pixels.shape == (1, 350, 800)
    data = dcmread(shipped("examples_palette.dcm"))
    table = [np.frombuffer(data[f"{c}PaletteColorLookupTableData"].value, "<u2") for c in ("Red", "Green", "Blue")]
    expected = np.stack([channel[data.pixel_array] for channel in table], -1) @ [0.299, 0.587, 0.114] / 65_535
    np.testing.assert_allclose(scan.pixels[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("rtplan.dcm", "without an image"),
        ("waveform_ecg.dcm", "without an image"),
        ("MR_truncated.dcm", "cannot be decoded"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_its_reason(name, reason):
    with pytest.raises(UnreadableFile, match=reason):
        read_scan(shipped(name))


@pytest.mark.parametrize(
    ("name", "syntax", "mean", "decoders"),
    [
        ("MR_small_jpeg_ls_lossless.dcm", "JPEG-LS Lossless", 0.44, ("gdcm", "jpeg_ls")),
        ("SC_rgb_jpeg_gdcm.dcm", "JPEG Lossless", 0.5, ("gdcm",)),
        ("JPEG-lossy.dcm", "JPEG Extended", 0.08, ("gdcm",)),
    ],
)
def test_a_compressed_file_opens_or_its_decoders_are_named(name, syntax, mean, decoders):
    """Which of the two depends on whether the extra is installed, or a part of it."""
    if any(map(importlib.util.find_spec, decoders)):
        assert read_scan(shipped(name), alone=True).pixels.mean() == pytest.approx(mean, abs=0.01)
    else:
        with pytest.raises(UnreadableFile, match=rf'{syntax}.*\(pip install "engram-mri\[dicom\]"\)'):
            read_scan(shipped(name))


def test_a_header_that_claims_too_many_frames_is_refused(dicom):
    with pytest.raises(UnreadableFile, match="declares 60000000 × 5 × 6 pixels, more than can be opened"):
        read_scan(dicom(NumberOfFrames=60_000_000))
    with pytest.raises(UnreadableFile, match="declares 1 × 60000 × 60000 pixels"):
        read_picture(dicom(Rows=60_000, Columns=60_000))


def test_an_image_of_a_dataset_has_one_frame(dicom):
    picture = read_picture(dicom(PixelSpacing=[2.0, 1.0]))
    assert picture.aspect == 2
    assert picture.unit().max() == 1
    with pytest.raises(UnreadableFile, match="holds 2 frames"):
        read_picture(dicom(np.stack([STORED, STORED])))


def test_a_deflated_file_is_opened_alone_but_not_in_a_dataset():
    path = shipped("image_dfl.dcm")
    assert read_scan(path).pixels.shape == (1, 512, 512)
    with pytest.raises(UnreadableFile, match="deflated"):
        read_picture(path)


@pytest.mark.parametrize(
    ("part", "damaged"),
    [(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.5.1.4\0"), (b"\x28\0\0\x01US", b"\x28\0\0\x01U\x1a")],
    ids=["the syntax is none", "a type is none"],
)
def test_a_damaged_header_is_refused_with_a_sentence(dicom, part, damaged):
    file = dicom()
    content = file.read_bytes()
    assert part in content
    file.write_bytes(content.replace(part, damaged))
    for read in (read_scan, read_picture, read_values):
        with pytest.raises(UnreadableFile, match="damaged"):
            read(file)


@pytest.mark.parametrize(
    ("tags", "is_gray"),
    [
        ({"PhotometricInterpretation": "GRAYSCALE"}, True),
        ({"PhotometricInterpretation": "RGB", "SamplesPerPixel": 1}, True),
        ({"PhotometricInterpretation": "MONOCHROME2", "SamplesPerPixel": 3, "Rows": 2, "Columns": 5}, False),
    ],
)
def test_pixels_are_shown_by_their_number_where_their_meaning_contradicts_it(dicom, tags, is_gray):
    stored = np.arange(30, dtype=np.uint8).reshape(5, 6)
    scan = read_scan(dicom(stored, **tags))
    if is_gray:
        np.testing.assert_allclose(scan.pixels[0, [0, -1], [0, -1]], [0, 1], atol=0.01)
        assert scan.notes[0] == "The file does not say what its pixel values mean; high values are shown bright."
    else:
        assert scan.pixels.shape == (1, 2, 5)


def test_what_cannot_be_shown_is_not_called_damaged(dicom):
    with pytest.raises(UnreadableFile, match="it has 4 values for each pixel, which cannot be shown"):
        read_scan(dicom(SamplesPerPixel=4, PhotometricInterpretation="ARGB"))
    file = dicom()
    file.write_bytes(file.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.113619.5.2\0\0"))
    with pytest.raises(UnreadableFile, match=r"its transfer syntax \(1\.2\.840\.113619\.5\.2\) is not known"):
        read_scan(file)


# np.arange(64) * 50 as 8 x 8 pixels of 16 bits, written by OpenJPH.
HTJ2K_FRAME = (
    "/0//UQApQAAAAAAIAAAACAAAAAAAAAAAAAAACAAAAAgAAAAAAAAAAAABDwEB/1AACAACAAAACv9SAAwAAgABAAUEBEAB/1wAEyCIkJCQkJCQkJCQkJ"
    "CQiIiI/2QAFwABT3BlbkpQSCBWZXIgMC4yNi4zLv+QAAoAAAAAAFkAAf+TwAAm+fcFB3QAAADAABLAABMAxgGHdABA/gMHdADAABNAABOAYPABAnQA"
    "Bjf4AKNUAMAAKiAAFWCiKIqqcIJ1AB579OjxwEIB7LYA/9k="
)


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K])
def test_high_throughput_jpeg_2000_is_decoded_with_the_extra(dicom, syntax):
    stored = (np.arange(64, dtype=np.uint16) * 50).reshape(8, 8)
    file = dicom(stored, syntax, PixelData=encapsulate([base64.b64decode(HTJ2K_FRAME)]))
    if importlib.util.find_spec("openjpeg") is None:
        with pytest.raises(UnreadableFile, match=r"install the decoders \(pip install \"engram-mri\[dicom\]\"\)"):
            read_scan(file)
        pytest.skip("the decoder is not installed")
    np.testing.assert_array_equal(read_values(file)[0], stored)
