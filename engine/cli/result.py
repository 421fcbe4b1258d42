"""Result of a command, formatted for people and for programs."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.study_folder import to_json_safe

USER_ERROR, INTERRUPTED = 2, 130


@dataclass(frozen=True)
class CommandResult:
    """The result of a command.

    Args:
        text: the text for people.
        content: the output of `--json`; numbers that are not finite become null.
        status: the exit status.
    """

    text: str
    content: Any
    status: int = 0

    def render(self, as_json: bool) -> str:
        """Format the result for stdout."""
        return (json.dumps(to_json_safe(self.content), indent=2) if as_json else self.text) + "\n"


def format_table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> str:
    """Format a table; `align` has '<' or '>' for each column."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    cells = [[f"{text:{side}{width}}" for text, side, width in zip(line, align, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in cells)


def number(value: float | None, digits: int = 4) -> str:
    """Format a number: with thousands separators, small ones with `digits` significant digits, '–' if there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}g}"


def decimals(value: float | None, places: int) -> str:
    """Format a number with fixed decimal places, '–' if there is none."""
    return "–" if value is None or not math.isfinite(value) else f"{value:,.{places}f}"


def duration(seconds: float) -> str:
    """Format a time span, such as '4 min 10 s'."""
    whole = max(0, round(seconds)) if math.isfinite(seconds) else 0
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
