import os
import shutil
import threading

import numpy as np
import pytest
from PIL import Image

from engine.data import load, prepare
from engine.data import loading as module
from engine.folders import cache_root
from engine.job_context import Cancelled, JobContext


@pytest.fixture
def folder(tree):
    return tree(*(f"{split}/{name}/{i}.png" for split in ("train", "test") for name in "ab" for i in range(10)))


def decoded(monkeypatch):
    """Count how many images are prepared."""
    calls = []
    original = module.preparation.prepare
    monkeypatch.setattr(
        module.preparation, "prepare", lambda *args, **options: calls.append(1) or original(*args, **options)
    )
    return calls


def test_images_are_prepared_as_prepare_does(folder, config):
    dataset = load(str(folder), config(normalisation="percentile"))
    for split in dataset.splits.values():
        images = split.read()
        assert images.shape == (len(split), 32, 32, 1)
        for name, image in zip(split.names, images, strict=True):
            pixels = np.asarray(Image.open(folder / name), dtype=np.float32) / 255
            expected = prepare(pixels, dataset.config)
            np.testing.assert_allclose(image[..., 0], expected, atol=0.51 / 65_535)


def test_8_bit_sources_are_kept_in_8_bits(folder, config):
    dataset = load(str(folder), config())
    assert dataset.train.store.dtype == np.uint8
    pixels = np.asarray(Image.open(folder / dataset.train.names[0]), dtype=np.float32) / 255
    np.testing.assert_allclose(dataset.train.read([0])[0, ..., 0], prepare(pixels, config()), atol=0.51 / 255)


def test_the_second_load_decodes_nothing(folder, config, monkeypatch):
    first = load(str(folder), config())
    calls = decoded(monkeypatch)
    second = load(str(folder), config())
    assert not calls
    assert second.fingerprint == first.fingerprint
    np.testing.assert_array_equal(second.train.read(), first.train.read())


@pytest.mark.parametrize("change", [{"split_seed": 5}, {"validation_share": 0.5}])
def test_another_split_decodes_nothing(folder, config, monkeypatch, change):
    first = load(str(folder), config())
    calls = decoded(monkeypatch)
    second = load(str(folder), config(**change))
    assert not calls
    assert second.fingerprint != first.fingerprint


@pytest.mark.parametrize("change", [{"size": 48}, {"fit": "squash"}, {"normalisation": "percentile"}])
def test_another_preparation_is_another_entry(folder, config, monkeypatch, change):
    first = load(str(folder), config())
    calls = decoded(monkeypatch)
    second = load(str(folder), config(**change))
    assert len(calls) == 40
    assert second.fingerprint != first.fingerprint


def test_a_file_of_other_content_but_the_same_size_and_time_is_noticed(folder, config):
    first = load(str(folder), config())
    file = folder / "train" / "a" / "0.png"
    before = file.stat()
    content = bytearray(file.read_bytes())
    content[:] = (folder / "train" / "a" / "1.png").read_bytes().ljust(len(content), b"\0")[: len(content)]
    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_size == before.st_size
    assert load(str(folder), config()).fingerprint != first.fingerprint


def test_the_fingerprint_knows_content_not_place(folder, config, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(folder, moved)
    assert load(str(moved), config()).fingerprint == load(str(folder), config()).fingerprint


def test_a_renamed_file_is_not_mistaken_for_its_old_self(folder, config):
    load(str(folder), config())
    (folder / "test" / "a" / "0.png").rename(folder / "test" / "b" / "77.png")
    dataset = load(str(folder), config())
    assert dataset.counts() == {"a": dataset.counts()["a"] | {"test": 9}, "b": dataset.counts()["b"] | {"test": 11}}


def test_a_damaged_cache_is_made_again(folder, config):
    first = load(str(folder), config())
    expected = first.train.read()
    for file in cache_root().rglob("images.npy"):
        file.write_bytes(file.read_bytes()[:1000])
    np.testing.assert_array_equal(load(str(folder), config()).train.read(), expected)


def test_the_same_pixels_in_another_file_have_the_same_key(folder, config):
    Image.open(folder / "train" / "a" / "3.png").save(folder / "test" / "b" / "copy.bmp")
    dataset = load(str(folder), config())
    keys = {
        name: key
        for split in (dataset.train, dataset.validation)
        for name, key in zip(split.names, split.keys, strict=True)
    }
    copy = dataset.test.keys[dataset.test.names.index("test/b/copy.bmp")]
    assert copy == keys["train/a/3.png"]
    assert len(set(keys.values())) == len(keys)


def test_leaked_names_the_test_images_that_are_in_train_or_validation(folder, config, noise):
    brought = folder / "validation" / "a" / "0.png"
    brought.parent.mkdir(parents=True)
    Image.fromarray(noise(77)).save(brought)
    for original, copy in ((folder / "train" / "a" / "3.png", "copy.bmp"), (brought, "other.tif")):
        Image.open(original).save(folder / "test" / "b" / copy)
    dataset = load(str(folder), config())
    assert dataset.leaked.dtype == np.bool_
    assert dataset.leaked.shape == (22,)
    leaked = [name for name, is_leaked in zip(dataset.test.names, dataset.leaked, strict=True) if is_leaked]
    assert leaked == ["test/b/copy.bmp", "test/b/other.tif"]


def test_equal_bytes_of_another_shape_are_another_image(tmp_path, config):
    for name, shape in (("1.png", (20, 30)), ("2.png", (30, 20))):
        Image.fromarray(np.arange(600, dtype=np.uint16).astype(np.uint8).reshape(shape)).save(tmp_path / name)
    dataset = load(str(tmp_path), config())
    assert len({key for split in dataset.splits.values() for key in split.keys}) == 2


@pytest.mark.parametrize("seed", range(5))
def test_copies_are_on_one_side_of_the_split(folder, config, seed):
    for i in range(10):
        Image.open(folder / "train" / "a" / f"{i}.png").save(folder / "train" / "b" / f"copy {i}.png")
    dataset = load(str(folder), config(validation_share=0.3, split_seed=seed))
    assert len(dataset.validation) > 0
    assert not set(dataset.train.keys) & set(dataset.validation.keys)


def test_damaged_files_leave_no_gap(folder, config):
    (folder / "train" / "a" / "4.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    dataset = load(str(folder), config())
    assert len(dataset.train.store) == 39
    assert sorted(row for split in dataset.splits.values() for row in split.rows) == list(range(39))
    assert [item.name for item in dataset.skipped] == ["train/a/4.png"]
    assert load(str(folder), config()).skipped == dataset.skipped


def test_progress_counts_every_image(folder, config):
    seen = []
    load(str(folder), config(), context=JobContext(on_progress=lambda *step: seen.append(step)))
    assert seen == [("Reading images", i, 40) for i in range(1, 41)]


def test_a_stop_is_obeyed_and_leaves_nothing_behind(folder, config):
    wanted = threading.Event()
    with pytest.raises(Cancelled):
        load(str(folder), config(), context=JobContext(wanted.is_set, lambda *step: wanted.set()))
    assert not list((cache_root() / "images").iterdir())


def test_a_stop_before_decoding_is_obeyed(folder, config):
    with pytest.raises(Cancelled):
        load(str(folder), config(), context=JobContext(should_stop=lambda: True))


def test_the_configs_source_is_the_default(folder, config):
    assert load(config=config(source=str(folder))).source == str(folder)
    assert load(str(folder), config(source="phantom")).config.source == str(folder)
    assert load(folder, config()).source == str(folder)


def test_a_split_reads_slices_and_indices(folder, config):
    split = load(str(folder), config()).train
    everything = split.read()
    assert type(everything) is np.ndarray
    assert everything.dtype == np.float32
    np.testing.assert_array_equal(split.read(slice(2, 5)), everything[2:5])
    np.testing.assert_array_equal(split.read([5, 0, 5]), everything[[5, 0, 5]])
    np.testing.assert_array_equal(split.read(np.array([1])), everything[1:2])
    assert split.read([]).shape == (0, 32, 32, 1)
    np.testing.assert_array_equal(split.store[split.rows[3]] / np.float32(255), everything[3, ..., 0])


def test_another_process_can_map_the_store(folder, config):
    split = load(str(folder), config()).train
    np.testing.assert_array_equal(np.load(split.store.filename, mmap_mode="r"), split.store)


def test_counts_name_classes_and_what_has_none(tree, config):
    names = [f"train/a/{i}.png" for i in range(10)] + ["train/loose.png", "test/b/1.png"]
    counts = load(str(tree(*names)), config()).counts()
    assert counts == {
        "a": {"train": 9, "validation": 1, "test": 0},
        "b": {"train": 0, "validation": 0, "test": 1},
        "unlabelled": {"train": 1, "validation": 0, "test": 0},
    }


def test_the_hugging_face_library_is_imported_only_for_its_own_sources(run_python):
    code = "import sys, engine.data; engine.data.load; print([n for n in {} if n in sys.modules])"
    assert run_python(code.format(["datasets", "pandas", "nibabel", "keras", "PySide6"])).strip() == "[]"
