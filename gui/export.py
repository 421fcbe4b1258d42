"""Exports of every panel: a figure of what it shows, and a Python script that repeats the user's actions."""

from collections.abc import Callable
from pathlib import Path
from pprint import pformat
from typing import Any
from uuid import uuid4

import numpy as np
from PySide6.QtCore import QObject, Signal

from engine import config as settings
from engine.config import DataConfig, RunConfig
from engine.messages import ExportFigure, ExportFigureReply, RequestFailed
from gui.panel import Panel
from gui.pixmaps import Array

FIGURES = "PDF (*.pdf);;SVG (*.svg);;PNG image (*.png)"
WIDTH = 100


class FigureExporter(QObject):
    """An exporter that asks for a path and has the explorer draw a figure; failed carries a sentence or an empty text.

    `ask_path` is the dialog of the panel, which says where the figure was saved.
    """

    failed = Signal(str)

    def __init__(self, panel: Panel) -> None:
        super().__init__(panel)
        self._panel = panel
        self._arrays: list[Path] = []

    def ask(self, ask: Callable[..., Any], name: str) -> str:
        """Return the chosen path, empty if none was chosen; the suggested name has no signs that a system forbids."""
        words = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name)
        return self._panel.ask_to_save(ask, "Export figure", f"{words}.pdf", FIGURES)

    def save_array(self, values: Array) -> str:
        """Write an array for the explorer, which the reply removes; return its path. Raises OSError."""
        folder = self._panel.session.scratch
        folder.mkdir(exist_ok=True)
        path = folder / f"figure-{uuid4().hex}.npy"
        np.save(path, np.asarray(values, np.float32), allow_pickle=False)
        self._arrays.append(path)
        return str(path)

    def write(self, make: Callable[[], ExportFigure]) -> None:
        """Send the request that a function makes of saved arrays."""
        try:
            handle = self._panel.session.request(make())
        except OSError as error:
            self.failed.emit(f"The figure could not be prepared ({error.strerror}). Free some disk space.")
            return
        self.failed.emit("")
        handle.finished.connect(self._on_written)
        handle.failed.connect(self._on_failed)

    def _on_written(self, reply: ExportFigureReply) -> None:
        self._remove_arrays()
        self._panel.report_saved(reply.path)

    def _on_failed(self, failure: RequestFailed) -> None:
        self._remove_arrays()
        self.failed.emit(failure.sentence)

    def _remove_arrays(self) -> None:
        for path in self._arrays:
            path.unlink(missing_ok=True)
        self._arrays.clear()


def non_default_settings(config: RunConfig) -> str:
    """Return the settings that differ from the defaults of their model, as Python."""
    model = config.model.model
    plain = settings.to_flat(settings.from_flat({"model": model}))
    values: dict[str, Any] = {"model": model} if model != RunConfig().model.model else {}
    values |= {name: value for name, value in settings.to_flat(config).items() if value != plain[name]}
    return pformat(values, width=WIDTH, sort_dicts=False)


def changed_data(config: DataConfig) -> str:
    """Return a DataConfig as Python, with the fields that differ from the defaults."""
    plain = DataConfig().model_dump()
    values = [f"{name}={value!r}" for name, value in config.model_dump().items() if value != plain[name]]
    return f"engine.config.DataConfig({', '.join(values)})"


def read_images(places: tuple[str, list[int]], opened: tuple[str, int] | None) -> list[str]:
    """Return the lines of a script that define `read(size)`: the shown images as a model of a size sees them.

    Args:
        places: a split and indices in it.
        opened: path and slice of a file, if that is shown instead.
    """
    if opened is None:
        content = f"engine.data.load(config=config).splits[{places[0]!r}].read({places[1]})"
    else:
        content = f"engine.data.prepare(engine.data.open_scan({opened[0]!r}), config, {opened[1]})[None, ..., None]"
    return [
        "def read(size):",
        "    config = data.model_copy(update={'size': size})",
        f"    return {content}",
        "",
    ]


def join_script(*lines: str, imports: tuple[str, ...] = ("import engine",)) -> str:
    """Return lines as a script."""
    return "\n".join([*imports, "", *lines, ""])
