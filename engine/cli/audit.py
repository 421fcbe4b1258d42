"""`audit`: duplicate images of a source, within and across splits, and near-duplicates."""

import sys
from argparse import Namespace
from typing import Any

from engine import config
from engine.cli.config_options import settings
from engine.cli.console import CommandResult, ConsoleProgress, format_table
from engine.data import audit, loading
from engine.job_context import JobContext

NEAR_NOTE = "Near-duplicates are copies that were resized, recompressed, flipped, rotated, or made brighter or darker."
SHOWN = 10
REASONS = {
    "identical": "Identical pixels",
    "near-duplicate": "Near-duplicates",
    "patient": "One patient",
    "look-alike": "Look-alikes (estimated group)",
}


def run(options: Namespace) -> CommandResult:
    """Audit a source."""
    asked = config.from_flat(settings(options)).data
    loading.check_folders(asked)
    found = audit.audit(asked, context=JobContext(on_progress=ConsoleProgress(sys.stderr).update))
    return CommandResult(_render_text(found), found)


def _render_text(found: dict[str, Any]) -> str:
    parts = [
        found["warning"] or ("No test image is an exact copy of a training or validation image."),
        _hash_note(found["splits"]["test"]),
    ]
    parts += _patients(found)
    parts += ["", f"Duplicates in {found['source']} (identical decoded pixels, full resolution):", _table(found)]
    parts += [NEAR_NOTE, _near_note(found["near"]["splits"]["test"]), *found["notes"]]
    parts += _groups(
        "Test images that are near-duplicates of training or validation images", found["near"]["groups"], is_near=True
    )
    parts += _groups("Test images with an exact copy in training or validation", found["groups"])
    parts += _conflicts(found["label_conflicts"])
    if found["skipped"]:
        parts += ["", f"{len(found['skipped']):,} files skipped:"]
        parts += [f"  {each['name']}: {each['reason']}" for each in found["skipped"][:SHOWN]]
        parts += _format_overflow(len(found["skipped"]))
    return "\n".join(part for number, part in enumerate(parts) if part or (number and parts[number - 1]))


def _patients(found: dict[str, Any]) -> list[str]:
    """Describe the patients of the splits."""
    lines = []
    if found["patients"]:
        counts = ", ".join(f"{name} {count:,}" for name, count in found["patients_by_split"].items())
        lines.append(
            f"{found['patients']:,} patients known ({found['patients_known_share']:.0%} of the images): {counts}; "
            f"{found['patients_in_both']:,} in both test and training or validation."
        )
    return [*lines, found["patient_note"]]


def _hash_note(test: dict[str, int]) -> str:
    if not test["test_in_train"]:
        return ""
    rest = "; a file hash would miss the rest" if test["test_in_train_bytes"] < test["test_in_train"] else ""
    return f"Byte-identical files among them: {test['test_in_train_bytes']:,} of {test['test_in_train']:,}{rest}."


def _table(found: dict[str, Any]) -> str:
    near = found["near"]["splits"]
    rows = [
        [name, f"{counts['n']:,}", f"{counts['redundant']:,}", f"{near[name]['near_duplicates']:,}"]
        for name, counts in found["splits"].items()
    ]
    return format_table(["split", "images", "redundant", "near-duplicates"], rows, align="<>>>")


def _near_note(test: dict[str, int]) -> str:
    if not test["near_train"]:
        return "No other test image is a near-duplicate of a training or validation image."
    return (
        f"{test['near_train']:,} more test images are near-duplicates of a training or validation image; "
        f"{test['near_clean']:,} remain without either."
    )


def _groups(title: str, groups: list[dict[str, Any]], is_near: bool = False) -> list[str]:
    """Format the first groups that are in both training and test set, one per line."""
    across = [group["members"] for group in groups if group["across"]]
    if not across:
        return []
    lines = ["", f"{title} ({len(across):,} groups; --json lists all):"]
    for members in across[:SHOWN]:
        lines.append("  " + " = ".join(member["name"] for member in members if not is_near or not member["like"]))
        if is_near:
            lines += [f"    {member['name']}: {', '.join(member['seen'])}" for member in members if member["like"]]
    return lines + _format_overflow(len(across))


def _conflicts(conflicts: list[dict[str, Any]]) -> list[str]:
    """Format the groups of images with several labels: how many of each label, then the images."""
    if not conflicts:
        return []
    images = len({member["name"] for each in conflicts for member in each["members"]})
    lines = ["", f"Images that belong together and have different labels ({images:,} images; --json lists all):"]
    for each in conflicts[:SHOWN]:
        counts = ", ".join(f"{label} {count:,}" for label, count in each["labels"].items())
        lines.append(f"  {REASONS[each['reason']]}: {counts}. Which label is wrong is not known.")
        lines += [f"    {member['label']}: {member['name']}" for member in each["members"][:SHOWN]]
        lines += [f"  {text}" for text in _format_overflow(len(each["members"]))]
    return lines + _format_overflow(len(conflicts))


def _format_overflow(count: int) -> list[str]:
    return [f"  and {count - SHOWN:,} more"] if count > SHOWN else []
