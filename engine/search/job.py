"""The search job: proposes trials, trains each in a process of its own, and records the results.

Killed at any moment, it resumes the trials that were running from their last epochs, and ends with the same trials,
order, proposals and weights as without the kill (weights: TensorFlow on the CPU in deterministic mode). It trains
nothing in its own process.
"""

from engine.errors import EngramError
from engine.messages import Emit, SearchEnded, SearchStarted, ShouldStop, discard_event, never_stop
from engine.messages import Search as Order
from engine.search import folder, search_spec, trial_pool
from engine.search.folder import SearchFolder
from engine.search.runner import SearchRunner, StopAndPause
from engine.search.storage import TrialStorage


def search(
    command: Order,
    *,
    emit: Emit = discard_event,
    should_stop: ShouldStop = never_stop,
    is_paused: ShouldStop = never_stop,
) -> SearchFolder:
    """Search for good settings, or resume a search.

    Args:
        command: what to search; the name alone resumes the search of that name.
        emit: receives each event as it happens.
        should_stop: polled several times a second; True stops the search and its trials, which can be resumed.
        is_paused: polled as often; True pauses the running trials.

    Returns:
        The search; its database has the trials.

    Raises:
        EngramError: the command is not valid, or the search cannot continue.
    """
    begun = folder.prepare_folder(command)
    with begun.lock(), begun.open_storage() as storage:
        spec = search_spec.save_merged_command(storage, command)
        if command.retry_failed:
            _reset_failed(storage)
        described = spec.space.to_dict()
        started = SearchStarted(
            search=begun.name,
            path=str(begun.path),
            base=spec.base,
            space=described,
            settings=spec.settings,
            size=spec.space.size(),
        )
        emit(started)
        try:
            ended = SearchRunner(begun, storage, emit, StopAndPause(should_stop, is_paused)).run()
        except EngramError as error:
            emit(SearchEnded(search=begun.name, state="failed", reason=error.what, advice=error.advice))
            raise
    emit(ended)
    return begun


def _reset_failed(storage: TrialStorage) -> None:
    """Queue failed trials again, except those that completed without a finite loss."""
    for row in storage.trials():
        if row.state == "failed" and row.reason != trial_pool.NO_NUMBER:
            storage.update_trial(row.number, state="proposed", reason="")
