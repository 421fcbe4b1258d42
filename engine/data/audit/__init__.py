"""Audit of a source: exact duplicates within and across splits, and near-duplicates.

    found = engine.data.audit.audit(DataConfig(source="scans"))
    found["splits"]["test"]["test_clean"]

Exact duplicates have equal decoded gray pixels at full size; near-duplicates are copies that were resized,
recompressed, flipped, rotated by 90°, or made brighter or darker. Neighboring slices of one head are neither.

'train' here includes the images that are held out of the training set for validation. If a source has its own
validation split, that is counted separately, and a test image that is also in it counts as leaked as well.
"""

from collections.abc import Sequence
from typing import Any

from engine.config import DataConfig
from engine.data import loading
from engine.data.audit import groups, look_alikes, summary, survey
from engine.data.audit.groups import LEFT_OUT, GroupMember
from engine.data.audit.survey import SourceSurvey
from engine.data.dataset import Dataset
from engine.data.patient_facts import PatientFacts, count_patients
from engine.data.patients import PatientGroups
from engine.data.source import Source
from engine.data.splitting import assign_splits
from engine.job_context import UNATTENDED, JobContext

__all__ = ["audit", "find_exact_duplicates"]


def audit(config: DataConfig, *, context: JobContext = UNATTENDED) -> dict[str, Any]:
    """Audit a source; its split matters, the preparation of its images does not.

    Args:
        config: the source, and how a test set is held out of one that has none.
        context: asked between images whether to stop; receives the progress.

    Returns:
        {"source", "splits", "groups", "near", "warning", "skipped", "notes"}:

        splits: see `summary.count_exact`; the counts of images with the same pixels.
        groups: [{"across", "members": [{"split", "name"}]}], files with the same pixels; across is True if both test
            and train are in it.
        near: {"splits", "groups"}, the same for near-duplicates, see `summary.count_near`; a member also has like, the
            file it was compared with, and seen, its changes.
        warning: a sentence, empty if no test image is leaked.
        skipped: [{"name", "reason"}], files that could not be used.
        notes: sentences on automatic decisions, such as a test set held out where the source has none.
        patients, patients_in_both, test_unseen_patients: number of patients, of patients with images both in test and
            in train or validation, and of test images of patients with none there.
        test_known_patients, patients_known_share: number of test images, and share of all images, with a known patient.
        patients_by_split: number of patients in each split.
        patient_note: a sentence to show with every test number; empty if there is nothing to say.
        label_conflicts: see `labels.find_label_conflicts`.

    Raises:
        DataError: the source cannot be used.
        Cancelled: the caller asked to stop.
    """
    source = loading.open_source(config)
    found = survey.survey_source(source, context)
    skipped = loading.collect_skipped(source, found.unusable)
    if not found.pictures:
        raise loading.make_empty_source_error(source, config.source, skipped)
    patients = loading.find_groups(source, config, context)
    members, notes = _members(source, found, config, patients)
    keys, digests = [facts.key for facts in found.pictures], [facts.digest for facts in found.pictures]
    every = {
        look_alikes.IDENTICAL: groups.find_exact_groups(keys, members),
        look_alikes.NEAR: groups.find_near_groups(found, members),
    }
    counts = summary.count_exact(keys, members, digests)
    identical, nearly = map(groups.drop_left_out, every.values())
    every |= look_alikes.group_patients([patients.groups[each.item] for each in found.pictures], members)
    return {
        "source": config.source,
        "splits": counts,
        "groups": summary.to_json(identical),
        "near": {
            "splits": summary.count_near(nearly, identical, counts),
            "groups": summary.to_json(nearly, is_near=True),
        },
        "warning": summary.warning(counts),
        "skipped": [{"name": each.name, "reason": each.reason} for each in skipped],
        "label_conflicts": look_alikes.find_label_conflicts(
            {item.name: item.label for item in source.items if item.label is not None}, every
        ),
        "notes": [*source.notes, *loading.note_left_out(found.unusable, config), *patients.notes, *notes],
        **_count_patients(found, members, patients, config).to_json(),
    }


def find_exact_duplicates(dataset: Dataset) -> dict[str, Any]:
    """Find the exact duplicates of a loaded dataset by its image keys; nothing is decoded.

    Returns:
        {"splits", "groups", "warning"} as in `audit`; test_in_train_bytes is None.
    """
    keys: list[str] = []
    members: list[GroupMember] = []
    for name, part in dataset.splits.items():
        keys += part.keys
        members += [GroupMember(_effective_split(name, dataset.held_out), each) for each in part.names]
    counts = summary.count_exact(keys, members)
    return {
        "splits": counts,
        "groups": summary.to_json(groups.find_exact_groups(keys, members)),
        "warning": summary.warning(counts),
    }


def _count_patients(
    found: SourceSurvey, members: Sequence[GroupMember], patients: PatientGroups, config: DataConfig
) -> PatientFacts:
    """Count the patients of each split."""
    splits: dict[str, list[tuple[str, str]]] = {name: [] for name in ("train", "validation", "test")}
    for facts, member in zip(found.pictures, members, strict=True):
        if member.split != LEFT_OUT:
            splits[member.split].append((patients.groups[facts.item], facts.key))
    present = {name: images for name, images in splits.items() if images or name != "validation"}
    return count_patients(present, patients.origins, are_separate=config.source == "phantom")


def _members(
    source: Source, found: SourceSurvey, config: DataConfig, patients: PatientGroups
) -> tuple[list[GroupMember], list[str]]:
    """Return split and name of every image, and a sentence on a test set that is not the source's own."""
    pictures = found.pictures
    candidates = loading.list_split_members(source, found, patients, config)
    brought = {candidate.split for candidate in candidates}
    held_out = () if config.test_patients else tuple(n for n in ("validation", "test") if n not in brought)
    roles = [LEFT_OUT] * len(pictures)
    parts = assign_splits(candidates, config)
    for name, indices in parts.items():
        for index in indices:
            roles[index] = _effective_split(name, held_out)
    members = [GroupMember(role, source.items[each.item].name) for role, each in zip(roles, pictures, strict=True)]
    drawn: dict[str, list[str]] = {
        name: [candidates[index].group for index in indices] for name, indices in parts.items()
    }
    if config.test_patients:
        return members, [loading.describe_protocol(drawn, len(members), config)]
    return members, [loading.describe_held_out("test", drawn, config)] if "test" in held_out else []


def _effective_split(name: str, held_out: tuple[str, ...]) -> str:
    """Return the split for the audit: images held out of train for validation count as train."""
    return "train" if name == "validation" and name in held_out else name
