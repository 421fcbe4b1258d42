"""Who answers which request about layers."""

from collections.abc import Callable
from typing import Any

from engine.explorer.activation_cache import ActivationCache
from engine.explorer.channel_matching import Comparing
from engine.explorer.context import ExplorerContext
from engine.explorer.feature_handlers import FeatureHandlers
from engine.explorer.inspected_models import InspectedModels
from engine.explorer.layer_json import layer_to_dict
from engine.explorer.lesion_trace import LesionTraceHandler
from engine.explorer.statistics_handlers import StatisticsHandlers
from engine.messages import ComputeActivations, ListLayers, Request


class LayerAnswers:
    """Answers requests about the layers of runs.

    Models are those that the explorer holds; the lists of their layers and the last images' activations are held here.
    """

    def __init__(self, warm: ExplorerContext) -> None:
        self._warm = warm
        self._models = InspectedModels(warm)
        self._kept = ActivationCache()
        self._of: dict[type[Request], Callable[[Any], dict[str, Any] | None]] = {
            ListLayers: self._list_layers,
            ComputeActivations: self._activate,
            **StatisticsHandlers(warm, self._models).answers(),
            **FeatureHandlers(warm, self._models).answers(),
            **Comparing(warm, self._models, self._kept).answers(),
            **LesionTraceHandler(warm, self._models).answers(),
        }

    def answer(self, request: Request) -> dict[str, Any] | None:
        """Answer one request; None for one that can wait and was stopped."""
        return self._of[type(request)](request)

    def _list_layers(self, request: ListLayers) -> dict[str, Any]:
        opened = self._models.named(request.run)
        facts = {"run": request.run, "model": opened.run.config.model.model, "size": opened.side}
        return facts | {"layers": layer_to_dict(opened.traced_layers)}

    def _activate(self, request: ComputeActivations) -> dict[str, Any]:
        """Files of the images, (n, side, side), and of the layer's activations, (n, height, width, c) or (n, c)."""
        opened = self._models.named(request.run)
        images, names = self._warm.load_images(request, opened.side)
        opened.check(request.layer, images)
        activations = self._kept.get(opened, images, request.layer)
        files = {"originals": self._warm.save_array(images[..., 0]), "activations": self._warm.save_array(activations)}
        return {"run": request.run, "layer": request.layer, "names": names, **files}
