import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.data import get_testdata_file

from engine.data import load
from engine.data.decoded_image import UnreadableFile
from engine.data.files import check_folder, list_pictures
from engine.data.layout import parse_layout
from engine.data.loading import check_source, open_source
from engine.data.source import natural_sort_key
from engine.errors import EmptySource, SourceNotFound


@pytest.mark.parametrize(
    ("name", "label", "split"),
    [
        ("1.png", None, None),
        ("glioma/1.png", "glioma", None),
        ("Training/1.png", None, "train"),
        ("Training/glioma/1.png", "glioma", "train"),
        ("TESTING/glioma/1.png", "glioma", "test"),
        ("Valid/glioma/1.png", "glioma", "validation"),
        ("val/glioma/patient 7/1.png", "glioma", "validation"),
        ("glioma/test/1.png", "glioma", "test"),
    ],
)
def test_a_path_says_class_and_split(name, label, split):
    item = parse_layout([name, "meningioma/2.png", "3.png"])[0]
    assert (item.label, item.split) == (label, split)


def test_folders_that_wrap_all_the_rest_say_nothing():
    names = ["archive/v2/Training/a/1.png", "archive/v2/Training/b/1.png", "archive/v2/Testing/a/1.png"]
    assert [(item.label, item.split) for item in parse_layout(names)] == [("a", "train"), ("b", "train"), ("a", "test")]
    assert [item.label for item in parse_layout(["scans/a/1.png", "scans/b/1.png"])] == ["a", "b"]
    assert [item.label for item in parse_layout(["a/1.png", "a/2.png"])] == ["a", "a"]
    assert [item.name for item in parse_layout(names)] == names


def test_names_are_sorted_as_people_count():
    names = ["b.png", "gg (10).png", "gg (2).png", "GG (1).png", "2/1.png", "10/1.png"]
    expected = ["2/1.png", "10/1.png", "b.png", "GG (1).png", "gg (2).png", "gg (10).png"]
    assert sorted(names, key=natural_sort_key) == expected


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [("Training", None, "Testing"), ("train", "val", "test"), ("TRAIN", "Validation", "TEST"), (None, None, None)],
)
@pytest.mark.parametrize("classes", [("glioma", "no_tumor"), ()])
def test_every_layout(tree, config, train, validation, test, classes):
    def folder(split, count):
        parts = [[split] if split else [], *([[name] for name in classes] or [[]])]
        return ["/".join([*parts[0], *part, f"{i}.png"]) for part in parts[1:] for i in range(count)]

    names = folder(train, 20) + (folder(validation, 3) if validation else []) + (folder(test, 4) if test else [])
    dataset = load(str(tree(*names)), config())
    each = max(1, len(classes))
    assert dataset.classes == classes
    assert len(dataset.validation) == (3 if validation else 2) * each
    assert len(dataset.test) == (4 if test else 2) * each
    assert sum(map(len, dataset.splits.values())) == len(names)
    assert set(dataset.train.labels) == (set(range(len(classes))) or {-1})
    held_out = " ".join(dataset.notes)
    assert ("no test set" in held_out) == (test is None)
    assert ("no validation set" in held_out) == (validation is None)


def test_images_keep_natural_order_and_their_relative_names(tree, config):
    names = [f"Training/glioma/gg ({i}).png" for i in range(1, 13)] + ["Testing/glioma/image(1).png"]
    dataset = load(str(tree(*names)), config(validation_share=0.1))
    kept = [name for name in names[:12] if name not in dataset.validation.names]
    assert list(dataset.train.names) == kept
    assert dataset.test.names == ("Testing/glioma/image(1).png",)


def test_a_path_with_a_tilde(tree, config, monkeypatch):
    folder = tree("1.png", "2.png")
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    assert len(load("~/scans", config()).train)


def test_hidden_files_are_not_looked_at(tree, config):
    folder = tree("1.png", "2.png", ".hidden.png", ".git/3.png", "__MACOSX/4.png")
    dataset = load(str(folder), config())
    assert sum(map(len, dataset.splits.values())) == 2
    assert dataset.skipped == ()


def test_links_to_files_are_followed_and_others_are_listed_with_their_reason(tree, config, tmp_path):
    folder = tree("1.png", "2.png")
    stored = tmp_path / "store" / "ab" / "cdef"  # as git-annex and DVC keep files: by hash, without a suffix
    stored.parent.mkdir(parents=True)
    (folder / "2.png").rename(stored)
    os.symlink(os.path.relpath(stored, folder), folder / "2.png")
    os.symlink(folder, folder / "loop", target_is_directory=True)
    os.symlink(stored.parent, folder / "elsewhere", target_is_directory=True)
    os.symlink("circle.png", folder / "circle.png")
    os.symlink("gone.png", folder / "dangling.png")
    os.symlink("../.git/annex/objects/x/y.png", folder / "annexed.png")
    dataset = load(str(folder), config())
    assert sorted(name for split in dataset.splits.values() for name in split.names) == ["1.png", "2.png"]
    assert {item.name: item.reason for item in dataset.skipped} == {
        "annexed.png": "a link to a file that git-annex has not fetched; run 'datalad get' in the dataset",
        "circle.png": "a link that leads in a circle",
        "dangling.png": "a link to a file that does not exist",
        "elsewhere": "a link to a folder outside the dataset; only links to files are followed",
        "loop": "a link to a folder that contains it, which would lead in a circle",
    }


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="only Linux has such files")
def test_a_link_to_a_file_of_the_system_is_not_followed(tree, config):
    folder = tree("1.png", "2.png")
    (folder / "3.png").symlink_to("/proc/version")
    skipped = [(item.name, item.reason) for item in load(str(folder), config()).skipped]
    assert skipped == [("3.png", "a link to something that is not a file")]


def test_files_of_other_formats_are_called_by_their_names(tree, config):
    folder = tree("a/1.png", "a/2.png")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "a" / "3.jpg", "WEBP")
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(folder / "a" / "4.webp", "WEBP")
    (folder / "a" / "5.png").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    (folder / "a" / "6.nii").write_bytes(b"\0" * 344 + b"n+1\0")
    reasons = {item.name: item.reason for item in load(str(folder), config()).skipped}
    assert reasons["a/3.jpg"].endswith(": a WebP image named .jpg")
    assert reasons["a/4.webp"] == "a WebP image"
    assert "git lfs pull" in reasons["a/5.png"]
    assert reasons["a/6.nii"].startswith("a volume; a dataset takes one image from each file")


def test_what_cannot_be_used_is_listed_with_its_reason(tree, config):
    folder = tree("a/1.png", "a/2.png", "a/cut.png", "b/1.png", "b/2.png")
    whole = (folder / "a" / "cut.png").read_bytes()
    (folder / "a" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "a" / "empty.jpg").touch()
    (folder / "b" / "notes.txt").write_text("glioma, left")
    (folder / "b" / "fake.png").write_text("glioma, left")
    dataset = load(str(folder), config())
    assert sum(map(len, dataset.splits.values())) == 4
    reasons = {item.name: item.reason for item in dataset.skipped}
    assert list(reasons) == ["a/cut.png", "a/empty.jpg", "b/fake.png", "b/notes.txt"]
    assert reasons["a/cut.png"].startswith("damaged")
    assert "not a readable image" in reasons["a/empty.jpg"]
    assert reasons["b/notes.txt"] == "not an image"


def test_a_folder_that_may_not_be_opened_is_listed(tree, config, monkeypatch):
    def scandir(path, original=os.scandir):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return original(path)

    folder = tree("1.png", "2.png", "closed/3.png")
    monkeypatch.setattr(os, "scandir", scandir)
    skipped = load(str(folder), config()).skipped
    assert [(item.name, item.reason) for item in skipped] == [("closed/", "cannot be opened: Permission denied")]


def test_a_file_that_vanishes_after_it_was_listed(tree, config):
    folder = tree("1.png", "2.png")
    source = open_source(config(source=str(folder)))
    before = source.content_hash()
    (folder / "2.png").unlink()
    assert source.content_hash() != before
    with pytest.raises(UnreadableFile, match="cannot be opened: No such file"):
        source.read(1)


def test_where_there_are_split_folders_images_outside_them_are_left_out(tree, config):
    dataset = load(str(tree("train/a/1.png", "train/a/2.png", "test/a/1.png", "logo.png")), config())
    assert [(item.name, item.reason) for item in dataset.skipped] == [("logo.png", "is outside the split folders")]
    assert dataset.classes == ("a",)
    assert [len(split) for split in dataset.splits.values()] == [1, 1, 1]


def test_images_are_known_by_their_content_too(tree, config):
    folder = tree("1.png", "2.png", "3.png")
    (folder / "3.png").rename(folder / "scan 3")
    assert sum(map(len, load(str(folder), config()).splits.values())) == 3


def test_dicom_files_of_one_frame_count_as_images(tmp_path, config):
    folder = tmp_path / "series"
    folder.mkdir()
    for name in ("MR_small.dcm", "CT_small.dcm", "image_dfl.dcm", "SC_rgb_rle_2frame.dcm", "rtplan.dcm"):
        shutil.copy(get_testdata_file(name), folder)
    shutil.copy(get_testdata_file("MR_small_RLE.dcm"), folder / "IM0001")
    dataset = load(str(folder), config())
    assert sum(map(len, dataset.splits.values())) == 3
    assert dataset.train.store.dtype == np.uint16
    reasons = {item.name: item.reason for item in dataset.skipped}
    assert "deflated" in reasons["image_dfl.dcm"]
    assert "holds 2 frames" in reasons["SC_rgb_rle_2frame.dcm"]
    assert "without an image" in reasons["rtplan.dcm"]


def test_one_deep_image_makes_the_store_deep(tree, config):
    folder = tree("1.png", "2.png")
    assert load(str(folder), config()).train.store.dtype == np.uint8
    Image.fromarray(np.full((32, 32), 12_345, dtype=np.uint16)).save(folder / "3.png")
    dataset = load(str(folder), config(validation_share=0.02))
    assert dataset.train.store.dtype == np.uint16
    assert 12_345 / 65_535 in [
        pytest.approx(split.read()[i].max()) for split in dataset.splits.values() for i in range(len(split))
    ]


def test_a_folder_that_is_not_there(tmp_path, config):
    with pytest.raises(SourceNotFound, match=r"'.*nowhere' does not exist"):
        load(str(tmp_path / "nowhere"), config())


def test_a_file_is_no_folder(tree, config):
    with pytest.raises(SourceNotFound, match="is a file, not a folder"):
        load(str(tree("1.png") / "1.png"), config())


def test_a_source_is_checked_without_decoding_an_image(tree, config, tmp_path):
    folder = tree("a/1.png", "a/2.png")
    for file in folder.rglob("*.png"):
        file.write_bytes(b"no image, which only a reader finds out")
    for check in (lambda source: check_source(config(source=source)), check_folder):
        check(str(folder))
        check("phantom")
        with pytest.raises(SourceNotFound, match="does not exist"):
            check(str(tmp_path / "nowhere"))
        (tmp_path / "words").mkdir(exist_ok=True)
        (tmp_path / "words" / "notes.txt").write_text("words")
        with pytest.raises(EmptySource, match="no usable image"):
            check(str(tmp_path / "words"))


def test_a_folder_is_checked_no_further_than_its_first_image(tree, monkeypatch):
    folder = tree("1.png", "a/2.png")
    opened = []
    scan = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: (opened.append(path), scan(path))[1])
    check_folder(str(folder))
    assert len(opened) == 1


def test_an_empty_folder_says_what_was_looked_for(tmp_path, config):
    with pytest.raises(EmptySource, match="PNG, JPEG, BMP, TIFF and DICOM"):
        load(str(tmp_path), config())


def test_a_folder_with_nothing_usable_says_why(tmp_path, config):
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "b.txt").write_bytes(b"")
    with pytest.raises(EmptySource, match=r"'a\.png' was skipped: not a readable image .*, and 1 more was"):
        load(str(tmp_path), config())


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_files_of_any_name_are_read(tree, config):
    names = [b"caf\xe9", b"a$1$b", b"a<b>c", "脳".encode(), b"x" * 240, b"new\nline", b"sp ace", "Ж\u0301".encode()]
    folder = tree(*(f"{split}/class/{number}.png" for split in ("train", "test") for number in range(4)))
    for number, name in enumerate(names):
        part = folder / ("train" if number < 4 else "test")
        os.rename(part / "class" / f"{number % 4}.png", os.path.join(os.fsencode(part / "class"), name + b".png"))
    os.rename(folder / "train" / "class", os.path.join(os.fsencode(folder / "train"), b"cl\xe9ss"))
    dataset = load(str(folder), config())
    found = {os.fsencode(name.rsplit("/", 1)[1]) for split in dataset.splits.values() for name in split.names}
    assert found == {name + b".png" for name in names}
    assert dataset.skipped == ()
    assert load(str(folder), config()).fingerprint == dataset.fingerprint


@pytest.mark.parametrize("name", ["b.png", "b.dcm", "b.nii"])
def test_a_file_without_end_is_left_out_before_it_is_hashed(tmp_path, noise, name):
    Image.fromarray(noise(0)).save(tmp_path / "a.png")
    head = {".dcm": bytes(128) + b"DICM", ".nii": bytes(344) + b"n+1\0"}.get(Path(name).suffix, b"")
    (tmp_path / name).write_bytes(head)
    os.truncate(tmp_path / name, 2**42)
    skipped = []
    assert list(list_pictures(tmp_path, lambda *each: skipped.append(each))) == ["a.png"]
    assert skipped == [(name, "a file too large to be an image")]
