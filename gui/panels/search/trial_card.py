"""The card of one trial: its values and score, reconstructions of three validation images, and its actions."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from engine.messages import Reconstruct, Reconstructions, ReconstructReply, RequestFailed
from engine.search.storage import Trial
from gui.formatting import format_duration, format_fixed, format_number
from gui.loaded_data import source_title
from gui.panels.search.snapshot import SearchSnapshot
from gui.panels.search.space_draft import title
from gui.panels.search.trial_rows import shown, state, trial_number
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.image_view import UNKNOWN, ImageView
from gui.widgets.labels import label, set_style_property
from gui.widgets.view_state import ViewState

PANEL = "search"
COLUMNS, CELL_PX = 3, 88
NONE = "Select a trial in the table, or click its line, to see its results and reconstructions."
NO_SCANS = "Load a dataset in Data to see reconstructions."
NO_MODEL = "This trial has no saved model."


class TrialPreview(QWidget):
    """A preview with originals above reconstructions, a shared window/level, and metrics below."""

    def __init__(self) -> None:
        super().__init__()
        self.light = ViewState(parent=self)
        self.views = [[ImageView(self.light) for _ in range(COLUMNS)] for _ in range(2)]
        self.captions = [label(role="caption") for _ in range(COLUMNS)]
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(6)
        for row, views in enumerate(self.views):
            for column, view in enumerate(views):
                view.setFixedSize(CELL_PX, CELL_PX)
                view.setAccessibleName(f"{('original', 'reconstruction')[row]} {column + 1}")
                grid.addWidget(view, row, column)
        for column, caption in enumerate(self.captions):
            caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
            grid.addWidget(caption, 2, column)
        grid.setColumnStretch(COLUMNS, 1)

    def show_reconstructions(self, found: Reconstructions) -> None:
        """Show the reconstructions of the trial below their originals."""
        for column in range(COLUMNS):
            there = column < len(found.images)
            for row, images in enumerate((found.originals, found.images)):
                self.views[row][column].set_image(images[column] if there else None)
                self.views[row][column].setVisible(there)
            psnr = found.psnr_db[column] if there else None
            self.captions[column].setText("" if psnr is None else f"{format_fixed(psnr, 1)} dB")


class TrialCard(Card):
    """A card of the selected trial; it requests reconstructions again when the model or the dataset changes."""

    keep_wanted = Signal(int)
    compare_wanted = Signal(list)
    stop_wanted = Signal(int)

    def __init__(self, session: Session) -> None:
        super().__init__("Trial")
        self._session = session
        self.facts, self.reason = label(role="caption", wrap=True), label(role="danger", wrap=True)
        self.pictures, self.said = TrialPreview(), label(NONE, role="caption", wrap=True)
        self.keep, self.compare = Button("Save as run…", "primary"), Button("Open in Compare")
        self.stop = Button("Stop this trial", "danger", "stop")
        self.trial: Trial | None = None
        self._question: object = None
        self._path = ""
        buttons = QHBoxLayout()
        for button in (self.keep, self.compare, self.stop):
            buttons.addWidget(button)
        buttons.addStretch()
        for part in (self.facts, self.reason, buttons, self.pictures, self.said):
            self.add(part)
        self.body.addStretch()
        self.keep.clicked.connect(lambda: self.trial and self.keep_wanted.emit(self.trial.number))
        self.compare.clicked.connect(lambda: self.trial and self.compare_wanted.emit([self.trial.number]))
        self.stop.clicked.connect(lambda: self.trial and self.stop_wanted.emit(self.trial.number))
        self.show_trial(None, None)

    def show_trial(self, found: SearchSnapshot | None, trial: Trial | None) -> None:
        """Show a trial, or none (None)."""
        self.trial = trial
        for part in (self.facts, self.keep, self.compare):
            part.setVisible(trial is not None)
        self.reason.setVisible(bool(trial and trial.reason))
        self.stop.setVisible(bool(found and found.busy and trial and not trial.is_done))
        if found is None or trial is None:
            self.set_title("Trial")
            self.set_subtitle("")
            self._forget(NONE)
            return
        star = "★ " if trial_number(trial, found.best).is_best else ""
        self.set_title(f"{star}Trial {trial.number}")
        self.set_subtitle(state(found, trial))
        self.facts.setText(trial_text(trial))
        self.reason.setText(trial.reason)
        set_style_property(self.reason, role="danger" if trial.state == "failed" else "caption")
        self.keep.setEnabled(trial.is_done and trial.score is not None)
        self.compare.setEnabled(bool(trial.epochs))
        self._ask(found, trial)

    def _ask(self, found: SearchSnapshot, trial: Trial) -> None:
        data, record = self._session.data, self._session.record(trial.run)
        if not trial.epochs or record is None or not record.run.model_path.exists():
            self._forget(NO_MODEL if trial.is_done else "Reconstructions appear here after the first epoch.")
            return
        if data is None or not data.size("validation"):
            self._forget(NO_SCANS)
            return
        count = data.size("validation")
        indices = tuple(sorted({(2 * place + 1) * count // (2 * COLUMNS) for place in range(COLUMNS)}))
        path = str(record.run.path)
        question = (path, record.best.epoch if record.best else 0, data.fingerprint, indices)
        if question == self._question:
            return
        if path != self._path:
            self.pictures.hide()
            self.said.setText("Reconstructing three validation images…")
        self._question, self._path = question, path
        place = {"data": data.config, "split": "validation", "indices": indices}
        handle = self._session.request(Reconstruct(panel=PANEL, runs=(path,), **place))
        handle.finished.connect(self._on_reconstructed)
        handle.failed.connect(self._on_failed)

    def _forget(self, text: str) -> None:
        self._question, self._path = None, ""
        self.pictures.hide()
        self.said.setText(text)

    def _on_reconstructed(self, reply: ReconstructReply) -> None:
        if self._path not in reply.runs:
            return
        self.pictures.show_reconstructions(reply.runs[self._path])
        self.pictures.show()
        data = self._session.data
        place = f"of {source_title(data.config)}" if data else ""
        self.said.setText(f"Top: originals. Bottom: reconstructions. Validation images {place}, {UNKNOWN}.")

    def _on_failed(self, failure: RequestFailed) -> None:
        self._forget(failure.sentence)


def trial_text(trial: Trial) -> str:
    """Return the values, score and time of a trial as text."""
    words = [f"{title(name).lower()} {shown(value)}" for name, value in trial.config.items()]
    if trial.score is not None:
        words.append(f"validation loss {format_number(trial.score)} in epoch {trial.best_epoch}")
    words += [format_duration(trial.seconds)] if trial.seconds else []
    return " · ".join(words)
