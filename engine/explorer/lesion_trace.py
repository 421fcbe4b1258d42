"""The trace of a lesion through the layers of a model. It needs Keras, which the explorer starts without."""

import numpy as np

from engine import lesions
from engine.analysis import detectability_json
from engine.analysis.detectability import DetectabilityResult, Observer, key_layers, trace_lesions_in_steps
from engine.analysis.lesion_pairs import LesionPair
from engine.errors import RegionError
from engine.evaluation import scoring
from engine.explorer.activation_cache import InspectedModel, InspectedModels
from engine.explorer.context import ExplorerContext, ResumableJobs, region_mask
from engine.job_context import Steps
from engine.messages import TraceLesion, TraceLesionReply


class LesionTraceHandler:
    """The handler of TraceLesion."""

    def __init__(self, warm: ExplorerContext, models: InspectedModels) -> None:
        self._warm, self._models, self._jobs = warm, models, ResumableJobs()

    def trace(self, request: TraceLesion) -> TraceLesionReply:
        """Return the detectability of the lesion after each layer."""
        opened = self._models.open(request.run)
        key = opened.model, request.model_copy(update={"number": 0, "panel": ""})
        found, pair = self._jobs.run(key, lambda _: self._trace(request, opened), self._warm.job_context(request))
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

    def _trace(self, request: TraceLesion, opened: InspectedModel) -> Steps[tuple[DetectabilityResult, LesionPair]]:
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
        found = yield from trace_lesions_in_steps(opened.model, *images_of_pair, observer, names)
        return found, pair
