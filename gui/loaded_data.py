"""The dataset that the explorer has loaded, as the panels see it; pixels stay in their file."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.config import DataConfig
from engine.messages import ExactDuplicates, LoadDataReply, PatientCounts

SPLITS = ("train", "validation", "test")
LEAKED, CLEAN, UNSEEN = "test_leaked", "test_clean", "test_unseen"
PARTS = {
    "train": "training",
    "validation": "validation",
    "test": "test",
    LEAKED: "leaked test",
    CLEAN: "deduplicated test",
    UNSEEN: "unseen patients, test",
}


class Thumbnails:
    """The image store as 8-bit images (n, height, width), one at a time."""

    def __init__(self, path: str) -> None:
        self._store = np.load(path, mmap_mode="r", allow_pickle=False)

    def __len__(self) -> int:
        return len(self._store)

    def __getitem__(self, row: int) -> NDArray[np.uint8]:
        pixels = np.asarray(self._store[row])
        return pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class LoadedData:
    """A dataset as it was loaded.

    Images are numbered by their row in the store, sorted by file. `splits`, `labels` and `places` give for each row the
    set of the image (index into SPLITS, -1 for none), its class (-1 if unknown) and its index within the set.
    `leaked` lists the places within the test set of images that are pixel-identical to one in training or validation.
    `repeats` counts and groups all images with identical pixels. `unseen` lists the places within the test set of
    images of known patients without images in training or validation.
    """

    config: DataConfig
    fingerprint: str
    classes: tuple[str, ...]
    counts: dict[str, dict[str, int]]
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    thumbnails: Thumbnails
    splits: NDArray[np.int8]
    labels: NDArray[np.int64]
    places: NDArray[np.int64]
    names: tuple[str, ...]
    leaked: NDArray[np.int64]
    repeats: ExactDuplicates
    unseen: NDArray[np.int64]
    patients: PatientCounts

    def size(self, split: str) -> int:
        """Return the number of images of a set."""
        return int(np.sum(self.splits == SPLITS.index(split)))

    def indices_in(self, part: str) -> tuple[str, list[int]]:
        """Return the set that a subset belongs to, and the places of its images there."""
        if part == UNSEEN:
            return "test", self.unseen.tolist()
        if part not in (LEAKED, CLEAN):
            return part, list(range(self.size(part)))
        leaked = set(self.leaked.tolist())
        return "test", [place for place in range(self.size("test")) if (place in leaked) == (part == LEAKED)]

    def subsets(self) -> dict[str, int]:
        """Return the size of each subset; those of the test set apart only where they differ from it."""
        apart: tuple[str, ...] = (LEAKED, CLEAN) if len(self.leaked) else ()
        apart += (UNSEEN,) if 0 < len(self.unseen) < self.size("test") else ()
        return {part: len(self.indices_in(part)[1]) for part in (*SPLITS, *apart)}

    def rows(self, split: str) -> NDArray[np.int64]:
        """Return the rows of the images of a set, in its order."""
        rows = np.flatnonzero(self.splits == SPLITS.index(split))
        return rows[np.argsort(self.places[rows])]

    def leaked_rows(self) -> NDArray[np.bool_]:
        """Return a mask by row: True for leaked test images."""
        marked = np.zeros(len(self.names), np.bool_)
        marked[self.rows("test")[self.leaked]] = True
        return marked

    def class_name(self, row: int) -> str:
        label = int(self.labels[row])
        return self.classes[label] if 0 <= label < len(self.classes) else "unlabeled"

    @property
    def title(self) -> str:
        """Return the name of the source for people."""
        return source_title(self.config)


def read_loaded_data(config: DataConfig, reply: LoadDataReply) -> LoadedData:
    """Open the image store of a dataset and arrange what is known of its images by row.

    Raises:
        OSError, ValueError: the store cannot be opened.
    """
    thumbnails = Thumbnails(reply.store)
    count = len(thumbnails)
    splits, labels, places = np.full(count, -1, np.int8), np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    names = [""] * count
    for number, split in enumerate(SPLITS):
        listing = reply.splits[split]
        rows = np.asarray(listing.rows, np.int64)
        splits[rows], labels[rows], places[rows] = number, listing.labels, np.arange(len(rows))
        for row, name in zip(listing.rows, listing.names, strict=True):
            names[row] = name
    return LoadedData(
        config=config,
        fingerprint=reply.fingerprint,
        classes=reply.classes,
        counts=reply.counts,
        skipped=tuple((item.name, item.reason) for item in reply.skipped),
        notes=reply.notes,
        thumbnails=thumbnails,
        splits=splits,
        labels=labels,
        places=places,
        names=tuple(names),
        leaked=np.asarray(reply.leaked, np.int64),
        repeats=reply.repeats,
        unseen=np.asarray(reply.unseen, np.int64),
        patients=reply.patients,
    )


def source_title(config: DataConfig) -> str:
    """Return 'Phantoms', the name of a folder, or the id of a dataset."""
    if config.source == "phantom":
        return "Phantoms"
    if config.source.startswith("hf:"):
        return config.source.removeprefix("hf:")
    return config.source.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or config.source


def class_title(name: str) -> str:
    """Return a class name for people: with spaces where the folder has underscores."""
    return name.replace("_", " ")


def scan_title(name: str) -> str:
    """Return 'glioma_tumor / image(59)' for a path within a source."""
    folders, _, file = name.rpartition("/")
    stem = file.rsplit(".", 1)[0]
    return f"{folders.rsplit('/', 1)[-1]} / {stem}" if folders else stem
