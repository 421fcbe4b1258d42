"""Parts of replies about duplicate images: counts by set, and groups of images that are the same or nearly so."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from engine.messages.base import Reply


class PatientCounts(Reply):
    """Patients of a source.

    `patients_in_both` patients have images in the test set and in training or validation. `test_known_patients` counts
    test images with a known patient, `test_unseen_patients` those of patients without images in training or validation.
    `patient_note` is a text for people to show with every test number, empty if there is nothing to say.
    """

    patients: int = 0
    patients_in_both: int = 0
    test_unseen_patients: int = 0
    test_known_patients: int = 0
    patients_known_share: float = 0.0
    patients_by_split: dict[str, int] = Field(default_factory=dict)
    patient_note: str = ""


class SetCounts(Reply):
    """Number of images of a set, and how many of them are redundant: all of them less the distinct ones."""

    n: int
    redundant: int


class LeakageCounts(SetCounts):
    """Counts of the test set.

    `test_in_train` test images have a pixel-identical copy in training or validation, `test_clean` have none.
    `test_in_train_bytes` counts identical files instead of identical pixels; None where file hashes are unknown.
    """

    test_in_train: int
    test_in_train_bytes: int | None
    test_clean: int


class NearSetCounts(Reply):
    """Number of images of a set that belong to a group of near-duplicates."""

    near_duplicates: int


class NearLeakageCounts(NearSetCounts):
    """Near-duplicates of the test set.

    `near_train` test images have no exact copy in training or validation but a near-duplicate; `near_clean` have
    neither.
    """

    near_train: int
    near_clean: int


class _CountsBySet(Reply):
    """Counts of each set; `validation` is left out where the source has no validation set of its own."""

    @model_serializer(mode="wrap")
    def _omit_missing_set(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        counts: Mapping[str, Any] = serialize(self)
        return {name: value for name, value in counts.items() if value is not None}


class DuplicateCounts(_CountsBySet):
    """Images with identical pixels, counted by set."""

    train: SetCounts
    validation: SetCounts | None = None
    test: LeakageCounts


class NearDuplicateCounts(_CountsBySet):
    """Near-duplicates, counted by set."""

    train: NearSetCounts
    validation: NearSetCounts | None = None
    test: NearLeakageCounts

    @property
    def total(self) -> int:
        """Return the number of near-duplicates in all sets."""
        sets = (self.train, self.validation, self.test)
        return sum(each.near_duplicates for each in sets if each is not None)


class GroupedImage(Reply):
    """An image of a group of duplicates: its set and its path within the source."""

    split: str
    name: str


class NearDuplicate(GroupedImage):
    """An image of a group of near-duplicates.

    `like` names the image that it was compared with, empty for the first of the group. `seen` lists the differences,
    such as 'rotated by 180°'.
    """

    like: str
    seen: tuple[str, ...]


class DuplicateGroup(Reply):
    """Images with identical pixels; `across` if both the test set and training or validation have some of them."""

    across: bool
    members: tuple[GroupedImage, ...]


class NearDuplicateGroup(DuplicateGroup):
    """Images that are near-duplicates of each other."""

    members: tuple[NearDuplicate, ...]


class LabeledImage(GroupedImage):
    """An image of a group whose images have different labels."""

    label: str


class LabelConflict(Reply):
    """Images that belong together and have different labels.

    `reason` is 'identical' (pixels), 'near-duplicate', 'patient', or 'look-alike'; `labels` counts the images of each.
    """

    reason: str
    labels: dict[str, int]
    members: tuple[LabeledImage, ...]


class ExactDuplicates(Reply):
    """Images with identical pixels. `warning` is one text for people, empty if no test image is leaked."""

    splits: DuplicateCounts
    groups: tuple[DuplicateGroup, ...]
    warning: str


class NearDuplicates(Reply):
    """Images that were resized, recompressed, flipped, rotated, or made brighter or darker."""

    splits: NearDuplicateCounts
    groups: tuple[NearDuplicateGroup, ...]
