"""New run: model, preset, settings, start."""

from functools import cache
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit

from engine import config as settings
from engine.config import DataConfig, RunConfig
from engine.errors import ConfigError, EngramError
from engine.messages import RequestFailed
from gui.export import join_script, non_default_settings
from gui.form import LABEL_PX
from gui.formatting import format_count
from gui.loaded_data import source_title
from gui.panel import AppContext
from gui.panels.train.run_estimate import CHOOSING, RunEstimator, describe_estimate
from gui.panels.train.settings_form import SettingsForm, SizeProblem
from gui.session import load_data_undoable
from gui.widgets.buttons import Button
from gui.widgets.card import NoticeBox, ScrollingCard
from gui.widgets.combo_boxes import ElidedComboBox
from gui.widgets.labels import form_rows, label

OWN = "Custom"


class NewRunCard(ScrollingCard):
    """Form of the chosen model, and below it the button that starts it."""

    changed = Signal()
    started = Signal(str)
    copy_wanted = Signal()

    def __init__(self, desk: AppContext) -> None:
        super().__init__("New run")
        self._desk, self._session = desk, desk.session
        self.settings = SettingsForm(desk.undo, self.data_config)
        self.preset, self.name = ElidedComboBox(), QLineEdit()
        self.start, self.copy = Button("Start training", "primary"), Button("Copy as Python")
        self.data, self.problem = label(role="caption", wrap=True), label(role="danger", wrap=True)
        self.notice, self.caution, self.misfit = NoticeBox(), NoticeBox(), NoticeBox()
        self.cost, self.estimator = label(role="caption", wrap=True), RunEstimator(desk.session.job, self)
        self._size_problem: SizeProblem | None = None
        self._lay_out()
        self._connect()
        self.settings.set_values({"backend": desk.preferences.backend})

    def _lay_out(self) -> None:
        self.preset.addItem(OWN, "")
        for name, title in settings.presets().items():
            self.preset.addItem(title.split(" (")[0], name)
            self.preset.setItemData(self.preset.count() - 1, title, Qt.ItemDataRole.ToolTipRole)
        self.name.setPlaceholderText("automatic (ae-0001)")
        for box in (self.settings.model, self.preset):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(6)
        top = form_rows({"Model": self.settings.model, "Preset": self.preset, "Name": self.name}, LABEL_PX)
        top.setContentsMargins(0, 0, 0, 0)
        buttons = QHBoxLayout()
        for button in (self.start, self.copy):
            buttons.addWidget(button)
        buttons.addStretch()
        for content in (top, self.settings, self.data, self.caution):
            self.add(content)
        self.body.addStretch()
        for part in (self.problem, self.misfit, self.notice, self.cost):
            self.footer.addWidget(part)
        self.footer.addLayout(buttons)

    def _connect(self) -> None:
        self.settings.changed.connect(self.refresh)
        self.preset.activated.connect(lambda: self._choose_preset(self.preset.currentData()))
        self.start.clicked.connect(self.start_run)
        self.copy.clicked.connect(self.copy_wanted)
        self._session.job_changed.connect(self.refresh)
        self._session.data_loaded.connect(self.refresh)
        self._session.data_wanted.connect(self.refresh)
        self._session.loading_changed.connect(self.refresh)
        self.estimator.changed.connect(self._update_start)
        self.estimator.changed.connect(self._show_cost)
        self.misfit.action_requested.connect(self._on_size_wanted)
        self.misfit.second_requested.connect(self._on_filters_wanted)
        self._session.job_failed.connect(self._on_job_failed)

    def data_config(self) -> DataConfig:
        """Return the dataset that a run would be trained on: the one that is being read, or else the loaded one."""
        data = self._session.data
        return data.config if data and self._session.loading is None else self._session.requested_data

    def start_run(self) -> None:
        """Create the run and train it; the form shows a problem below its fields."""
        self.notice.show_notice("")
        try:
            config = self.settings.config()
            record = self._session.start(self.estimator.resolve(config) or config, self.name.text().strip() or None)
        except EngramError as error:
            self.notice.show_notice(str(error))
            return
        self.name.clear()
        self.started.emit(record.name)

    def start_quick(self) -> None:
        """Choose the preset of a first look, and start it."""
        self._choose_preset("quick")
        self.start_run()

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
        reading = " · reading images…" if self._session.loading is not None and not sizes else ""
        kept = "original intensities" if data.normalisation == "none" else data.normalisation
        facts = f"{source_title(data)}{count} · {data.size} × {data.size} px · {data.fit} · {kept}{reading}"
        self.data.setText(facts)
        self.problem.setText(form.problem)
        self.problem.setVisible(bool(form.problem))
        self._show_size_problem()
        self.caution.show_notice(self._caution())
        self._update_start()
        self._show_cost()
        self.changed.emit()

    def _update_start(self) -> None:
        """Enable the button once the run could start: its settings are valid, and its backend is chosen."""
        is_free = not self._session.job.is_busy() and self._size_problem is None
        ready = self.settings.form.is_valid() and is_free
        self.start.setEnabled(ready and self.estimator.resolve(self.settings.config()) is not None)

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
        self.cost.setText(self._describe_cost(config))
        self.cost.setVisible(True)

    def _describe_cost(self, config: RunConfig) -> str:
        resolved = self.estimator.resolve(config)
        if resolved is None:
            return CHOOSING
        choice = self.estimator.find(config) if resolved != config else None
        known, is_measuring = self.estimator.find(resolved), self.estimator.is_measuring(resolved)
        cost = describe_estimate(known, resolved, self._sizes(), is_measuring)
        return f"{choice.backend_reason}\n{cost}" if choice else cost

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show_cost()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.estimator.forget_wish()

    def _show_size_problem(self) -> None:
        """Show once that the model does not fit the size of the images, with what would fit as buttons."""
        found = self._size_problem = self.settings.find_size_problem()
        size = f"Use {found.sizes[0]} px" if found and found.sizes else ""
        filters = f"Use {len(found.filters)} filters" if found and found.filters else ""
        first, second = (size, filters) if size else (filters, "")
        self.misfit.show_notice(found.text if found else "", action=first, second=second)

    def _on_size_wanted(self) -> None:
        found = self._size_problem
        if found and found.sizes:
            self._change(f"use {found.sizes[0]} px", {"size": found.sizes[0]}, {})
        else:
            self._on_filters_wanted()

    def _on_filters_wanted(self) -> None:
        if self._size_problem:
            filters = self._size_problem.filters
            self._change(f"use {len(filters)} filters", {}, {"filters": filters})

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


@cache
def _preset(name: str) -> RunConfig:
    return settings.preset(name)


def _preset_description(preset: RunConfig) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the dataset settings and the other settings that a preset names, without those that it leaves open."""
    parts = {part: getattr(preset, part) for part in RunConfig.model_fields}
    said = {part: {name: getattr(kind, name) for name in kind.model_fields_set} for part, kind in parts.items()}
    return said.pop("data"), {name: value for values in said.values() for name, value in values.items()}
