"""Values of DICOM frames: padding, tables, windows, floating-point maps."""

import struct
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, JPEG2000Lossless

from engine.data.decoded_image import UnreadableFile
from engine.data.dicom import read_picture, read_quantities, read_scan
from tests.engine.data.conftest import STORED, item

WINDOW = {"WindowCenter": 145.5, "WindowWidth": 291}  # 0 is black, 290 is white
PALETTE = ("Red", "Green", "Blue")
UNKNOWN = "shown as stored. Left and right are not known."


def palette(table, bits=16, first=0):
    """The tags of a gray palette."""
    tags = {f"{color}PaletteColorLookupTableDescriptor": [len(table), first, bits] for color in PALETTE}
    return tags | {f"{color}PaletteColorLookupTableData": table.tobytes() for color in PALETTE}


def table(values, bits, first=0):
    """A table as a sequence."""
    return item(LUTDescriptor=("US", [len(values), first, bits]), LUTData=("OW", values.astype("<u2").tobytes()))


def test_a_table_of_8_bits_has_more_than_256_entries(dicom):
    values = np.sqrt(np.arange(300) / 299) * 255
    scan = read_scan(dicom(VOILUTSequence=table(np.rint(values), 8)))
    np.testing.assert_allclose(scan.pixels[0], np.rint(values)[STORED] / 255, atol=1e-6)


def test_a_table_of_8_bits_may_be_packed(dicom):
    values = np.arange(255, -1, -1, dtype=np.uint8)
    packed = item(LUTDescriptor=("US", [256, 0, 8]), LUTData=("OW", values.tobytes()))
    scan = read_scan(dicom(STORED.clip(0, 255), VOILUTSequence=packed))
    np.testing.assert_allclose(scan.pixels[0], 1 - STORED.clip(0, 255) / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("declared", "largest", "white"), [(16, 4095, 4095), (16, 255, 255), (8, 4095, 4095), (12, 4000, 4095)]
)
def test_white_is_what_the_largest_entry_of_a_table_needs(dicom, declared, largest, white):
    values = np.linspace(0, largest, 300).round()
    scan = read_scan(dicom(VOILUTSequence=table(values, declared)))
    np.testing.assert_allclose(scan.pixels[0], values[STORED] / white, atol=1e-6)
    assert any(f"declares {declared} bits" in note for note in scan.notes) == (declared != 12)


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_a_modality_table_has_any_depth(dicom, bits):
    values = np.arange(299, -1, -1)
    scan = read_scan(dicom(ModalityLUTSequence=table(values, bits), WindowCenter=150, WindowWidth=300))
    np.testing.assert_allclose(scan.pixels[0], ((299 - STORED - 149.5) / 299 + 0.5).clip(0, 1), atol=1e-6)


@pytest.mark.parametrize("syntax", ["little", "big"])
@pytest.mark.parametrize(("bits", "step"), [(16, 256), (16, 1), (8, 1)])
def test_a_palette_has_the_byte_order_and_the_depth_of_its_entries(dicom, syntax, bits, step):
    stored = STORED.clip(0, 255).astype(np.uint8)
    order = "<" if syntax == "little" else ">"
    ramp = (np.arange(256) * step).astype(f"{order}u2")
    options = {} if syntax == "little" else {"syntax": ExplicitVRBigEndian}
    scan = read_scan(dicom(stored, PhotometricInterpretation="PALETTE COLOR", **palette(ramp, bits), **options))
    np.testing.assert_allclose(scan.pixels[0], stored * float(step) / (65_535 if step > 1 else 255), atol=1e-6)


def test_a_palette_that_is_missing_is_a_sentence(dicom):
    with pytest.raises(UnreadableFile, match="its color table is missing or damaged"):
        read_scan(dicom(PhotometricInterpretation="PALETTE COLOR"))


PADDED = STORED.astype(np.int16)
PADDED[0] = -2000


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(
    "transform", [{}, WINDOW, {"VOILUTSequence": table(np.arange(300)[::-1], 12)}], ids=["", "window", "table"]
)
@pytest.mark.parametrize(
    "padding",
    [
        {"PixelPaddingValue": ("US", 63_536)},
        {"PixelPaddingValue": ("SS", -2000)},
        {"PixelPaddingValue": ("SS", -2010), "PixelPaddingRangeLimit": ("SS", -1990)},
        {"PixelPaddingValue": ("SS", -1990), "PixelPaddingRangeLimit": ("US", 63_526)},
    ],
    ids=["unsigned", "signed", "range", "range turned over"],
)
def test_padding_is_black_and_takes_no_contrast(dicom, photometric, transform, padding):
    file = dicom(PADDED, PhotometricInterpretation=photometric, **transform)
    data = dcmread(file)
    for keyword, (kind, value) in padding.items():
        data.add_new(keyword, kind, value)
    data.save_as(file)
    scan = read_scan(file)
    assert not scan.pixels[0, 0].any()
    darkest, brightest = scan.pixels[0, 1:].min(), scan.pixels[0, 1:].max()
    assert brightest - darkest > (0.05 if "VOILUTSequence" in transform else 0.7)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"WindowCenter": 0.5, "WindowWidth": 1}, lambda x: x),
        ({"WindowCenter": 0.5, "WindowWidth": 0.5}, lambda x: (2 * x - 0.5).clip(0, 1)),
        ({"WindowCenter": 0.5, "WindowWidth": 3}, lambda x: (x / 2 + 0.5).clip(0, 1)),
    ],
)
def test_a_map_of_floating_point_numbers_keeps_its_grades(dicom, tags, expected):
    values = np.linspace(0, 1, 30, dtype=np.float32).reshape(5, 6)
    scan = read_scan(dicom(values, FloatPixelData=values.tobytes(), **tags))
    np.testing.assert_allclose(scan.pixels[0], expected(values), atol=1e-6)


def test_values_are_scaled_in_double_precision(dicom):
    stored = STORED.astype(np.uint32) + 2**30
    scan = read_scan(dicom(stored, WindowCenter=2**30 + 145.5, WindowWidth=291))
    np.testing.assert_allclose(scan.pixels[0], STORED / 290, atol=1e-6)
    spread = read_scan(dicom(stored)).pixels
    np.testing.assert_allclose(spread, read_scan(dicom()).pixels, atol=1e-6)


def test_a_slope_without_an_intercept(dicom):
    scan = read_scan(dicom(RescaleSlope=2, WindowCenter=290.5, WindowWidth=581))
    np.testing.assert_allclose(scan.pixels[0], STORED / 290, atol=1e-6)


@pytest.mark.parametrize(("level", "width"), [(1e6, 100), (-500, 400), (150, 1e12)])
def test_a_window_outside_the_values_is_not_used(dicom, level, width):
    scan = read_scan(dicom(WindowCenter=level, WindowWidth=width))
    np.testing.assert_allclose(scan.pixels, read_scan(dicom()).pixels)
    assert any("does not fit the values" in note for note in scan.notes)


@pytest.mark.parametrize("far", [1e6, 20000])
def test_the_first_window_that_shows_the_values_is_used(dicom, far):
    file = dicom(WindowCenter=[far, 3 * far, 145.5, 50], WindowWidth=[100, 100, 291, 100])
    scan = read_scan(file)
    np.testing.assert_allclose(scan.pixels[0], STORED / 290, atol=1e-6)
    assert f"level {far:g}, width 100) does not fit" in scan.notes[0]
    assert "the one with level 145.5, width 291 is." in scan.notes[0]
    assert read_quantities(file).window == (0, 291)


@pytest.mark.parametrize(("windows", "used"), [([500, 145.5], 500), ([20000, 40000], 20000)])
def test_a_window_near_the_values_or_without_a_better_one_is_used(dicom, windows, used):
    scan = read_scan(dicom(WindowCenter=windows, WindowWidth=[100, 291][: len(windows)]))
    assert scan.notes[0] == f"Displayed with the window/level stored in the file: level {used}, width 100."


def test_values_in_the_upper_bits_are_shifted(dicom):
    stored = STORED << 4
    scan = read_scan(dicom(stored, BitsStored=12, HighBit=15, **WINDOW))
    np.testing.assert_allclose(scan.pixels[0], STORED / 290, atol=1e-6)
    scan = read_scan(dicom(STORED + 1, BitsStored=12, HighBit=15, WindowCenter=146.5, WindowWidth=291))
    np.testing.assert_allclose(scan.pixels[0], STORED / 290, atol=1e-6)  # only the header says so


def test_an_inverting_presentation_is_inverted_once(dicom):
    straight = read_scan(dicom(**WINDOW)).pixels
    for photometric in ("MONOCHROME1", "MONOCHROME2"):
        tags = {"PhotometricInterpretation": photometric, "PresentationLUTShape": "INVERSE", **WINDOW}
        np.testing.assert_allclose(read_scan(dicom(**tags)).pixels, 1 - straight, atol=1e-6)


@pytest.mark.parametrize(
    ("texts", "level"),
    [
        ({"WindowCenter": "145,5", "WindowWidth": "291,0"}, 145.5),
        ({"WindowCenter": "145,5\\20,0", "WindowWidth": "291,0\\40,0"}, 145.5),
        ({"WindowCenter": "nan\\145.5", "WindowWidth": "nan\\291"}, None),
        ({"WindowCenter": "one", "WindowWidth": "291"}, None),
        ({"WindowCenter": "1e999", "WindowWidth": "291"}, None),
        ({"WindowCenter": "1_4", "WindowWidth": "291"}, None),
        ({"WindowCenter": "", "WindowWidth": "291"}, None),
        ({"WindowCenter": "145.5", "WindowWidth": "-291"}, None),
    ],
)
def test_a_window_that_is_no_number_is_none(text_dicom, texts, level):
    scan = read_scan(text_dicom(texts=texts))
    np.testing.assert_allclose(scan.pixels[0], STORED / 290, atol=5e-3)
    assert any("window/level stored in the file: level 145.5" in note for note in scan.notes) == (level is not None)


def test_a_window_with_a_comma_that_makes_the_image_white_is_not_used(text_dicom):
    """A comma may stand for thousands: 1,450 is not 1.45 here."""
    scan = read_scan(text_dicom(texts={"WindowCenter": "1,450", "WindowWidth": "2,910"}))
    np.testing.assert_allclose(scan.pixels[0], STORED / 290, atol=5e-3)
    assert any("would make most of the image white" in note for note in scan.notes)


@pytest.mark.parametrize(
    "texts",
    [
        {"RescaleSlope": "0", "RescaleIntercept": "5"},
        {"RescaleSlope": "", "RescaleIntercept": "5"},
        {"RescaleSlope": "1\\1", "RescaleIntercept": "5"},
        {"RescaleSlope": "two", "RescaleIntercept": "5"},
        {"RescaleSlope": "2", "RescaleIntercept": "nan"},
        {"RescaleSlope": "2", "RescaleIntercept": "1\\2"},
    ],
)
def test_a_slope_that_cannot_be_used_is_not_used(text_dicom, texts):
    scan = read_scan(text_dicom(texts=texts, **WINDOW))
    np.testing.assert_allclose(scan.pixels[0], STORED / 290, atol=1e-6)
    assert any("not rescaled" in note for note in scan.notes)


def test_a_comma_in_a_slope_is_a_point(text_dicom):
    scan = read_scan(
        text_dicom(texts={"RescaleSlope": "0,5", "RescaleIntercept": "-1,5"}, WindowCenter=71.5, WindowWidth=146)
    )
    np.testing.assert_allclose(scan.pixels[0], (STORED * 0.5 - 1.5 - 71) / 145 + 0.5, atol=1e-6)


def test_a_sign_that_jpeg_2000_and_header_tell_differently_is_mended():
    scan = read_scan(Path(get_testdata_file("J2K_pixelrep_mismatch.dcm")))
    data = dcmread(get_testdata_file("J2K_pixelrep_mismatch.dcm"))
    values = data.pixel_array * data.RescaleSlope + data.RescaleIntercept
    expected = (values - (data.WindowCenter[0] - 0.5)) / (data.WindowWidth[0] - 1) + 0.5
    np.testing.assert_allclose(scan.pixels[0], expected.clip(0, 1), atol=1e-6)


def test_a_box_of_length_0_before_the_pixels_ends(dicom):
    box = b"\0\0\0\x0cjP  \r\n\x87\n" + struct.pack(">I4s", 0, b"ftyp") + bytes(8)
    file = dicom()
    data = dcmread(file)
    data.file_meta.TransferSyntaxUID = JPEG2000Lossless
    data.PixelData = encapsulate([box])
    data["PixelData"].is_undefined_length = True
    data.save_as(file)
    for read in (read_scan, read_picture):
        with pytest.raises(UnreadableFile, match=r"its pixels \(JPEG 2000\) are damaged"):
            read(file)


def test_missing_elements_of_the_pixels_are_guessed(dicom):
    file = dicom(**WINDOW)
    data = dcmread(file)
    for keyword in ("SamplesPerPixel", "PixelRepresentation", "BitsStored", "HighBit", "PhotometricInterpretation"):
        delattr(data, keyword)
    data.save_as(file)
    np.testing.assert_allclose(read_scan(file).pixels[0], STORED / 290, atol=1e-6)


PYTHON_WORDS = ("Error", "object", "NoneType", "tuple", "array", "argument", "index", "buffer", "codec", "literal")


@pytest.mark.filterwarnings("ignore")  # pydicom warns of the damage before it raises
@pytest.mark.parametrize("name", ["MR_small.dcm", "rtdose.dcm", "SC_rgb_small_odd.dcm", "MR_small_RLE.dcm"])
def test_no_damage_of_a_header_gets_past_as_another_error(tmp_path, name):
    whole = Path(get_testdata_file(name)).read_bytes()
    random = np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(whole)
        for position in random.integers(132, min(len(whole), 3000), 8):
            damaged[position] = random.choice(np.frombuffer(b",.\\- 0\0\xffNae9", np.uint8))
        (tmp_path / name).write_bytes(damaged)
        try:
            scan = read_scan(tmp_path / name)
        except UnreadableFile as error:
            said = [str(error)]
        else:
            said = list(scan.notes)
            assert np.isfinite(scan.pixels).all()
        assert not any(word in sentence for word in PYTHON_WORDS for sentence in said)


def test_pixels_behind_the_declared_frames_are_not_shown(dicom):
    file = dicom(**WINDOW)
    data = dcmread(file)
    data.PixelData = data.PixelData + bytes(len(data.PixelData))
    data.save_as(file)
    scan = read_scan(file)
    np.testing.assert_allclose(scan.pixels, read_scan(dicom(**WINDOW)).pixels)
    assert any("more pixels than it declares" in note for note in scan.notes)


def test_a_photometric_word_that_is_none_is_read_as_gray(dicom):
    scan = read_scan(dicom(PhotometricInterpretation="MONOCHROME", **WINDOW))
    np.testing.assert_allclose(scan.pixels, read_scan(dicom(**WINDOW)).pixels)
