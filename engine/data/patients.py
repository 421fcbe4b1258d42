"""Patients of a source, from a table, names, headers or folders, and their counts over the splits of a dataset."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.config import DataConfig
from engine.data import patient_names, patient_table
from engine.data.source import Source
from engine.data.splitting import FOLDS
from engine.errors import ConfigError, DataError
from engine.job_context import UNATTENDED, JobContext

LEARNED: Final = ("train", "validation")
UNKNOWN_NOTE: Final = (
    "Patients are unknown: images of one patient may be in both the training and the test set. Give a patient table "
    "(--groups) or a patient pattern (--group-pattern), or estimate groups by similarity (--group-by similarity)."
)
ESTIMATED_NOTE: Final = (
    "Patients are unknown: look-alike images are kept in one set (--group-by similarity), but other images of one "
    "patient may be in both the training and the test set."
)
# Begins the names of groups that are only estimated.
ESTIMATED: Final = "~"


@dataclass(frozen=True)
class PatientFacts:
    """What is known of the patients of a dataset.

    Args:
        patients: number of patients.
        by_split: their number in each split.
        known: number of images with a known patient in each split.
        images: number of images in each split.
        in_both: patients with images in the test set and in training or validation.
        unseen: test images of patients without images in training or validation, leaked ones excepted.
        origins: see `PatientGroups`.
        are_separate: whether every image is of its own patient by construction, as phantoms are.
    """

    patients: int = 0
    by_split: Mapping[str, int] = field(default_factory=dict)
    known: Mapping[str, int] = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)
    in_both: int = 0
    unseen: int = 0
    origins: Mapping[str, int] = field(default_factory=dict)
    are_separate: bool = False

    @property
    def known_share(self) -> float:
        """Return the share of the images whose patient is known."""
        return sum(self.known.values()) / max(1, sum(self.images.values()))

    @property
    def note(self) -> str:
        """Return a note for every place that shows a test number; empty if all is known and no patient is in both."""
        if self.are_separate or not sum(self.images.values()):
            return ""
        if not self.patients:
            return ESTIMATED_NOTE if "similarity" in self.origins else UNKNOWN_NOTE
        return self._describe_test()

    def note_on(self, part: str) -> str:
        """Return the note for numbers on a part of the data; empty for parts that need none."""
        return self.note if part in ("test", "test_clean", "test_leaked", "test_unseen") else ""

    def _describe_test(self) -> str:
        tested, known = self.images.get("test", 0), self.known.get("test", 0)
        if not tested or (known == tested == self.unseen):
            return ""
        if not known:
            return f"Patients are unknown for all {tested:,} test images: some may also be in the training set."
        seen = f"{known - self.unseen:,} of these images are of patients in the training or validation set"
        rest = f"{self.unseen:,} of unseen patients (test_unseen)" if self.unseen else "none of an unseen patient"
        return f"The patient of {known:,} of the {tested:,} test images is known: {seen}, {rest}."

    def to_json(self) -> dict[str, Any]:
        """Return the numbers as `audit --json` writes them."""
        return {
            "patients": self.patients,
            "patients_in_both": self.in_both,
            "test_unseen_patients": self.unseen,
            "test_known_patients": self.known.get("test", 0),
            "patients_known_share": round(self.known_share, 4),
            "patients_by_split": dict(self.by_split),
            "patient_note": self.note,
        }


def is_known(group: str) -> bool:
    """Return whether a group is a known patient: neither '' nor an estimate."""
    return bool(group) and not group.startswith(ESTIMATED)


def list_unseen(groups: Sequence[str], keys: Sequence[str], learned: Sequence[tuple[str, str]]) -> list[bool]:
    """Return for each test image whether its patient is known and has no image in training or validation.

    Args:
        groups: patients of the test images.
        keys: hashes of their pixels.
        learned: patient and hash of each training and validation image.
    """
    patients, copies = {patient for patient, _ in learned}, {key for _, key in learned}
    return [
        is_known(group) and group not in patients and key not in copies for group, key in zip(groups, keys, strict=True)
    ]


def count_patients(
    splits: Mapping[str, Sequence[tuple[str, str]]], origins: Mapping[str, int], are_separate: bool = False
) -> PatientFacts:
    """Count the patients of splits.

    Args:
        splits: split -> patient and hash of each image.
        origins: see `PatientGroups`.
        are_separate: see `PatientFacts`.
    """
    patients = {name: {group for group, _ in images if is_known(group)} for name, images in splits.items()}
    learned = [image for name in LEARNED for image in splits.get(name, ())]
    tested = splits.get("test", ())
    return PatientFacts(
        patients=len(set().union(*patients.values())),
        by_split={name: len(found) for name, found in patients.items()},
        known={name: sum(is_known(group) for group, _ in images) for name, images in splits.items()},
        images={name: len(images) for name, images in splits.items()},
        in_both=len(patients.get("test", set()) & {group for group, _ in learned}),
        unseen=sum(list_unseen([group for group, _ in tested], [key for _, key in tested], learned)),
        origins=origins,
        are_separate=are_separate,
    )


@dataclass(frozen=True)
class PatientGroups:
    """The patients of some images.

    Args:
        groups: for each item of the source, an opaque name of its patient, '' if unknown.
        origins: what named the patients -> number of images: 'table', 'pattern', 'name', 'header', 'volume', 'folder',
            'similarity'.
        notes: sentences on automatic decisions.
    """

    groups: tuple[str, ...]
    origins: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def find_patients(source: Source, config: DataConfig, context: JobContext = UNATTENDED) -> PatientGroups:
    """Find the patient of every item of a source.

    Raises:
        DataError: the given table or pattern cannot be used, or matches no image.
        ConfigError: a split by patient is requested, and no patient is known.
    """
    names = [item.name for item in source.items]
    found, origins = [""] * len(names), [""] * len(names)
    table, notes = _match_table(source, config, names)
    finders: dict[str, Callable[[list[int]], Sequence[str]]] = {
        "table": lambda rest: [table[index] for index in rest],
        "pattern": lambda rest: _match_pattern(config.group_pattern, [names[index] for index in rest]),
        "name": lambda rest: [patient_names.find_known_name(names[index]) for index in rest],
        "header": lambda rest: patient_names.read_patients([source.locate(index) for index in rest], context),
        "volume": lambda rest: [source.items[index].case for index in rest],
        "folder": lambda rest: [source.items[index].patient for index in rest],
    }
    for origin, find in finders.items():
        rest = [index for index, patient in enumerate(found) if not patient]
        for index, patient in zip(rest, find(rest), strict=True):
            found[index], origins[index] = patient, origin if patient else ""
    groups = tuple(map(patient_names.hide_patient, found))
    return PatientGroups(groups, dict(Counter(filter(None, origins))), notes)


def check_split_by(groups: Sequence[str], config: DataConfig) -> None:
    """Check that a split by patient is possible where it is requested.

    Raises:
        ConfigError: no patient is known, or too few for the requested test set and five folds.
    """
    known = len(set(filter(is_known, groups)))
    if config.test_patients and known < config.test_patients + FOLDS:
        raise ConfigError(
            f"{config.test_patients:,} test patients and {FOLDS} folds need {config.test_patients + FOLDS:,} known "
            f"patients; the images in {config.source} have {known:,}.",
            "Set Test patients to a smaller number, or give a patient table (--groups).",
        )
    if config.split_by == "patient" and not any(groups):
        raise ConfigError(
            f"The images in {config.source} cannot be split by patient: no patient is known.",
            "Give a patient table (--groups) or a patient pattern (--group-pattern), or set Split by to image.",
        )


def _match_table(source: Source, config: DataConfig, names: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the patient of each image by the given table, or by one beside the images; and notes on it."""
    path = patient_table.find_table(config.groups, source.folder)
    if path is None or not names:
        return [""] * len(names), ()
    try:
        table = patient_table.read_patient_table(path)
        found = patient_table.match_table(table, names, source.folder)
        if not any(found):
            raise patient_table.make_mismatch_error(table, path, names[0])
    except DataError as error:
        if config.groups:
            raise
        return [""] * len(names), (f"{path.name} beside the images is not used: {error.what}",)
    return found, ()


def _match_pattern(pattern: str, names: Sequence[str]) -> list[str]:
    """Return the first group of the pattern in each name, '' without a match.

    Raises:
        DataError: it matches none.
    """
    if not pattern or not names:
        return [""] * len(names)
    matches = [re.search(pattern, name) for name in names]
    found = [next((group for group in match.groups() if group), "") if match else "" for match in matches]
    if not any(found):
        raise DataError(
            f"The patient pattern '{pattern}' matches no image; the first one is '{names[0]}'.",
            "Write it for the path below the source, with '/' between folders.",
        )
    return found
