"""Commands and events of a search.

While a search runs, `Stop`, `Pause` and `Continue` are about the search and everything it trains. The trials'
`Progress`, `EpochEnded` and `Log` events pass through as they are, under the names of their runs; what begins and ends
a trial is `TrialStarted` and `TrialEnded`.
"""

from typing import Any, ClassVar, Literal

from pydantic import Field

from engine.config import RunConfig
from engine.config.search import SearchConfig
from engine.messages.base import Event, Message
from engine.messages.reply import Reply
from engine.messages.request import Request

# ---- commands ----------------------------------------------------------------------------------------------------


class Search(Message):
    """Search, or go on with the search of that name; `root` is the folder of the runs.

    A search that is gone on with needs its name alone; the space, when given, takes the place of the one it had, and so
    do those `settings` (fields of `SearchConfig`) that are given. `retry_failed` has failed trials tried again, from
    their last complete epochs.
    """

    command: Literal["search"] = "search"
    name: str
    root: str | None = None
    base: RunConfig | None = None
    space: dict[str, Any] | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    retry_failed: bool = False


class SearchCommand(Message):
    """Something that the running search is to do; it is heard at once."""


class StopTrial(SearchCommand):
    """Stop one trial of the running search and keep its run; the search goes on."""

    command: Literal["stop-trial"] = "stop-trial"
    number: int


class EnqueueTrial(SearchCommand):
    """Let the running search try these values next."""

    command: Literal["enqueue"] = "enqueue"
    values: dict[str, Any]


class UpdateSpace(SearchCommand):
    """Give the running search another space; what it has tried stays tried."""

    command: Literal["extend-space"] = "extend-space"
    space: dict[str, Any]


class Importance(Reply):
    """The effect of a setting on the score over its whole range, the other settings held.

    Args:
        name: the config field.
        effect: the score at the highest value less that at the lowest; for a setting without an order, between its
            worst and its best value. As a share of the score (-0.3 is a loss lower by 30%) where `is_relative`.
        low: lower end of the 95% interval of the effect.
        high: upper end.
        sign: -1 if larger values are surely better, 1 if they are surely worse, 0 if that is open or there is no order.
        is_relative: whether effects are shares of the score; they are where all scores are positive.
    """

    name: str
    effect: float
    low: float
    high: float
    sign: int
    is_relative: bool


class ComputeImportancesReply(Reply):
    """The importance of each setting, the most important first; None if there are too few trials."""

    weighed: tuple[Importance, ...] | None


class ComputeImportances(Request):
    """Compute how much each setting mattered in a search, see `engine.search.importance`.

    `trials` are configurations of the space with their finite scores. The request runs beside all others, so it waits
    for none.
    """

    reply_type: ClassVar[type[Reply]] = ComputeImportancesReply

    command: Literal["weigh-settings"] = "weigh-settings"
    base: RunConfig
    space: dict[str, Any]
    trials: tuple[tuple[dict[str, Any], float], ...]


# ---- events ------------------------------------------------------------------------------------------------------


class SearchStarted(Event):
    """A search begins or goes on; `size` is the number of points in its space, None when there is no end of them."""

    event: Literal["search-started"] = "search-started"
    search: str
    path: str
    base: RunConfig
    space: dict[str, Any]
    settings: SearchConfig
    size: int | None


class TrialProposed(Event):
    """A configuration is to be tried; `values` are those of the space, `run` is the run it will be."""

    event: Literal["trial-proposed"] = "trial-proposed"
    search: str
    number: int
    run: str
    values: dict[str, Any]
    origin: str


class TrialStarted(Event):
    """A trial's process begins, or goes on after `first_epoch` complete epochs."""

    event: Literal["trial-started"] = "trial-started"
    search: str
    number: int
    run: str
    first_epoch: int
    epochs: int


class TrialEnded(Event):
    """A trial is over: its best validation loss per image, or why there is none."""

    event: Literal["trial-ended"] = "trial-ended"
    search: str
    number: int
    run: str
    state: Literal["finished", "stopped", "failed"]
    score: float | None = None
    best_epoch: int | None = None
    seconds: float = 0.0
    reason: str = ""


class SearchState(Event):
    """Where a search stands; told whenever that changes.

    `left` counts the new points of its space, None when there is no end of them. `left_s` is a guess from the trials
    so far, None before the first is over.
    """

    event: Literal["search-state"] = "search-state"
    search: str
    state: Literal["running", "pausing", "paused", "stopping"]
    done: int
    failed: int
    running: int
    trials: int
    left: int | None
    left_s: float | None
    best: int | None
    best_score: float | None


class SearchEnded(Event):
    """A search is over for now; 'exhausted' means that its space is used up."""

    event: Literal["search-ended"] = "search-ended"
    search: str
    state: Literal["finished", "exhausted", "stopped", "failed"]
    reason: str = ""
    advice: str = ""
