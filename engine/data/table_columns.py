"""Columns of a Hugging Face dataset: which one holds the images, and which one the classes.

Both are found by type and name. Images are columns of the library's image type, structs of {bytes, path}, and binary
columns whose first row is an image; classes are columns of the library's class type, and columns of text or whole
numbers that are called label or the like and have few different values.
"""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import datasets

from engine.data import raster
from engine.data.decoded_image import UnreadableFile
from engine.data.source import SplitName, natural_sort_key, split_name
from engine.errors import ConfigError, EmptySource

EXPECTED: Final = "Engram looks for a dataset with a column of images."
MAX_CLASSES: Final = 100
_IMAGE_WORDS: Final = ("image", "images", "img", "scan", "picture", "slice", "mri", "photo")
_MASK_WORDS: Final = ("mask", "masks", "annotation", "label", "labels", "segmentation", "seg", "gt", "groundtruth")
_LABEL_WORDS: Final = (
    *("label", "labels", "class", "classes", "diagnosis", "target", "category"),
    *("pathology", "condition", "disease", "tumor", "tumour"),
)
_PATIENT_NAMES: Final = frozenset({"patient", "patientid", "subject", "subjectid", "participant", "participantid"})
_SPLIT_NAMES: Final = frozenset({"split", "set", "subset", "partition"})
_NOT_A_LETTER: Final = re.compile(r"[\W\d_]+|(?<=[a-z])(?=[A-Z])")
Tables = Mapping[str, Any]


@dataclass(frozen=True)
class ClassColumn:
    """The column of the classes.

    Args:
        name: its name.
        classes: names of the classes.
        numbers: value of a row -> index of its class; None where the column holds that index itself.
    """

    name: str
    classes: tuple[str, ...]
    numbers: Mapping[Any, int] | None = None

    def find_label(self, value: Any) -> str | None:
        """Return the class of a row's value; None if it has none."""
        number = value if self.numbers is None else self.numbers.get(value)
        return self.classes[number] if number is not None and 0 <= number < len(self.classes) else None


def choose_image_column(tables: Tables, asked: str, source: str) -> tuple[str, tuple[str, ...]]:
    """Choose the column of the images.

    Args:
        tables: the tables by split.
        asked: the column that the user asks for; empty for an automatic choice.
        source: name of the dataset, for sentences.

    Returns:
        Its name, and a sentence if there were others to choose from.

    Raises:
        EmptySource: there is none.
        ConfigError: the column that the user asks for is not one of images.
    """
    features = next(iter(tables.values())).features
    found = [name for name, feature in features.items() if _holds_images(feature, name, tables)]
    if asked:
        return _require(asked, found, features, "--image-column"), ()
    if not found:
        raise EmptySource(f"The dataset '{source}' has no column of images.", EXPECTED)
    best = min(found, key=_rank_image)
    others = [name for name in found if name != best]
    return best, _note_choice("images", best, others, "--image-column")


def choose_class_column(tables: Tables, asked: str, source: str) -> tuple[ClassColumn | None, tuple[str, ...]]:
    """Choose the column of the classes; arguments and errors as in `choose_image_column`.

    Returns:
        The column, or None if there is none, and a sentence if there were others, or none.
    """
    features = next(iter(tables.values())).features
    if asked:
        fitting = [name for name, feature in features.items() if _may_hold_classes(feature)]
        column = _read_classes(_require(asked, fitting, features, "--label-column"), tables)
        if column is None:
            raise ConfigError(
                f"The column '{asked}' has more than {MAX_CLASSES} different values.",
                "Choose a column of classes with --label-column.",
            )
        return column, ()
    named = [name for name, feature in features.items() if _is_class(feature) or _rank_label(name) < len(_LABEL_WORDS)]
    found = [column for name in named if _may_hold_classes(features[name]) and (column := _read_classes(name, tables))]
    if not found:
        return None, (f"'{source}' has no column of classes; its images have no class labels.",)
    best = min(found, key=lambda column: _rank_label(column.name))
    others = [column.name for column in found if column is not best]
    return best, _note_choice("classes", best.name, others, "--label-column")


def _note_choice(what: str, chosen: str, others: Sequence[str], option: str) -> tuple[str, ...]:
    if not others:
        return ()
    listed = ", ".join(f"'{name}'" for name in others)
    return (f"The {what} are those of the column '{chosen}'; {option} can choose {listed} instead.",)


def _require(asked: str, fitting: Sequence[str], features: Mapping[str, Any], option: str) -> str:
    if asked in fitting:
        return asked
    what = "does not fit" if asked in features else "does not exist"
    choices = ", ".join(fitting) or "none"
    raise ConfigError(f"The column '{asked}' ({option}) {what}.", f"Columns that fit: {choices}.")


def _holds_images(feature: Any, name: str, tables: Tables) -> bool:
    """Return whether a column holds images; of a column of bytes the first row that is not empty is opened."""
    if isinstance(feature, datasets.Image):
        return True
    is_struct = isinstance(feature, dict) and feature.keys() == {"bytes", "path"}
    if not is_struct and not (isinstance(feature, datasets.Value) and "binary" in feature.dtype):
        return False
    for table in tables.values():
        for batch in table.select_columns([name]).iter(batch_size=1):
            value = batch[name][0]
            content = value.get("bytes") if isinstance(value, dict) else value
            if content:
                return _is_image(content)
            if value and is_struct:  # a path alone
                return bool(value["path"])
    return False


def _is_image(content: bytes) -> bool:
    try:
        raster.open_picture(io.BytesIO(content))
    except UnreadableFile:
        return False
    return True


def _rank_image(name: str) -> tuple[int, int]:
    """Return the order in which image columns are preferred: image, img or scan, then others, then masks."""
    words = [word.casefold() for word in _NOT_A_LETTER.split(name)]
    if any(word in _MASK_WORDS for word in words):
        return 2, 0
    return (0, len(words)) if any(word in _IMAGE_WORDS for word in words) else (1, 0)


def _rank_label(name: str) -> int:
    """Return the order in which class columns are preferred; a name with none of the words comes last."""
    words = [word.casefold() for word in _NOT_A_LETTER.split(name)]
    return min((_LABEL_WORDS.index(word) for word in words if word in _LABEL_WORDS), default=len(_LABEL_WORDS))


def _is_class(feature: Any) -> bool:
    return isinstance(feature, datasets.ClassLabel)


def _may_hold_classes(feature: Any) -> bool:
    kinds = ("string", "large_string", "bool", "int", "uint")
    return _is_class(feature) or (isinstance(feature, datasets.Value) and feature.dtype.startswith(kinds))


def _read_classes(name: str, tables: Tables) -> ClassColumn | None:
    """Return the classes of a column; None if it has too many values for classes, or none at all."""
    feature = next(iter(tables.values())).features[name]
    if _is_class(feature):
        return ClassColumn(name, tuple(feature.names))
    values = {value for table in tables.values() for value in table.unique(name)} - {None, "", -1}
    rows = sum(map(len, tables.values()))
    if not values or len(values) > min(MAX_CLASSES, max(2, rows // 2)):
        return None
    ordered = sorted(values, key=lambda value: natural_sort_key(value) if isinstance(value, str) else value)
    return ClassColumn(name, tuple(map(str, ordered)), {value: number for number, value in enumerate(ordered)})


def find_patient_column(tables: Tables) -> dict[tuple[str, int], str]:
    """Return the patients of the rows by the column that is called so: (table, row) -> patient."""
    names = [name for name in next(iter(tables.values())).features if _fold(name) in _PATIENT_NAMES]
    return {
        (table, row): str(value)
        for name in names[:1]
        for table, rows in tables.items()
        for row, value in enumerate(rows[name])
        if isinstance(value, str | int) and value != ""
    }


def find_split_column(tables: Tables) -> dict[tuple[str, int], SplitName]:
    """Return the splits of the rows by the column `split`, if each of its values names one: (table, row) -> split."""
    found: dict[tuple[str, int], SplitName] = {}
    for table, rows in tables.items():
        for name in [name for name in rows.features if _fold(name) in _SPLIT_NAMES][:1]:
            for row, value in enumerate(rows[name]):
                split = split_name(value) if isinstance(value, str) else None
                if split is None:
                    return {}
                found[table, row] = split
    return found


def _fold(name: str) -> str:
    return "".join(filter(str.isalpha, name.casefold()))
