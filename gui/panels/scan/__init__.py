"""The Scan panel: a volume in three linked planes, its window, measurements, and slices for the other panels."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from engine.data.slice_file import write_slice
from engine.data.viewed_volume import HOUNSFIELD
from engine.messages import OpenVolume, OpenVolumeReply, RequestFailed
from gui.export import join_script
from gui.follower import Follower
from gui.panel import AppContext, OpenFile, Panel, Target, scroll_column
from gui.panels.scan.cards import FileCard, MeasureCard, UseCard, WindowCard
from gui.selection import ImageRef
from gui.widgets.buttons import Button
from gui.widgets.card import Card, NoticeBox
from gui.widgets.labels import label
from gui.widgets.volume.measure import Measurement, describe
from gui.widgets.volume.model import Volume, find_presets
from gui.widgets.volume.planes import VolumePlanes

EMPTY = "A DICOM series, a disc folder or a NIfTI volume opens here, in three linked planes. You can also drop it."
FILES = "Volumes (*.dcm *.dicom *.ima *.nii *.nii.gz *.hdr *.img *.mgz *.mgh *.nrrd *.nhdr *.mha *.mhd);;All files (*)"
OPENING = "Opening {}…"
IMPORTS = (
    "import tempfile",
    "from pathlib import Path",
    "",
    "import numpy as np",
    "",
    "from engine.data import scan",
    "from engine.figures import plain",
)


class ScanPanel(Panel):
    """The panel with file, window, measurements and targets at the left, three planes at the right."""

    def __init__(self, desk: AppContext) -> None:
        super().__init__(desk)
        self.file, self.window_, self.measure, self.use = FileCard(), WindowCard(), MeasureCard(), UseCard()
        self.planes, self.notice, self.pages = VolumePlanes(), NoticeBox(), QStackedWidget()
        self.open, self.folder = Button("Open a scan…", "primary"), Button("Open a DICOM folder…")
        self.ask_file: Callable[..., str] = lambda *words: QFileDialog.getOpenFileName(*words)[0]
        self.ask_folder: Callable[..., str] = QFileDialog.getExistingDirectory
        self.volume: Volume | None = None
        self.follower = Follower(self, self._show_image, lambda record: None)
        self.file.add_action(self.follower.pin)
        self._path, self._voxels, self._name, self._choice = "", "", "", (0, 1)
        self._opened, self._failure = ("", (0, 1)), ""
        self._cards = scroll_column(self.file, self.window_, self.measure, self.use)
        self.pages.addWidget(self._make_empty())
        self.pages.addWidget(self.planes)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.notice)
        column.addWidget(self.pages, 1)
        self.lay_out(self._cards, right)
        self._connect()
        self.close_volume()

    def navigate(self, target: Target) -> None:
        """Open a volume."""
        if isinstance(target, OpenFile):
            self.open_volume(target.path)

    def open_volume(self, path: str, series: int = 0, volume: int = 1) -> None:
        """Request a volume of a file or a folder."""
        self._path, self._choice = path, (series, volume)
        self.notice.show_notice(OPENING.format(Path(path).name), "info")
        handle = self.session.request(OpenVolume(panel="scan", path=path, series=series, volume=volume))
        handle.finished.connect(self._on_opened)
        handle.failed.connect(self._on_failed)

    def close_volume(self) -> None:
        """Forget the volume and delete its file."""
        self.volume, self._path, self._opened = None, "", ("", (0, 1))
        self.planes.show_volume(None)
        self._delete_voxels()
        self._cards.hide()
        self.pages.setCurrentIndex(0)

    def use_slice(self, panel: str) -> None:
        """Write the slice of the chosen plane, as it is shown, and open it in another panel."""
        cell, view = self.planes.cells[self.use.plane.currentData()], self.planes.contrast
        if self.volume is None:
            return
        plane, index = cell.plane, cell.view.index
        folder = self.session.scratch / "slices"
        path = folder / f"{self._name[:80]} {self.volume.title(plane).lower()} {index + 1}.nii"
        values, half = np.asarray(self.volume.slice(plane, index), np.float32), view.window / 2
        levels = (view.level - half, view.level + half)
        if view.invert:
            values, levels = -values, (-levels[1], -levels[0])
        try:
            folder.mkdir(exist_ok=True)
            write_slice(path, values, self.volume.spacing(plane), self.volume.letters(plane), levels)
        except OSError as error:
            self.notice.show_notice(f"The slice could not be written ({error.strerror}).")
        else:
            self.navigation_requested.emit(panel, OpenFile(str(path)))

    def as_python(self) -> str:
        """Return a script that saves the slice of the chosen plane as it is shown; empty without a volume."""
        if self.volume is None:
            return ""
        cell, view, choice = self.planes.cells[self.use.plane.currentData()], self.planes.contrast, self._choice
        plane, index = cell.plane, cell.view.index
        turned = "[::-1]" if self.volume.is_upward(plane) else ""
        limits = (view.level - view.window / 2, view.level + view.window / 2)
        name = f"{self.volume.title(plane).lower()}-{index + 1}"
        return join_script(
            "with tempfile.TemporaryDirectory() as scratch:",
            f"    facts = scan.read_view({self._path!r}, Path(scratch) / 'volume.npy', *{choice})",
            "    volume = np.load(f'{scratch}/volume.npy')",
            "print(facts['name'], volume.shape, facts['voxel_mm'], facts['units'])",
            f"values = volume.take({index}, axis={plane.across}){turned}",
            "print(np.nanmin(values), np.nanmean(values), np.nanmax(values))",
            f"plain.save_values(values, {name + '.png'!r}, {limits}, is_inverted={view.invert})",
            imports=IMPORTS,
        )

    def _make_empty(self) -> QWidget:
        card, page = Card("No scan is open"), QWidget()
        card.add(label(EMPTY, wrap=True))
        row, middle = QHBoxLayout(), QHBoxLayout(page)
        for button in (self.open, self.folder):
            row.addWidget(button)
        row.addStretch()
        card.add(row)
        card.setFixedWidth(440)
        middle.addWidget(card, 0, Qt.AlignmentFlag.AlignCenter)
        return page

    def _connect(self) -> None:
        planes, measures = self.planes, self.planes.measures
        for wanted in (self.open.clicked, self.file.open_wanted):
            wanted.connect(lambda: self._ask(self.ask_file, "Open a volume", FILES))
        for wanted in (self.folder.clicked, self.file.folder_wanted):
            wanted.connect(lambda: self._ask(self.ask_folder, "Open a DICOM folder"))
        self.file.closed.connect(self.close_volume)
        self.notice.action_requested.connect(lambda: self.notice.show_notice(""))
        self.session.selection.file_opened.connect(lambda _: self._dismiss_failure())
        self.file.chosen.connect(lambda series, volume: self.open_volume(self._path, series, volume))
        self.window_.levels_changed.connect(lambda low, high: planes.set_levels((low, high)))
        planes.contrast_changed.connect(self._show_contrast)
        planes.auto_wanted.connect(lambda: self.window_.choose("auto"))
        planes.active_changed.connect(lambda name: self.use.plane.setCurrentIndex(self.use.plane.findData(name)))
        planes.pointed.connect(self.status_changed)
        self.measure.tool_chosen.connect(measures.set_tool)
        measures.changed.connect(self._show_measured)
        self.use.slice_wanted.connect(self.use_slice)
        self.use.volume_wanted.connect(lambda panel: self.navigation_requested.emit(panel, OpenFile(self._path)))

    def _show_image(self, image: ImageRef) -> None:
        """Open the volume that the current image is a slice of; other images leave the open volume."""
        opened = image.opened
        if opened is not None and opened.slices > 1 and opened.path != self._path:
            self.open_volume(opened.path)

    def save_state(self) -> dict[str, Any]:
        return {"pinned": self.follower.is_pinned()}

    def restore_state(self, kept: dict[str, Any]) -> None:
        self.follower.set_pinned(kept.get("pinned") is True)

    def _ask(self, ask: Callable[..., str], title: str, *more: str) -> None:
        path = ask(self, title, str(Path.home()), *more)
        if path:
            self.open_volume(path)

    def _on_opened(self, reply: OpenVolumeReply) -> None:
        voxels = f"{reply.voxels}.npy"
        try:
            mapped = np.load(voxels, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError):
            self.notice.show_notice("The volume could not be read from the scratch folder. Open it again.")
            return
        if voxels != self._voxels:
            self._delete_voxels()
        self._voxels, self._name, self._opened = voxels, reply.name, (self._path, self._choice)
        self.volume = Volume(mapped, reply.axes, reply.voxel_mm, reply.units)
        sample = self.volume.sample()
        presets = find_presets(sample, reply.units, reply.window, HOUNSFIELD)
        self.planes.show_volume(self.volume, float(np.ptp(sample)) if sample.size else 1.0)
        self.file.show_volume(reply, self.volume)
        self.use.show_volume(reply)
        self.window_.histogram.set_values(sample)
        self.window_.show_presets(presets, reply.units)
        self.planes.set_inverted(reply.inverted)
        self.planes.set_levels(next(iter(presets.values())), default=True)
        self._show_contrast()
        self._show_titles()
        self._cards.show()
        self.pages.setCurrentIndex(1)
        self.notice.show_notice("")
        current = self.session.selection.image
        if self.follower.is_pinned():
            return
        if current is None or current.opened is None or current.opened.path != self._path:
            self.session.selection.open_file(self._path, quiet=True)

    def _on_failed(self, failure: RequestFailed) -> None:
        """Show why there is no other volume, until it is dismissed or a file opens; the open volume stays."""
        self._failure = failure.sentence
        self._path, self._choice = self._opened
        self.notice.show_notice(failure.sentence, action="Dismiss")

    def _dismiss_failure(self) -> None:
        if self.notice.text() == self._failure:
            self.notice.show_notice("")

    def _delete_voxels(self) -> None:
        if self._voxels:
            with suppress(OSError):  # Windows deletes no file that is still mapped; the scratch folder goes later
                Path(self._voxels).unlink(missing_ok=True)
            self._voxels = ""

    def _show_titles(self) -> None:
        for at, cell in enumerate(self.planes.cells.values()):
            self.use.plane.setItemText(at, self.volume.title(cell.plane) if self.volume else "")

    def _show_contrast(self) -> None:
        view = self.planes.contrast
        self.window_.show_window(view.window, view.level)

    def _show_measured(self) -> None:
        measures = self.planes.measures
        self.measure.show_state(measures.tool, self._describe(measures.measured))

    def _describe(self, measured: Measurement | None) -> str:
        if measured is None or self.volume is None or not measured.is_visible:
            return ""
        values = self.volume.slice(measured.plane, measured.index)
        found = describe(measured, values, self.volume.spacing(measured.plane), self.volume.units)
        return f"{self.volume.title(measured.plane)} {measured.index + 1}\n{found}"
