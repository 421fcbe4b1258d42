"""Exports of every panel: a figure, a Python script that repeats the actions, and the box that follows the writing."""

from collections.abc import Callable
from pathlib import Path
from pprint import pformat
from typing import Any, Protocol
from uuid import uuid4

import numpy as np
from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from engine import config as settings
from engine.config import DataConfig, RunConfig
from engine.messages import ExportFigure, ExportFigureReply, RequestFailed
from gui.explorer_client import RequestHandle
from gui.formatting import format_count
from gui.panel import Panel
from gui.pixmaps import Array
from gui.widgets.card import NoticeBox

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


CANCEL, SHOW = "Cancel", "Show in folder"


class WrittenReply(Protocol):
    """A reply that names the file that was written."""

    path: str


class ExportBox(NoticeBox):
    """A notice with the progress of one request at a time.

    Args:
        progress: text of the progress, with {done} and {total}.
    """

    ended = Signal()

    def __init__(self, progress: str) -> None:
        super().__init__(kind="info")
        self.open_url = QDesktopServices.openUrl
        self._progress, self._saved = progress, ""
        self._handle: RequestHandle | None = None
        self.action_requested.connect(self._on_action)

    def is_busy(self) -> bool:
        """Return whether a file is being written."""
        return self._handle is not None

    def follow(self, handle: RequestHandle, text: str) -> None:
        """Follow a request that has just been sent, and show a text until it progresses."""
        self._handle = handle
        handle.finished.connect(self._on_saved)
        handle.failed.connect(self._on_failed)
        handle.progressed.connect(self._on_progressed)
        self.show_notice(text, "info", CANCEL)

    def _on_progressed(self, done: int, total: int) -> None:
        self.show_notice(self._progress.format(done=format_count(done), total=format_count(total)), "info", CANCEL)

    def _on_saved(self, reply: WrittenReply) -> None:
        self._saved = reply.path
        self._end(f"Saved to {reply.path}", SHOW)

    def _on_failed(self, failure: RequestFailed) -> None:
        self._handle = None
        self.show_notice(failure.sentence)
        self.ended.emit()

    def _on_action(self) -> None:
        """Cancel what is being written, or show what was saved."""
        if self._handle is None:
            self.open_url(QUrl.fromLocalFile(str(Path(self._saved).parent)))
            return
        self._handle.cancel()
        self._end("Canceled; nothing was saved.")

    def _end(self, text: str, action: str = "") -> None:
        self._handle = None
        self.show_notice(text, "info", action)
        self.ended.emit()
