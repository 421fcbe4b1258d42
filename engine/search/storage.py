"""Database of a search: its specification, every trial in the order proposed, queued commands to the running search.

One SQLite file in write-ahead mode: a crash leaves each transaction either complete or absent, and any number of
processes may read during a search. Everything else (the oracle, the queue, the best trial) is rebuilt from it.
"""

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from types import NoneType
from typing import Any, Literal, TypedDict, Unpack, cast

from engine.errors import SearchDamaged, SearchError
from engine.search import commands
from engine.search.commands import QueuedCommand
from engine.search.space import lists_to_tuples
from engine.search.storage_check import WRONG_CONTENT, check_tables, check_types, set_limits

FILE_NAME = "ledger.sqlite"
VERSION = 1
# Another process may be inside a transaction.
LOCK_TIMEOUT_S = 30.0
FINAL_STATES = ("finished", "failed", "stopped")
SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, content TEXT NOT NULL);
CREATE TABLE trials (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,  -- tells configurations apart: none is tried twice
    config TEXT NOT NULL,      -- the values that were proposed
    origin TEXT NOT NULL,      -- who proposed it
    place TEXT NOT NULL,       -- where it stands in its algorithm's plan
    state TEXT NOT NULL CHECK (state IN ('proposed', 'running', 'finished', 'failed', 'stopped')),
    reason TEXT NOT NULL DEFAULT '',
    score REAL,                -- NULL where there is none; never NaN or infinite
    run TEXT NOT NULL DEFAULT '',
    best_epoch INTEGER,
    epochs INTEGER NOT NULL DEFAULT 0,
    seconds REAL NOT NULL DEFAULT 0,
    proposed_at REAL NOT NULL
);
CREATE TABLE wishes (number INTEGER PRIMARY KEY AUTOINCREMENT, verb TEXT NOT NULL, content TEXT NOT NULL);
"""
State = Literal["proposed", "running", "finished", "failed", "stopped"]
FinalState = Literal["finished", "failed", "stopped"]


class SearchAttrs(TypedDict, total=False):
    """Attributes of a search as JSON types.

    They are its specification (see `engine.search.search_spec`), the space that it began with, and its W&B sweep.
    """

    base: dict[str, Any]
    space: dict[str, Any]
    settings: dict[str, Any]
    begun_with: dict[str, Any]
    sweep: str


class Place(TypedDict, total=False):
    """Position of a trial in Hyperband's plan; `parent` is the trial that it continues."""

    bracket: int
    rung: int
    parent: int


@dataclass(frozen=True)
class Trial:
    """One row: a configuration and its result.

    Args:
        number: from 1, in the order proposed.
        key: see `engine.search.space.config_key`.
        config: the proposed values, field -> value.
        origin: 'search', 'hand' or 'wandb'.
        place: its position in Hyperband's plan; empty for the other algorithms.
        state: 'proposed', 'running', 'finished', 'failed' or 'stopped'.
        reason: why it failed or was stopped.
        score: its best validation loss per image; None before there is one, and if it failed.
        run: name of its run; empty before it starts.
        best_epoch: the epoch of the score.
        epochs: complete epochs.
        seconds: time spent on training and validation.
    """

    number: int
    key: str
    config: dict[str, Any]
    origin: str = "search"
    place: Place = field(default_factory=Place)
    state: State = "proposed"
    reason: str = ""
    score: float | None = None
    run: str = ""
    best_epoch: int | None = None
    epochs: int = 0
    seconds: float = 0.0
    proposed_at: float = 0.0

    @property
    def is_done(self) -> bool:
        """Return whether the trial has ended."""
        return self.state in FINAL_STATES


@dataclass(frozen=True)
class TrialResult:
    """What an ended trial brings back; the fields are those of `Trial`."""

    state: FinalState
    reason: str = ""
    score: float | None = None
    best_epoch: int | None = None
    epochs: int = 0
    seconds: float = 0.0


class TrialChanges(TypedDict, total=False):
    """Columns of a trial that may change."""

    state: State
    reason: str
    score: float | None
    run: str
    best_epoch: int | None
    epochs: int
    seconds: float


_KINDS = {
    **dict.fromkeys(("number", "epochs"), (int,)),
    **dict.fromkeys(("key", "origin", "state", "reason", "run"), (str,)),
    **dict.fromkeys(("config", "place"), (dict,)),
    **dict.fromkeys(("seconds", "proposed_at"), (int, float)),
    "score": (int, float, NoneType),
    "best_epoch": (int, NoneType),
}
_COLUMNS = [column.name for column in fields(Trial)]


class TrialStorage:
    """Database of one search; a connection of its own, for use in one thread.

    Args:
        path: the SQLite file.

    Raises:
        SearchDamaged: it is not a search database, or cannot be read.
        SearchError: a later version of Engram wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._translate_errors():
            self._connection = sqlite3.connect(path, timeout=LOCK_TIMEOUT_S, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            # An open connection would hold the file's lock against the next one.
            self._connection.close()
            raise

    def _prepare(self) -> None:
        with self._translate_errors():
            set_limits(self._connection)
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise SearchError(f"{self.path} was written by a later version of Engram.", "Update Engram.")
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            if version == 0:
                self._make()
            check_tables(self._connection, SCHEMA)

    def _make(self) -> None:
        with self._transaction():
            if self._connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                for statement in SCHEMA.split(";\n"):
                    self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> "TrialStorage":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def attrs(self) -> SearchAttrs:
        """Return the attributes of the search."""
        with self._translate_errors():
            rows = self._connection.execute("SELECT name, content FROM facts").fetchall()
            return cast(SearchAttrs, {name: json.loads(content) for name, content in rows})

    def set_attrs(self, **facts: Unpack[SearchAttrs]) -> None:
        """Store attributes, all or none; existing ones are overwritten."""
        with self._transaction():
            for name, content in facts.items():
                self._connection.execute("REPLACE INTO facts VALUES (?, ?)", (name, json.dumps(content)))

    def trials(self) -> list[Trial]:
        """Return every trial in the order proposed."""
        with self._translate_errors():
            rows = self._connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM trials ORDER BY number").fetchall()
            return [_trial(row) for row in rows]

    def add_trial(self, key: str, config: Mapping[str, Any], origin: str, place: Place) -> Trial | None:
        """Add a trial after all others. Returns None if its configuration was proposed before."""
        with self._transaction():
            if self._connection.execute("SELECT 1 FROM trials WHERE key = ?", (key,)).fetchone():
                return None
            number = self._connection.execute("SELECT coalesce(max(number), 0) + 1 FROM trials").fetchone()[0]
            trial = Trial(number, key, dict(config), origin, place, proposed_at=time.time())
            row = [_stored(getattr(trial, name)) for name in _COLUMNS]
            self._connection.execute(f"INSERT INTO trials VALUES ({', '.join('?' * len(row))})", row)
        return trial

    def finish_trial(self, number: int, result: TrialResult) -> None:
        """Store the result of a trial."""
        self.update_trial(number, **asdict(result))

    def update_trial(self, number: int, **changes: Unpack[TrialChanges]) -> None:
        """Update columns of a trial, for example with `state="running", run="ae-0001"`."""
        assigned = ", ".join(f"{name} = ?" for name in changes)
        with self._transaction():
            self._connection.execute(f"UPDATE trials SET {assigned} WHERE number = ?", (*changes.values(), number))

    def push_command(self, command: QueuedCommand) -> None:
        """Queue a command for the process that searches, which polls several times a second."""
        row = command.verb, json.dumps(command.to_json())
        with self._transaction():
            self._connection.execute("INSERT INTO wishes (verb, content) VALUES (?, ?)", row)

    def has_commands(self) -> bool:
        """Return whether a command is still queued."""
        with self._translate_errors():
            return self._connection.execute("SELECT 1 FROM wishes LIMIT 1").fetchone() is not None

    def drop_transient_commands(self) -> None:
        """Drop the commands that were meant for the previous search process."""
        verbs = [verb for verb, kind in commands.COMMANDS.items() if kind.is_transient]
        with self._transaction():
            self._connection.executemany("DELETE FROM wishes WHERE verb = ?", [(verb,) for verb in verbs])

    def pop_commands(self) -> list[QueuedCommand]:
        """Remove and return the queued commands in order."""
        if not self.has_commands():
            return []
        with self._transaction():
            rows = self._connection.execute("SELECT verb, content FROM wishes ORDER BY number").fetchall()
            self._connection.execute("DELETE FROM wishes")
            return [commands.from_json(verb, json.loads(content)) for verb, content in rows]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Run the body in one transaction."""
        with self._translate_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Translate SQLite's errors."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise SearchError(
                f"The search database {self.path} cannot be used now ({error}).", "Check that the disk is not full."
            ) from None
        except (sqlite3.DatabaseError, *WRONG_CONTENT) as error:
            advice = "Its runs are kept. Restore the file, or start a search under another name."
            raise SearchDamaged(f"The search database {self.path} cannot be read ({error}).", advice) from None


def _stored(value: Any) -> Any:
    return json.dumps(value, default=list) if isinstance(value, dict) else value


@lru_cache(maxsize=4096)
def _trial(row: tuple[Any, ...]) -> Trial:
    """Return the trial of a row; a row that is read again gives the same object, which is immutable."""
    values = dict(zip(_COLUMNS, row, strict=True))
    trial = Trial(
        **{**values, "config": lists_to_tuples(json.loads(values["config"])), "place": json.loads(values["place"])}
    )
    check_types(trial, _KINDS)
    return trial
