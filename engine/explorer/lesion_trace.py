"""Where a lesion that was drawn on a scan goes, layer by layer."""

from collections.abc import Callable
from typing import Any

import numpy as np

from engine import lesions
from engine.analysis import detectability_json
from engine.analysis.detectability import DetectabilityJob, Observer, key_layers
from engine.analysis.lesion_pairs import LesionPair
from engine.errors import RegionError
from engine.evaluation import scoring
from engine.explorer.context import ExplorerContext, progress_callback
from engine.explorer.inspected_models import InspectedModel, InspectedModels
from engine.explorer.resumable_jobs import ResumableJobs
from engine.messages import RegionSpec, Request, TraceLesion


class LesionTraceHandler:
    """Answers about the way of a lesion."""

    def __init__(self, warm: ExplorerContext, models: InspectedModels) -> None:
        self._warm, self._models, self._works = warm, models, ResumableJobs()

    def answers(self) -> dict[type[Request], Callable[[Any], dict[str, Any] | None]]:
        """What can be asked, and who answers it."""
        return {TraceLesion: self.follow}

    def follow(self, request: TraceLesion) -> dict[str, Any] | None:
        """Return what `lesion-layers --json` prints of one pair; None when it gives way."""
        opened = self._models.named(request.run)
        asked = request.model_copy(update={"number": 0, "panel": ""}).model_dump_json()
        following, twin = self._works.get_or_start((id(opened.model), asked), lambda: self._start(request, opened))
        tell = progress_callback(self._warm, request)

        def step(done: int, total: int) -> bool:
            tell(done, total)
            return not self._warm.should_stop()

        found = following.Following(step)
        if found is None:
            return None
        reconstructed = scoring.reconstruct(opened.model, twin.picture[None, ..., None])
        looks = {"noise": request.noise, "places": request.places, "channels": request.channels}
        content = {"run": request.run, "model": opened.run.config.model.model, "name": twin.name, **looks}
        return (
            content
            | detectability_json.to_dict(found)
            | {"pairs": detectability_json.pairs(found, [twin], reconstructed)}
        )

    def _start(self, request: TraceLesion, opened: InspectedModel) -> tuple[DetectabilityJob, LesionPair]:
        images, names = self._warm.load_images(request, opened.side)
        opened.check(opened.layers[-1].name, images)
        picture = images[0, ..., 0]
        mask = region_mask(request.region, (picture.shape[0], picture.shape[1]))
        twin = LesionPair(names[0], picture, lesions.inpaint(picture, mask, grain_seed=None), mask)
        if np.array_equal(twin.picture, twin.healthy):
            raise RegionError("The region does not differ from its surroundings.", "Draw it around a lesion.")
        observer = Observer(noise=request.noise, path_points=request.places, channels=request.channels)
        names_asked = request.layers or key_layers(opened.layers)
        pair = images[:1], twin.healthy[None, ..., None]
        return DetectabilityJob(opened.model, *pair, observer, names_asked), twin


def region_mask(region: RegionSpec, shape: tuple[int, int]) -> lesions.regions.Mask:
    """The pixels of a region: bool, of the shape.

    Raises:
        RegionError: they are too few, or all.
    """
    points = [(x * shape[1], y * shape[0]) for x, y in region.points]
    if region.kind == "polygon":
        return lesions.require_measurable(lesions.polygon(shape, points))
    (left, right), (top, bottom) = (sorted(ends) for ends in zip(*points, strict=True))
    draw = lesions.ellipse if region.kind == "ellipse" else lesions.rectangle
    return lesions.require_measurable(draw(shape, left, top, right - left, bottom - top))
