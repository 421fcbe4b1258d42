"""The entry to the handlers of requests about layers. They need Keras, which comes late."""

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
    Reply,
    Request,
    TopActivations,
    TraceLesion,
)

Handler = Callable[[Any], Reply]
REQUESTS: tuple[type[Request], ...] = (
    ListLayers,
    ComputeActivations,
    ComputeChannelStatistics,
    TopActivations,
    MaximizeActivation,
    ComputeSaliency,
    ReadKernels,
    MatchChannels,
    TraceLesion,
)


class LayerHandlers:
    """The handlers of requests about layers, imported on the backend of the first run that one names.

    Args:
        warm: the loaded models and datasets.
    """

    def __init__(self, warm: ExplorerContext) -> None:
        self._warm = warm
        self._handlers: dict[type[Request], Handler] = {}

    def answers(self) -> dict[type[Request], Handler]:
        """Return the handler of every request about layers."""
        return dict.fromkeys(REQUESTS, self.handle)

    def handle(self, request: Any) -> Reply:
        """Return the reply."""
        if not self._handlers:
            name = request.runs[0] if isinstance(request, MatchChannels) else request.run
            _, run = self._warm.model(name)
            module = backend.import_on_any_backend("engine.explorer.activation_handlers", run.config.training)
            self._handlers = module.make_handlers(self._warm)
        return self._handlers[type(request)](request)
