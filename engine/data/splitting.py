"""Assignment of images to splits."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engine.data.source import SplitName

_SPLITS: Final[tuple[SplitName, ...]] = ("train", "validation", "test")


@dataclass(frozen=True)
class SplitItem:
    """Facts that decide the split of one image: hash of the pixels, label, and split of the source."""

    key: str
    label: int
    split: SplitName | None


def split(members: Sequence[SplitItem], share: float, seed: int) -> dict[SplitName, list[int]]:
    """Keep the splits of a source and hold out those that it lacks.

    Held-out images are drawn per class, and all copies of one image (equal keys) stay together. The draw ranks the
    images by a hash of seed and key, so it does not depend on file names or order, and adding images to a source
    moves few of the others. Only a validation set is held out of a source that has a test set.

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


def _draw(groups: Sequence[list[int]], wanted: int) -> list[int]:
    """Draw the first groups that fit into the wanted number of images."""
    drawn: list[int] = []
    for group in groups:
        if len(drawn) + len(group) <= wanted:
            drawn += group
    return drawn


def _rank(seed: int, key: str) -> str:
    return hashlib.sha256(f"{seed} {key}".encode()).hexdigest()
