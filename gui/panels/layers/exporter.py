"""Figure and numbers of what is seen, written to files of the user's choice."""

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from gui.figure_export import FIGURES, save_figure
from gui.panels.layers.numbers_table import table_text
from gui.panels.layers.presenter import LayersPresenter
from gui.widgets.notice import NoticeBox


class LayersExporter(QObject):
    """Asks where to; says what went wrong."""

    def __init__(self, showing: LayersPresenter, notice: NoticeBox, parent: QObject) -> None:
        super().__init__(parent)
        self._showing, self._notice = showing, notice
        self.ask_path = QFileDialog.getSaveFileName

    def caption(self) -> str:
        """What is shown, in words."""
        choice = self._showing.choice
        run = choice.run.replace("\\", "/").rsplit("/", 1)[-1]
        return f"{run} · {choice.layer} · {choice.scan.title if choice.scan else ''}"

    def write_figure(self) -> None:
        """The channels as they are seen, or the large pictures."""
        card = self._showing.cards.mosaic
        path = self._ask("Export figure", "layers.png", FIGURES)
        if path and not save_figure(card, self.caption(), path):
            self._notice.show_notice(f"Could not write the figure to {path}. Choose another folder.")

    def write_numbers(self) -> None:
        """The numbers of all channels, every one in full."""
        path = self._ask("Export channel statistics", "channels.csv", "*.csv")
        if not path:
            return
        numbers, over = self._showing.numbers()
        try:
            Path(path).write_text(table_text(numbers, f"{self.caption()} · {over}"), encoding="utf-8")
        except OSError as error:
            reason = f"Could not write the values to {path} ({error.strerror}). Choose another folder."
            self._notice.show_notice(reason)

    def _ask(self, title: str, name: str, kinds: str) -> str:
        """Ask for a path; there is nothing to write before anything is shown."""
        if self._showing.seen is None:
            self._notice.show_notice("Nothing to export yet. Choose a run and an image first.", "info")
            return ""
        return str(self.ask_path(self._showing.cards, title, name, kinds)[0])
