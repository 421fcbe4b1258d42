"""Contents of a study, read from study.json: its runs, its numbers, its tables and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RUNS_HEAD = ("Run", "Model", "State", "Epochs", "Best", "Validation loss", "Learning rate", "Batch", "Latent")
LEFT = 3


@dataclass(frozen=True)
class ContentsItem:
    """One item to show.

    Args:
        key: its key.
        title: its title.
        kind: 'table' or 'figure'.
        caption: a sentence or more below it.
        head: titles of a table's columns.
        rows: texts of a table.
        left: how many of its columns are words.
        files: kind of file -> path, such as 'png' and 'pdf'.
    """

    key: str
    title: str
    kind: str
    caption: str = ""
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    left: int = 1
    files: Mapping[str, Path] = field(default_factory=dict)


def items(record: Mapping[str, Any], folder: Path) -> list[ContentsItem]:
    """List the contents of a study: the numbers first, then the current state of its runs, then tables and figures.

    Invalid entries are skipped: the file may be of another version, or damaged.
    """
    found = [item for entry in record.get("contents") or [] if (item := _item(entry, folder))]
    runs = [run for run in record.get("runs") or [] if isinstance(run, Mapping)]
    numbers = [item for item in found if item.key == "numbers"]
    others = [item for item in found if item.key not in ("numbers", "runs")]
    now = (
        [ContentsItem("runs", "Runs", "table", head=RUNS_HEAD, rows=[_run(run) for run in runs], left=LEFT)]
        if runs
        else []
    )
    return [*numbers, *now, *others]


def _item(entry: Any, folder: Path) -> ContentsItem | None:
    if not isinstance(entry, Mapping) or not all(isinstance(entry.get(key), str) for key in ("key", "title", "kind")):
        return None
    files = {str(kind): folder / str(path) for kind, path in dict(entry.get("files") or {}).items()}
    rows = [[str(cell) for cell in row] for row in entry.get("rows") or []]
    head = [str(title) for title in entry.get("head") or []]
    if entry["kind"] == "table" and any(len(row) != len(head) for row in rows):
        return None
    left = entry.get("left")
    return ContentsItem(
        entry["key"],
        entry["title"],
        entry["kind"],
        str(entry.get("caption") or ""),
        head,
        rows,
        left if isinstance(left, int) else 1,
        files,
    )


def _run(run: Mapping[str, Any]) -> list[str]:
    done, goal = run.get("epochs_done"), run.get("epochs")
    loss = run.get("best_loss")
    shown = "–" if not isinstance(loss, int | float) else f"{loss:,.1f} nats per image" if loss > 1 else f"{loss:.6f}"
    settings = [_number(run.get(name)) for name in ("learning_rate", "batch_size", "latent")]
    words = [str(run.get("name", "")), str(run.get("model", "")).upper(), str(run.get("state", ""))]
    return [*words, f"{_number(done)} of {_number(goal)}", _number(run.get("best_epoch")), shown, *settings]


def _number(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float) else "–"
