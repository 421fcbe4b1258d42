"""Counts of patients over the splits of a dataset, and the note that every test number needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

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
