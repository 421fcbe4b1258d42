"""Result of a command, formatted for people and for programs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.study_folder import to_json_safe


@dataclass(frozen=True)
class CommandResult:
    """The result of a command.

    Args:
        text: the text for people.
        content: the output of `--json`; numbers that are not finite become null. None: the command prints nothing.
        status: the exit status.
    """

    text: str
    content: Any
    status: int = 0

    def render(self, as_json: bool) -> str:
        """Format the result for stdout."""
        if self.content is None:
            return ""
        return (json.dumps(to_json_safe(self.content), indent=2) if as_json else self.text) + "\n"


def format_table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str) -> str:
    """Format a table; `align` has '<' or '>' for each column."""
    lines = [head, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    cells = [[f"{text:{side}{width}}" for text, side, width in zip(line, align, widths, strict=True)] for line in lines]
    return "\n".join("  ".join(line).rstrip() for line in cells)
