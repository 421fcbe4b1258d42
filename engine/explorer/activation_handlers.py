"""Handlers of requests about layers and the images that pass through them."""

from collections.abc import Sequence

from engine.analysis import channel_statistics, feature_visualization, layer_text, layers
from engine.analysis.feature_visualization import ChannelObjective
from engine.analysis.layers import LayerInfo
from engine.analysis.matching import match
from engine.errors import ConfigError
from engine.explorer.activation_cache import ActivationCache, InspectedModel, InspectedModels
from engine.explorer.channel_handlers import ChannelHandlers
from engine.explorer.context import ExplorerContext
from engine.explorer.layer_handlers import Handler
from engine.explorer.lesion_trace import LesionTraceHandler
from engine.messages import (
    ComputeActivations,
    ComputeActivationsReply,
    ComputeChannelStatistics,
    ComputeSaliency,
    ComputeSaliencyReply,
    LayerFacts,
    ListLayers,
    ListLayersReply,
    MatchChannels,
    MatchChannelsReply,
    MaximizeActivation,
    ReadKernels,
    ReadKernelsReply,
    Request,
    TopActivations,
    TraceLesion,
)


def make_handlers(warm: ExplorerContext) -> dict[type[Request], Handler]:
    """Return the handler of every request about layers; they share the list of layers of each model."""
    models = InspectedModels(warm)
    activations, channels = ActivationHandlers(warm, models), ChannelHandlers(warm, models)
    return {
        ListLayers: activations.list_layers,
        ComputeActivations: activations.compute_activations,
        MatchChannels: activations.match_channels,
        ComputeSaliency: activations.compute_saliency,
        ReadKernels: activations.read_kernels,
        ComputeChannelStatistics: channels.compute_statistics,
        TopActivations: channels.find_top_activations,
        MaximizeActivation: channels.maximize_activation,
        TraceLesion: LesionTraceHandler(warm, models).trace,
    }


class ActivationHandlers:
    """The handlers of requests that are answered at once; the activations of the last images stay cached."""

    def __init__(self, warm: ExplorerContext, models: InspectedModels) -> None:
        self._warm, self._models = warm, models
        self.cache = ActivationCache()

    def list_layers(self, request: ListLayers) -> ListLayersReply:
        """Return the layers of a run in network order."""
        opened = self._models.open(request.run)
        return ListLayersReply(
            run=request.run,
            model=opened.run.config.model.model,
            size=opened.side,
            layers=describe_layers(opened),
        )

    def compute_activations(self, request: ComputeActivations) -> ComputeActivationsReply:
        """Return the activations of a layer for some images."""
        opened = self._models.open(request.run)
        images, names = self._warm.load_images(request, opened.side)
        opened.check(request.layer, images)
        return ComputeActivationsReply(
            run=request.run,
            layer=request.layer,
            names=tuple(names),
            originals=images[..., 0],
            activations=self.cache.get(opened, images, request.layer),
        )

    def match_channels(self, request: MatchChannels) -> MatchChannelsReply:
        """Return the channels of two layers, matched one to one."""
        found, names = [], list[str]()
        for run, layer in zip(request.runs, request.layers, strict=True):
            opened = self._models.open(run)
            images, names = self._warm.load_images(request, opened.side)
            opened.check(layer, images)
            found.append(self.cache.get(opened, images, layer))
        matching = match(found[0], found[1])
        return MatchChannelsReply(
            runs=request.runs,
            layers=request.layers,
            names=tuple(names),
            pairs=matching.pairs.tolist(),
            correlation=matching.correlation.tolist(),
            rms=matching.rms.tolist(),
            activations=found[1],
        )

    def compute_saliency(self, request: ComputeSaliency) -> ComputeSaliencyReply:
        """Return the gradient of a channel or unit with respect to the pixels."""
        opened = self._models.open(request.run)
        images, names = self._warm.load_images(request, opened.side)
        opened.check(request.layer, images)
        channel = ChannelObjective(request.layer, request.channel, request.unit)
        return ComputeSaliencyReply(
            run=request.run,
            layer=request.layer,
            channel=request.channel,
            unit=request.unit,
            names=tuple(names),
            originals=images[..., 0],
            saliency=feature_visualization.saliency(opened.model, images, channel, request.copies),
        )

    def read_kernels(self, request: ReadKernels) -> ReadKernelsReply:
        """Return the spatial kernels of a layer."""
        opened = self._models.open(request.run)
        layer = opened.layer(request.layer)
        operation = next(operation for each, operation in opened.traced_layers if each is layer)
        return ReadKernelsReply(
            run=request.run, layer=layer.name, kernels=channel_statistics.kernel_images(layer.kind, operation)
        )


def describe_layers(opened: InspectedModel) -> tuple[LayerFacts, ...]:
    """Return what the app needs to know of every layer of a model, in network order."""
    texts = layer_text.describe_layers(opened.traced_layers)
    return tuple(_describe_layer(opened.layers, layer, texts[layer.name]) for layer in opened.layers)


def _describe_layer(known: Sequence[LayerInfo], layer: LayerInfo, sentences: tuple[str, ...]) -> LayerFacts:
    before, after = _find_activation_function(known, layer.name)
    return LayerFacts(
        name=layer.name,
        kind=layer.kind,
        part=layer.part,
        shape=layer.shape,
        parameters=layer.parameters,
        kernel=layer.kernel,
        stride=layer.stride,
        receives=layer.receives,
        rows=layer.field.rows.tolist(),
        columns=layer.field.columns.tolist(),
        known=layer.field.known,
        before=before,
        after=after,
        words=sentences,
    )


def _find_activation_function(known: Sequence[LayerInfo], name: str) -> tuple[str | None, str | None]:
    """Return the layers right before and after the activation function of a layer; (None, None) if it has none."""
    try:
        return layers.nonlinearity_pair(known, name)
    except ConfigError:
        return None, None
