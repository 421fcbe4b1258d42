"""The search job: asks for trials, trains each in a process of its own, and notes what came of it.

Killed at any moment, it goes on inside the trials that were running, from their last epochs, and ends up with the same
trials, order, proposals and weights as without the kill (weights: TensorFlow on the CPU in deterministic mode). It
computes nothing itself.
"""

from engine.errors import EngramError
from engine.messages import Emit, SearchEnded, SearchStarted, ShouldStop, ignore, never
from engine.messages import Search as Order
from engine.search import folder, outcome
from engine.search.conductor import Conductor, Wishes
from engine.search.folder import Search
from engine.search.ledger import Ledger


def search(
    order: Order, *, emit: Emit = ignore, should_stop: ShouldStop = never, is_paused: ShouldStop = never
) -> Search:
    """Search for good settings, or go on with a search.

    Args:
        order: what to search; the name alone goes on with a search of that name.
        emit: takes each event as it happens.
        should_stop: asked several times a second; True ends the trials that run, to be gone on with, and the search.
        is_paused: asked as often; True holds the trials that run.

    Returns:
        The search; its ledger has the trials.

    Raises:
        EngramError: what is wrong with the order, or why the search cannot go on.
    """
    begun = folder.prepare(order)
    with begun.lock(), begun.ledger() as ledger:
        plan = folder.updated(ledger, order)
        if order.retry_failed:
            _retry(ledger)
        described = plan.space.described()
        started = SearchStarted(
            search=begun.name,
            path=str(begun.path),
            base=plan.base,
            space=described,
            settings=plan.settings,
            size=plan.space.size(),
        )
        emit(started)
        try:
            ended = Conductor(begun, ledger, emit, Wishes(should_stop, is_paused)).conduct()
        except EngramError as error:
            emit(SearchEnded(search=begun.name, state="failed", reason=error.what, advice=error.advice))
            raise
    emit(ended)
    return begun


def _retry(ledger: Ledger) -> None:
    """Let failed trials be tried again, but for those that came to their end without a finite loss."""
    for row in ledger.trials():
        if row.state == "failed" and row.reason != outcome.NO_NUMBER:
            ledger.note(row.number, state="proposed", reason="")
