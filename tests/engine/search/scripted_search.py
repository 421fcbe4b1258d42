"""A search in the process of the test, on the fake executor, and a user who acts by a script."""

from collections.abc import Callable, Generator

from engine.messages import Event, Search, SearchEnded
from engine.search import commands, folder, job
from engine.search.storage import Trial

User = Generator[None, Event, None]


def wait_for(kind: type[Event], **values) -> Generator[None, Event, Event]:
    """Let a user's script wait: `event = yield from wait_for(TrialEnded, number=2)`."""
    while True:
        event = yield
        if isinstance(event, kind) and all(getattr(event, name) == value for name, value in values.items()):
            return event


class ScriptedSearch:
    """One search, begun or resumed once.

    Args:
        order: what to search.
        user: a script that takes each event and may `request`; the search must get to its end. None only watches.

    Attributes:
        events: all that the search told, in order.
        on_event: called with each event as it is told.
    """

    def __init__(self, order: Search, user: Callable[["ScriptedSearch"], User] | None = None) -> None:
        self.order, self.events = order, []
        self.on_event: Callable[[Event], None] = lambda event: None
        self._user = user(self) if user else None
        if self._user:
            next(self._user)

    def run(self, **asked) -> "ScriptedSearch":
        """Search until it ends; `asked` are the arguments `should_stop` and `is_paused` of the job."""
        job.search(self.order, emit=self._take, **asked)
        assert self._user is None, "the search ended before its user's script did"
        return self

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self.on_event(event)
        if self._user:
            try:
                self._user.send(event)
            except StopIteration:
                self._user = None

    def request(self, verb: str, content=None) -> None:
        """Ask something of the search through its ledger, as another process does."""
        folder.open_search(self.order.name, self.order.root).send(commands.from_json(verb, content))

    @property
    def ended(self) -> str:
        """How it ended."""
        (event,) = self.told(SearchEnded)
        return event.state

    def told(self, kind: type[Event], **values) -> list[Event]:
        """Return the events of a kind, in order."""
        return [
            event
            for event in self.events
            if isinstance(event, kind) and all(getattr(event, name) == value for name, value in values.items())
        ]

    @property
    def trials(self) -> list[Trial]:
        """Its trials as the ledger has them now."""
        with folder.open_search(self.order.name, self.order.root).open_storage() as ledger:
            return ledger.trials()
