"""A prepared dataset: three splits of images that lie in one memory-mapped store."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from engine.config import DataConfig
from engine.data.patient_facts import PatientFacts, list_unseen

UNLABELLED = "unlabelled"


@dataclass(frozen=True)
class Skipped:
    """A file that could not be used, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True, eq=False)
class Split:
    """The images of one split.

    Args:
        name: 'train', 'validation' or 'test'.
        labels: int64 (n,), index into the dataset's classes, -1 when unknown.
        names: path relative to the source with '/' between folders, such as 'Training/glioma_tumor/gg (1).jpg'.
        keys: hash of each decoded image at full size; equal pixels have equal keys, whatever the file's bytes.
        store: uint8 or uint16 (N, height, width), memory-mapped; another process may map its `filename` too.
        rows: int64 (n,), rows of the store that belong to this split.
        groups: patient of each image, an opaque name, '' if unknown.
    """

    name: str
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    keys: tuple[str, ...]
    store: NDArray[np.uint8] | NDArray[np.uint16]
    rows: NDArray[np.int64]
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.groups:
            object.__setattr__(self, "groups", ("",) * len(self.rows))

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, which: slice | Sequence[int] | NDArray[np.integer] = slice(None)) -> NDArray[np.float32]:
        """Return images as the models see them.

        Args:
            which: indices into this split, or a slice of it.

        Returns:
            float32 (k, height, width, 1) in [0, 1].
        """
        rows = self.rows[which if isinstance(which, slice) else np.asarray(which, dtype=np.int64)]
        return np.divide(self.store[rows], np.iinfo(self.store.dtype).max, dtype=np.float32)[..., np.newaxis]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Prepared images of one source, in three splits.

    Args:
        train: training set.
        validation: validation set, which selects the best weights.
        test: test set, used once, at the end.
        classes: names of the classes; a label is an index into them.
        skipped: files that could not be used.
        fingerprint: hash of the images, their preparation and their split; equal fingerprints mean equal images in
            equal order, on any machine.
        source: as it was requested.
        config: the settings, with that source in them.
        notes: sentences on automatic decisions, such as a test set held out where the source has none.
        held_out: the splits that the source does not have and that were held out of its training images.
        patients: what is known of the patients.
        plane: plane of the slices, 'stored' for that of the file; empty if the images are no slices of volumes.
    """

    train: Split
    validation: Split
    test: Split
    classes: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    fingerprint: str
    source: str
    config: DataConfig
    notes: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    patients: PatientFacts = field(default_factory=PatientFacts)
    plane: str = ""

    @property
    def splits(self) -> MappingProxyType[str, Split]:
        """Return the splits by name."""
        return MappingProxyType({"train": self.train, "validation": self.validation, "test": self.test})

    @property
    def leaked(self) -> NDArray[np.bool_]:
        """Return which test images are leaked: equal to a training or validation image in every pixel at full size.

        Computed from the image keys alone, so nothing is decoded; equal pixels in files of other bytes count.

        Returns:
            bool (n_test,).
        """
        known = {*self.train.keys, *self.validation.keys}
        return np.array([key in known for key in self.test.keys], dtype=np.bool_)

    @property
    def unseen(self) -> NDArray[np.bool_]:
        """Return which test images are of a known patient without any image in training or validation.

        Returns:
            bool (n_test,); False for a leaked image and for an unknown patient.
        """
        learned = [
            image for part in (self.train, self.validation) for image in zip(part.groups, part.keys, strict=True)
        ]
        return np.array(list_unseen(self.test.groups, self.test.keys, learned), dtype=np.bool_)

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """Return the patient of each image of each split, an opaque name, '' if unknown."""
        return {name: split.groups for name, split in self.splits.items()}

    def counts(self) -> dict[str, dict[str, int]]:
        """Count images per class and split; images without a label count as 'unlabelled', if there are any."""
        named = [*enumerate(self.classes), (-1, UNLABELLED)]
        table = {
            title: {name: int(np.sum(split.labels == label)) for name, split in self.splits.items()}
            for label, title in named
        }
        if not any(table[UNLABELLED].values()):
            del table[UNLABELLED]
        return table
