"""Settings of a new run: one form for each model, built when the model is first chosen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QUndoCommand, QUndoStack
from PySide6.QtWidgets import QVBoxLayout, QWidget

from engine import config as settings
from engine.config import MODELS, DataConfig, RunConfig
from engine.errors import ConfigError
from gui.form import Form
from gui.widgets.combo_boxes import FocusComboBox

Values = dict[str, Any]


@dataclass(frozen=True)
class SizeProblem:
    """A size of images that the model cannot reduce often enough: the sentence, sizes and filters that would fit."""

    text: str
    sizes: tuple[int, ...]
    filters: tuple[int, ...]


class SettingsForm(QWidget):
    """One form for each model that was chosen, of which one is visible; `model` is the combo box that chooses it."""

    changed = Signal()

    def __init__(self, undo: QUndoStack, data: Callable[[], DataConfig]) -> None:
        super().__init__()
        self.model = FocusComboBox()
        self._undo, self._data = undo, data
        self._chosen: str = RunConfig().model.model
        self._forms: dict[str, Form] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        for name in MODELS:
            self.model.addItem(settings.model_title(name), name)
        self.get_form(self._chosen)
        self.model.activated.connect(lambda: self.choose_model(self.model.currentData()))

    def get_form(self, model: str) -> Form:
        """Return the form of a model, which is built on first use: all of them have 192 fields."""
        if model not in self._forms:
            parts = settings.sections(model)
            specs = [spec for part, kind in parts.items() if part != "data" for spec in settings.list_fields(kind)]
            form = self._forms[model] = Form(specs, self._undo, lambda values: check_sections(model, values))
            self._column.addWidget(form)
            form.setVisible(model == self._chosen)
            form.changed.connect(self.changed)
        return self._forms[model]

    def _base(self) -> RunConfig:
        """Return a run with only its dataset; this does not check that the model fits it."""
        return RunConfig.model_construct(data=self._data())

    @property
    def form(self) -> Form:
        """Return the visible form."""
        return self.get_form(self._chosen)

    def values(self) -> Values:
        """Return model and settings as they are shown, valid or not."""
        return {"model": self._chosen, **self.form.values()}

    def config(self) -> RunConfig:
        """Return the settings of the run, dataset included. Raises ConfigError."""
        return settings.from_flat(self.values(), self._base())

    def find_size_problem(self) -> "SizeProblem | None":
        """Return why the model does not fit the size of the images; None if it fits or its settings are invalid."""
        try:
            self.config()
        except ConfigError as error:
            return self._describe(str(error)) if self.form.is_valid() else None
        return None

    def _describe(self, text: str) -> "SizeProblem":
        size, values = self._data().size, self.form.values()
        low, high = next((spec.low, spec.high) for spec in settings.list_fields(DataConfig) if spec.name == "size")
        step = self._multiple(values)
        near = sorted((size // step * step, -(-size // step) * step), key=lambda each: (abs(each - size), -each))
        sizes = tuple(each for each in near if (low or 0) <= each <= (high or size))
        filters = tuple(values.get("filters", ()))
        shorter = next(
            (n for n in range(len(filters) - 1, 0, -1) if self._fits(size, {**values, "filters": filters[:n]})), 0
        )
        return SizeProblem(text, sizes, filters[:shorter])

    def _multiple(self, values: Values) -> int:
        kind = MODELS[self._chosen]
        return settings.validate(
            kind, {name: values[name] for name in values.keys() & kind.model_fields.keys()}
        ).size_multiple

    def _fits(self, size: int, values: Values) -> bool:
        return size % self._multiple(values) == 0

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
        shared, self._chosen = _transfer_values(self.form, self.get_form(model)), model
        for name, form in self._forms.items():
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


def check_sections(model: str, values: Values) -> None:
    """Check each section of a run by itself. Raises ConfigError; the size of the images is not checked."""
    problems = []
    for part, kind in settings.sections(model).items():
        if part != "data":
            try:
                settings.validate(kind, {name: values[name] for name in values.keys() & kind.model_fields.keys()})
            except ConfigError as error:
                problems.append(str(error))
    if problems:
        raise ConfigError(" ".join(problems))
