"""The dialog for a configuration that the user adds as the next trial."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from engine import config
from engine.config import FieldSpec, RunConfig
from engine.errors import ConfigError
from engine.search import space
from gui.form import Form
from gui.panels.search.snapshot import SearchSnapshot
from gui.panels.search.space_draft import specs
from gui.widgets.card import NoticeBox
from gui.widgets.labels import label
from gui.widgets.timers import make_timer

ABOUT = (
    "This configuration runs next. It may lie outside the search space. The fields start with the values of the best "
    "trial."
)
LATER = "The search is not running; the trial starts when you resume it."
WIDE_PX = 420


class ManualTrialDialog(QDialog):
    """A dialog with a field for each setting that varies; `send` submits the values and returns their error."""

    def __init__(self, found: SearchSnapshot, send: Callable[[dict[str, Any]], str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Add trial manually")
        self.setMinimumWidth(WIDE_PX)
        self._found, self._send = found, send
        self._undo = QUndoStack(self)
        self.form = Form(fields(found), self._undo, self._check)
        self._grown = make_timer(self, 0)
        self._grown.timeout.connect(self._grow)
        self.notice, self.trouble = NoticeBox(), label(role="danger", wrap=True)
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        self.buttons.button(kinds.Ok).setText("Add trial")
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        about = ABOUT if found.busy else f"{ABOUT} {LATER}"
        for part in (label(about, role="quiet", wrap=True), self.form, self.trouble, self.notice, self.buttons):
            column.addWidget(part)
        self.buttons.accepted.connect(self.submit)
        self.buttons.rejected.connect(self.reject)
        self.form.changed.connect(self._on_changed)
        self.form.set_values(initial_values(found))

    def values(self) -> dict[str, Any]:
        """Return the configuration to try: the settings that the chosen model has."""
        return relevant(self.form.values(), self._found.plan.base)

    def submit(self) -> None:
        """Submit the configuration, and close; show the error instead if there is one."""
        problem = self._duplicate_text() or self._send(self.values())
        self.notice.show_notice(problem)
        self._grown.start()
        if not problem:
            self.accept()

    def _duplicate_text(self) -> str:
        """Return a sentence if the configuration has been tried, else an empty string."""
        base = self._found.plan.base
        known = config.to_flat(config.from_flat(self.values(), base))
        names = self._found.plan.space.names
        wanted = space.config_key({name: known[name] for name in names if name in known}, base)
        trial = next((trial for trial in self._found.trials if trial.key == wanted), None)
        return f"This configuration was already tried as trial {trial.number}." if trial else ""

    def _check(self, values: Mapping[str, Any]) -> None:
        config.from_flat(relevant(values, self._found.plan.base), self._found.plan.base)

    def _on_changed(self) -> None:
        self.trouble.setText(self.form.problem)
        self.trouble.setVisible(bool(self.form.problem))
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(self.form.is_valid())
        self._grown.start()

    def _grow(self) -> None:
        """Grow the dialog so that every sentence fits."""
        layout = self.layout()
        if layout is not None:
            layout.activate()
            self.resize(self.width(), max(layout.totalHeightForWidth(self.width()), self.minimumSizeHint().height()))


def fields(found: SearchSnapshot) -> list[FieldSpec]:
    """Return the settings that vary, all of them visible at once."""
    return [replace(specs()[name], advanced=False, group="") for name in found.plan.space.names]


def initial_values(found: SearchSnapshot) -> dict[str, Any]:
    """Return the initial values of the dialog: those of the best trial, else of the base configuration."""
    known = config.to_flat(found.plan.base) | (found.best.config if found.best else {})
    return {name: known[name] for name in found.plan.space.names if name in known}


def relevant(values: Mapping[str, Any], base: RunConfig) -> dict[str, Any]:
    """Return only the values that belong to the model that they name, or else to the model of the base."""
    model = str(values.get("model", base.model.model))
    if model not in config.MODELS:
        raise ConfigError(f"Unknown model '{model}'.", f"Choose one of: {', '.join(config.MODELS)}.")
    known = {field for section in config.sections(model).values() for field in section.model_fields} | {"model"}
    return {name: value for name, value in values.items() if name in known}
