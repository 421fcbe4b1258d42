import io
import struct
import warnings
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from engine.data.decoded_image import UnreadableFile
from engine.data.raster import is_deep, open_picture, read_picture, read_scan, upright_size

GRAY = np.arange(12 * 10, dtype=np.uint8).reshape(12, 10) * 2
COLOR = np.stack([GRAY, 255 - GRAY, GRAY // 2], axis=-1)
LUMA = (COLOR @ np.array([0.299, 0.587, 0.114])) / 255


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    file.seek(0)
    return file


def tiff(values, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    file.seek(0)
    return file


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_8_bit_gray(kind):
    picture = read_picture(saved(Image.fromarray(GRAY), kind))
    assert picture.gray.dtype == np.uint8
    np.testing.assert_array_equal(picture.unit(), (GRAY / 255).astype(np.float32))


def test_jpeg():
    picture = read_picture(saved(Image.fromarray(GRAY), "JPEG", quality=95))
    np.testing.assert_allclose(picture.unit(), GRAY / 255, atol=0.03)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_color_becomes_luma(kind):
    np.testing.assert_allclose(read_picture(saved(Image.fromarray(COLOR), kind)).unit(), LUMA, atol=1 / 255)


def test_a_gray_image_stored_in_color_keeps_its_values():
    thrice = np.repeat(GRAY[..., None], 3, axis=-1)
    np.testing.assert_array_equal(read_picture(saved(Image.fromarray(thrice), "PNG")).gray, GRAY)


def test_palette():
    palette = Image.fromarray(GRAY // 2).convert("P")
    palette.putpalette([level for index in range(256) for level in (255 - index,) * 3])
    np.testing.assert_array_equal(read_picture(saved(palette, "PNG")).gray, 255 - GRAY // 2)


def test_black_and_white():
    np.testing.assert_array_equal(read_picture(saved(Image.fromarray(GRAY > 99), "PNG")).gray, (GRAY > 99) * 255)


def test_cmyk():
    inks = np.zeros((12, 10, 4), dtype=np.uint8)
    inks[..., 3] = 255 - GRAY
    picture = read_picture(saved(Image.fromarray(inks, "CMYK"), "TIFF"))
    np.testing.assert_allclose(picture.unit(), GRAY / 255, atol=1 / 255)


@pytest.mark.parametrize("mode", ["LA", "RGBA", "palette"])
def test_transparency_is_laid_on_black(mode):
    alpha = np.zeros_like(GRAY)
    alpha[:6] = 255
    if mode == "palette":
        image = Image.fromarray((alpha > 0).astype(np.uint8)).convert("P")
        image.putpalette([200] * 3 + [100] * 3)
        file, opaque = saved(image, "PNG", transparency=0), np.full_like(GRAY, 100)
    else:
        bands = [GRAY, alpha] if mode == "LA" else [GRAY, GRAY, GRAY, alpha]
        file, opaque = saved(Image.fromarray(np.stack(bands, axis=-1), mode), "PNG"), GRAY
    gray = read_picture(file).gray
    np.testing.assert_array_equal(gray[:6], opaque[:6])
    assert not gray[6:].any()


@pytest.mark.parametrize("make", [lambda v: saved(Image.fromarray(v), "PNG"), tiff, lambda v: tiff(v, byteorder=">")])
def test_16_bit_gray_is_scaled_by_what_its_bits_can_hold(make):
    values = GRAY.astype(np.uint16) * 257
    values[0, 0] = 1
    file = make(values)
    assert is_deep(open_picture(file))
    picture = read_picture(file)
    np.testing.assert_array_equal(picture.gray, values)
    assert picture.unit()[0, 0] == pytest.approx(1 / 65535)
    assert picture.unit()[-1, -1] == pytest.approx(GRAY[-1, -1] / 255)


def test_12_bits_are_white_at_4095():
    entries = [(256, 3, 1, 8), (257, 3, 1, 1), (258, 3, 1, 12), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    entries += [(277, 3, 1, 1), (278, 3, 1, 1), (279, 4, 1, 12)]
    packed = bytes.fromhex("fff000800001" * 2)  # 4095, 0, 2048, 1, twice
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    file = io.BytesIO(struct.pack("<2sHI", b"II", 42, 8 + len(packed)) + packed + directory)
    np.testing.assert_allclose(read_picture(file).unit()[0, :4], [1, 0, 2048 / 4095, 1 / 4095], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_that_stores_white_as_zero_is_turned_over(dtype):
    values = GRAY.astype(dtype) * (np.iinfo(dtype).max // 255)
    picture = read_picture(tiff(values, photometric="miniswhite"))
    np.testing.assert_allclose(picture.unit(), 1 - GRAY / 255, atol=1e-6)


def test_floats_in_0_to_1_stay_and_others_are_spread():
    inside = np.linspace(0.2, 0.7, 120, dtype=np.float32).reshape(12, 10)
    np.testing.assert_array_equal(read_picture(tiff(inside)).unit(), inside)
    wide = read_picture(tiff(inside * 4000 - 500)).unit()
    assert wide.min() == 0
    assert wide.max() == 1
    assert (np.diff(wide.ravel()) >= 0).all()


def test_what_is_not_a_number_becomes_black():
    values = np.linspace(-5, 5, 120, dtype=np.float32).reshape(12, 10)
    values[3, 3] = np.nan
    assert read_picture(tiff(values)).unit()[3, 3] == 0


def test_an_image_is_turned_as_its_exif_orientation_asks():
    exif = Image.Exif()
    exif[274] = 6  # turn a quarter clockwise
    file = saved(Image.fromarray(GRAY), "PNG", exif=exif)
    np.testing.assert_array_equal(read_picture(file).gray, np.rot90(GRAY, -1))


def test_opening_a_scan_says_that_it_was_turned(tmp_path):
    exif = Image.Exif()
    exif[274] = 3
    Image.fromarray(GRAY).save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(GRAY).save(tmp_path / "straight.png")
    assert "EXIF" in read_scan(tmp_path / "turned.png").notes[0]
    assert read_scan(tmp_path / "straight.png").notes == ()


def test_the_pages_of_a_tiff_are_slices_of_a_scan_and_no_image_of_a_dataset(tmp_path):
    pages = np.stack([GRAY, 255 - GRAY, GRAY // 2])
    tifffile.imwrite(tmp_path / "stack.tif", pages, photometric="minisblack")
    np.testing.assert_allclose(read_scan(tmp_path / "stack.tif").pixels, pages / 255, atol=1e-6)
    with open(tmp_path / "stack.tif", "rb") as file, pytest.raises(UnreadableFile, match="holds 3 pages"):
        read_picture(file)


def test_pages_of_another_size_are_left_out_with_a_word(tmp_path):
    with tifffile.TiffWriter(tmp_path / "mixed.tif") as writer:
        writer.write(GRAY, photometric="minisblack")
        writer.write(GRAY[:5], photometric="minisblack")
    scan = read_scan(tmp_path / "mixed.tif")
    assert len(scan) == 1
    assert "2 pages" in scan.notes[0]


def bomb(width, height):
    """A PNG of a few bytes whose header claims a size."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(999))) + chunk(b"IEND", b""))


@pytest.mark.parametrize("side", [8200, 13_000, 60_000])  # past our limit, where Pillow warns, where it raises
@pytest.mark.parametrize("strict", [True, False])
def test_a_header_that_claims_too_many_pixels_is_refused(side, strict):
    with warnings.catch_warnings():
        warnings.simplefilter("error" if strict else "ignore")
        with pytest.raises(UnreadableFile, match="megapixels"):
            open_picture(bomb(side, side))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "TIFF"])
def test_a_file_that_was_cut_off_is_damaged(kind):
    whole = saved(Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)), kind).getvalue()
    with pytest.raises(UnreadableFile, match="damaged"):
        read_picture(io.BytesIO(whole[: len(whole) // 2]))


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + bytes(60), b"GIF89a" + bytes(60)])
def test_what_is_no_image_is_refused(content):
    with pytest.raises(UnreadableFile, match="not a readable image"):
        read_picture(io.BytesIO(content))


def test_no_damage_gets_past_as_another_error():
    rng = np.random.default_rng(0)
    images = [Image.fromarray(GRAY), Image.fromarray(COLOR), Image.fromarray(GRAY.astype(np.uint16) * 257)]
    files = [saved(image, kind).getvalue() for image in images for kind in ("PNG", "TIFF")]
    files += [saved(image, kind).getvalue() for image in images[:2] for kind in ("JPEG", "BMP")]
    for turn in range(300):
        content = bytearray(files[turn % len(files)])
        for place in rng.integers(0, min(300, len(content)), 4):
            content[place] = rng.integers(0, 256)
        try:
            unit = read_picture(io.BytesIO(bytes(content))).unit()
        except UnreadableFile:
            continue
        assert 0 <= unit.min() <= unit.max() <= 1


SPREADING = "set Intensity scaling (--intensity) to percentile to spread the values."


@pytest.mark.parametrize(
    ("largest", "note"),
    [
        (1500, "The brightest pixel is 2.3% of white (1,500 of 65,535)"),
        (4095, "The brightest pixel is 6.2% of white (4,095 of 65,535)"),
        (40_000, None),
        (0, None),
    ],
)
def test_a_deep_picture_far_below_white_is_noted(tmp_path, largest, note):
    Image.fromarray(np.linspace(0, largest, 64).reshape(8, 8).astype(np.uint16)).save(tmp_path / "deep.png")
    assert read_scan(tmp_path / "deep.png").notes == ((f"{note}; {SPREADING}",) if note else ())
    Image.fromarray(np.full((8, 8), 9, np.uint8)).save(tmp_path / "dark.png")
    assert read_scan(tmp_path / "dark.png").notes == ()


def test_a_png_whose_chunks_are_damaged_is_refused_with_a_sentence(tmp_path):
    content = (
        "89504e470d0a1a0a0000000d494844520000000a0000000c0804000000f162e42b0000001449444154789c6364f8cfcd800a0e99"
        "308586a3200087ff0012f85a3f00000000004945"
    )
    (tmp_path / "a.png").write_bytes(bytes.fromhex(content))
    for read in (read_scan, upright_size):
        with pytest.raises(UnreadableFile, match="damaged, or of an unusual kind"):
            read(tmp_path / "a.png")


def test_pages_of_floats_share_one_window(tmp_path):
    first = np.linspace(0, 100, 48, dtype=np.float32).reshape(6, 8)
    pages = [Image.fromarray(first), Image.fromarray(10 * first)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    np.testing.assert_allclose(read_scan(tmp_path / "stack.tif").pixels[0], first / 1000, atol=0.01)


def test_a_sentence_on_damage_is_not_that_of_a_library(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:900])
    with pytest.raises(UnreadableFile, match=r"^damaged: the file ends early$"):
        read_scan(tmp_path / "a.jpg")
