"""Answers about one channel: what it likes best, which pixels it answers to, and its layer's weights as pictures."""

from collections.abc import Callable
from typing import Any

from engine.analysis import feature_visualization, kernels
from engine.analysis.feature_visualization import ChannelObjective, GradientAscentJob
from engine.explorer.context import ExplorerContext, progress_callback
from engine.explorer.inspected_models import InspectedModels
from engine.explorer.resumable_jobs import ResumableJobs
from engine.messages import ComputeSaliency, MaximizeActivation, ReadKernels, Request


class FeatureHandlers:
    """Answers about one channel."""

    def __init__(self, warm: ExplorerContext, models: InspectedModels) -> None:
        self._warm, self._models, self._works = warm, models, ResumableJobs()

    def answers(self) -> dict[type[Request], Callable[[Any], dict[str, Any] | None]]:
        """What can be asked, and who answers it."""
        return {MaximizeActivation: self.maximize_activation, ComputeSaliency: self.saliency, ReadKernels: self.kernels}

    def maximize_activation(self, request: MaximizeActivation) -> dict[str, Any] | None:
        """The file of the picture, (side, side), and the channel's value for it and for gray; None to give way."""
        opened = self._models.named(request.run)
        channel = ChannelObjective(request.layer, request.channel)
        climb = self._works.get_or_start((id(opened.model), channel), lambda: GradientAscentJob(opened.model, channel))
        if not climb.Climb(self._warm.should_stop, progress_callback(self._warm, request)):
            return None
        found = climb.get_result()
        asked = {"run": request.run, "layer": request.layer, "channel": request.channel}
        return asked | {"picture": self._warm.save_array(found.image), "start": found.start, "value": found.value}

    def saliency(self, request: ComputeSaliency) -> dict[str, Any]:
        """Files of the images, (n, side, side), and of the saliency, as large, in activation per gray value."""
        opened = self._models.named(request.run)
        images, names = self._warm.load_images(request, opened.side)
        opened.check(request.layer, images)
        channel = ChannelObjective(request.layer, request.channel, request.unit)
        found = feature_visualization.saliency(opened.model, images, channel, request.copies)
        asked = {"run": request.run, "layer": request.layer, "channel": request.channel, "unit": request.unit}
        files = {"originals": self._warm.save_array(images[..., 0]), "saliency": self._warm.save_array(found)}
        return {**asked, "names": names, **files}

    def kernels(self, request: ReadKernels) -> dict[str, Any]:
        """The file of the weights, (channels, inputs, height, width); None where a layer has no such weights."""
        opened = self._models.named(request.run)
        layer = opened.layer(request.layer)
        operation = next(operation for each, operation in opened.traced_layers if each is layer)
        found = kernels.kernel_images(layer.kind, operation)
        path = None if found is None else self._warm.save_array(found)
        return {"run": request.run, "layer": layer.name, "kernels": path}
