"""The editor of an existing search: its space and number of trials, changed while it runs or before a resume."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout

from engine import config as settings
from engine.config import RunConfig, SearchConfig
from engine.errors import EngramError
from engine.search import search_spec, space_file
from gui.form import Form
from gui.loaded_data import source_title
from gui.panel import AppContext
from gui.panels.search.new_search_card import check, size_words
from gui.panels.search.snapshot import SearchSnapshot
from gui.panels.search.space_draft import drafts_from_space, parse_drafts
from gui.panels.search.space_editor import SpaceEditor
from gui.widgets.buttons import Button
from gui.widgets.card import Card, NoticeBox
from gui.widgets.labels import label

APPLY, GO_ON = "Apply to search", "Resume with these"
LATER = "Changes to parallel trials and pruning take effect when the search is resumed."


class EditSearchCard(Card):
    """The editor of the selected search: its space, and those of its settings that may change."""

    changed = Signal()
    applied = Signal(object, object)  # the space, None if unchanged; the changed settings

    def __init__(self, desk: AppContext) -> None:
        super().__init__("Search space")
        self._desk = desk
        self._found: SearchSnapshot | None = None
        self._seen: tuple[object, ...] = ()
        self.editor = SpaceEditor(desk.undo, self.base)
        specs = [spec for spec in settings.list_fields(SearchConfig) if spec.name in search_spec.MUTABLE_SETTINGS]
        self.form = Form(specs, desk.undo, check)
        self.apply, self.reset = Button(APPLY, "primary"), Button("Reset")
        self.points, self.facts = label(role="caption", wrap=True), label(role="caption", wrap=True)
        self.notice = NoticeBox()
        buttons = QHBoxLayout()
        for button in (self.apply, self.reset):
            buttons.addWidget(button)
        buttons.addStretch()
        for part in (self.editor, self.points, self.form, self.facts, self.notice, buttons):
            self.add(part)
        self.body.addStretch()
        for signal in (self.editor.changed, self.form.changed):
            signal.connect(self.refresh)
        self.apply.clicked.connect(self._on_apply_clicked)
        self.reset.clicked.connect(self._on_reset_clicked)

    def base(self) -> RunConfig:
        return self._found.plan.base if self._found else RunConfig()

    def set_snapshot(self, found: SearchSnapshot | None) -> None:
        """Show a search; unsaved edits of the same search stay until they are applied."""
        before, self._found = self._found, found
        if found is None:
            return
        seen = found.search, found.plan, found.busy, self._desk.session.job.is_busy()
        if before is None or before.search != found.search or before.plan != found.plan:
            self.notice.show_notice("")
            self.editor.owner = str(found.search.path)
            self._load(found)
        if before is None or seen != self._seen:  # a new trial changes nothing here
            self._seen = seen
            self.refresh()

    def refresh(self) -> None:
        """Update captions and buttons from the fields and the search."""
        found = self._found
        if found is None:
            return
        base = found.plan.base
        self.set_title(f"Search space of {found.name}")
        words = [
            settings.model_title(base.model.model),
            f"{source_title(base.data)} · {base.data.size} × {base.data.size} px",
        ]
        words += [found.plan.settings.algorithm, f"seed {found.plan.settings.seed}"]
        scale = found.plan.settings.epochs_scale
        words += [f"epochs × {scale:g}"] if scale < 1 else []
        words += [f"W&B {base.training.tracking}"] if base.training.tracking != "off" else []
        self.facts.setText(" · ".join(words) + (f". {LATER}" if found.busy else "."))
        for name, row in self.form.rows.items():
            row.editor.setEnabled(name == "trials" or not found.busy)
        typed = space_file.parse(parse_drafts(self.editor.drafts), base) if self.editor.is_valid() else None
        self.points.setText(size_words(typed) if typed else "")
        is_new = any(self._changes())
        self.apply.setText(APPLY if found.busy else GO_ON)
        free = found.busy or not self._desk.session.job.is_busy()
        self.apply.setEnabled(is_new and self.editor.is_valid() and self.form.is_valid() and free)
        self.reset.setEnabled(is_new)
        self.changed.emit()

    def _changes(self) -> tuple[Mapping[str, Any] | None, dict[str, Any]]:
        """Return the space, None if it is unchanged, and the changed settings."""
        found = self._found
        if found is None or not self.editor.is_valid():
            return None, {}
        described = space_file.parse(parse_drafts(self.editor.drafts), found.plan.base).to_dict()
        kept = found.plan.settings.model_dump()
        given = {name: value for name, value in self.form.values().items() if value != kept[name]}
        return (None if described == found.plan.space.to_dict() else described), given

    def _load(self, found: SearchSnapshot) -> None:
        self.editor.set_drafts(drafts_from_space(found.plan.space.to_dict()))
        self.form.set_values(found.plan.settings.model_dump())

    def _on_reset_clicked(self) -> None:
        if self._found:
            self.editor.change_drafts(drafts_from_space(self._found.plan.space.to_dict()), "search space")
            self.form.change_values(self._found.plan.settings.model_dump(), "settings of the search")

    def _on_apply_clicked(self) -> None:
        self.notice.show_notice("")
        described, given = self._changes()
        try:
            if described is not None and self._found is not None:
                search_spec.with_space(self._found.plan, described)
        except EngramError as error:
            self.notice.show_notice(str(error))
            return
        self.applied.emit(described, given)
