"""Commands to a running search, from another process or from the app, by way of its database."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from engine import messages


@dataclass(frozen=True)
class QueuedCommand:
    """Base of the commands. One field at most, which is the content that the database stores as JSON.

    A transient one is about the process that searches now; any other stays queued until the next process searches.
    """

    verb: ClassVar[str]
    is_transient: ClassVar[bool] = False

    def to_json(self) -> Any:
        """Return the content of the command as JSON types; None if it has none."""
        return next((getattr(self, field.name) for field in fields(self)), None)


@dataclass(frozen=True)
class StopSearch(QueuedCommand):
    """Stop the search and its trials, which can be resumed."""

    verb = "stop"
    is_transient = True


@dataclass(frozen=True)
class PauseSearch(QueuedCommand):
    """Pause the running trials."""

    verb = "pause"
    is_transient = True


@dataclass(frozen=True)
class ContinueSearch(QueuedCommand):
    """Continue the paused trials."""

    verb = "continue"
    is_transient = True


@dataclass(frozen=True)
class EndTrial(QueuedCommand):
    """Stop one trial and keep its run; the search continues."""

    number: int

    verb = "stop-trial"
    is_transient = True


@dataclass(frozen=True)
class AddTrial(QueuedCommand):
    """Try these values next: field -> value."""

    values: Mapping[str, Any]

    verb = "enqueue"


@dataclass(frozen=True)
class ReplaceSpace(QueuedCommand):
    """Continue in another space, given as in a space file; the trials so far stay."""

    space: Mapping[str, Any]

    verb = "space"


@dataclass(frozen=True)
class ChangeTrialCount(QueuedCommand):
    """Change the total number of trials."""

    count: int

    verb = "trials"


COMMANDS: dict[str, type[QueuedCommand]] = {
    kind.verb: kind
    for kind in (StopSearch, PauseSearch, ContinueSearch, EndTrial, AddTrial, ReplaceSpace, ChangeTrialCount)
}


def from_json(verb: str, content: Any) -> QueuedCommand:
    """Return the command that the database, the command line or a form has as a verb and its content.

    Raises:
        KeyError: there is no such verb.
        TypeError: its content is of another type.
    """
    kind = COMMANDS[verb]
    for field in fields(kind):
        if not isinstance(content, int if field.type is int else dict):
            raise TypeError(f"the content of the command '{verb}' is {content!r:.40}")
    return kind(content) if fields(kind) else kind()  # type: ignore[call-arg]


def from_message(message: messages.SearchCommand) -> QueuedCommand:
    """Return the command that a message of the app asks for."""
    if isinstance(message, messages.StopTrial):
        return EndTrial(message.number)
    if isinstance(message, messages.EnqueueTrial):
        return AddTrial(message.values)
    return ReplaceSpace(message.model_dump()["space"])
