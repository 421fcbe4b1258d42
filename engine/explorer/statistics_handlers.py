"""Answers that take a whole split of scans: the numbers of every channel, and the scans that a channel likes."""

from collections.abc import Callable, Mapping
from typing import Any

from engine import data
from engine.analysis import channel_statistics, top_activations
from engine.analysis.channel_statistics import ChannelStatistics
from engine.data import Cancelled, Split
from engine.errors import ConfigError
from engine.explorer.context import ExplorerContext, progress_callback
from engine.explorer.inspected_models import InspectedModel, InspectedModels
from engine.explorer.resumable_jobs import ResumableJobs
from engine.messages import ComputeChannelStatistics, Request, TopActivations
from engine.runs import Run, model_checksum

FILE, FILES_KEPT, VERSION = "channels.json", 4, 1
NUMBERS = ("mean", "spread", "energy", "zeros", "lowest", "highest", "dead")


class StatisticsHandlers:
    """Answers about channels over a split; what was found for one channel is there for all others of its layer."""

    def __init__(self, warm: ExplorerContext, models: InspectedModels) -> None:
        self._warm, self._models, self._works = warm, models, ResumableJobs()

    def answers(self) -> dict[type[Request], Callable[[Any], dict[str, Any] | None]]:
        """What can be asked, and who answers it."""
        return {ComputeChannelStatistics: self.statistics, TopActivations: self.favorites}

    def statistics(self, request: ComputeChannelStatistics) -> dict[str, Any] | None:
        """Of every layer the numbers of its channels, kept in the run's folder; None when it has to give way."""
        opened = self._models.named(request.run)
        images = self._images(request, opened)
        if images is None:
            return None
        known = load_cached(opened.run, images)
        if known is None:
            key = FILE, id(opened.model), images.fingerprint, request.split
            tally = self._works.get_or_start(key, lambda: channel_statistics.StatisticsJob(opened.model, images.split))
            if not tally.advance(self._warm.should_stop, progress_callback(self._warm, request)):
                return None
            known = plain(tally.get_result(), tally.total)
            keep(opened.run, images, known)
        return {"run": request.run, "split": request.split, **known}

    def favorites(self, request: TopActivations) -> dict[str, Any] | None:
        """The channel's favourites, the strongest first; None when it has to give way."""
        opened = self._models.named(request.run)
        layer = opened.layer(request.layer)
        if request.channel >= layer.shape[-1]:
            raise ConfigError(
                f"Layer '{layer.name}' has no channel {request.channel}.",
                f"Channels are numbered from 0 to {layer.shape[-1] - 1}.",
            )
        images = self._images(request, opened)
        if images is None:
            return None
        key = layer.name, id(opened.model), images.fingerprint, request.split, request.count
        hunt = self._works.get_or_start(
            key, lambda: top_activations.TopActivationsJob(opened.model, images.split, layer.name, request.count)
        )
        if not hunt.advance(self._warm.should_stop, progress_callback(self._warm, request)):
            return None
        liked = [
            {
                **{"index": each.index, "name": images.split.names[each.index], "value": each.value},
                **{"unit": (each.row, each.column), "box": each.box},
            }
            for each in hunt.get_result()[request.channel]
        ]
        return {"run": request.run, "layer": layer.name, "channel": request.channel, "favourites": liked}

    def _images(self, request: ComputeChannelStatistics | TopActivations, opened: InspectedModel) -> "SplitKey | None":
        try:
            found = self._warm.dataset(request.data.model_copy(update={"size": opened.side}))
        except Cancelled:
            return None
        split = found.splits.get(request.split)
        if split is None or not len(split):
            raise ConfigError(f"There is no image in the split '{request.split}'.", "Choose a split that has images.")
        return SplitKey(found, split)


class SplitKey:
    """A split of a data set, and what its numbers depend on."""

    def __init__(self, images: data.Dataset, split: Split) -> None:
        self.split, self.fingerprint = split, images.fingerprint

    def key(self, run: Run) -> str:
        """These images, this model file, this way to measure."""
        return f"{VERSION} {self.fingerprint} {self.split.name} {model_checksum(run)}"


def plain(found: Mapping[str, ChannelStatistics], images: int) -> dict[str, Any]:
    """Statistics as lists: {'images': how many, 'layers': {name: {'mean': [...], ...}}}."""
    named = {name: {number: getattr(each, number).tolist() for number in NUMBERS} for name, each in found.items()}
    return {"images": images, "layers": named}


def load_cached(run: Run, images: SplitKey) -> dict[str, Any] | None:
    """The numbers of a run's present model on these images, where they were found before."""
    found = run.read_derived(FILE).get(images.key(run))
    return found if isinstance(found, dict) and "layers" in found else None


def keep(run: Run, images: SplitKey, found: dict[str, Any]) -> None:
    """Keep numbers with the run."""
    key = images.key(run)
    older = [(other, numbers) for other, numbers in run.read_derived(FILE).items() if other != key]
    run.write_derived(FILE, dict([*older[-FILES_KEPT + 1 :], (key, found)]))
