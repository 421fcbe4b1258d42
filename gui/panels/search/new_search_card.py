"""The form of a new search: its space, its base configuration, and its search algorithm."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QUndoCommand
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLineEdit, QWidget

from engine import config as settings
from engine.config import MODELS, DataConfig, FieldSpec, RunConfig, SearchConfig, TrainingConfig
from engine.errors import EngramError
from engine.messages import Event, Search, SearchStarted
from engine.search import folder, search_spec, space, space_file
from gui.form import LABEL_PX, Form
from gui.formatting import format_count
from gui.loaded_data import source_title
from gui.panel import AppContext
from gui.panels.search.dimension_row import ShortComboBox
from gui.panels.search.space_draft import Drafts, drafts_from_space, resolve, restore_drafts
from gui.panels.search.space_editor import SpaceEditor
from gui.session import load_data_undoable
from gui.widgets.buttons import Button
from gui.widgets.card import NoticeBox, ScrollingCard
from gui.widgets.labels import label

CUSTOM = "Custom space"
TITLES = {"study-ae": "AE, reference study", "study-vae": "VAE, reference study"}
OFFLINE = (
    "W&B writes each trial's settings and losses into its run's folder. Nothing is sent until you run wandb sync, "
    "which needs a login."
)
SWEEP = "W&B sweeps need a W&B login: settings and losses of every trial are sent to W&B. Otherwise choose KerasTuner."
SCALED = "Shortened trials predict full-length results poorly. Use them only to test the setup."
ABOUT_FIXED = "Values of the settings that the search space does not vary: from a preset, or the defaults of a model."
HINT = "One value fixes a setting; several values vary it."


class NewSearchCard(ScrollingCard):
    """The form of a search that is about to start."""

    changed = Signal()
    wanted = Signal(object)

    def __init__(self, desk: AppContext) -> None:
        super().__init__("New search")
        self._desk, self._session = desk, desk.session
        self.preset, self.fixed, self.name = ShortComboBox(), ShortComboBox(), QLineEdit()
        self.fixed_name = "study-ae"
        self.form = Form(search_specs(), desk.undo, check)
        self.editor = SpaceEditor(desk.undo, self.base)
        self.start = Button("Start search", "primary")
        self.points, self.data = label(role="caption", wrap=True), label(role="caption", wrap=True)
        self.caution, self.notice = label(role="caption", wrap=True), NoticeBox()
        self._fill()
        self._lay_out()
        self._connect()
        self.apply_preset("study-ae")

    def _fill(self) -> None:
        self.preset.addItem(CUSTOM, "")
        for name in space_file.presets():
            self.preset.addItem(TITLES.get(name, settings.presets()[name]), name)
        for name, title in settings.presets().items():
            self.fixed.addItem(title.split(" (")[0], name)
            self.fixed.setItemData(self.fixed.count() - 1, title, Qt.ItemDataRole.ToolTipRole)
        for model in MODELS:
            self.fixed.addItem(f"{settings.model_title(model)}, defaults", f"model:{model}")
        self.name.setPlaceholderText("automatic")
        self.fixed.setToolTip(ABOUT_FIXED)

    def _lay_out(self) -> None:
        top = QFormLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.setHorizontalSpacing(8)
        top.setVerticalSpacing(6)
        for title, widget in (("Search space", self.preset), ("Other settings", self.fixed), ("Name", self.name)):
            top.addRow(named(title, widget), widget)
        buttons = QHBoxLayout()
        buttons.addWidget(self.start)
        buttons.addStretch()
        hint = label(HINT, role="caption", wrap=True)
        for part in (top, self.editor, hint, self.form, self.caution, self.points, self.data):
            self.add(part)
        self.body.addStretch()
        self.footer.addWidget(self.notice)
        self.footer.addLayout(buttons)

    def _connect(self) -> None:
        for signal in (self.editor.changed, self.form.changed, self.name.textChanged):
            signal.connect(lambda *_: self.refresh())
        session = self._session
        session.search_event.connect(lambda event: self.name.clear() if has_begun(event, self.name.text()) else None)
        for signal in (session.job_changed, session.data_loaded, session.data_wanted):
            signal.connect(lambda *_: self.refresh(validate=True))
        self.preset.activated.connect(lambda: self._choose_preset(self.preset.currentData()))
        self.fixed.activated.connect(lambda: self._desk.undo.push(ChangeFixedCommand(self, self.fixed.currentData())))
        self.start.clicked.connect(self.begin)

    def data_config(self) -> DataConfig:
        """Return the dataset that the trials will be trained on."""
        return self._session.data.config if self._session.data else self._session.requested_data

    def base(self) -> RunConfig:
        """Return the base configuration with this dataset, without a check that the two fit together."""
        found = base_of(self.fixed_name)
        values = {"backend": self._desk.preferences.backend, "tracking": self.form.values()["tracking"]}
        training = found.training.model_copy(update=values)
        return found.model_copy(update={"data": self.data_config(), "training": training})

    def command(self) -> Search:
        """Return the command that starts the search. Raises EngramError."""
        points, base = resolve(self.editor.drafts, self.base())
        given = {name: value for name, value in self.form.values().items() if name in SearchConfig.model_fields}
        search_spec.make_spec(base, points.to_dict(), given)
        root = self._session.runs.root
        name = self.name.text().strip() or free_name(base, root)
        return Search(name=name, root=str(root), base=base, space=points.to_dict(), settings=given)

    def begin(self) -> None:
        """Request the search, or show under the form why it is invalid."""
        self.notice.show_notice("")
        try:
            order = self.command()
        except EngramError as error:
            self.notice.show_notice(str(error))
            return
        self.wanted.emit(order)

    def is_valid(self) -> bool:
        return self.editor.is_valid() and self.form.is_valid()

    def apply_preset(self, name: str) -> None:
        """Show the space of a preset and its settings, without an undo step."""
        self.show_fixed(name)
        self.editor.set_drafts(drafts_from_space(space_file.presets()[name]))

    def show_fixed(self, name: str) -> None:
        """Take the base configuration of a preset or a model, without an undo step."""
        place = self.fixed.findData(name)
        if place >= 0:
            self.fixed_name = name
            self.fixed.setCurrentIndex(place)
            self.refresh(validate=True)

    def refresh(self, validate: bool = False) -> None:
        """Update captions and the button from the form and the session; `validate` also checks each setting."""
        if validate:
            self.editor.validate()
        self.preset.setCurrentIndex(max(self.preset.findData(matching(self.editor.drafts, self.fixed_name)), 0))
        data, values = self.data_config(), self.form.values()
        self.data.setText(f"Dataset: {source_title(data)} · {data.size} × {data.size} px · {data.fit}, chosen in Data.")
        self.points.setText(size_words(resolve(self.editor.drafts, self.base())[0]) if self.editor.is_valid() else "")
        said = [SWEEP] if values["tuner"] == "wandb" else []
        said += [OFFLINE] if values["tracking"] == "offline" else []
        said += [SCALED] if isinstance(values["epochs_scale"], float) and values["epochs_scale"] < 1 else []
        self.caution.setText(" ".join(said))
        self.caution.setVisible(bool(said))
        self.start.setEnabled(self.is_valid() and not self._session.job.is_busy())
        self.changed.emit()

    def memory(self) -> dict[str, Any]:
        drafts = [vars(draft) for draft in self.editor.drafts]
        return {"space": drafts, "fixed": self.fixed_name, "form": self.form.values()}

    def recall(self, kept: Mapping[str, Any]) -> None:
        if isinstance(kept.get("form"), dict):
            self.form.set_values(kept["form"])
        self.show_fixed(settings.current_preset(str(kept.get("fixed", self.fixed_name))))
        drafts = restore_drafts(kept.get("space"))
        if drafts:
            self.editor.set_drafts(drafts)

    def _choose_preset(self, name: str) -> None:
        """Apply a preset's space, settings and image preparation as one undo step."""
        if name:
            self._desk.undo.beginMacro(self.preset.currentText())
            self._desk.undo.push(ChangeFixedCommand(self, name))
            self.editor.change_drafts(drafts_from_space(space_file.presets()[name]), "space")
            said = settings.preset(name).data
            wanted = self.data_config().model_copy(update={each: getattr(said, each) for each in said.model_fields_set})
            if wanted != self.data_config():
                load_data_undoable(self._session, self._desk.undo, wanted)
            self._desk.undo.endMacro()
        self.refresh()


class ChangeFixedCommand(QUndoCommand):
    """The undo step of another choice of the base configuration."""

    def __init__(self, card: NewSearchCard, after: str) -> None:
        super().__init__("other settings")
        self._card, self._before, self._after = card, card.fixed_name, after

    def redo(self) -> None:
        self._card.show_fixed(self._after)

    def undo(self) -> None:
        self._card.show_fixed(self._before)


def has_begun(event: Event, name: str) -> bool:
    """Return whether an event says that the search of that name has started, so that the name is taken."""
    return isinstance(event, SearchStarted) and event.search == name.strip()


@cache
def base_of(name: str) -> RunConfig:
    """Return the settings of a preset, or the defaults of a model."""
    return (
        settings.from_flat({"model": name.removeprefix("model:")})
        if name.startswith("model:")
        else settings.preset(name)
    )


def search_specs() -> list[FieldSpec]:
    """Return the settings of a search other than its space, with the tracking of its trials."""
    tracking = next(spec for spec in settings.list_fields(TrainingConfig) if spec.name == "tracking")
    offline = replace(tracking, title="W&B tracking", choices=("off", "offline"), advanced=False, group="")
    plain = [spec for spec in settings.list_fields(SearchConfig) if not spec.advanced]
    return [*plain, offline, *(spec for spec in settings.list_fields(SearchConfig) if spec.advanced)]


def check(values: Mapping[str, Any]) -> None:
    """Validate the settings of a search. Raises ConfigError."""
    known = {name: value for name, value in values.items() if name in SearchConfig.model_fields}
    settings.validate(SearchConfig, known)


MOST_COUNTED = 100_000


def size_of(points: space.Space) -> int | None:
    """Count the points of a space. Returns None if it is infinite, or conditional and too large to enumerate."""
    counts = [dimension.count for dimension in points.dimensions]
    conditional = any(dimension.when for dimension in points.dimensions)
    total = 1
    for count in counts:
        total *= count or MOST_COUNTED + 1
    return None if conditional and total > MOST_COUNTED else points.size()


def size_words(points: space.Space) -> str:
    """Describe in a sentence how many points there are."""
    count = size_of(points)
    return "Unlimited configurations." if count is None else f"{format_count(count)} configurations."


def matching(drafts: Drafts, fixed: str) -> str:
    """Return the preset with this space and these settings, empty if there is none."""
    found = (
        name for name, points in space_file.presets().items() if fixed == name and drafts == drafts_from_space(points)
    )
    return next(found, "")


def free_name(base: RunConfig, root: Any) -> str:
    """Return a name that no search has, derived from the model."""
    taken = {each.name for each in folder.list_searches(root)}
    number = 1
    while (name := f"{base.model.model}-search-{number}") in taken or any(root.glob(f"{name}-[0-9][0-9][0-9][0-9]*")):
        number += 1
    return name


def named(title: str, widget: QWidget) -> QWidget:
    """Return the label of a field, as its buddy."""
    made = label(title, role="quiet")
    made.setFixedWidth(LABEL_PX)
    made.setBuddy(widget)
    widget.setAccessibleName(title)
    return made
