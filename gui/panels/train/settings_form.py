"""Settings of a run: a model, and the form of that model."""

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QUndoCommand, QUndoStack
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from engine import config as settings
from engine.config import MODELS, DataConfig, RunConfig
from gui.form import Form

Values = dict[str, Any]


class SettingsForm(QWidget):
    """One form for each model, of which one is visible; `model` is the combo box that chooses it."""

    changed = Signal()

    def __init__(self, undo: QUndoStack, data: Callable[[], DataConfig]) -> None:
        super().__init__()
        self.model = QComboBox()
        self._undo, self._data = undo, data
        self._chosen: str = RunConfig().model.model
        self.forms = {name: self._make_form(name) for name in MODELS}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for name, form in self.forms.items():
            self.model.addItem(settings.model_title(name), name)
            column.addWidget(form)
            form.setVisible(name == self._chosen)
            form.changed.connect(self.changed)
        self.model.activated.connect(lambda: self.choose_model(self.model.currentData()))

    def _make_form(self, model: str) -> Form:
        parts = settings.sections(model)
        specs = [spec for part, kind in parts.items() if part != "data" for spec in settings.list_fields(kind)]
        return Form(specs, self._undo, lambda values: settings.from_flat({**values, "model": model}, self._base()))

    def _base(self) -> RunConfig:
        """Return a run with only its dataset; this does not check that the model fits it."""
        return RunConfig.model_construct(data=self._data())

    @property
    def form(self) -> Form:
        """Return the visible form."""
        return self.forms[self._chosen]

    def values(self) -> Values:
        """Return model and settings as they are shown, valid or not."""
        return {"model": self._chosen, **self.form.values()}

    def config(self) -> RunConfig:
        """Return the settings of the run, dataset included. Raises ConfigError."""
        return settings.from_flat(self.values(), self._base())

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Show model and settings; this is not an undo step."""
        if values.get("model") in MODELS:
            self.show_model(values["model"])
        self.form.set_values(values)

    def change_values(self, values: Mapping[str, Any]) -> None:
        """Change model and settings as undo steps."""
        self.choose_model(values.get("model", self._chosen))
        self.form.change_values({name: value for name, value in values.items() if name != "model"})

    def choose_model(self, model: str) -> None:
        if model != self._chosen:
            self._undo.push(ChooseModelCommand(self, self._chosen, model))

    def show_model(self, model: str) -> None:
        """Switch to the form of a model; it takes over changed settings that it has, and keeps its own defaults."""
        shared, self._chosen = _transfer_values(self.form, self.forms[model]), model
        for name, form in self.forms.items():
            form.setVisible(name == model)
        self.model.setCurrentIndex(self.model.findData(model))
        self.form.set_values(shared)


def _transfer_values(old: Form, new: Form) -> Values:
    """Return the values of one form for another one."""
    shown = old.values()
    return {
        name: row.spec.default if shown[name] == old.rows[name].spec.default else shown[name]
        for name, row in new.rows.items()
        if name in shown
    }


class ChooseModelCommand(QUndoCommand):
    """Undo step of a model change."""

    def __init__(self, form: SettingsForm, before: str, after: str) -> None:
        super().__init__("model")
        self._form, self._before, self._after = form, before, after
        self._values = form.values()

    def redo(self) -> None:
        self._form.show_model(self._after)

    def undo(self) -> None:
        self._form.show_model(self._before)
        self._form.set_values(self._values)
