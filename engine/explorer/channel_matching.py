"""Answers about two layers: which channel of one is which of the other."""

from collections.abc import Callable
from typing import Any

from engine.analysis.matching import match
from engine.explorer.activation_cache import ActivationCache
from engine.explorer.context import ExplorerContext
from engine.explorer.inspected_models import InspectedModels
from engine.messages import MatchChannels, Request


class Comparing:
    """Answers about two layers, of two runs or of one."""

    def __init__(self, warm: ExplorerContext, models: InspectedModels, kept: ActivationCache) -> None:
        self._warm, self._models, self._kept = warm, models, kept

    def answers(self) -> dict[type[Request], Callable[[Any], dict[str, Any] | None]]:
        """What can be asked, and who answers it."""
        return {MatchChannels: self.match_channels}

    def match_channels(self, request: MatchChannels) -> dict[str, Any]:
        """Return the pairs of channels, how alike and how far apart they are, and the second activation's file."""
        found, names = [], list[str]()
        for run, layer in zip(request.runs, request.layers, strict=True):
            opened = self._models.named(run)
            images, names = self._warm.load_images(request, opened.side)
            opened.check(layer, images)
            found.append(self._kept.get(opened, images, layer))
        matching = match(found[0], found[1])
        return {
            "runs": request.runs,
            "layers": request.layers,
            "names": names,
            "pairs": matching.pairs.tolist(),
            "correlation": matching.correlation.tolist(),
            "rms": matching.rms.tolist(),
            "activations": self._warm.save_array(found[1]),
        }
