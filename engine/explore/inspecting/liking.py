"""Answers about one channel: what it likes best, which pixels it answers to, and its layer's weights as pictures."""

from collections.abc import Callable
from typing import Any

from engine.explore import kernels, saliency
from engine.explore.channel import Channel
from engine.explore.inspecting.opened import OpenedModels
from engine.explore.inspecting.unfinished import Unfinished
from engine.explore.inspecting.warm import Warm, progress_of
from engine.explore.preferred import Climb
from engine.messages import ComputeSaliency, MaximizeActivation, ReadKernels, Request


class Liking:
    """Answers about one channel."""

    def __init__(self, warm: Warm, models: OpenedModels) -> None:
        self._warm, self._models, self._works = warm, models, Unfinished()

    def answers(self) -> dict[type[Request], Callable[[Any], dict[str, Any] | None]]:
        """What can be asked, and who answers it."""
        return {MaximizeActivation: self.prefer, ComputeSaliency: self.salient, ReadKernels: self.kernels}

    def prefer(self, request: MaximizeActivation) -> dict[str, Any] | None:
        """The file of the picture, (side, side), and the channel's value for it and for gray; None to give way."""
        opened = self._models.named(request.run)
        channel = Channel(request.layer, request.channel)
        climb = self._works.work((id(opened.model), channel), lambda: Climb(opened.model, channel))
        if not climb.go_on(self._warm.should_stop, progress_of(self._warm, request)):
            return None
        found = climb.found()
        asked = {"run": request.run, "layer": request.layer, "channel": request.channel}
        return asked | {"picture": self._warm.write(found.image), "start": found.start, "value": found.value}

    def salient(self, request: ComputeSaliency) -> dict[str, Any]:
        """Files of the images, (n, side, side), and of the saliency, as large, in activation per gray value."""
        opened = self._models.named(request.run)
        images, names = self._warm.originals(request, opened.side)
        opened.check(request.layer, images)
        channel = Channel(request.layer, request.channel, request.unit)
        found = saliency.saliency(opened.model, images, channel, request.copies)
        asked = {"run": request.run, "layer": request.layer, "channel": request.channel, "unit": request.unit}
        files = {"originals": self._warm.write(images[..., 0]), "saliency": self._warm.write(found)}
        return {**asked, "names": names, **files}

    def kernels(self, request: ReadKernels) -> dict[str, Any]:
        """The file of the weights, (channels, inputs, height, width); None where a layer has no such weights."""
        opened = self._models.named(request.run)
        layer = opened.layer(request.layer)
        operation = next(operation for each, operation in opened.walked if each is layer)
        found = kernels.pictures(layer.kind, operation)
        path = None if found is None else self._warm.write(found)
        return {"run": request.run, "layer": layer.name, "kernels": path}
