"""The card that saves the result of a run for the whole opened volume, as NIfTI or as a DICOM series."""

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QFileDialog, QMenu

from engine.data.volume_target import INSTALL, NIFTI_SUFFIXES, VolumeFormat, find_missing_package
from engine.messages import ExportVolume
from gui.export import ExportBox
from gui.opened_files import OpenedScan
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.labels import label

TITLES: Mapping[VolumeFormat, str] = {"nifti": "NIfTI", "dicom": "DICOM series"}
NO_NOISE = "All slices, without added noise."
WITH_NOISE = "The noise above (level {:.3f}) is added to all slices first. Set it to 0 to denoise the scan as it is."
NO_FIELDS: Mapping[str, Any] = {}


class VolumeCard(Card):
    """A card with a menu of runs and formats, and a box with the progress and the saved file; hidden for an image.

    Args:
        session: what sends requests.
        panel: name of the requests.
        has_noise: whether the panel adds noise, which the card then mentions.
    """

    def __init__(self, session: Session, panel: str, has_noise: bool = False) -> None:
        super().__init__("Whole volume")
        self._session, self._panel, self._has_noise = session, panel, has_noise
        self._scan: OpenedScan | None = None
        self._runs: Mapping[str, str] = {}
        self._noise: Mapping[str, Any] = {}
        self.ask_path = QFileDialog.getSaveFileName
        self.menu, self.button = QMenu(self), Button("Save as")
        self.notice = ExportBox("Processed {done} of {total} slices…")
        self.keep, self.caption = QCheckBox("Keep patient data (DICOM)"), label(role="caption", wrap=True)
        self.keep.setToolTip("Keep name, identifiers, dates and study of the patient in a DICOM series")
        self.button.setMenu(self.menu)
        self.add(self.caption)
        self.add(self.keep)
        self.body.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        self.add(self.notice)
        self.menu.aboutToShow.connect(self.fill_menu)
        self.notice.ended.connect(lambda: self.show_for(self._scan, self._runs, self._noise))
        self.hide()

    def show_for(self, scan: OpenedScan | None, runs: Mapping[str, str], noise: Mapping[str, Any] = NO_FIELDS) -> None:
        """Offer the runs (titles by path) for a file; `noise` are the fields of the noise that is added before."""
        self._scan, self._runs, self._noise = scan, runs, noise
        is_volume = scan is not None and scan.kind != "picture"
        self.setVisible(is_volume or self.notice.is_busy())
        self.button.setEnabled(is_volume and bool(runs) and not self.notice.is_busy())
        self.keep.setVisible(scan is not None and scan.kind == "dicom")
        self.caption.setText(WITH_NOISE.format(noise["sigma"]) if self._adds_noise() else NO_NOISE)
        self.caption.setVisible(self._has_noise)

    def fill_menu(self) -> None:
        """List the runs, each with the formats that the source has."""
        self.menu.clear()
        is_dicom = self._scan is not None and self._scan.kind == "dicom"
        for path, name in self._runs.items():
            for kind, title in TITLES.items():
                if kind == "nifti" or is_dicom:
                    action = self.menu.addAction(f"{name} as {title}…")
                    action.triggered.connect(lambda _=False, path=path, kind=kind: self.save(path, kind))

    def save(self, run: str, kind: VolumeFormat) -> None:
        """Ask for a file or a new folder, and have the explorer write it."""
        if kind == "dicom" and (problem := find_missing_package()):
            self.notice.show_notice(f"{problem} Install it: {INSTALL}")
            return
        path = self._ask(self._runs[run], kind)
        if not path or self._scan is None:
            return
        fields = self._noise if self._adds_noise() else {}
        keep = kind == "dicom" and self.keep.isChecked()
        order = ExportVolume(
            panel=self._panel, run=run, scan=self._scan.path, path=path, format=kind, keep_patient_data=keep, **fields
        )
        self.notice.follow(self._session.request(order), "Opening the volume…")
        self.button.setEnabled(False)

    def _adds_noise(self) -> bool:
        return bool(self._noise.get("sigma"))

    def _ask(self, name: str, kind: VolumeFormat) -> str:
        """Return the path to write to; its suggestion has no part of the source's name, which may be a patient's."""
        if kind == "dicom":
            return str(self.ask_path(self, "New folder for the DICOM series", f"{name}-dicom", "")[0])
        path = str(self.ask_path(self, "Save the volume", f"{name}.nii.gz", "NIfTI (*.nii.gz *.nii)")[0])
        return path if not path or path.casefold().endswith(NIFTI_SUFFIXES) else f"{path}.nii.gz"
