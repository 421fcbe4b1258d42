"""Latent codes and reconstruction errors of a whole dataset, computed in batches, cached in the run's folder."""

import os
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.data import Dataset
from engine.latent.space import BATCH, Codes, LatentSpace, concatenate
from engine.messages import ShouldStop
from engine.runs import Run, model_checksum

VERSION: Final = 2
# Images per batch of reconstructions: another request waits for at most one batch.
RECONSTRUCTION_BATCH: Final = 16
Progress = Callable[[int, int], None]
Errors = NDArray[np.float32]
T = TypeVar("T")


class ChunkedJob(Generic[T]):
    """Job over the images of a split in batches; a stopped one continues where it was.

    Args:
        work: function from a slice of images to its result.
        count: number of images.
        step: batch size.
    """

    def __init__(self, work: Callable[[slice], T], count: int, step: int) -> None:
        self._work, self._count, self._step = work, count, step
        self._parts: list[T] = []

    def go_on(self, should_stop: ShouldStop, progress: Progress | None = None) -> list[T] | None:
        """Process the rest. Returns None if stopped before the end."""
        for first in range(self._step * len(self._parts), self._count, self._step):
            if should_stop():
                return None
            self._parts.append(self._work(slice(first, first + self._step)))
            if progress:
                progress(min(first + self._step, self._count), self._count)
        return self._parts


class EncodingCache:
    """Cache of the codes of one dataset's splits in one run's latent space, computed at the first request.

    Args:
        run: its folder holds the cache; a read-only folder is tolerated.
        space: latent space of the run's current model.
        images: the dataset, preprocessed for the model.
    """

    def __init__(self, run: Run, space: LatentSpace, images: Dataset) -> None:
        self.run, self.space, self.images = run, space, images
        self.key = f"{VERSION} {images.fingerprint} {model_checksum(run)}"
        self._codes: dict[str, Codes] = {}
        self._errors: dict[str, Errors] = {}
        self._begun: dict[str, ChunkedJob[Any]] = {}

    def codes(self, split: str, should_stop: ShouldStop, progress: Progress | None = None) -> Codes | None:
        """Return the codes of a split. Returns None if stopped; finished batches are kept for the next call."""
        if split not in self._codes:
            found = self._kept_codes(split) or self._encode(split, should_stop, progress)
            if found is None:
                return None
            self._codes[split] = found
        return self._codes[split]

    def errors(self, split: str, should_stop: ShouldStop, progress: Progress | None = None) -> Errors | None:
        """Return mean squared errors of a split's reconstructions, (n,). Returns None if stopped, as `codes`."""
        codes, found = self.codes(split, should_stop), self.known_errors(split)
        if found is not None or codes is None:
            return found
        images, space = self.images.splits[split], self.space

        def reconstruct(which: slice) -> Errors:
            return space.errors(images.read(which), codes.take(np.arange(*which.indices(len(images)))))

        parts = self._gather(f"{split}-errors", (reconstruct, len(images), RECONSTRUCTION_BATCH), should_stop, progress)
        if parts is None:
            return None
        self._errors[split] = np.concatenate([np.zeros(0, np.float32), *parts])
        self._keep(f"{split}-errors", mse=self._errors[split])
        return self._errors[split]

    def known_errors(self, split: str) -> Errors | None:
        """Return the errors of a split if they are cached. Returns None if not."""
        if split not in self._errors and (kept := self._load_cached(f"{split}-errors")):
            self._errors[split] = kept["mse"]
        return self._errors.get(split)

    def _encode(self, split: str, should_stop: ShouldStop, progress: Progress | None) -> Codes | None:
        images, space = self.images.splits[split], self.space
        work = (lambda which: space.encode(images.read(which))), len(images), BATCH
        parts = self._gather(split, work, should_stop, progress)
        if parts is None:
            return None
        found = concatenate(parts) if parts else _none(space)
        log_vars = np.zeros((0, 0), np.float32) if found.log_vars is None else found.log_vars
        self._keep(split, means=found.means, log_vars=log_vars)
        return found

    def _gather(
        self, name: str, work: tuple[Any, int, int], should_stop: ShouldStop, progress: Progress | None
    ) -> list[Any] | None:
        parts = self._begun.setdefault(name, ChunkedJob(*work)).go_on(should_stop, progress)
        if parts is not None:
            self._begun.pop(name)
        return parts

    def _kept_codes(self, split: str) -> Codes | None:
        kept = self._load_cached(split)
        return Codes(kept["means"], kept["log_vars"] if len(kept["log_vars"]) else None) if kept else None

    def _path(self, name: str) -> Path:
        return self.run.derived / "latents" / f"{name}.npz"

    def _load_cached(self, name: str) -> dict[str, NDArray[np.float32]] | None:
        try:
            with np.load(self._path(name), allow_pickle=False) as file:
                return dict(file) if str(file["key"]) == self.key else None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def _keep(self, name: str, **arrays: NDArray[np.float32]) -> None:
        path = self._path(name)
        fresh = path.with_name(f"{name}-{os.getpid()}.new.npz")
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(fresh, allow_pickle=False, key=np.array(self.key), **arrays)
            os.replace(fresh, path)


def _none(space: LatentSpace) -> Codes:
    empty = np.zeros((0, space.size), np.float32)
    return Codes(empty, empty if space.kind == "posterior" else None)
