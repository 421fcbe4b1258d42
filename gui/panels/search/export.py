"""Exports of the panel: the lines as a figure, the trials as a table, and a script of the search."""

from collections.abc import Callable
from pathlib import Path
from pprint import pformat
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from engine.messages import Search
from gui.export import WIDTH, join_script, non_default_settings
from gui.panel import DISCLAIMER
from gui.panels.search.snapshot import SearchSnapshot, progress_text
from gui.panels.search.trial_rows import write_csv
from gui.widgets.parallel.view import ParallelView, write_pdf, write_png

KINDS = {"png": "PNG image (*.png)", "pdf": "PDF, vector graphics (*.pdf)", "csv": "CSV table of all trials (*.csv)"}
IMPORTS = ("from engine import config", "from engine.messages import Search", "from engine.search import job")
SHOWN = (
    "with search.open_storage() as storage:",
    "    for trial in storage.trials():",
    "        print(trial.number, trial.state, trial.score, trial.config, trial.reason)",
)


class SearchExporter(QObject):
    """Exporter that asks for a path and writes the format of its suffix; it reports an error as one sentence."""

    failed = Signal(str)

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.ask_path: Callable[..., tuple[str, str]] = QFileDialog.getSaveFileName

    def export(self, found: SearchSnapshot | None, view: ParallelView) -> None:
        """Export the shown search."""
        if found is None or not view.model.lines.keys:
            self.failed.emit("Nothing to export yet. Wait until a trial has finished.")
            return
        kinds = ";;".join(KINDS.values())
        path, kind = self.ask_path(self._window, "Export search", f"{found.name}.png", kinds)
        if not path:
            return
        named = Path(path)
        chosen = next((end for end, title in KINDS.items() if title == kind), "png")
        ending = named.suffix.lstrip(".").lower()
        if ending not in KINDS:
            named, ending = named.with_name(f"{named.name}.{chosen}"), chosen
        heading = f"Search {found.name} · {progress_text(found)}"
        try:
            if ending == "csv":
                write_csv(found, named, f"{heading} · {DISCLAIMER}")
            else:
                (write_pdf if ending == "pdf" else write_png)(view, named, heading, f"Engram · {DISCLAIMER}")
        except OSError as error:
            self.failed.emit(f"Could not write {named} ({error.strerror or error}). Choose another folder.")


def command_for(found: SearchSnapshot) -> Search:
    """Return the command that reproduces a search in its present state."""
    plan = found.plan
    chosen = plan.settings.model_dump(mode="json", exclude_defaults=True)
    root = str(found.search.path.parent.parent)
    return Search(name=found.name, root=root, base=plan.base, space=plan.space.to_dict(), settings=chosen)


def search_script(order: Search) -> str:
    """Return a script that starts the search, or resumes the one of that name."""
    parts: dict[str, Any] = {"space": order.space, "settings": order.settings}
    base = non_default_settings(order.base) if order.base else "{}"
    return join_script(
        f"base = config.from_flat({base})",
        *(f"{name} = {pformat(value, width=WIDTH, sort_dicts=False)}" for name, value in parts.items()),
        f"order = Search(name={order.name!r}, root={order.root!r}, base=base, space=space, settings=settings)",
        "search = job.search(order)",
        *SHOWN,
        imports=IMPORTS,
    )
