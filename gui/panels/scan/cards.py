"""The cards of the Scan panel: what is open, window and level, measurements, and where a slice goes."""

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout

from engine.messages import OpenVolumeReply
from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.combo_boxes import FocusComboBox
from gui.widgets.labels import ElidedLabel, form_rows, label
from gui.widgets.number_fields import NumberEdit
from gui.widgets.volume.histogram import Histogram
from gui.widgets.volume.measure import Kind
from gui.widgets.volume.model import PLANES, Levels, Volume

PRESETS = {"file": "File", "auto": "Auto", "brain": "Brain", "bone": "Bone"}
PRESET_TIPS = {
    "file": "The window stored in the file",
    "auto": "From the 0.1 to the 99.9 percentile of the volume (A)",
    "brain": "Level 40, width 80 HU",
    "bone": "Level 500, width 2,000 HU",
}
TOOLS: dict[Kind | None, str] = {None: "Crosshair", "ruler": "Ruler", "rectangle": "Rectangle", "ellipse": "Ellipse"}
TARGETS = {"compare": "Compare", "layers": "Layers", "denoise": "Denoise"}
HINT = "Drag on a plane. Enter places it at the crosshair, Alt+arrows move it, Delete removes it."
LABEL_PX = 62


class FileCard(Card):
    """The open file, its series and its volumes; `chosen` carries the numbers of both, counted from 1."""

    chosen = Signal(int, int)
    open_wanted = Signal()
    folder_wanted = Signal()
    closed = Signal()

    def __init__(self) -> None:
        super().__init__("Opened scan")
        self.name, self._facts, self._notes = ElidedLabel(), label(role="caption", wrap=True), label(wrap=True)
        self._notes.setProperty("role", "caption")
        self.series, self.volume = FocusComboBox(), FocusComboBox()
        for box in (self.series, self.volume):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(8)
        self._form = form_rows({"Series": self.series, "Volume": self.volume}, LABEL_PX)
        self.open, self.folder, self.close_ = Button("Open…"), Button("Folder…"), Button("Close")
        for part in (self.name, self._facts, self._form, self._notes):
            self.add(part)
        row = QHBoxLayout()
        for button, signal in (
            (self.open, self.open_wanted), (self.folder, self.folder_wanted), (self.close_, self.closed),
        ):  # fmt: skip
            button.clicked.connect(signal)
            row.addWidget(button)
        row.addStretch()
        self.add(row)
        self.series.activated.connect(lambda at: self.chosen.emit(at + 1, 1))
        self.volume.activated.connect(lambda at: self.chosen.emit(self.series.currentIndex() + 1, at + 1))

    def show_volume(self, reply: OpenVolumeReply, volume: Volume) -> None:
        """Show what is known of a volume."""
        self.name.setText(reply.name)
        self._facts.setText(describe(volume))
        self._notes.setText("\n".join(reply.notes))
        self._notes.setVisible(bool(reply.notes))
        _fill(self.series, reply.series, reply.series_number)
        _fill(self.volume, [f"{at} of {reply.volumes}" for at in range(1, reply.volumes + 1)], reply.volume)
        self._form.setRowVisible(self.series, len(reply.series) > 1)
        self._form.setRowVisible(self.volume, reply.volumes > 1)


class WindowCard(Card):
    """Presets, level and width in the file's units, and the histogram."""

    levels_changed = Signal(float, float)

    def __init__(self) -> None:
        super().__init__("Window")
        self.level, self.width_, self.histogram = NumberEdit(), NumberEdit(), Histogram()
        self.buttons = {key: Button(title) for key, title in PRESETS.items()}
        self.presets: dict[str, Levels] = {}
        row = QHBoxLayout()
        row.setSpacing(6)
        for key, button in self.buttons.items():
            button.setProperty("kind", "chip")
            button.setToolTip(PRESET_TIPS[key])
            button.setAccessibleName(f"{PRESETS[key]} window")
            button.clicked.connect(lambda _=False, key=key: self.choose(key))
            row.addWidget(button)
        row.addStretch()
        self.level.setRange(-1e12, 1e12)
        self.width_.setRange(1e-4, 1e12)
        for part in (row, form_rows({"Level": self.level, "Width": self.width_}, LABEL_PX), self.histogram):
            self.add(part)
        for field in (self.level, self.width_):
            field.valueChanged.connect(self._on_edited)

    def show_presets(self, presets: dict[str, Levels], units: str) -> None:
        """Offer these presets, in these units."""
        self.presets = presets
        self.set_subtitle(units or "values as stored")
        for key, button in self.buttons.items():
            button.setVisible(key in presets)
        for field in (self.level, self.width_):
            field.setSuffix(f" {units}" if units else "")

    def choose(self, key: str) -> None:
        """Use a preset."""
        self.levels_changed.emit(*self.presets[key])

    def show_window(self, window: float, level: float) -> None:
        """Show a window and a level, without a signal."""
        for field, value in ((self.level, level), (self.width_, window)):
            with QSignalBlocker(field):
                field.setValue(float(f"{value:.6g}"))
        self.histogram.set_window(level - window / 2, level + window / 2)

    def _on_edited(self) -> None:
        level, half = self.level.value(), self.width_.value() / 2
        self.levels_changed.emit(level - half, level + half)


class MeasureCard(Card):
    """What a drag does, and the result; `tool_chosen` carries the kind of measurement, None for the crosshair."""

    tool_chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__("Measure")
        self.buttons, self._group = dict[Kind | None, Button](), QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(6)
        for tool, title in TOOLS.items():
            button = self.buttons[tool] = Button(title)
            button.setProperty("kind", "chip")
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, tool=tool: self.tool_chosen.emit(tool))
            self._group.addButton(button)
            row.addWidget(button)
        row.addStretch()
        self.result = label(wrap=True)
        self.result.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._hint = label(HINT, role="caption", wrap=True)
        for part in (row, self.result, self._hint):
            self.add(part)

    def show_state(self, tool: Kind | None, result: str) -> None:
        """Show the chosen tool and what was measured."""
        self.buttons[tool].setChecked(True)
        self.result.setText(result)
        self.result.setVisible(bool(result))
        self._hint.setVisible(tool is not None)


class UseCard(Card):
    """Where a slice or all of them go; `slice_wanted` and `volume_wanted` carry the panel."""

    slice_wanted = Signal(str)
    volume_wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__("Use in another panel")
        self.plane = FocusComboBox()
        for plane in PLANES:
            self.plane.addItem(plane.name.capitalize(), plane.name)
        self.buttons = {key: Button(title) for key, title in TARGETS.items()}
        self.volume_buttons = {key: Button(title) for key, title in TARGETS.items()}
        self.add(form_rows({"Slice": self.plane}, LABEL_PX))
        self.add(self._make_row("this slice", "The slice at the crosshair, with this window", self.buttons))
        self.volume_title = label("All slices, with the intensities of the file", role="quiet", wrap=True)
        self.add(self.volume_title)
        tip = "All slices; the result of a model can be saved as a volume"
        self.add(self._make_row("all slices", tip, self.volume_buttons))
        for buttons, signal in ((self.buttons, self.slice_wanted), (self.volume_buttons, self.volume_wanted)):
            for key, button in buttons.items():
                button.clicked.connect(lambda _=False, key=key, signal=signal: signal.emit(key))

    def show_volume(self, reply: OpenVolumeReply) -> None:
        """Offer all slices where the other panels open the same ones: the first volume of a file or of one series."""
        is_offered = reply.volume == 1 and len(reply.series) < 2
        for part in (self.volume_title, *self.volume_buttons.values()):
            part.setVisible(is_offered)

    def _make_row(self, what: str, tip: str, buttons: dict[str, Button]) -> QHBoxLayout:
        row = QHBoxLayout()
        for key, button in buttons.items():
            button.setAccessibleName(f"Use {what} in {TARGETS[key]}")
            button.setToolTip(tip)
            row.addWidget(button)
        row.addStretch()
        return row


def describe(volume: Volume) -> str:
    """Return size, spacing and orientation of a volume."""
    sides = " × ".join(map(str, reversed(volume.voxels.shape)))
    known = [f"{side:.3g}" if side else "unknown" for side in reversed(volume.voxel_mm)]
    spacing = f"{' × '.join(known)} mm" if any(volume.voxel_mm) else "spacing unknown, shown with square pixels"
    turned = "" if all(volume.axes) else " · orientation unknown, shown as stored"
    return f"{sides} voxels · {spacing}{turned}"


def _fill(box: QComboBox, texts: Sequence[str], number: int) -> None:
    box.clear()
    box.addItems(texts)
    box.setCurrentIndex(number - 1)
