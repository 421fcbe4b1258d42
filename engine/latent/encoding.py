"""Latent codes and reconstruction errors of a whole dataset, computed in batches, cached in the run's folder."""

import os
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.data import Dataset
from engine.durable import replace
from engine.job_context import UNATTENDED, JobContext, ResumableJob, Steps
from engine.latent.space import BATCH, Codes, LatentSpace, concatenate
from engine.runs import Run, model_checksum

VERSION: Final = 2
# Images per batch of reconstructions: another request waits for at most one batch.
RECONSTRUCTION_BATCH: Final = 16
Errors = NDArray[np.float32]
T = TypeVar("T")


def process_in_batches(work: Callable[[slice], T], count: int, size: int) -> Steps[list[T]]:
    """Process the images of a split in batches; yield after each.

    Args:
        work: function from a slice of images to its result.
        count: number of images.
        size: batch size.
    """
    parts = []
    for first in range(0, count, size):
        parts.append(work(slice(first, first + size)))
        yield min(first + size, count), count
    return parts


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
        self._begun: dict[str, ResumableJob[list[Any]]] = {}

    def codes(self, split: str, context: JobContext = UNATTENDED) -> Codes:
        """Return the codes of a split.

        Raises:
            Cancelled: the caller asked to stop; finished batches are kept for the next call.
        """
        if split not in self._codes:
            self._codes[split] = self._kept_codes(split) or self._encode(split, context)
        return self._codes[split]

    def errors(self, split: str, context: JobContext = UNATTENDED) -> Errors:
        """Return mean squared errors of a split's reconstructions, (n,).

        Raises:
            Cancelled: as in `codes`.
        """
        codes, found = self.codes(split, JobContext(context.should_stop)), self.known_errors(split)
        if found is not None:
            return found
        images, space = self.images.splits[split], self.space

        def reconstruct(which: slice) -> Errors:
            return space.errors(images.read(which), codes.take(np.arange(*which.indices(len(images)))))

        parts = self._gather(f"{split}-errors", (reconstruct, len(images), RECONSTRUCTION_BATCH), context)
        self._errors[split] = np.concatenate([np.zeros(0, np.float32), *parts])
        self._keep(f"{split}-errors", mse=self._errors[split])
        return self._errors[split]

    def known_errors(self, split: str) -> Errors | None:
        """Return the errors of a split if they are cached. Returns None if not."""
        if split not in self._errors and (kept := self._load_cached(f"{split}-errors")):
            self._errors[split] = kept["mse"]
        return self._errors.get(split)

    def _encode(self, split: str, context: JobContext) -> Codes:
        images, space = self.images.splits[split], self.space
        parts = self._gather(split, (lambda which: space.encode(images.read(which)), len(images), BATCH), context)
        found = concatenate(parts) if parts else _none(space)
        log_vars = np.zeros((0, 0), np.float32) if found.log_vars is None else found.log_vars
        self._keep(split, means=found.means, log_vars=log_vars)
        return found

    def _gather(self, name: str, work: tuple[Any, int, int], context: JobContext) -> list[Any]:
        parts = self._begun.setdefault(name, ResumableJob(lambda _: process_in_batches(*work))).run(context)
        del self._begun[name]
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
            replace(fresh, path)


def _none(space: LatentSpace) -> Codes:
    empty = np.zeros((0, space.size), np.float32)
    return Codes(empty, empty if space.kind == "posterior" else None)
