"""Answers about a model from within: its layers, what they make of images, what their channels do and like."""

from collections.abc import Callable
from typing import Any

from engine import backend
from engine.explorer.context import ExplorerContext
from engine.messages import (
    ComputeActivations,
    ComputeChannelStatistics,
    ComputeSaliency,
    ListLayers,
    MatchChannels,
    MaximizeActivation,
    ReadKernels,
    Request,
    TopActivations,
    TraceLesion,
)

KINDS: tuple[type[Request], ...] = (
    *(
        ListLayers,
        ComputeActivations,
        ComputeChannelStatistics,
        TopActivations,
        MaximizeActivation,
        ComputeSaliency,
        ReadKernels,
        MatchChannels,
        TraceLesion,
    ),
)


class LayerHandlers:
    """Passes requests about layers on to those who need Keras, which comes with the first model."""

    def __init__(self, warm: ExplorerContext) -> None:
        self._warm = warm
        self._answers: Any = None

    def answers(self) -> dict[type[Request], Callable[[Any], dict[str, Any] | None]]:
        """What can be asked, and who answers it."""
        return dict.fromkeys(KINDS, self.answer)

    def answer(self, request: Any) -> dict[str, Any] | None:
        """Answer one request; None for one that can wait and was stopped."""
        if self._answers is None:
            name = request.runs[0] if hasattr(request, "runs") else request.run
            _, run = self._warm.model(name)
            module = backend.import_on_any_backend("engine.explorer.layer_answers", run.config.training)
            self._answers = module.LayerAnswers(self._warm)
        answer: dict[str, Any] | None = self._answers.answer(request)
        return answer
