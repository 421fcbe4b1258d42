"""Commands and events of a search.

While a search runs, `Stop`, `Pause` and `Continue` are about the search and everything it trains. The trials'
`Progress`, `EpochEnded` and `Log` events pass through as they are, under the names of their runs; what begins and ends
a trial is `TrialStarted` and `TrialEnded`.
"""

from typing import Any, ClassVar, Literal

from pydantic import Field

from engine.config import RunConfig
from engine.config.search import SearchConfig
from engine.messages.base import Event, Message, Reply, Request

# ---- commands ----------------------------------------------------------------------------------------------------


class Search(Message):
    """Start a search, or resume the one of that name; `root` is the folder of the runs.

    A resume needs the name alone. A given space replaces the present one, and so do given `settings` (fields of
    `SearchConfig`). `retry_failed` resumes failed trials from their last complete epochs.
    """

    command: Literal["search"] = "search"
    name: str
    root: str | None = None
    base: RunConfig | None = None
    space: dict[str, Any] | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    retry_failed: bool = False


class SearchCommand(Message):
    """A command to the running search, which handles it at once."""


class StopTrial(SearchCommand):
    """Stop one trial of the running search and keep its run; the search continues."""

    command: Literal["stop-trial"] = "stop-trial"
    number: int


class EnqueueTrial(SearchCommand):
    """Add these values to the running search as its next trial."""

    command: Literal["enqueue"] = "enqueue"
    values: dict[str, Any]


class UpdateSpace(SearchCommand):
    """Replace the space of the running search; its trials so far stay."""

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
    """Compute how much each setting mattered in a search, see `engine.search.statistics`.

    `trials` are configurations of the space with their finite scores. The request runs alongside all others, so
    it waits for none.
    """

    reply_type: ClassVar[type[Reply]] = ComputeImportancesReply

    command: Literal["weigh-settings"] = "weigh-settings"
    base: RunConfig
    space: dict[str, Any]
    trials: tuple[tuple[dict[str, Any], float], ...]


# ---- events ------------------------------------------------------------------------------------------------------


class SearchStarted(Event):
    """The start or resume of a search; `size` is the number of points in its space, None if it is infinite."""

    event: Literal["search-started"] = "search-started"
    search: str
    path: str
    base: RunConfig
    space: dict[str, Any]
    settings: SearchConfig
    size: int | None


class TrialProposed(Event):
    """A proposed trial; `values` are those of the space, `run` is the run that it will be."""

    event: Literal["trial-proposed"] = "trial-proposed"
    search: str
    number: int
    run: str
    values: dict[str, Any]
    origin: str


class TrialStarted(Event):
    """The start of a trial's process, or its resume after `first_epoch` complete epochs."""

    event: Literal["trial-started"] = "trial-started"
    search: str
    number: int
    run: str
    first_epoch: int
    epochs: int


class TrialEnded(Event):
    """The end of a trial: its best validation loss per image, or why there is none."""

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
    """The state of a search, sent whenever it changes.

    `left` counts the untried points of its space, None if it is infinite. `left_s` is an estimate from the trials so
    far, None before the first has ended.
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
    """The end of a search for now; 'exhausted' means that all configurations of its space were tried."""

    event: Literal["search-ended"] = "search-ended"
    search: str
    state: Literal["finished", "exhausted", "stopped", "failed"]
    reason: str = ""
    advice: str = ""
