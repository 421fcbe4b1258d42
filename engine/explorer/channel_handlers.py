"""Handlers of requests about channels that take long: they can be interrupted and continue where they were."""

from collections.abc import Mapping

from pydantic import ValidationError

from engine.analysis import channel_statistics, top_activations
from engine.analysis.channel_statistics import ChannelStatistics
from engine.analysis.feature_visualization import ChannelObjective, GradientAscentJob
from engine.data import Cancelled, Dataset, Split
from engine.errors import ConfigError
from engine.explorer.context import ExplorerContext, progress_callback
from engine.explorer.inspected_models import InspectedModel, InspectedModels
from engine.explorer.resumable_jobs import ResumableJobs
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
from engine.runs import Run, model_checksum

FILE, FILES_KEPT, VERSION = "channels.json", 4, 1


class ChannelHandlers:
    """Handles requests about channels; what was found for one channel is there for all others of its layer."""

    def __init__(self, warm: ExplorerContext, models: InspectedModels) -> None:
        self._warm, self._models = warm, models
        self._split_jobs, self._ascents = ResumableJobs(), ResumableJobs()

    def compute_statistics(self, request: ComputeChannelStatistics) -> ComputeChannelStatisticsReply | None:
        """Return the statistics of every layer, which are saved with the run; None if interrupted."""
        opened = self._models.open(request.run)
        images = self._find_split(request, opened)
        if images is None:
            return None
        known = load_cached(opened.run, images)
        if known is not None:
            return known.model_copy(update={"run": request.run})
        key = FILE, id(opened.model), images.fingerprint, request.split
        job = self._split_jobs.get_or_start(key, lambda: channel_statistics.StatisticsJob(opened.model, images.split))
        if not job.advance(self._warm.should_stop, progress_callback(self._warm, request)):
            return None
        reply = ComputeChannelStatisticsReply(
            run=request.run, split=request.split, images=job.total, layers=to_numbers(job.get_result())
        )
        save_cached(opened.run, images, reply)
        return reply

    def find_top_activations(self, request: TopActivations) -> TopActivationsReply | None:
        """Return the channel's top-activating images; None if interrupted."""
        opened = self._models.open(request.run)
        layer = opened.layer(request.layer)
        if request.channel >= layer.shape[-1]:
            raise ConfigError(
                f"Layer '{layer.name}' has no channel {request.channel}.",
                f"Channels are numbered from 0 to {layer.shape[-1] - 1}.",
            )
        images = self._find_split(request, opened)
        if images is None:
            return None
        key = layer.name, id(opened.model), images.fingerprint, request.split, request.count
        job = self._split_jobs.get_or_start(
            key, lambda: top_activations.TopActivationsJob(opened.model, images.split, layer.name, request.count)
        )
        if not job.go_on(self._warm.should_stop, progress_callback(self._warm, request)):
            return None
        top = tuple(
            TopImage(
                index=each.index,
                name=images.split.names[each.index],
                value=each.value,
                unit=(each.row, each.column),
                box=each.box,
            )
            for each in job.get_result()[request.channel]
        )
        return TopActivationsReply(run=request.run, layer=layer.name, channel=request.channel, favourites=top)

    def maximize_activation(self, request: MaximizeActivation) -> MaximizeActivationReply | None:
        """Return the channel's optimized input; None if interrupted."""
        opened = self._models.open(request.run)
        channel = ChannelObjective(request.layer, request.channel)
        job = self._ascents.get_or_start((id(opened.model), channel), lambda: GradientAscentJob(opened.model, channel))
        if not job.go_on(self._warm.should_stop, progress_callback(self._warm, request)):
            return None
        found = job.get_result()
        return MaximizeActivationReply(
            run=request.run,
            layer=request.layer,
            channel=request.channel,
            picture=found.image,
            start=found.start,
            value=found.value,
        )

    def _find_split(
        self, request: ComputeChannelStatistics | TopActivations, opened: InspectedModel
    ) -> "SplitKey | None":
        """Return the split of a request at the model's size; None if interrupted."""
        try:
            found = self._warm.dataset(request.data.model_copy(update={"size": opened.side}))
        except Cancelled:
            return None
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
    found = run.read_derived(FILE).get(images.key(run))
    if not isinstance(found, dict):
        return None
    try:
        return ComputeChannelStatisticsReply.model_validate({"run": run.name, "split": images.split.name, **found})
    except ValidationError:
        return None


def save_cached(run: Run, images: SplitKey, reply: ComputeChannelStatisticsReply) -> None:
    """Save statistics with the run, in place of the oldest ones if there are many."""
    key = images.key(run)
    older = [(other, numbers) for other, numbers in run.read_derived(FILE).items() if other != key]
    content = reply.model_dump(include={"images", "layers"})
    run.write_derived(FILE, dict([*older[-FILES_KEPT + 1 :], (key, content)]))
