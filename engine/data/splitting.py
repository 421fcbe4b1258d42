"""Assignment of images to splits."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.config import DataConfig
from engine.data.disjoint_sets import DisjointSets
from engine.data.patient_facts import is_known
from engine.data.source import SplitName

_SPLITS: Final[tuple[SplitName, ...]] = ("train", "validation", "test")
MAX_SHARED: Final = 2
FOLDS: Final = 5
# Ranks the patients of the fixed test set and of the folds; no setting changes it.
_PROTOCOL: Final = "patients"


@dataclass(frozen=True)
class SplitItem:
    """Facts that decide the split of one image: hash of the pixels, label, split of the source, and patient."""

    key: str
    label: int
    split: SplitName | None
    group: str = ""


def assign_splits(members: Sequence[SplitItem], config: DataConfig) -> dict[SplitName, list[int]]:
    """Assign images to splits as the settings of a dataset say: by `split_patients` or by `split`."""
    if config.test_patients:
        return split_patients(members, config.test_patients, config.fold)
    return split(members, config.validation_share, config.split_seed)


def split_patients(members: Sequence[SplitItem], count: int, fold: int) -> dict[SplitName, list[int]]:
    """Draw a fixed test set of whole patients, and five folds of the others; one fold is the validation set.

    Splits of the source do not count, and images of unknown patients are in no set. Patients are ranked by a hash of
    their images within the class of most of their images; the test set takes the same share of each class, the folds
    as equal ones. Patients that share an image stay together, as in `split`.

    Args:
        members: the images in the order of the source.
        count: number of test patients.
        fold: number of the validation fold, from 1.

    Returns:
        Indices into `members` for each split, ascending.
    """
    pool = [unit for unit in _join_patients(members, range(len(members))) if _list_patients(members, unit)]
    classes: dict[int, list[list[int]]] = defaultdict(list)
    for unit in sorted(pool, key=lambda unit: _rank_unit(members, unit, _PROTOCOL)):
        classes[Counter(members[index].label for index in unit).most_common(1)[0][0]].append(unit)
    placed = [(number / len(units), label) for label, units in classes.items() for number in range(len(units))]
    taken: list[list[int]] = []
    for _, label in sorted(placed):
        unit = classes[label][0]
        if len(_list_patients(members, unit)) <= count:
            count -= len(_list_patients(members, unit))
            taken.append(classes[label].pop(0))
    rest = [unit for label in sorted(classes) for unit in classes[label]]
    held = [unit for number, unit in enumerate(rest) if number % FOLDS == fold - 1]
    train = [unit for number, unit in enumerate(rest) if number % FOLDS != fold - 1]
    return {
        name: sorted(index for unit in units for index in unit)
        for name, units in zip(_SPLITS, (train, held, taken), strict=True)
    }


def _list_patients(members: Sequence[SplitItem], unit: Sequence[int]) -> set[str]:
    return {members[index].group for index in unit if is_known(members[index].group)}


def split(members: Sequence[SplitItem], share: float, seed: int) -> dict[SplitName, list[int]]:
    """Keep the splits of a source and hold out those that it lacks.

    Held-out images are drawn per class, and all copies of one image (equal keys) stay together. The draw ranks the
    images by a hash of seed and key, so it does not depend on file names or order, and adding images to a source
    moves few of the others. Only a validation set is held out of a source that has a test set.

    If a patient of the images to draw from is known, whole patients are drawn, as close to the share of each class as
    they allow; an image without a known patient is drawn alone. Two patients that share an image stay together.

    Args:
        members: the images in the order of the source.
        share: share of the images without a split to hold out, per missing split.
        seed: seed of the draw.

    Returns:
        Indices into `members` for each split, ascending.
    """
    parts: dict[SplitName, list[int]] = {name: [] for name in _SPLITS}
    for index, member in enumerate(members):
        parts[member.split or "train"].append(index)
    whole = len(parts["train"])
    for name in ("test", "validation"):
        if not parts[name]:
            parts[name] = _hold_out(members, parts["train"], share * whole / max(1, len(parts["train"])), seed)
            held = set(parts[name])
            parts["train"] = [index for index in parts["train"] if index not in held]
    return parts


def _hold_out(members: Sequence[SplitItem], pool: Sequence[int], share: float, seed: int) -> list[int]:
    if any(members[index].group for index in pool):
        units = _join_patients(members, pool)
        if len(units) > 1:
            return _draw_patients(members, units, share, seed)
    copies: dict[str, list[int]] = defaultdict(list)
    for index in pool:
        copies[members[index].key].append(index)
    ranked = sorted(copies.values(), key=lambda group: _rank(seed, members[group[0]].key))
    classes: dict[int, list[list[int]]] = defaultdict(list)
    for group in ranked:
        classes[members[group[0]].label].append(group)
    held: list[int] = []
    for groups in classes.values():
        held += _draw(groups, round(share * sum(map(len, groups))))
    if not held and len(ranked) > 1:
        held = list(ranked[0])
    return sorted(held)


def _join_patients(members: Sequence[SplitItem], pool: Sequence[int]) -> list[list[int]]:
    """Return the images that stay together: those of a patient, copies of one image, and both in turn.

    An image that more than two patients share, such as an empty slice, joins nothing: it would join all patients.
    """
    patients: dict[str, set[str]] = defaultdict(set)
    for index in pool:
        patients[members[index].key].add(members[index].group)
    sets = DisjointSets[tuple[str, str]]()
    for index in pool:
        key, group = members[index].key, members[index].group
        if group and len(patients[key] - {""}) <= MAX_SHARED:
            sets.join(("image", key), ("patient", group))
    units: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index in pool:
        group = members[index].group
        units[sets.find(("patient", group) if group else ("image", members[index].key))].append(index)
    return list(units.values())


def _draw_patients(members: Sequence[SplitItem], units: Sequence[list[int]], share: float, seed: int) -> list[int]:
    """Draw units in the order of a hash of their images, each that brings the classes closer to their share."""
    sizes = [Counter(members[index].label for index in unit) for unit in units]
    total: Counter[int] = sum(sizes, Counter())
    missing = {label: round(share * count) for label, count in total.items()}
    ranked = sorted(range(len(units)), key=lambda number: _rank_unit(members, units[number], seed))
    drawn: list[int] = []
    for number in ranked:
        gain = sum(abs(missing[label]) - abs(missing[label] - count) for label, count in sizes[number].items())
        if gain > 0 and len(drawn) < len(units) - 1:
            drawn.append(number)
            for label, count in sizes[number].items():
                missing[label] -= count
    drawn = drawn or [min(ranked, key=lambda number: len(units[number]))]
    return sorted(index for number in drawn for index in units[number])


def _rank_unit(members: Sequence[SplitItem], unit: Sequence[int], seed: int | str) -> str:
    """Rank by the images alone, so that the draw does not depend on the names of patients."""
    return _rank(seed, min(members[index].key for index in unit))


def _draw(groups: Sequence[list[int]], wanted: int) -> list[int]:
    """Draw the first groups that fit into the wanted number of images."""
    drawn: list[int] = []
    for group in groups:
        if len(drawn) + len(group) <= wanted:
            drawn += group
    return drawn


def _rank(seed: int | str, key: str) -> str:
    return hashlib.sha256(f"{seed} {key}".encode()).hexdigest()
