"""The card with the source of the dataset and its preparation."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLineEdit, QProgressBar, QVBoxLayout, QWidget

from engine.config import DataConfig, list_fields
from engine.messages import RequestFailed
from gui.form import Form
from gui.formatting import format_count
from gui.panel import AppContext
from gui.session import data_config, load_data_undoable
from gui.widgets.buttons import Button, IconButton
from gui.widgets.card import NoticeBox, ScrollingCard
from gui.widgets.combo_boxes import FocusComboBox
from gui.widgets.labels import FirmLabel

PHANTOM, FOLDER, HUB = "phantom", "folder", "hf"
TITLES = {PHANTOM: "Phantoms", FOLDER: "Folder", HUB: "Hugging Face"}
EXAMPLE = "benschill/brain-tumor-collection"
PREFIX = "hf:"
# Five halvings, those of the default autoencoder.
MULTIPLE = 32
OF_ALL = ("source", "size", "fit", "normalisation", "validation_share", "split_seed", "split_by")
# Settings that belong to one source: another one begins with their defaults.
SOURCE_SETTINGS = (
    "split_by", "test_patients", "fold", "groups", "group_pattern", "group_by", "folders_are", "config_name",
    "image_column", "label_column", "revision", "series", "mask_label",
)  # fmt: skip
PATIENTS = ("test_patients", "fold", "groups", "group_pattern", "group_by")
OF_KIND = {
    PHANTOM: ("phantom_count", "phantom_seed"),
    FOLDER: (*PATIENTS, "folders_are", "plane", "slices", "slice_step", "series", "mask_label"),
    HUB: ("download", "revision", "config_name", "image_column", "label_column", *PATIENTS),
}


def kind_of(source: str) -> str:
    """Return the kind of a source from its notation."""
    return PHANTOM if source == PHANTOM else HUB if source.startswith(PREFIX) else FOLDER


class SourceEditor(QWidget):
    """An editor with a kind and, below it, the location; each kind keeps its typed text."""

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind, self.place, self.browse = FocusComboBox(), QLineEdit(), IconButton("folder", "Browse for a folder")
        self.ask_folder: Callable[[QWidget, str, str], str] = QFileDialog.getExistingDirectory
        self._typed = {PHANTOM: "", FOLDER: "", HUB: EXAMPLE}
        for kind, title in TITLES.items():
            self.kind.addItem(title, kind)
        self.place.setAccessibleName("Folder or dataset")
        self.kind.setAccessibleName("Source type")
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.place, 1)
        row.addWidget(self.browse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.kind)
        column.addLayout(row)
        self.setFocusProxy(self.kind)
        self.kind.activated.connect(self._on_kind_activated)
        self.place.textEdited.connect(self._on_place_edited)
        self.browse.clicked.connect(self._on_browse_clicked)
        self._show_kind()

    def value(self) -> Any:
        """Return the source in the engine's notation."""
        kind, place = self.kind.currentData(), self.place.text().strip()
        if kind == PHANTOM:
            return PHANTOM
        return PREFIX + place if kind == HUB else place

    def set_value(self, value: Any) -> None:
        kind = kind_of(str(value))
        if kind != PHANTOM:
            self._typed[kind] = str(value).removeprefix(PREFIX)
        with QSignalBlocker(self.kind):
            self.kind.setCurrentIndex(self.kind.findData(kind))
        self._show_kind()

    def _show_kind(self) -> None:
        kind = self.kind.currentData()
        if self.place.text() != self._typed[kind]:
            self.place.setText(self._typed[kind])
        self.place.setPlaceholderText("path to a folder" if kind == FOLDER else "owner/name")
        self.place.setToolTip(self._typed[kind])
        self.place.setVisible(kind != PHANTOM)
        self.browse.setVisible(kind == FOLDER)

    def _on_kind_activated(self) -> None:
        self._show_kind()
        self.edited.emit()

    def _on_place_edited(self, text: str) -> None:
        self._typed[self.kind.currentData()] = text
        self.edited.emit()

    def _on_browse_clicked(self) -> None:
        folder = self.ask_folder(self, "Choose a folder of images", self.place.text() or str(Path.home()))
        if folder:
            self.place.setText(folder)
            self._on_place_edited(folder)


class SourceCard(ScrollingCard):
    """Form, 'Load dataset', and the progress of the loading."""

    changed = Signal()

    def __init__(self, desk: AppContext) -> None:
        super().__init__("Source")
        self._desk, self._session = desk, desk.session
        self.source = SourceEditor()
        self.form = Form(list_fields(DataConfig), desk.undo, data_config, {"source": self.source})
        self.use, self.cancel = Button("Load dataset", "primary"), Button("Cancel")
        self.bar, self.caption = QProgressBar(), FirmLabel("caption")
        self.notice = NoticeBox()
        self._lay_out()
        self._connect()
        self._on_form_changed()

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.use)
        buttons.addWidget(self.cancel)
        buttons.addStretch()
        self.bar.setTextVisible(False)
        self.add(self.form)
        for box in (self.caption, self.bar, self.notice):
            self.footer.addWidget(box)
        self.footer.addLayout(buttons)

    def _connect(self) -> None:
        self.form.changed.connect(self._on_form_changed)
        self.use.clicked.connect(self.load)
        self.cancel.clicked.connect(self._on_cancel_clicked)
        self.notice.action_requested.connect(self.load)
        session = self._session
        session.data_wanted.connect(lambda wanted: self.form.set_values(wanted.model_dump()))
        session.data_loaded.connect(self._on_loaded)
        session.loading_changed.connect(self._show_loading)
        session.loading_progressed.connect(self._on_progressed)
        session.loading_failed.connect(self._on_failed)

    def load(self) -> None:
        """Load the dataset of the form, for all panels."""
        self._forget_former_source()
        if self.form.is_valid():
            values = _absolute(self.form.values())
            values["download"] = values["download"] or self._desk.preferences.download
            load_data_undoable(self._session, self._desk.undo, data_config(values))

    def _forget_former_source(self) -> None:
        """Reset what belongs to the former source and was not changed since, such as the split of an old run."""
        former, values, defaults = self._session.requested_data, self.form.values(), DataConfig().model_dump()
        if former is None or values["source"] == former.source:
            return
        before = former.model_dump()
        stale = [name for name in SOURCE_SETTINGS if values[name] == before[name] != defaults[name]]
        if stale:
            self.form.change_values({name: defaults[name] for name in stale})

    def load_source(self, source: str) -> None:
        """Load another source with the preparation of the form."""
        self.form.change_values({"source": source})
        self.load()

    def _on_form_changed(self) -> None:
        shown = OF_ALL + OF_KIND[kind_of(self.source.value())]
        self.form.show_only([spec.name for spec in list_fields(DataConfig) if spec.name in shown])
        self._show_loading()
        self.changed.emit()

    def _show_loading(self) -> None:
        is_loading = self._session.loading is not None
        self.use.setEnabled(self.form.is_valid() and not is_loading)
        self.cancel.setVisible(is_loading)
        self.bar.setVisible(is_loading)
        if is_loading:
            self.notice.show_notice("")
            self.bar.setRange(0, 0)
            self.caption.setText("Opening dataset…")
        else:
            self.caption.setText(self._hint())

    def _hint(self) -> str:
        """Return what to know before the dataset is loaded."""
        data, values = self._session.data, self.form.values()
        size = values["size"]
        if self.form.is_valid() and data and not _describes(values, data.config):
            more = "" if size % MULTIPLE == 0 else f" Most models need a size that is a multiple of {MULTIPLE}."
            return f"Not loaded yet: all panels show the images of the former settings.{more}"
        return "You can also drop a folder or an image anywhere in the app."

    def _on_loaded(self) -> None:
        self.notice.show_notice("")
        self._show_loading()

    def _on_cancel_clicked(self) -> None:
        if self._session.loading is not None:
            self._session.loading.cancel()

    def _on_progressed(self, done: int, total: int) -> None:
        self.bar.setRange(0, total)
        self.bar.setValue(done)
        self.caption.setText(f"Reading image {format_count(done)} of {format_count(total)}")

    def _on_failed(self, failure: RequestFailed) -> None:
        self.notice.show_notice(failure.sentence, action="Retry")


def _describes(values: dict[str, Any], loaded: DataConfig) -> bool:
    """Return whether the settings of a form are those of a dataset, whether it may be downloaded aside."""
    wanted = data_config(_absolute(values))
    return wanted.model_copy(update={"download": loaded.download}) == loaded


def _absolute(values: dict[str, Any]) -> dict[str, Any]:
    """Return values with the full path of the folder, since the engine runs elsewhere."""
    if values["groups"]:
        values = values | {"groups": str(Path(values["groups"]).expanduser().absolute())}
    if kind_of(values["source"]) != FOLDER:
        return values
    return values | {"source": str(Path(values["source"]).expanduser().absolute())}
