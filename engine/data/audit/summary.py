"""Counts over groups of files, as `python -m engine audit --json` writes them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from engine.data.audit.groups import Group, GroupMember

LEARNED = ("train", "validation")


def count_exact(
    keys: Sequence[str], members: Sequence[GroupMember], digests: Sequence[str] | None = None
) -> dict[str, Any]:
    """Count images by split.

    Args:
        keys: one for each image; equal for equal pixels.
        members: their splits and names.
        digests: hashes of their files, if known.

    Returns:
        {split: {"n", "redundant", ...}}; redundant is n minus the number of distinct images in the split. A validation
        split is included only if the source has one. Test also has test_in_train, the leaked test images, which are in
        train or in such a validation split too; test_in_train_bytes, the same by hash of the file, None without
        digests; and test_clean, the deduplicated test images.
    """
    splits: dict[str, Any] = {}
    for name in ("train", "validation", "test"):
        inside = [key for key, member in zip(keys, members, strict=True) if member.split == name]
        if inside or name != "validation":
            splits[name] = {"n": len(inside), "redundant": len(inside) - len(set(inside))}
    leaked = _leaked(keys, members)
    splits["test"] |= {
        "test_in_train": leaked,
        "test_in_train_bytes": None if digests is None else _leaked(digests, members),
        "test_clean": splits["test"]["n"] - leaked,
    }
    return splits


def _leaked(marks: Sequence[str], members: Sequence[GroupMember]) -> int:
    """Count the test images whose mark also occurs in train or validation."""
    learned = {mark for mark, member in zip(marks, members, strict=True) if member.split in LEARNED}
    return sum(mark in learned for mark, member in zip(marks, members, strict=True) if member.split == "test")


def count_near(groups: Sequence[Group], identical: Sequence[Group], splits: dict[str, Any]) -> dict[str, Any]:
    """Count near-duplicates by split.

    Args:
        groups: files that are near-duplicates of each other.
        identical: files with the same pixels.
        splits: the result of `count_exact`.

    Returns:
        {split: {"near_duplicates"}}, the files in the groups; for test also near_train, the files that are not in train
        pixel for pixel but have a near-duplicate there, and near_clean, the files that have neither.
    """
    inside = Counter(member.split for group in groups for member in group)
    counts: dict[str, Any] = {name: {"near_duplicates": inside[name]} for name in splits}
    leaked = {
        member.name for group in list_groups_across_splits(identical) for member in group if member.split == "test"
    }
    beside = {
        member.name for group in list_groups_across_splits(groups) for member in group if member.split == "test"
    } - leaked
    counts["test"] |= {"near_train": len(beside), "near_clean": splits["test"]["test_clean"] - len(beside)}
    return counts


def list_groups_across_splits(groups: Sequence[Group]) -> list[Group]:
    """Return the groups that have files both in test and in train or validation."""
    return [group for group in groups if is_across(member.split for member in group)]


def is_across(splits: Iterable[str]) -> bool:
    """Return whether files of these splits leak from the test set into train or validation."""
    found = set(splits)
    return "test" in found and not found.isdisjoint(LEARNED)


def to_json(groups: Sequence[Group], is_near: bool = False) -> list[dict[str, Any]]:
    """Return groups as they are written in JSON, those across splits first."""
    apart = list_groups_across_splits(groups)
    ordered = [*apart, *(group for group in groups if group not in apart)]
    return [
        {
            "across": is_across(member.split for member in group),
            "members": [member.to_dict(is_near) for member in group],
        }
        for group in ordered
    ]


def warning(splits: dict[str, Any]) -> str:
    """Return a warning about leakage to read before training, empty if there is none."""
    test = splits["test"]
    leaked, count = test["test_in_train"], test["n"]
    if not leaked:
        return ""
    places = "training or validation" if "validation" in splits else "training"
    verb, clean = "are" if leaked > 1 else "is", test["test_clean"]
    sentence = f"{leaked:,} of {count:,} test images {verb} also in the {places} set (identical pixels)."
    if not clean:
        return (
            f"{sentence} Every test image is also in the training data: test results measure memorization, not "
            "generalization."
        )
    return (
        f"{sentence} Report results on the {clean:,} deduplicated test image{'s' * (clean > 1)}; near-duplicates and "
        "other slices of the same patients may still be among them."
    )
