"""Handlers of requests about channels that take long: they can be interrupted and continue where they were."""

from collections.abc import Mapping

from pydantic import ValidationError

from engine.analysis import channel_statistics, feature_visualization, top_activations
from engine.analysis.channel_statistics import ChannelStatistics
from engine.analysis.feature_visualization import ChannelObjective
from engine.data import Dataset, Split
from engine.errors import ConfigError
from engine.explorer.activation_cache import InspectedModel, InspectedModels
from engine.explorer.context import ExplorerContext, ResumableJobs
from engine.messages import (
    ChannelNumbers,
    ComputeChannelStatistics,
    ComputeChannelStatisticsReply,
    MaximizeActivation,
    MaximizeActivationReply,
    TopActivations,
    TopActivationsReply,
    TopImage,
)
from engine.result_cache import ResultCache
from engine.runs import Run, model_checksum

FILE, FILES_KEPT, VERSION = "channels.json", 4, 1


class ChannelHandlers:
    """The handlers of requests about channels; results for one channel are cached for all others of its layer."""

    def __init__(self, warm: ExplorerContext, models: InspectedModels) -> None:
        self._warm, self._models = warm, models
        self._split_jobs, self._ascents = ResumableJobs(), ResumableJobs()

    def compute_statistics(self, request: ComputeChannelStatistics) -> ComputeChannelStatisticsReply:
        """Return the statistics of every layer, which are saved with the run."""
        opened = self._models.open(request.run)
        images = self._find_split(request, opened)
        known = load_cached(opened.run, images)
        if known is not None:
            return known.model_copy(update={"run": request.run})
        key = FILE, opened.model, images.fingerprint, request.split
        found = self._split_jobs.run(
            key,
            lambda context: channel_statistics.compute_statistics_in_steps(opened.model, images.split, None, context),
            self._warm.job_context(request),
        )
        reply = ComputeChannelStatisticsReply(
            run=request.run, split=request.split, images=len(images.split), layers=to_numbers(found)
        )
        save_cached(opened.run, images, reply)
        return reply

    def find_top_activations(self, request: TopActivations) -> TopActivationsReply:
        """Return the channel's top-activating images."""
        opened = self._models.open(request.run)
        layer = opened.layer(request.layer)
        if request.channel >= layer.shape[-1]:
            raise ConfigError(
                f"Layer '{layer.name}' has no channel {request.channel}.",
                f"Channels are numbered from 0 to {layer.shape[-1] - 1}.",
            )
        images = self._find_split(request, opened)
        key = layer.name, opened.model, images.fingerprint, request.split, request.count
        found = self._split_jobs.run(
            key,
            lambda context: top_activations.find_top_activations_in_steps(
                opened.model, images.split, layer.name, request.count, context
            ),
            self._warm.job_context(request),
        )
        top = tuple(
            TopImage(
                index=each.index,
                name=images.split.names[each.index],
                value=each.value,
                unit=(each.row, each.column),
                box=each.box,
            )
            for each in found[request.channel]
        )
        return TopActivationsReply(run=request.run, layer=layer.name, channel=request.channel, favourites=top)

    def maximize_activation(self, request: MaximizeActivation) -> MaximizeActivationReply:
        """Return the channel's optimized input."""
        opened = self._models.open(request.run)
        channel = ChannelObjective(request.layer, request.channel)
        found = self._ascents.run(
            (opened.model, channel),
            lambda _: feature_visualization.maximize_activation_in_steps(opened.model, channel),
            self._warm.job_context(request),
        )
        return MaximizeActivationReply(
            run=request.run,
            layer=request.layer,
            channel=request.channel,
            picture=found.image,
            start=found.start,
            value=found.value,
        )

    def _find_split(self, request: ComputeChannelStatistics | TopActivations, opened: InspectedModel) -> "SplitKey":
        """Return the split of a request at the model's size."""
        found = self._warm.dataset(request.data.model_copy(update={"size": opened.side}))
        split = found.splits.get(request.split)
        if split is None or not len(split):
            raise ConfigError(f"There is no image in the split '{request.split}'.", "Choose a split that has images.")
        return SplitKey(found, split)


class SplitKey:
    """A split of a dataset, and what its channel statistics depend on."""

    def __init__(self, images: Dataset, split: Split) -> None:
        self.split, self.fingerprint = split, images.fingerprint

    def key(self, run: Run) -> str:
        """Return a key of these images, this model file and this way to measure."""
        return f"{VERSION} {self.fingerprint} {self.split.name} {model_checksum(run)}"


def to_numbers(found: Mapping[str, ChannelStatistics]) -> dict[str, ChannelNumbers]:
    """Return the statistics of each layer as they cross the seam."""
    return {
        name: ChannelNumbers(
            mean=each.mean.tolist(),
            spread=each.std.tolist(),
            energy=each.energy.tolist(),
            zeros=each.zero_fraction.tolist(),
            lowest=each.min.tolist(),
            highest=each.max.tolist(),
            dead=each.dead.tolist(),
        )
        for name, each in found.items()
    }


def load_cached(run: Run, images: SplitKey) -> ComputeChannelStatisticsReply | None:
    """Return the saved statistics of a run's present model on these images; None if there are none."""
    found = ResultCache(run.derived / FILE).get(images.key(run))
    if not isinstance(found, dict):
        return None
    try:
        return ComputeChannelStatisticsReply.model_validate({"run": run.name, "split": images.split.name, **found})
    except ValidationError:
        return None


def save_cached(run: Run, images: SplitKey, reply: ComputeChannelStatisticsReply) -> None:
    """Save statistics with the run, in place of the oldest ones if there are many."""
    ResultCache(run.derived / FILE, FILES_KEPT).keep(images.key(run), reply.model_dump(include={"images", "layers"}))
