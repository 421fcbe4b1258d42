"""Dataset that the explorer has prepared, as the panels see it; the pixels stay in their file."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.config import DataConfig

SPLITS = ("train", "validation", "test")
LEAKED, CLEAN = "test_leaked", "test_clean"
PARTS = {
    "train": "training",
    "validation": "validation",
    "test": "test",
    LEAKED: "leaked test",
    CLEAN: "deduplicated test",
}


class Thumbnails:
    """Array of the store's images in 8 bit, (n, h, w), read one at a time."""

    def __init__(self, path: str) -> None:
        self._store = np.load(path, mmap_mode="r", allow_pickle=False)

    def __len__(self) -> int:
        return len(self._store)

    def __getitem__(self, row: int) -> NDArray[np.uint8]:
        pixels = np.asarray(self._store[row])
        return pixels if pixels.dtype == np.uint8 else (pixels >> 8).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class LoadedData:
    """Loaded dataset.

    Images are numbered by their row in the store, sorted by file. For each row, `splits` holds the index of its split
    in SPLITS (-1 for none), `labels` its class (-1 if unknown) and `places` its index within the split.

    `leaked` are the indices within the test set of leaked test images: those with an exact copy in the training or
    validation set. `repeats` counts and groups all images with the same pixels.
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
    repeats: dict[str, Any]

    def size(self, split: str) -> int:
        """Return the number of images in a split."""
        return int(np.sum(self.splits == SPLITS.index(split)))

    def indices_in(self, part: str) -> tuple[str, list[int]]:
        """Return the split of a part, and the indices of its images there: all except for the two parts of test."""
        if part not in (LEAKED, CLEAN):
            return part, list(range(self.size(part)))
        leaked = set(self.leaked.tolist())
        return "test", [place for place in range(self.size("test")) if (place in leaked) == (part == LEAKED)]

    def subsets(self) -> dict[str, int]:
        """Return the number of images in each part; leaked and deduplicated test images only if some are leaked."""
        apart = (LEAKED, CLEAN) if len(self.leaked) else ()
        return {part: len(self.indices_in(part)[1]) for part in (*SPLITS, *apart)}

    def rows(self, split: str) -> NDArray[np.int64]:
        """Return the store rows of a split's images, in the split's order."""
        rows = np.flatnonzero(self.splits == SPLITS.index(split))
        return rows[np.argsort(self.places[rows])]

    def leaked_rows(self) -> NDArray[np.bool_]:
        """Return which rows are leaked test images."""
        marked = np.zeros(len(self.names), np.bool_)
        marked[self.rows("test")[self.leaked]] = True
        return marked

    def class_name(self, row: int) -> str:
        label = int(self.labels[row])
        return self.classes[label] if 0 <= label < len(self.classes) else "unlabeled"

    @property
    def title(self) -> str:
        """Return the source's title, as the app shows it."""
        return source_title(self.config)


def from_answer(config: DataConfig, content: dict[str, Any]) -> LoadedData:
    """Read the explorer's answer to LoadData. Raises OSError or ValueError if its store cannot be opened."""
    thumbnails = Thumbnails(content["store"])
    count = len(thumbnails)
    splits, labels, places = np.full(count, -1, np.int8), np.full(count, -1, np.int64), np.full(count, -1, np.int64)
    names = [""] * count
    for number, split in enumerate(SPLITS):
        listing = content["splits"][split]
        rows = np.asarray(listing["rows"], np.int64)
        splits[rows], labels[rows], places[rows] = number, listing["labels"], np.arange(len(rows))
        for row, name in zip(listing["rows"], listing["names"], strict=True):
            names[row] = name
    return LoadedData(
        config=config,
        fingerprint=content["fingerprint"],
        classes=tuple(content["classes"]),
        counts=content["counts"],
        skipped=tuple((item["name"], item["reason"]) for item in content["skipped"]),
        notes=tuple(content.get("notes", ())),
        thumbnails=thumbnails,
        splits=splits,
        labels=labels,
        places=places,
        names=tuple(names),
        leaked=np.asarray(content.get("leaked", ()), np.int64),
        repeats=content["repeats"],
    )


def source_title(config: DataConfig) -> str:
    """Return 'Phantoms', the name of a folder, or the ID of a Hugging Face dataset."""
    if config.source == "phantom":
        return "Phantoms"
    if config.source.startswith("hf:"):
        return config.source.removeprefix("hf:")
    return config.source.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or config.source


def class_title(name: str) -> str:
    """Return a class name with spaces in place of underscores."""
    return name.replace("_", " ")


def scan_title(name: str) -> str:
    """Return 'glioma_tumor / image(59)' for a path within a source."""
    folders, _, file = name.rpartition("/")
    stem = file.rsplit(".", 1)[0]
    return f"{folders.rsplit('/', 1)[-1]} / {stem}" if folders else stem
