"""Groups of files: exact duplicates, and chains of near-duplicates with the changes of each."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.data.audit.near_duplicates import NearDuplicatePair
from engine.data.audit.survey import ImageRecord, SourceSurvey

TURNS: Final = (
    "",
    "rotated by 90° counterclockwise",
    "rotated by 180°",
    "rotated by 90° clockwise",
    "flipped left to right",
    "flipped left to right and rotated by 90° counterclockwise",
    "flipped top to bottom",
    "flipped left to right and rotated by 90° clockwise",
)
_SAME_GAMMA, _CROPPED_GAMMA, _SAME_GRAY, _SAME_PLACE = 0.04, 0.2, 0.04, 0.004


@dataclass(frozen=True)
class GroupMember:
    """A file in a group.

    Args:
        split: 'train', 'validation', 'test' or 'left out'.
        name: its name in the source.
        like: the file of the group that it was compared with, empty for the first.
        seen: the changes from that one, such as 'rotated by 180°'.
    """

    split: str
    name: str
    like: str = ""
    seen: tuple[str, ...] = ()

    def to_dict(self, near: bool) -> dict[str, Any]:
        """Return the member as it is written in JSON."""
        place: dict[str, Any] = {"split": self.split, "name": self.name}
        return place | {"like": self.like, "seen": list(self.seen)} if near else place


Group = tuple[GroupMember, ...]
# Role of the images that are in no split.
LEFT_OUT: Final = "left out"
ORDER: Final = ("train", "validation", "test", LEFT_OUT)


def find_exact_groups(keys: Sequence[str], members: Sequence[GroupMember]) -> list[Group]:
    """Group files with equal keys, at least two each, in the order of their first file, train first."""
    groups: dict[str, list[GroupMember]] = defaultdict(list)
    for key, member in zip(keys, members, strict=True):
        groups[key].append(member)
    return [_train_first(group) for group in groups.values() if len(group) > 1]


def drop_left_out(groups: Iterable[Group]) -> list[Group]:
    """Return groups without the images that are in no split, and without those that then have one image only."""
    kept = (tuple(member for member in group if member.split != LEFT_OUT) for group in groups)
    return [group for group in kept if len(group) > 1]


def _train_first(group: Sequence[GroupMember]) -> Group:
    return tuple(sorted(group, key=_order))


def _order(member: GroupMember) -> int:
    return ORDER.index(member.split)


def find_near_groups(findings: SourceSurvey, members: Sequence[GroupMember]) -> list[Group]:
    """Group files that near-duplicate pairs link, train first, each with every exact copy.

    Args:
        findings: the pairs.
        members: one for each image.
    """
    linked: dict[int, list[NearDuplicatePair]] = defaultdict(list)
    for pair in findings.pairs:
        linked[pair.one].append(pair)
        linked[pair.other].append(pair)
    copies: dict[str, list[int]] = defaultdict(list)
    for number in sorted(range(len(members)), key=lambda number: (_order(members[number]), number)):
        copies[findings.pictures[number].key].append(number)
    drawn = _DuplicateGraph(findings.pictures, members, [copies[facts.key] for facts in findings.pictures])
    done: set[int] = set()
    found = []
    for first in sorted(linked):
        if first not in done:
            component = _connected(first, linked)
            done |= component.keys()
            root = min(component, key=lambda number: (_order(members[drawn.copies[number][0]]), number))
            found.append(drawn.group(_connected(root, linked)))
    return found


def _connected(first: int, linked: dict[int, list[NearDuplicatePair]]) -> dict[int, NearDuplicatePair | None]:
    """Return all images linked to the first one, by distance, each with the pair that led to it."""
    reached: dict[int, NearDuplicatePair | None] = {first: None}
    waiting = deque([first])
    while waiting:
        here = waiting.popleft()
        for pair in linked[here]:
            there = pair.other if pair.one == here else pair.one
            if there not in reached:
                reached[there] = pair
                waiting.append(there)
    return reached


@dataclass(frozen=True)
class _DuplicateGraph:
    """Images, their members, and for each its exact copies, itself included, train first."""

    pictures: Sequence[ImageRecord]
    members: Sequence[GroupMember]
    copies: Sequence[list[int]]

    def group(self, reached: dict[int, NearDuplicatePair | None]) -> Group:
        """Return the reached images as a group, each followed by its copies."""
        group: list[GroupMember] = []
        for number, pair in reached.items():
            first, *others = self.copies[number]
            here = self.members[first]
            if pair is not None:
                known = pair.one if pair.other == number else pair.other
                like = self.members[self.copies[known][0]].name
                here = GroupMember(here.split, here.name, like, describe_changes(pair, known, number, self.pictures))
            group.append(here)
            copies = (self.members[each] for each in others)
            group += [GroupMember(each.split, each.name, here.name, ("identical pixels",)) for each in copies]
        return tuple(group)


def describe_changes(
    pair: NearDuplicatePair, known: int, number: int, pictures: Sequence[ImageRecord]
) -> tuple[str, ...]:
    """Describe how the second image of a pair differs from the first.

    Args:
        pair: the two images.
        known: number of the image that is in the group already.
        number: number of the image to describe.
        pictures: the images of the survey.

    Returns:
        Words such as 'flipped left to right', 'resized from 512 × 512 to 256 × 256', 'gamma 0.80'; 'recompressed' if
        only single pixels differ.
    """
    before, after = pictures[known], pictures[number]
    turn = pair.turn if pair.other == known else _inverse(pair.turn)
    moved = pair.moved > _SAME_PLACE
    words = [TURNS[turn], _resized(before, after, turn % 2 == 1), *_intensity_change(before, after, moved)]
    if moved:
        words.append("slightly cropped or shifted")
    return tuple(filter(None, words)) or ("recompressed",)


def _inverse(turn: int) -> int:
    """Return the inverse: a flip is its own inverse, a turn to the left becomes a turn to the right."""
    return turn if turn >= 4 else -turn % 4


def _resized(before: ImageRecord, after: ImageRecord, lies_on_side: bool) -> str:
    sizes = (before.width, before.height), (after.width, after.height)
    turned = sizes[0][::-1] if lies_on_side else sizes[0]
    if turned == sizes[1]:
        return ""
    return "resized from {0[0]} × {0[1]} to {1[0]} × {1[1]}".format(*sizes)


def _intensity_change(before: ImageRecord, after: ImageRecord, moved: bool) -> Iterable[str]:
    """Yield the change of intensities: a gamma, or else brightness. A crop changes the mean as well."""
    gamma = before.exponent / after.exponent
    if abs(gamma - 1) > (_CROPPED_GAMMA if moved else _SAME_GAMMA):
        yield f"gamma {gamma:.2f}"
    elif max(abs(after.black - before.black), abs(after.white - before.white)) > _SAME_GRAY:
        yield "brighter" if after.black + after.white > before.black + before.white else "darker"
