"""Label conflicts: images that look alike, or are of one patient, and have different labels."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from engine.data.audit.groups import Group, GroupMember
from engine.data.patient_facts import is_known

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
