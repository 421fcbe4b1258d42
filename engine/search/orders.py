"""What can be wished of a running search, from another process or from the window, by way of its ledger."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import SearchError
from engine.messages import Enqueue, SearchWish, Stop, StopTrial
from engine.search import announcements, folder, outcome
from engine.search.ledger import FILE, Ledger
from engine.search.wishes import checked

if TYPE_CHECKING:
    from engine.search.conductor import Conductor

MOMENTARY = ("stop", "pause", "continue", "stop-trial")  # about the search as it runs; the others keep until it does


def forget_stale(ledger: Ledger) -> None:
    """Drop the wishes that were meant for the search before."""
    kept = [(verb, content) for verb, content in ledger.take_wishes() if verb not in MOMENTARY]
    for verb, content in kept:
        ledger.wish(verb, content)


def carry_out(conductor: "Conductor", verb: str, content: Any) -> None:
    """Do what is wished.

    Raises:
        EngramError: it cannot be done; the sentence is for whoever wished it.
    """
    _VERBS[verb](conductor, content)


def _stop(conductor: "Conductor", content: Any) -> None:
    conductor.stop_wished = True


def _pause(conductor: "Conductor", content: Any) -> None:
    conductor.pause_wished = True


def _continue(conductor: "Conductor", content: Any) -> None:
    conductor.pause_wished = False


def _stop_trial(conductor: "Conductor", number: Any) -> None:
    """One that runs is asked to stop; one that waits is over at once."""
    process = conductor.fleet.running.get(number)
    row = conductor.trials.rows.get(number)
    if row is None or row.is_over:
        raise SearchError(f"Trial {number} is not running.")
    if process is None:
        conductor.conclude(number, {"state": "stopped", "reason": outcome.BY_HAND})
    else:
        process.is_unwanted = True
        process.say(Stop())


def _enqueue(conductor: "Conductor", values: Mapping[str, Any]) -> None:
    row = conductor.trials.enqueue(values)
    if row is None:
        raise SearchError("This configuration has already been tried.", "See the list of trials.")
    conductor.emit(announcements.proposed(conductor.search, row))
    conductor.tell()


def _space(conductor: "Conductor", described: Mapping[str, Any]) -> None:
    conductor.turn_to(folder.extended(conductor.plan, described))


def _trials(conductor: "Conductor", count: int) -> None:
    conductor.turn_to(replace(conductor.plan, settings=conductor.plan.settings.model_copy(update={"trials": count})))


_VERBS: dict[str, Callable[["Conductor", Any], None]] = {
    "stop": _stop,
    "pause": _pause,
    "continue": _continue,
    "stop-trial": _stop_trial,
    "enqueue": _enqueue,
    "space": _space,
    "trials": _trials,
}


def pass_on(search: Path | None, wish: SearchWish) -> None:
    """Wish something of the search that runs in this process, from any thread.

    Raises:
        SearchError: there is none.
        ConfigError: as `checked`.
    """
    if search is None:
        raise SearchError("No search is running.", "Start one first.")
    verb, content = _wished(wish)
    with Ledger(search / FILE) as ledger:
        checked(ledger, verb, content)


def _wished(wish: SearchWish) -> tuple[str, Any]:
    if isinstance(wish, StopTrial):
        return "stop-trial", wish.number
    if isinstance(wish, Enqueue):
        return "enqueue", wish.values
    return "space", wish.model_dump()["space"]
