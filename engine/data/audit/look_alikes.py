"""Groups of look-alike images, an estimate of patients where they are unknown, and their conflicting labels."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.data import cache
from engine.data.audit.appearance import SIDE, normalize_appearance, standardize
from engine.data.audit.groups import Group, GroupMember
from engine.data.decoded_image import UnreadableFile, large_image_lock
from engine.data.disjoint_sets import DisjointSets
from engine.data.parallel import map_in_threads
from engine.data.patient_facts import ESTIMATED, is_known
from engine.data.patients import PatientGroups
from engine.data.source import Source
from engine.folders import cache_root
from engine.job_context import JobContext

VERSION: Final = 1
MIN_CORRELATION: Final = 0.95
_BLOCK: Final = 512


def estimate_patients(source: Source, found: PatientGroups, context: JobContext) -> PatientGroups:
    """Estimate groups of the images whose patient is unknown.

    Args:
        source: the images.
        found: the known patients.
        context: asked between images whether to stop.

    Returns:
        The same, with an estimated group for each unknown image that looks like another one: that image's patient if
        the look-alikes have one, else a name that begins with '~'.

    Raises:
        Cancelled: the caller asked to stop.
    """
    components = _load_components(source, context)
    patients: dict[int, set[str]] = defaultdict(set)
    for component, group in zip(components, found.groups, strict=True):
        patients[component].add(group)
    groups = list(found.groups)
    for index, component in enumerate(components):
        if component >= 0 and not groups[index]:
            known = patients[component] - {""}
            groups[index] = next(iter(known)) if len(known) == 1 else f"{ESTIMATED}{component}"
    count = sum(not before and bool(after) for before, after in zip(found.groups, groups, strict=True))
    origins = {**found.origins, "similarity": count} if count else found.origins
    return replace(found, groups=tuple(groups), origins=origins)


def link_look_alikes(thumbnails: NDArray[np.uint16], threshold: float = MIN_CORRELATION) -> list[int]:
    """Return the number of the component of each image; -1 if it looks like no other.

    Args:
        thumbnails: (n, SIDE, SIDE).
        threshold: least correlation of two linked images.
    """
    count = len(thumbnails)
    sets = DisjointSets[int]()
    for start in range(0, count, _BLOCK):
        block = _flatten(thumbnails[start : start + _BLOCK])
        for other in range(start, count, _BLOCK):
            linked = np.argwhere(block @ _flatten(thumbnails[other : other + _BLOCK]).T > threshold)
            for one, two in (linked + np.array([start, other])).tolist():
                if one < two:
                    sets.join(one, two)
    roots = [sets.find(number) for number in range(count)]
    sizes = Counter(roots)
    return [root if sizes[root] > 1 else -1 for root in roots]


def read_thumbnails(source: Source, context: JobContext) -> tuple[list[int], NDArray[np.uint16]]:
    """Return the thumbnails (n, SIDE, SIDE) of the images that can be decoded and are not constant, and their items.

    Raises:
        Cancelled: the caller asked to stop.
    """

    def read(number: int) -> NDArray[np.uint16] | None:
        try:
            picture = source.read(number)
        except UnreadableFile:
            return None
        with large_image_lock(picture.gray.size):
            seen = normalize_appearance(picture)
        return None if seen is None else seen.thumbnail

    found = list(map_in_threads(read, range(len(source.items)), context))
    items = [number for number, thumbnail in enumerate(found) if thumbnail is not None]
    kept = [thumbnail for thumbnail in found if thumbnail is not None]
    return items, np.stack(kept) if kept else np.empty((0, SIDE, SIDE), np.uint16)


def _flatten(thumbnails: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Return standardized thumbnails as rows whose products are correlations."""
    return standardize(thumbnails).reshape(len(thumbnails), -1) / np.float32(SIDE)


def _load_components(source: Source, context: JobContext) -> Sequence[int]:
    """Return the component of each item, from the cache if an earlier run found it."""
    mark = f"{VERSION} {MIN_CORRELATION} {source.content_hash(context)}"
    place = cache_root() / "look-alikes" / f"{hashlib.sha256(mark.encode()).hexdigest()[:32]}.json"
    with suppress(OSError, ValueError, TypeError, OverflowError, RecursionError):
        found = [int(component) for component in json.loads(place.read_text(encoding="utf-8"))]
        if len(found) == len(source.items):
            return found
    items, thumbnails = read_thumbnails(source, context)
    components = [-1] * len(source.items)
    for item, component in zip(items, link_look_alikes(thumbnails), strict=True):
        components[item] = component
    with suppress(OSError):  # an unwritable cache only makes the next call slower
        cache.write_result(place, json.dumps(components).encode())
    return components


IDENTICAL, NEAR, PATIENT, ALIKE = "identical", "near-duplicate", "patient", "look-alike"


def group_patients(patients: Sequence[str], members: Sequence[GroupMember]) -> dict[str, list[Group]]:
    """Group images by patient, and those of unknown patients by the look-alikes that `--group-by similarity` finds."""
    groups: dict[str, list[GroupMember]] = defaultdict(list)
    for patient, member in zip(patients, members, strict=True):
        if patient:
            groups[patient].append(member)
    found: dict[str, list[Group]] = {PATIENT: [], ALIKE: []}
    for patient, group in groups.items():
        found[PATIENT if is_known(patient) else ALIKE].append(tuple(group))
    return found


def find_label_conflicts(labels: Mapping[str, str], groups: Mapping[str, Sequence[Group]]) -> list[dict[str, Any]]:
    """Find the groups whose images have several labels.

    Which label is wrong is not decided: that of most images may be the wrong one.

    Args:
        labels: name of an image -> label; images without one count in no group.
        groups: why images belong together ('identical', 'near-duplicate', 'patient', 'look-alike') -> groups.

    Returns:
        [{"reason", "labels": {label: number of images}, "members": [{"split", "name", "label"}]}], the members of the
        rarest label first.
    """
    conflicts = []
    for reason, found in groups.items():
        for group in found:
            members = [member for member in group if member.name in labels]
            counts = Counter(labels[member.name] for member in members)
            if len(counts) > 1:
                members.sort(key=lambda member: (counts[labels[member.name]], labels[member.name]))
                listed = [{**member.to_dict(False), "label": labels[member.name]} for member in members]
                conflicts.append({"reason": reason, "labels": dict(reversed(counts.most_common())), "members": listed})
    return conflicts
