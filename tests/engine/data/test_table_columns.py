"""Columns of a Hugging Face dataset: images and classes, by type and name."""

import io

import datasets
import numpy as np
import pyarrow
import pytest
from PIL import Image
from pyarrow import parquet

from engine.config import DataConfig
from engine.data import load
from engine.errors import ConfigError, EmptySource

COUNT = 20
DARK, BRIGHT = 40, 200


def png(level, seed):
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(level - 9, level + 9, (16, 16), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return {"bytes": file.getvalue(), "path": None}


SCANS = [png(BRIGHT, number) for number in range(COUNT)]
MASKS = [png(DARK, number) for number in range(COUNT)]
SEX = datasets.ClassLabel(names=["m", "f"])


@pytest.fixture
def made(tmp_path, config):
    """Save a table and load it: `made({"image": (datasets.Image(), SCANS)})`."""

    def make(columns, **options):
        features = datasets.Features({name: kind for name, (kind, _) in columns.items()})
        table = datasets.Dataset.from_dict({name: values for name, (_, values) in columns.items()}, features=features)
        datasets.DatasetDict(train=table).save_to_disk(tmp_path / "saved")
        return load(f"hf:{tmp_path / 'saved'}", config(**options))

    return make


def images(values=SCANS):
    return datasets.Image(), values


@pytest.mark.parametrize(
    ("dark", "bright"),
    [("annotation", "image"), ("brain_mask", "scan"), ("segmentation", "t1"), ("labelMap", "flairImage"), ("x", "img")],
)
def test_images_are_preferred_to_masks_whatever_the_order(made, dark, bright):
    dataset = made({dark: images(MASKS), bright: images()})
    assert dataset.train.read().mean() > 0.7
    assert f"column '{bright}'; --image-column can choose '{dark}'" in dataset.notes[0]


def test_column_that_the_user_asks_for_is_taken(made):
    columns = {
        "image": images(),
        "annotation": images(MASKS),
        "label": (SEX, [0, 1] * 10),
        "plane": (SEX, [1, 1, 0, 0] * 5),
    }
    dataset = made(columns, image_column="annotation", label_column="plane")
    assert dataset.train.read().mean() < 0.3
    assert not [note for note in dataset.notes if "column" in note]
    with pytest.raises(ConfigError, match=r"'sx' .--label-column. does not exist") as caught:
        made(columns, label_column="sx")
    assert "label, plane" in caught.value.advice
    with pytest.raises(ConfigError, match=r"'label' .--image-column. does not fit"):
        made(columns, image_column="label")


@pytest.mark.parametrize(
    ("kind", "values", "classes"),
    [
        (datasets.Value("string"), ["glioma", "none"] * 10, ("glioma", "none")),
        (datasets.Value("int64"), [10, 9] * 10, ("9", "10")),
        (datasets.Value("bool"), [True, False] * 10, ("False", "True")),
    ],
)
def test_few_values_are_classes(made, kind, values, classes):
    dataset = made({"image": images(), "age": (datasets.Value("int64"), list(range(COUNT))), "label": (kind, values)})
    assert dataset.classes == classes
    counts = dataset.counts()
    assert {name: sum(counts[name].values()) for name in classes} == dict.fromkeys(classes, 10)


def test_rows_without_a_value_have_no_label(made):
    dataset = made({"image": images(), "diagnosis": (datasets.Value("string"), ["a", None, "", "b"] * 5)})
    assert dataset.classes == ("a", "b")
    assert sum(dataset.counts()["unlabelled"].values()) == 10


def test_many_values_are_no_classes(made):
    columns = {"image": images(), "label": (datasets.Value("string"), [f"patient {number}" for number in range(COUNT)])}
    dataset = made(columns)
    assert dataset.classes == ()
    assert "no column of classes" in dataset.notes[0]


def test_label_is_preferred_to_other_classes(made):
    dataset = made(
        {"image": images(), "sex": (SEX, [0, 1] * 10), "label": (datasets.Value("string"), ["no", "yes"] * 10)}
    )
    assert dataset.classes == ("no", "yes")
    assert "column 'label'; --label-column can choose 'sex'" in dataset.notes[0]


@pytest.mark.parametrize("form", ["struct", "bytes"])
def test_bytes_of_images_are_images(tmp_path, config, form):
    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    whole = pyarrow.array([None, *SCANS], kind)
    column = whole if form == "struct" else pyarrow.array([None, *(scan["bytes"] for scan in SCANS)])
    table = pyarrow.table({"content": pyarrow.array([b"none"] * (COUNT + 1)), "image": column})
    parquet.write_table(table, tmp_path / "train-00000.parquet")
    dataset = load(f"hf:{tmp_path}", config())
    assert sum(map(len, dataset.splits.values())) == COUNT
    assert dataset.train.read().mean() > 0.7


def test_bytes_of_something_else_are_no_images(made):
    with pytest.raises(EmptySource, match="no column of images"):
        made({"content": (datasets.Value("binary"), [b"text"] * COUNT)})


def test_splits_with_years_are_splits(tmp_path, config):
    features = datasets.Features({"image": datasets.Image()})
    parts = {"train_2020": SCANS[:14], "test_2021": SCANS[14:]}
    tables = {name: datasets.Dataset.from_dict({"image": part}, features=features) for name, part in parts.items()}
    datasets.DatasetDict(tables).save_to_disk(tmp_path / "saved")
    dataset = load(f"hf:{tmp_path / 'saved'}", config())
    assert [len(dataset.splits[name]) for name in ("train", "validation", "test")] == [13, 1, 6]


def test_saved_dataset_has_no_configurations(made):
    with pytest.raises(ConfigError, match="'saved' has no configurations"):
        made({"image": images()}, config_name="axial")


def test_configurations_are_named_and_chosen(tmp_path, config):
    features = datasets.Features({"image": datasets.Image()})
    for name, part in (("axial", SCANS), ("coronal", MASKS)):
        (tmp_path / name).mkdir()
        datasets.Dataset.from_dict({"image": part}, features=features).to_parquet(tmp_path / name / "train.parquet")
    lines = [f"- config_name: {name}\n  data_files: {name}/*.parquet" for name in ("axial", "coronal")]
    (tmp_path / "README.md").write_text("\n".join(["---", "configs:", *lines, "---", ""]))
    for chosen, sentence in (("", "has 2 configurations"), ("sagittal", "has no configuration 'sagittal'")):
        with pytest.raises(ConfigError, match=sentence) as caught:
            load(f"hf:{tmp_path}", config(config_name=chosen))
        assert "--config-name: axial, coronal" in caught.value.advice
    assert load(f"hf:{tmp_path}", config(config_name="coronal")).train.read().mean() < 0.3


def test_folder_of_images_and_masks_has_no_masks(tree, config):
    folder = tree(*(f"{kind}/{number}.png" for kind in ("images", "masks") for number in range(10)))
    dataset = load(f"hf:{folder}", config())
    assert sum(map(len, dataset.splits.values())) == 10
    assert dataset.classes == ()
    assert dataset.skipped[0].reason == "a mask of images/0.png"


def test_settings_of_before_the_columns_could_be_chosen_are_read():
    assert DataConfig.model_validate({"source": "hf:a/b"}).image_column == ""


def test_columns_of_patient_and_split_are_kept(made):
    patients = [f"P{number // 4}" for number in range(len(SCANS))]
    dataset = made({"image": images(), "Patient ID": (datasets.Value("string"), patients)})
    assert dataset.patients.patients == len(set(patients))
    assert not set(dataset.train.groups) & set(dataset.test.groups)


def test_the_column_of_the_split_is_used_if_all_its_values_are_splits(made):
    splits = ["test" if number < 4 else "train" for number in range(len(SCANS))]
    dataset = made({"image": images(), "split": (datasets.Value("string"), splits)})
    assert dataset.test.names == tuple(f"train/{number:06d}" for number in range(4))
    dataset = made({"image": images(), "split": (datasets.Value("string"), ["first", *splits[1:]])})
    assert len(dataset.test) < 4


def test_a_saved_dataset_without_files_is_a_sentence(made, config, tmp_path):
    table = datasets.Dataset.from_dict({"image": []}, features=datasets.Features({"image": datasets.Image()}))
    table.save_to_disk(tmp_path / "empty")
    with pytest.raises(EmptySource, match="it is damaged, empty, or of an unusual form"):
        load(f"hf:{tmp_path / 'empty'}", config())
