"""New run: model, preset, settings, start."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent, QUndoCommand, QUndoStack
from PySide6.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLayout,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine import config as settings
from engine.config import MODELS, DataConfig, RunConfig
from engine.errors import ConfigError, EngramError
from engine.messages import RequestFailed
from gui.export import join_script, non_default_settings
from gui.form import LABEL_PX, Form
from gui.formatting import format_count
from gui.loaded_data import source_title
from gui.panel import AppContext
from gui.panels.train.run_estimate import RunEstimator, describe_estimate
from gui.session import load_data_undoable
from gui.widgets.buttons import Button
from gui.widgets.card import Card, NoticeBox
from gui.widgets.labels import label

Values = dict[str, Any]
OWN = "Custom"
MIN_HEIGHT_PX, SCROLL_BAR_PX = 210, 12


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


class NewRunCard(Card):
    """Form of the chosen model and the button that starts it."""

    changed = Signal()
    started = Signal(str)
    copy_wanted = Signal()

    def __init__(self, desk: AppContext) -> None:
        super().__init__("New run")
        self._desk, self._session = desk, desk.session
        self.settings = SettingsForm(desk.undo, self.data_config)
        self.preset, self.name = QComboBox(), QLineEdit()
        self.start, self.copy = Button("Start training", "primary"), Button("Copy as Python")
        self.data, self.problem = label(role="caption", wrap=True), label(role="danger", wrap=True)
        self.notice, self.caution = NoticeBox(), NoticeBox()
        self.cost, self.estimator = label(role="caption", wrap=True), RunEstimator(desk.session.job, self)
        self._lay_out()
        self._connect()
        self.settings.set_values({"backend": desk.preferences.backend})

    def _lay_out(self) -> None:
        self.preset.addItem(OWN, "")
        for name, title in settings.presets().items():
            self.preset.addItem(title.split(" (")[0], name)
            self.preset.setItemData(self.preset.count() - 1, title, Qt.ItemDataRole.ToolTipRole)
        self.name.setPlaceholderText("automatic, such as ae-0001")
        top = QFormLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.setVerticalSpacing(6)
        top.setHorizontalSpacing(8)
        for title, widget in (("Model", self.settings.model), ("Preset", self.preset), ("Name", self.name)):
            text = label(title, role="quiet")
            text.setFixedWidth(LABEL_PX)
            text.setBuddy(widget)
            widget.setAccessibleName(title)
            if isinstance(widget, QComboBox):
                widget.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
                widget.setMinimumContentsLength(6)
            top.addRow(text, widget)
        buttons = QHBoxLayout()
        for button in (self.start, self.copy):
            buttons.addWidget(button)
        buttons.addStretch()
        self.add(_scroll(top, self.settings, self.data, self.caution), 1)
        for part in (self.problem, self.notice, self.cost, buttons):
            self.add(part)
        self.setMinimumHeight(MIN_HEIGHT_PX)

    def _connect(self) -> None:
        self.settings.changed.connect(self.refresh)
        self.preset.activated.connect(lambda: self._choose_preset(self.preset.currentData()))
        self.start.clicked.connect(self.start_run)
        self.copy.clicked.connect(self.copy_wanted)
        self._session.job_changed.connect(self.refresh)
        self._session.data_loaded.connect(self.refresh)
        self._session.data_wanted.connect(self.refresh)
        self._session.loading_changed.connect(self.refresh)
        self.estimator.changed.connect(self._show_cost)
        self._session.job_failed.connect(self._on_job_failed)

    def data_config(self) -> DataConfig:
        """Return the dataset that a run would be trained on: the loaded one, or the one that is being loaded."""
        session = self._session
        return session.data.config if session.data and session.loading is None else session.requested_data

    def start_run(self) -> None:
        """Create the run and train it; the form shows a problem below its fields."""
        self.notice.show_notice("")
        try:
            record = self._session.start(self.settings.config(), self.name.text().strip() or None)
        except EngramError as error:
            self.notice.show_notice(str(error))
            return
        self.name.clear()
        self.started.emit(record.name)

    def load_config(self, config: RunConfig) -> None:
        """Show the settings of a run, with its dataset, as one undo step."""
        data = config.data.model_dump()
        values = {name: value for name, value in settings.to_flat(config).items() if name not in data}
        self._change("use settings of a run", data, values)

    def python(self) -> str:
        """Return a script that trains the same run; empty while the form is invalid."""
        try:
            values = non_default_settings(self.settings.config())
        except ConfigError:
            return ""
        return join_script(
            f"config = engine.config.from_flat({values})",
            f"run = engine.train(config, root={str(self._session.runs.root)!r})",
            "print(run.path, run.state())",
        )

    def refresh(self) -> None:
        """Update preset, dataset, problem and button from the form and the session."""
        form, data = self.settings.form, self.data_config()
        form.validate()
        self.preset.setCurrentIndex(max(self.preset.findData(self._matching_preset()), 0))
        sizes = self._sizes()
        count = f" · {format_count(sizes[0])} training images" if sizes else ""
        kept = "original intensities" if data.normalisation == "none" else data.normalisation
        self.data.setText(f"{source_title(data)}{count} · {data.size} × {data.size} px · {data.fit} · {kept}")
        self.problem.setText(form.problem)
        self.problem.setVisible(bool(form.problem))
        self.caution.show_notice(self._caution())
        self.start.setEnabled(form.is_valid() and not self._session.job.is_busy())
        self._show_cost()
        self.changed.emit()

    def _sizes(self) -> tuple[int, int] | None:
        """Return the numbers of training and validation images. Returns None unless they are loaded."""
        data = self._session.data
        return (data.size("train"), data.size("validation")) if data and data.config == self.data_config() else None

    def _show_cost(self) -> None:
        """Show what the run will cost, as far as it is known; a form that no one sees has nothing measured."""
        try:
            config = self.settings.config()
        except ConfigError:
            config = None
        if config is None or not self.isVisible() or self._session.job.is_busy():
            self.estimator.forget_wish()
            self.cost.setVisible(False)
            return
        known = self.estimator.find(config)
        self.cost.setText(describe_estimate(known, config, self._sizes(), self.estimator.is_measuring(config)))
        self.cost.setVisible(True)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_cost()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.estimator.forget_wish()

    def _caution(self) -> str:
        try:
            return self.settings.config().warning.replace(" (--noise)", "")
        except ConfigError:
            return ""

    def _choose_preset(self, name: str) -> None:
        if name:
            preset = _preset(name)
            title = self.preset.itemText(self.preset.findData(name))
            data, values = _preset_description(preset)
            self._change(title, data, values)
        self.refresh()

    def _change(self, title: str, preparation: dict[str, Any], values: dict[str, Any]) -> None:
        """Apply settings and, if it differs, the preparation of the images."""
        self._desk.undo.beginMacro(title)
        self.settings.change_values(values)
        wanted = self.data_config().model_copy(update=preparation)
        if wanted != self.data_config():
            load_data_undoable(self._session, self._desk.undo, wanted)
        self._desk.undo.endMacro()

    def _matching_preset(self) -> str:
        """Return the preset that these settings equal, preparation included; empty if there is none."""
        values = {**self.data_config().model_dump(), **self.settings.values()}
        for name in settings.presets():
            data, said = _preset_description(_preset(name))
            if all(values.get(key) == value for key, value in {**data, **said}.items()):
                return name
        return ""

    def _on_job_failed(self, failure: RequestFailed) -> None:
        self.notice.show_notice(failure.sentence)


def _scroll(*parts: QWidget | QLayout) -> QScrollArea:
    """Return the parts below each other in an area that scrolls, so that what follows stays visible."""
    content, scroll = QWidget(), QScrollArea()
    content.setProperty("kind", "plain")
    column = QVBoxLayout(content)
    column.setContentsMargins(0, 0, SCROLL_BAR_PX, 0)
    for part in parts:
        column.addWidget(part) if isinstance(part, QWidget) else column.addLayout(part)
    column.addStretch()
    scroll.setWidget(content)
    scroll.setWidgetResizable(True)
    scroll.setFrameShape(QFrame.Shape.NoFrame)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return scroll


@cache
def _preset(name: str) -> RunConfig:
    return settings.preset(name)


def _preset_description(preset: RunConfig) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the dataset settings and the other settings that a preset names, without those that it leaves open."""
    parts = {part: getattr(preset, part) for part in RunConfig.model_fields}
    said = {part: {name: getattr(kind, name) for name in kind.model_fields_set} for part, kind in parts.items()}
    return said.pop("data"), {name: value for values in said.values() for name, value in values.items()}
