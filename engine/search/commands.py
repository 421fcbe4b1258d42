"""Commands to a running search, from another process or from the app, by way of its database."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import SearchError
from engine.messages import EnqueueTrial, SearchCommand, Stop, StopTrial
from engine.search import search_spec, statistics
from engine.search.storage import FILE_NAME, TrialResult, TrialStorage

if TYPE_CHECKING:
    from engine.search.job import SearchRunner
from engine import config
from engine.config import SearchConfig
from engine.errors import ConfigError

# Commands about the running search; the others stay queued until the next process searches.
TRANSIENT = ("stop", "pause", "continue", "stop-trial")


def submit_checked(storage: TrialStorage, verb: str, content: Any) -> None:
    """Check a command and queue it for the search, so that an error reaches the sender and not the searching process.

    Raises:
        ConfigError: the values or the space are not valid.
    """
    spec = search_spec.spec_from_attrs(storage)
    if verb == "enqueue":
        if not content:
            raise ConfigError("No values given.", 'Example: {"latent": 256}')
        config.from_flat(content, spec.base)
    elif verb == "space":
        search_spec.with_space(spec, content)
    elif verb == "trials":
        config.validate(SearchConfig, {"trials": content})
    storage.push_command(verb, content)


def drop_stale(storage: TrialStorage) -> None:
    """Drop the commands that were meant for the previous search process."""
    kept = [(verb, content) for verb, content in storage.pop_commands() if verb not in TRANSIENT]
    for verb, content in kept:
        storage.push_command(verb, content)


def apply_command(runner: "SearchRunner", verb: str, content: Any) -> None:
    """Carry out a command.

    Raises:
        EngramError: the command cannot be carried out; the message is for its sender.
    """
    _VERBS[verb](runner, content)


def _stop(runner: "SearchRunner", content: Any) -> None:
    runner.stop_requested = True


def _pause(runner: "SearchRunner", content: Any) -> None:
    runner.pause_requested = True


def _continue(runner: "SearchRunner", content: Any) -> None:
    runner.pause_requested = False


def _stop_trial(runner: "SearchRunner", number: Any) -> None:
    """Ask a running trial to stop; end a waiting one at once."""
    process = runner.pool.running.get(number)
    row = runner.trials.rows.get(number)
    if row is None or row.is_done:
        raise SearchError(f"Trial {number} is not running.")
    if process is None:
        runner.finish_trial(number, TrialResult("stopped", statistics.BY_HAND, epochs=row.epochs, seconds=row.seconds))
    else:
        process.stop_requested = True
        process.send(Stop())


def _enqueue(runner: "SearchRunner", values: Mapping[str, Any]) -> None:
    row = runner.trials.enqueue(values)
    if row is None:
        raise SearchError("This configuration has already been tried.", "See the list of trials.")
    runner.emit_proposed(row)
    runner.emit_state()


def _space(runner: "SearchRunner", described: Mapping[str, Any]) -> None:
    runner.replace_spec(search_spec.with_space(runner.spec, described))


def _trials(runner: "SearchRunner", count: int) -> None:
    runner.replace_spec(replace(runner.spec, settings=runner.spec.settings.model_copy(update={"trials": count})))


_VERBS: dict[str, Callable[["SearchRunner", Any], None]] = {
    "stop": _stop,
    "pause": _pause,
    "continue": _continue,
    "stop-trial": _stop_trial,
    "enqueue": _enqueue,
    "space": _space,
    "trials": _trials,
}


def submit(search: Path | None, command: SearchCommand) -> None:
    """Queue a command for the search that runs in this process, from any thread.

    Raises:
        SearchError: no search runs here.
        ConfigError: see `submit_checked`.
    """
    if search is None:
        raise SearchError("No search is running.", "Start one first.")
    verb, content = _to_verb(command)
    with TrialStorage(search / FILE_NAME) as storage:
        submit_checked(storage, verb, content)


def _to_verb(command: SearchCommand) -> tuple[str, Any]:
    if isinstance(command, StopTrial):
        return "stop-trial", command.number
    if isinstance(command, EnqueueTrial):
        return "enqueue", command.values
    return "space", command.model_dump()["space"]
