"""Who answers which request about layers."""

from collections.abc import Callable
from typing import Any

from engine.explore.inspecting.comparing import Comparing
from engine.explore.inspecting.described import described
from engine.explore.inspecting.kept import KeptActivations
from engine.explore.inspecting.lesion import LesionFollowed
from engine.explore.inspecting.liking import Liking
from engine.explore.inspecting.opened import OpenedModels
from engine.explore.inspecting.surveys import Surveys
from engine.explore.inspecting.warm import Warm
from engine.messages import ComputeActivations, ListLayers, Request


class Answers:
    """Answers requests about the layers of runs.

    Models are those that the explorer holds; the lists of their layers and the last images' activations are held here.
    """

    def __init__(self, warm: Warm) -> None:
        self._warm = warm
        self._models = OpenedModels(warm)
        self._kept = KeptActivations()
        self._of: dict[type[Request], Callable[[Any], dict[str, Any] | None]] = {
            ListLayers: self._list_layers,
            ComputeActivations: self._activate,
            **Surveys(warm, self._models).answers(),
            **Liking(warm, self._models).answers(),
            **Comparing(warm, self._models, self._kept).answers(),
            **LesionFollowed(warm, self._models).answers(),
        }

    def answer(self, request: Request) -> dict[str, Any] | None:
        """Answer one request; None for one that can wait and was stopped."""
        return self._of[type(request)](request)

    def _list_layers(self, request: ListLayers) -> dict[str, Any]:
        opened = self._models.named(request.run)
        facts = {"run": request.run, "model": opened.run.config.model.model, "size": opened.side}
        return facts | {"layers": described(opened.walked)}

    def _activate(self, request: ComputeActivations) -> dict[str, Any]:
        """Files of the images, (n, side, side), and of the layer's activations, (n, height, width, c) or (n, c)."""
        opened = self._models.named(request.run)
        images, names = self._warm.originals(request, opened.side)
        opened.check(request.layer, images)
        activations = self._kept.of(opened, images, request.layer)
        files = {"originals": self._warm.write(images[..., 0]), "activations": self._warm.write(activations)}
        return {"run": request.run, "layer": request.layer, "names": names, **files}
