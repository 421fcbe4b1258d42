"""Settings of a study and its folder: the form at the left of the panel."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFileDialog, QFormLayout, QHBoxLayout, QLineEdit, QWidget

from engine import config as settings
from engine.config import DataConfig, StudyConfig
from engine.messages import RunStudy
from gui.form import LABEL_PX, Form
from gui.loaded_data import source_title
from gui.panel import AppContext
from gui.widgets.buttons import Button, IconButton
from gui.widgets.card import NoticeBox, ScrollingCard
from gui.widgets.labels import label

SIZE_FIELDS = {"size": 64, "filters": (16, 32, 64), "latent": 64, "epochs": 5}
PREPARED = ("size", "fit", "normalisation")
ABOUT = (
    "Retrains the models of the reference study (a 2024 course report: AE and VAE on the Brain Tumor MRI images) and "
    "compares every reported value with the new result."
)
QUICK = "Trains two runs with the best settings of the study."
FULL = "Trains one run for every trial of the study; each takes 20 minutes or more on two CPU cores."


class StudyFormCard(ScrollingCard):
    """Form of a study and the button that starts or resumes it."""

    changed = Signal()
    wanted = Signal(object)
    copy_wanted = Signal()

    def __init__(self, desk: AppContext) -> None:
        super().__init__("Reference study")
        self._desk, self._session = desk, desk.session
        self.out, self.browse = QLineEdit(), IconButton("folder", "Browse for the study folder")
        self.form = Form(settings.list_fields(StudyConfig), desk.undo, partial(settings.validate, StudyConfig))
        self.shrink = QCheckBox("Small test version (not comparable)")
        self.small = Form(_small_specs(), desk.undo, self._check_small)
        self.start, self.copy = Button("Start study", "primary"), Button("Copy as Python")
        self.effort, self.data = label(role="caption", wrap=True), label(role="caption", wrap=True)
        self.notice = NoticeBox()
        self.ask_folder: Callable[[QWidget, str, str], str] = QFileDialog.getExistingDirectory
        self._lay_out()
        self._connect()
        self.form.set_values({"quick": True})
        self.small.set_values(SIZE_FIELDS)

    def _lay_out(self) -> None:
        self.out.setPlaceholderText(str(self.default_folder()))
        self.out.setAccessibleName("Study folder")
        place = QHBoxLayout()
        place.setSpacing(4)
        place.addWidget(self.out, 1)
        place.addWidget(self.browse)
        top = QFormLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.setHorizontalSpacing(8)
        title = label("Folder", role="quiet")
        title.setFixedWidth(LABEL_PX)
        top.addRow(title, place)
        buttons = QHBoxLayout()
        buttons.addWidget(self.start)
        buttons.addWidget(self.copy)
        buttons.addStretch()
        about = label(ABOUT, role="caption", wrap=True)
        for part in (about, top, self.form, self.effort, self.shrink, self.small, self.data):
            self.add(part)
        self.footer.addWidget(self.notice)
        self.footer.addLayout(buttons)

    def _connect(self) -> None:
        for signal in (self.form.changed, self.small.changed, self.out.textChanged, self.shrink.toggled):
            signal.connect(lambda *_: self.refresh())
        session = self._session
        for signal in (session.job_changed, session.data_loaded, session.data_wanted):
            signal.connect(lambda *_: self.refresh())
        self.browse.clicked.connect(self._on_browse_clicked)
        self.start.clicked.connect(lambda: self.wanted.emit(self.command()))
        self.copy.clicked.connect(self.copy_wanted)

    def default_folder(self) -> Path:
        """Return the default folder of a study, next to the runs folder."""
        return self._session.runs.root.parent / "study"

    def folder(self) -> Path:
        typed = self.out.text().strip()
        return Path(typed).expanduser().absolute() if typed else self.default_folder()

    def command(self) -> RunStudy:
        """Return the command that starts the study."""
        values = _scans(self.data_config())
        if self._desk.preferences.backend != settings.TrainingConfig().backend:
            values["backend"] = self._desk.preferences.backend
        if self.shrink.isChecked():
            values |= self.small.values()
        config = settings.validate(StudyConfig, self.form.values())
        return RunStudy(out=str(self.folder()), config=config, settings=values)

    def data_config(self) -> DataConfig:
        """Return the dataset that the study would use."""
        return self._session.data.config if self._session.data else self._session.requested_data

    def is_valid(self) -> bool:
        return self.form.is_valid() and (not self.shrink.isChecked() or self.small.is_valid())

    def show_state(self, state: str) -> None:
        """Set the button's text to its action in this folder."""
        self.start.setText("Resume" if state in ("stopped", "interrupted", "failed") else "Start study")

    def refresh(self) -> None:
        """Update captions and button from the form and the session."""
        quick = bool(self.form.values()["quick"])
        self.form.show_only(["quick"] if quick else list(self.form.rows))
        self.effort.setText(QUICK if quick else FULL)
        self.small.setVisible(self.shrink.isChecked())
        data = self.data_config()
        note = (
            "Its results cannot be compared with the reported ones."
            if self.shrink.isChecked()
            else "Preprocessing as in the study."
        )
        self.data.setText(f"Dataset: {source_title(data)}, chosen in Data. {note}")
        self.start.setEnabled(self.is_valid() and not self._session.job.is_busy())
        self.changed.emit()

    def memory(self) -> dict[str, Any]:
        return {
            "out": self.out.text(),
            "form": self.form.values(),
            "shrink": self.shrink.isChecked(),
            "small": self.small.values(),
        }

    def recall(self, kept: dict[str, Any]) -> None:
        for form, key in ((self.form, "form"), (self.small, "small")):
            if isinstance(kept.get(key), dict):
                form.set_values(kept[key])
        if isinstance(kept.get("out"), str):
            self.out.setText(kept["out"])
        self.shrink.setChecked(kept.get("shrink") is True)

    def _check_small(self, values: dict[str, Any]) -> None:
        for model in ("ae", "vae"):
            settings.from_flat({**values, "model": model})

    def _on_browse_clicked(self) -> None:
        folder = self.ask_folder(self, "Study folder", str(self.folder().parent))
        if folder:
            self.out.setText(folder)


def _small_specs() -> list[settings.FieldSpec]:
    """Return the settings that make a study small, all of them visible."""
    kinds = settings.sections("ae").values()
    specs = {spec.name: spec for kind in kinds for spec in settings.list_fields(kind)}
    return [replace(specs[name], advanced=False, group="") for name in SIZE_FIELDS]


def _scans(config: DataConfig) -> dict[str, Any]:
    """Return the source of the dataset without the preparation, which belongs to the study."""
    plain = DataConfig().model_dump()
    given = {
        name: value for name, value in config.model_dump().items() if value != plain[name] and name not in PREPARED
    }
    return {"source": config.source, **given}
