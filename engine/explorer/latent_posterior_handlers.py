"""Answers about the spread of posterior samples: of one image, and how far it can be trusted over a split."""

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.data import Cancelled
from engine.explorer.latent_cache import LatentDataCache
from engine.latent import calibration
from engine.latent.latent_data import LatentData
from engine.messages import CalibrateSpread, PosteriorSpread, Request

INSTEAD = "Only a VAE has a posterior distribution. Choose a VAE run."


class PosteriorHandlers:
    """Answers requests about the spread of posterior samples."""

    def __init__(self, shelf: LatentDataCache) -> None:
        self._shelf = shelf
        self._begun: tuple[int, calibration.CoverageCounter, int] = 0, calibration.CoverageCounter(), 0

    def answers(self) -> dict[type[Request], Callable[[Any], dict[str, Any]]]:
        """What can be asked, and who answers it."""
        return {PosteriorSpread: self.spread, CalibrateSpread: self.calibrate}

    def spread(self, request: PosteriorSpread) -> dict[str, Any]:
        """Mean and deviation of one image's samples, and how its own pixels lie in the intervals."""
        atlas = self._shelf.atlas(request)
        atlas.space.need_posterior("posterior", INSTEAD)
        subject = self._shelf.subject(request, atlas)
        found = calibration.spread(atlas.space, atlas.space.encode(subject.image), request.samples)
        counting = calibration.CoverageCounter()
        counting.add(subject.image, found)
        write = self._shelf.warm.save_array
        return {
            "run": request.run,
            "name": subject.name,
            "original": write(subject.image[0, ..., 0]),
            "mean": write(found.mean[0, ..., 0]),
            "spread": write(found.deviation[0, ..., 0]),
            "calibration": calibration.to_dict(counting.get_result()),
        }

    def calibrate(self, request: CalibrateSpread) -> dict[str, Any]:
        """The calibration over a split; one that had to give way goes on where it was."""
        atlas = self._shelf.atlas(request)
        atlas.space.need_posterior("posterior", INSTEAD)
        rows = evenly_spaced(len(atlas.images.splits[request.split]), request.count)
        number, counting, done = self._begun
        if number != request.number:
            counting, done = calibration.CoverageCounter(), 0
        for at in range(done, len(rows)):
            self._begun = request.number, counting, at
            count(atlas, request.split, rows[at : at + 1], (request.samples, counting))
            atlas.progress(at + 1, len(rows))
        self._begun = 0, calibration.CoverageCounter(), 0
        facts = {"run": request.run, "split": request.split, "scans": len(rows), "samples": request.samples}
        return facts | calibration.to_dict(counting.get_result())


def evenly_spaced(there: int, wanted: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Rows of a split, spread evenly over it: (min(there, wanted),)."""
    return np.unique(np.linspace(0, there - 1, min(there, wanted)).round().astype(np.int64))


def count(atlas: LatentData, split: str, rows: Any, into: tuple[int, calibration.CoverageCounter]) -> None:
    """Count the pixels of some scans.

    Raises:
        Cancelled: the question was taken back; nothing has been counted then.
    """
    if atlas.should_stop():
        raise Cancelled("The request was canceled.")
    images = atlas.images.splits[split].read(rows)
    samples, counting = into
    counting.add(images, calibration.spread(atlas.space, atlas.space.encode(images), samples))
