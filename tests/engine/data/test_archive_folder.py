"""Zip archives as folders of images: what is unpacked, and what is refused."""

import io
import os
import stat
import zipfile

import pytest
from PIL import Image

from engine.data import archive_folder, load, series_folder
from engine.data.files import check_folder, open_folder
from engine.errors import DataError


@pytest.fixture
def archive(tmp_path):
    """Write an archive of members: `archive({"a/1.png": b"..."})`."""

    def write(members, name="scans.zip"):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as made:
            for member, content in members.items():
                made.writestr(member, content)
        return tmp_path / name

    return write


@pytest.fixture
def pictures(noise):
    """PNG images as bytes, by their names in an archive."""
    made = {}
    for number in range(12):
        file = io.BytesIO()
        Image.fromarray(noise(number)).save(file, "PNG")
        made[f"scans/{'ab'[number % 2]}/{number}.png"] = file.getvalue()
    return made


def test_the_images_of_an_archive_are_a_dataset(archive, pictures, config):
    file = archive({**pictures, "__MACOSX/scans/a/._0.png": b"x", "scans/.hidden.png": b"x"})
    check_folder(str(file))
    dataset = load(str(file), config())
    assert sum(map(len, dataset.splits.values())) == 12
    assert (dataset.classes, dataset.skipped) == (("a", "b"), ())


def test_an_archive_is_unpacked_once_until_it_changes(archive, pictures, monkeypatch):
    file = archive(pictures)
    folder = open_folder(str(file))
    with monkeypatch.context() as patched:
        patched.setattr(archive_folder, "_extract", None)
        assert open_folder(str(file)) == folder
    with zipfile.ZipFile(file, "a") as made:
        made.writestr("more.txt", "more")
    assert (open_folder(str(file)) / "more.txt").read_text() == "more"


@pytest.mark.parametrize("name", ["../out.png", "/out.png", "a/../../out.png", "..\\out.png", "C:/out.png"])
def test_a_path_that_leads_out_is_refused(archive, name):
    with pytest.raises(DataError, match="a path that leads out of its folder"):
        open_folder(str(archive({"1.png": b"x", name: b"x"})))


@pytest.mark.parametrize(("limit", "value"), [("MAX_MEMBERS", 2), ("MAX_BYTES", 2**20), ("SMALL_BYTES", 2**10)])
def test_a_bomb_is_refused_before_anything_is_written(archive, own_cache, monkeypatch, limit, value):
    monkeypatch.setattr(archive_folder, limit, value)
    with pytest.raises(DataError, match=r"holds 3 files of 0\.0 GB, \d{2,}.* times its own size"):
        open_folder(str(archive({f"{number}.raw": bytes(2**20) for number in range(3)})))
    assert not any(own_cache.iterdir())


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_unpacks_without_a_limit_is_refused(tmp_path, own_cache, method):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as made:
        made.writestr("a.png", bytes(2**10))
    with pytest.raises(DataError, match="packed in a way that cannot be read"):
        open_folder(str(tmp_path / "a.zip"))
    assert not any(own_cache.iterdir())


@pytest.mark.parametrize(("system", "is_refused"), [("nt", True), ("posix", False)])
def test_a_colon_inside_a_path_is_a_drive_on_windows_alone(monkeypatch, system, is_refused):
    with monkeypatch.context() as patched:
        patched.setattr(os, "name", system)
        found = archive_folder._leads_out("a/D:out.png")
    assert found is is_refused


def test_links_are_not_unpacked(archive, pictures, tmp_path):
    link = zipfile.ZipInfo("scans/passwords.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    folder = open_folder(str(archive({**pictures, link: b"/etc/passwd"})))
    assert not (folder / "scans" / "passwords.png").exists()
    assert (folder / "scans" / "a" / "0.png").is_file()


def test_a_damaged_archive_is_a_sentence(archive, pictures):
    file = archive(pictures)
    content = bytearray(file.read_bytes())
    content[60:90] = bytes(30)
    file.write_bytes(content)
    with pytest.raises(DataError, match="is damaged"):
        open_folder(str(file))


def test_a_series_in_an_archive_opens_as_a_volume(archive, dicom, tmp_path):
    members = {}
    for number in range(3):
        tags = {"SeriesInstanceUID": "1.2", "PixelSpacing": [1, 1], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}
        members[f"disc/{number}"] = dicom(ImagePositionPatient=[0, 0, -number], **tags).read_bytes()
    assert series_folder.read_scan(open_folder(str(archive(members)))).pixels.shape == (3, 5, 6)
