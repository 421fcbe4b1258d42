"""The handler that traces a lesion, marked on an image, through the layers of a model."""

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
from engine.messages import RegionSpec, TraceLesion, TraceLesionReply


class LesionTraceHandler:
    """Handles TraceLesion."""

    def __init__(self, warm: ExplorerContext, models: InspectedModels) -> None:
        self._warm, self._models, self._jobs = warm, models, ResumableJobs()

    def trace(self, request: TraceLesion) -> TraceLesionReply | None:
        """Return the detectability of the lesion after each layer; None if interrupted."""
        opened = self._models.open(request.run)
        key = id(opened.model), request.model_copy(update={"number": 0, "panel": ""})
        job, pair = self._jobs.get_or_start(key, lambda: self._start(request, opened))
        report = progress_callback(self._warm, request)

        def step(done: int, total: int) -> bool:
            report(done, total)
            return not self._warm.should_stop()

        found = job.go_on(step)
        if found is None:
            return None
        reconstructed = scoring.reconstruct(opened.model, pair.picture[None, ..., None])
        return TraceLesionReply(
            run=request.run,
            model=opened.run.config.model.model,
            name=pair.name,
            noise=request.noise,
            places=request.places,
            channels=request.channels,
            pairs=detectability_json.pairs(found, [pair], reconstructed),
            **detectability_json.to_dict(found),
        )

    def _start(self, request: TraceLesion, opened: InspectedModel) -> tuple[DetectabilityJob, LesionPair]:
        images, image_names = self._warm.load_images(request, opened.side)
        opened.check(opened.layers[-1].name, images)
        picture = images[0, ..., 0]
        mask = region_mask(request.region, (picture.shape[0], picture.shape[1]))
        pair = LesionPair(image_names[0], picture, lesions.inpaint(picture, mask, grain_seed=None), mask)
        if np.array_equal(pair.picture, pair.healthy):
            raise RegionError("The region does not differ from its surroundings.", "Draw it around a lesion.")
        observer = Observer(noise=request.noise, path_points=request.places, channels=request.channels)
        names = request.layers or key_layers(opened.layers)
        images_of_pair = images[:1], pair.healthy[None, ..., None]
        return DetectabilityJob(opened.model, *images_of_pair, observer, names), pair


def region_mask(region: RegionSpec, shape: tuple[int, int]) -> lesions.regions.Mask:
    """Return the pixels of a region, a boolean mask of the shape.

    Raises:
        RegionError: too few pixels are inside, or all of them.
    """
    points = [(x * shape[1], y * shape[0]) for x, y in region.points]
    if region.kind == "polygon":
        return lesions.require_measurable(lesions.polygon(shape, points))
    (left, right), (top, bottom) = (sorted(ends) for ends in zip(*points, strict=True))
    draw = lesions.ellipse if region.kind == "ellipse" else lesions.rectangle
    return lesions.require_measurable(draw(shape, left, top, right - left, bottom - top))
