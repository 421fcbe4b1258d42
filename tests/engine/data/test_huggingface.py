import io
import itertools
import json
import os
import sys

import datasets
import numpy as np
import pyarrow
import pytest
from PIL import Image
from pyarrow import parquet

from engine.data import arrow_files, huggingface, load, parsing
from engine.data.decoded_image import UnreadableFile
from engine.errors import EmptySource, SourceNotFound


def rows(noise, count, first=0, classes=2):
    pictures = [Image.fromarray(noise(first + i)) for i in range(count)]
    return {"scan": pictures, "kind": [i % classes for i in range(count)], "age": list(range(count))}


@pytest.fixture
def made(noise):
    """A dataset whose columns have names of their own."""
    features = datasets.Features(
        {
            "age": datasets.Value("int64"),
            "kind": datasets.ClassLabel(names=["glioma", "none"]),
            "scan": datasets.Image(),
        }
    )
    return datasets.DatasetDict(
        {
            "train": datasets.Dataset.from_dict(rows(noise, 20), features=features),
            "test": datasets.Dataset.from_dict(rows(noise, 6, first=100), features=features),
        }
    )


def test_a_saved_dataset(made, tmp_path, config, noise):
    made.save_to_disk(tmp_path / "saved")
    dataset = load(f"hf:{tmp_path / 'saved'}", config(size=32))
    assert dataset.counts() == {
        "glioma": {"train": 9, "validation": 1, "test": 3},
        "none": {"train": 9, "validation": 1, "test": 3},
    }
    assert dataset.test.names[0] == "test/000000"
    expected = np.asarray(Image.fromarray(noise(100)).resize((32, 32), Image.Resampling.BILINEAR)) / 255
    np.testing.assert_allclose(dataset.test.read([0])[0, ..., 0], expected, atol=1.5 / 255)


def test_parquet_files_as_the_hub_stores_them(made, tmp_path, config):
    (tmp_path / "data").mkdir()
    for split, table in made.items():
        table.to_parquet(tmp_path / "data" / f"{split}-00000-of-00001.parquet")
    dataset = load(f"hf:{tmp_path}", config())
    assert [len(dataset.splits[name]) for name in ("train", "validation", "test")] == [18, 2, 6]
    assert dataset.classes == ("glioma", "none")
    single = load(f"hf:{tmp_path / 'data' / 'train-00000-of-00001.parquet'}", config())
    assert sum(map(len, single.splits.values())) == 20


def test_a_folder_of_images_with_split_folders_of_any_case(tree, config):
    names = [f"{split}/{name}/{i}.png" for split in ("Training", "Testing") for name in "ab" for i in range(10)]
    folder = tree(*names)
    dataset = load(f"hf:{folder}", config())
    assert len(dataset.test) == 20
    assert dataset.test.names[0] == "Testing/a/0.png"
    assert dataset.classes == ("a", "b")
    plain = load(str(folder), config())
    assert dataset.fingerprint == plain.fingerprint


def test_the_second_load_decodes_nothing(made, tmp_path, config, monkeypatch):
    made.save_to_disk(tmp_path / "saved")
    first = load(f"hf:{tmp_path / 'saved'}", config())
    monkeypatch.setattr("engine.data.raster.read_picture", None)
    assert load(f"hf:{tmp_path / 'saved'}", config()).fingerprint == first.fingerprint


def test_a_dataset_without_classes_is_unlabeled(made, tmp_path, config):
    made.remove_columns("kind").save_to_disk(tmp_path / "saved")
    dataset = load(f"hf:{tmp_path / 'saved'}", config())
    assert dataset.classes == ()
    assert set(dataset.train.labels) == {-1}
    assert "no column of classes" in dataset.notes[0]


def test_rows_without_a_label_or_a_usable_image(made, tmp_path, config):
    def spoil(row, index):
        file = io.BytesIO()
        row["scan"].save(file, "PNG")
        content = b"no picture" if index == 3 else file.getvalue()
        return {
            "scan": None if index == 4 else {"bytes": content, "path": None},
            "kind": None if index == 5 else row["kind"],
        }

    features = made["train"].features
    made["train"] = made["train"].map(spoil, with_indices=True, features=features, load_from_cache_file=False)
    made.save_to_disk(tmp_path / "saved")
    dataset = load(f"hf:{tmp_path / 'saved'}", config(validation_share=0.02))
    assert [(item.name, item.reason.split(" (")[0]) for item in dataset.skipped] == [
        ("train/000003", "not a readable image"),
        ("train/000004", "the row has no image"),
    ]
    assert dataset.counts()["unlabelled"]["train"] + dataset.counts()["unlabelled"]["validation"] == 1


def test_splits_of_other_names_are_left_out_with_a_word(made, tmp_path, config):
    made["extra"] = made["test"]
    made.save_to_disk(tmp_path / "saved")
    assert [item.name for item in load(f"hf:{tmp_path / 'saved'}", config()).skipped] == ["extra"]


def test_a_dataset_of_one_split_is_split(made, tmp_path, config):
    made["train"].save_to_disk(tmp_path / "saved")
    dataset = load(f"hf:{tmp_path / 'saved'}", config())
    assert [len(split) for split in dataset.splits.values()] == [16, 2, 2]


def test_a_dataset_without_images_says_what_was_looked_for(made, tmp_path, config):
    made.remove_columns("scan").save_to_disk(tmp_path / "saved")
    with pytest.raises(EmptySource, match="column of images"):
        load(f"hf:{tmp_path / 'saved'}", config())


@pytest.mark.parametrize("source", ["hf:", "hf:benschill/brain-tumor-collection"])
def test_a_dataset_that_is_not_here_says_how_to_get_it(config, source, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(
        SourceNotFound, match=r"'benschill/brain-tumor-collection' \(revision 'main'\) is not on"
    ) as caught:
        load(source, config())
    assert "--download" in caught.value.advice
    assert "hf:/path/to/folder" in caught.value.advice


def test_a_snapshot_of_the_wanted_revision_is_found_offline(made, config, monkeypatch, tmp_path):
    """The library's cache: blobs and snapshots by commit, and the names that point to them."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "datasets--owner--scans"
    for commit, split in (("a" * 40, "train"), ("b" * 40, "test")):
        (repository / "snapshots" / commit / "data").mkdir(parents=True)
        (repository / "blobs").mkdir(exist_ok=True)
        made[split].to_parquet(repository / "blobs" / commit)
        os.symlink(repository / "blobs" / commit, repository / "snapshots" / commit / "data" / "train-0.parquet")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    for revision, count in (("main", 20), ("b" * 40, 6)):
        dataset = load("hf:owner/scans", config(revision=revision))
        assert sum(map(len, dataset.splits.values())) == count
    with pytest.raises(SourceNotFound, match=r"revision 'v2'"):
        load("hf:owner/scans", config(revision="v2"))


def test_an_id_that_is_none(config):
    with pytest.raises(SourceNotFound, match="'a b' is neither a path nor a dataset ID"):
        load("hf:a b", config())


def test_a_path_that_is_not_there(config, tmp_path):
    with pytest.raises(SourceNotFound, match="There is no file or folder"):
        load(f"hf:{tmp_path / 'nowhere'}", config())


def test_a_folder_that_is_no_dataset(config, tmp_path):
    with pytest.raises(EmptySource, match="cannot be read as a Hugging Face dataset"):
        load(f"hf:{tmp_path}", config())


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("GatedRepoError", "accepted its terms"),
        ("RepositoryNotFoundError", "There is no dataset 'owner/scans' on the Hugging Face Hub, or it is private"),
        ("RevisionNotFoundError", "has no revision 'main'"),
        ("LocalEntryNotFoundError", "could not be downloaded"),
        ("OfflineModeIsEnabled", "could not be downloaded"),
    ],
)
def test_what_the_hub_refuses_is_a_sentence_with_the_way_out(config, monkeypatch, error, sentence):
    kind = getattr(__import__("huggingface_hub").errors, error)

    def refuse(*args, **options):
        assert options["local_files_only"] is False
        raise kind.__new__(kind)

    monkeypatch.setattr("huggingface_hub.snapshot_download", refuse)
    with pytest.raises(SourceNotFound, match=sentence) as caught:
        load("hf:owner/scans", config(download=True))
    assert caught.value.advice


def test_loading_prints_nothing(made, tmp_path, run_python):
    made.save_to_disk(tmp_path / "saved")
    (tmp_path / "tables").mkdir()
    made["train"].to_parquet(tmp_path / "tables" / "train.parquet")
    loads = "; ".join(f"load({f'hf:{tmp_path / name}'!r})" for name in ("saved", "tables"))
    code = f"import sys; sys.stderr = sys.stdout; from engine.data import load; {loads}"
    assert run_python(code) == ""


ELSEWHERE = {
    "hub": "hf://datasets/someone/x.parquet",
    "web": "http://127.0.0.1/x.parquet",
    "absolute": "/etc/passwd",
    "above": "../other/x.parquet",
    "windows": "C:\\x.parquet",
    "archive": "zip://x.png::http://127.0.0.1/x.zip",
}


@pytest.mark.parametrize("place", ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_data_set_that_names_data_elsewhere_is_refused(tmp_path, config, place):
    readme = f"---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: '{place}'\n---\n"
    (tmp_path / "README.md").write_text(readme)
    with pytest.raises(EmptySource, match="names data elsewhere"):
        load(f"hf:{tmp_path}", config())


def test_a_readme_that_wants_objects_made_is_refused(tmp_path, config):
    (tmp_path / "README.md").write_text("---\nconfigs: !!python/object/apply:os.system ['true']\n---\n")
    with pytest.raises(EmptySource, match=r"README\.md"):
        load(f"hf:{tmp_path}", config())


ALIASES = [f"{name}: &{name} [{f'*{before}, ' * 9}]\n" for before, name in itertools.pairwise("abcdefghijk")]


@pytest.mark.parametrize(
    "header", ["a: &a [x]\n" + "".join(ALIASES), "a: &a [*a]\n", f"a: {'b' * 2**20}\n"], ids=["many", "circle", "long"]
)
def test_a_readme_without_end_is_refused(tmp_path, config, header):
    (tmp_path / "README.md").write_text(f"---\n{header}---\n")
    with pytest.raises(EmptySource, match=r"README\.md .* cannot be read"):
        load(f"hf:{tmp_path}", config())


def test_links_out_of_the_folder_and_pipes_are_refused(tmp_path, config):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "a.png").symlink_to("/etc/passwd")
    with pytest.raises(EmptySource, match=r"link out of its folder: a\.png"):
        load(f"hf:{folder}", config())
    (folder / "a.png").unlink()
    (folder / "state.json").symlink_to("/etc/passwd")
    with pytest.raises(EmptySource, match=r"link out of its folder: state\.json"):
        load(f"hf:{folder}", config())
    (folder / "state.json").unlink()
    os.mkfifo(folder / "b.png")
    with pytest.raises(EmptySource, match=r"pipe or a device in its folder: b\.png"):
        load(f"hf:{folder}", config())


def test_images_outside_the_folder_and_devices_are_skipped(made, tmp_path, config, noise):
    Image.fromarray(noise(1)).save(tmp_path / "outside.png")
    features = datasets.Features({"scan": datasets.Image(decode=False)})
    paths = ["/dev/zero", str(tmp_path / "outside.png"), "/etc/passwd"]
    whole = [io.BytesIO() for _ in range(12)]
    for number, file in enumerate(whole):
        Image.fromarray(noise(number)).save(file, "png")
    rows = [{"path": path, "bytes": None} for path in paths] + [{"path": None, "bytes": f.getvalue()} for f in whole]
    # The library's own writers would read the files.
    table = datasets.Dataset.from_dict({"scan": rows}, features=features).cast_column("scan", datasets.Image())
    (tmp_path / "set").mkdir()
    parquet.write_table(table.data.table, tmp_path / "set" / "train.parquet")
    dataset = load(f"hf:{tmp_path / 'set'}", config())
    assert sum(map(len, dataset.splits.values())) == 12
    assert {item.reason for item in dataset.skipped} == {"its file lies outside the dataset's folder"}


def test_the_libraries_are_offline_while_a_local_data_set_is_read(made, tmp_path, config, monkeypatch):
    from huggingface_hub import constants

    made.save_to_disk(tmp_path / "saved")
    seen, read = [], datasets.load_from_disk
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)

    def watch(path):
        seen.append((constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE))
        return read(path)

    monkeypatch.setattr(datasets, "load_from_disk", watch)
    load(f"hf:{tmp_path / 'saved'}", config())
    assert seen == [(True, True)]
    assert (constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE) == (False, False)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("state.json", {"_data_files": [{"filename": "../secret.arrow"}]}),
        ("state.json", {"_data_files": [{"filename": "/dev/zero"}]}),
        ("dataset_dict.json", {"splits": ["../elsewhere"]}),
        ("train/state.json", {"_data_files": [{"filename": "hf://datasets/a/b"}]}),
    ],
)
def test_the_record_of_a_saved_data_set_that_names_data_elsewhere_is_refused(tmp_path, config, name, content):
    (tmp_path / "train").mkdir()
    (tmp_path / name).write_text(json.dumps(content))
    with pytest.raises(EmptySource, match="names data elsewhere"):
        load(f"hf:{tmp_path}", config())


@pytest.mark.parametrize("content", ["[" * 9000, "[1]", "x"])
def test_a_damaged_record_of_a_saved_data_set_is_a_sentence(tmp_path, config, content):
    (tmp_path / "state.json").write_text(content)
    with pytest.raises(EmptySource, match=r"state\.json of the dataset .* is damaged"):
        load(f"hf:{tmp_path}", config())


def write_packed_table(folder):
    """Write 300 MB of zeros as a Parquet file of a few kilobytes."""
    rows = pyarrow.DictionaryArray.from_arrays(pyarrow.array([0] * 300), pyarrow.array([bytes(2**20)]))
    parquet.write_table(pyarrow.table({"image": rows}), folder / "a.parquet", compression="zstd")


def write_packed_arrow(folder):
    """Write 300 MB of zeros as a packed table where the library keeps plain ones."""
    table = pyarrow.table({"image": pyarrow.array([bytes(300 * 2**20)])})
    (folder / "state.json").write_text(json.dumps({"_data_files": [{"filename": "a.arrow"}]}))
    options = pyarrow.ipc.IpcWriteOptions(compression="zstd")
    with pyarrow.ipc.new_stream(folder / "a.arrow", table.schema, options=options) as writer:
        writer.write_table(table)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits the memory of a process")
@pytest.mark.parametrize("write", [write_packed_table, write_packed_arrow])
def test_a_table_that_unpacks_to_far_more_than_it_holds_is_refused(tmp_path, config, own_cache, monkeypatch, write):
    monkeypatch.setattr(parsing, "MEMORY_BYTES", 2**27)
    (tmp_path / "set").mkdir()
    write(tmp_path / "set")
    with pytest.raises(EmptySource, match=r"needs too much memory|unpacks to far more"):
        load(f"hf:{tmp_path / 'set'}", config())
    assert not [path for path in own_cache.rglob("*") if path.suffix == ".arrow" or path.name.endswith(".incomplete")]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Windows limits no file")
def test_a_table_that_fills_the_disk_is_refused(tmp_path, monkeypatch):
    write_packed_table(tmp_path)
    monkeypatch.setattr(arrow_files, "SMALL_BYTES", 2**20)
    with pytest.raises(UnreadableFile, match="unpacks to far more than it holds"):
        huggingface.convert(tmp_path / "a.parquet", "parquet", "", str(tmp_path / "cache"), 2**10)
    assert not list(tmp_path.rglob("*.arrow"))


def test_a_table_of_too_many_rows_is_refused(made, tmp_path, config, monkeypatch):
    made.save_to_disk(tmp_path / "saved")
    monkeypatch.setattr(huggingface, "MAX_ROWS", 25)
    with pytest.raises(EmptySource, match="has 26 rows"):
        load(f"hf:{tmp_path / 'saved'}", config())


def test_a_saved_dataset_whose_record_hides_its_columns_is_read_whole(made, tmp_path, config):
    made["train"].with_format("numpy", columns=["age"]).save_to_disk(tmp_path / "saved")
    assert load(f"hf:{tmp_path / 'saved'}", config()).classes == ("glioma", "none")
