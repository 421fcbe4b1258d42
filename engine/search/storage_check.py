"""Checks of a search database that may come from a stranger: its tables, their size, the types of their values.

SQLite runs the views and triggers of a file that it opens; a view can be endless.
"""

import re
import sqlite3
from collections.abc import Mapping
from typing import Any, Final

# What parsing a value of the wrong kind raises.
WRONG_CONTENT: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
MAX_ROWS: Final = {"facts": 1_000, "trials": 1_000_000, "wishes": 10_000}
MAX_VALUE_BYTES: Final = 2**24
ADDED_BY_SQLITE: Final = re.compile(r"sqlite_(autoindex_\w+|sequence|stat\d)")


def set_limits(connection: sqlite3.Connection) -> None:
    """Limit the size of a value, and trust no function in the tables of a file."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)


def check_tables(connection: sqlite3.Connection, schema: str) -> None:
    """Check that a database holds the tables of a search and nothing else.

    Raises:
        ValueError: it holds views, triggers, other tables or too many rows; the text says which.
        sqlite3.DatabaseError: it is damaged.
    """
    wanted = {_normalize(statement) for statement in schema.split(";\n") if statement.strip()}
    found = set()
    for kind, name, statement in connection.execute("SELECT type, name, sql FROM sqlite_master LIMIT 100"):
        if not ADDED_BY_SQLITE.fullmatch(str(name)):
            found.add(_normalize(str(statement)))
        if kind not in ("table", "index"):
            raise ValueError(f"it contains a {kind}, which no search writes")
    if found != wanted:
        raise ValueError("it contains other tables than those of a search")
    for table, most in MAX_ROWS.items():
        if connection.execute(f"SELECT 1 FROM {table} LIMIT 1 OFFSET {most}").fetchone():
            raise ValueError(f"the table {table} has more than {most:,} rows")


def _normalize(statement: str) -> str:
    """Return a statement without comments and spaces."""
    return re.sub(r"--[^\n]*|\s+|;", "", statement)


def check_types(trial: Any, kinds: Mapping[str, tuple[type, ...]]) -> None:
    """Check the types of a trial's values, which SQLite does not.

    Args:
        trial: the trial.
        kinds: the types that each value may have.

    Raises:
        TypeError: one has another type; the text says which.
    """
    for name, allowed in kinds.items():
        value = getattr(trial, name)
        if not isinstance(value, allowed):
            raise TypeError(f"'{name}' of a trial is {value!r:.40}")
