"""The coordinates of a whole data set, gathered batch by batch, and kept in the run's folder."""

import os
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from engine.data import Dataset
from engine.explore.latent.space import BATCH, Codes, Space, joined
from engine.messages import ShouldStop
from engine.runs import Run

VERSION = 1
Progress = Callable[[int, int], None]


class Gathering:
    """Encodes a split; one that was stopped goes on where it was. Memory holds the codes and one batch of images.

    Args:
        space: of the model.
        images: anything with a length and `read(slice) -> float32 (k, size, size, 1)`.
    """

    def __init__(self, space: Space, images: Any) -> None:
        self._space, self._images = space, images
        self._parts: list[Codes] = []

    def go_on(self, should_stop: ShouldStop, progress: Progress | None = None) -> Codes | None:
        """Encode what is left; None when stopped before the end."""
        for first in range(BATCH * len(self._parts), len(self._images), BATCH):
            if should_stop():
                return None
            self._parts.append(self._space.encode(self._images.read(slice(first, first + BATCH))))
            if progress:
                progress(min(first + BATCH, len(self._images)), len(self._images))
        return joined(self._parts) if self._parts else _none(self._space)


class Encodings:
    """The codes of the splits of one data set in one run's latent space, found when they are first asked for.

    Args:
        run: whose folder they are kept in; one that may only be read is no hindrance.
        space: of the run's present model.
        images: the data set, prepared at the model's size.
    """

    def __init__(self, run: Run, space: Space, images: Dataset) -> None:
        self.run, self.space, self.images = run, space, images
        file = run.model_path.stat()
        self.key = f"{VERSION} {images.fingerprint} {file.st_mtime_ns} {file.st_size}"
        self._found: dict[str, Codes] = {}
        self._begun: dict[str, Gathering] = {}

    def of(self, split: str, should_stop: ShouldStop, progress: Progress | None = None) -> Codes | None:
        """The codes of a split; None when stopped, what is done by then being there for the next time."""
        if split in self._found:
            return self._found[split]
        found = self._kept(split)
        if found is None:
            gathering = self._begun.setdefault(split, Gathering(self.space, self.images.splits[split]))
            found = gathering.go_on(should_stop, progress)
            if found is None:
                return None
            self._begun.pop(split)
            with suppress(OSError):
                self._keep(split, found)
        self._found[split] = found
        return found

    def _path(self, split: str) -> Path:
        return self.run.path / "latents" / f"{split}.npz"

    def _kept(self, split: str) -> Codes | None:
        try:
            with np.load(self._path(split), allow_pickle=False) as file:
                if str(file["key"]) != self.key:
                    return None
                log_vars = file["log_vars"]
                return Codes(file["means"], log_vars if len(log_vars) else None, file["mse"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def _keep(self, split: str, codes: Codes) -> None:
        path = self._path(split)
        path.parent.mkdir(exist_ok=True)
        fresh = path.with_name(f"{split}-{os.getpid()}.new.npz")
        log_vars = np.zeros((0, 0), np.float32) if codes.log_vars is None else codes.log_vars
        np.savez(fresh, key=np.array(self.key), means=codes.means, log_vars=log_vars, mse=codes.mse)
        os.replace(fresh, path)


def _none(space: Space) -> Codes:
    empty = np.zeros((0, space.size), np.float32)
    return Codes(empty, empty if space.kind == "posterior" else None, np.zeros(0, np.float32))
