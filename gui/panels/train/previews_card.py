"""Fixed validation images: originals above their reconstructions, epoch by epoch."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSlider

from gui.formatting import format_fixed
from gui.run_record import RunRecord
from gui.widgets.card import Card
from gui.widgets.image_rows import ImageRow, ImageRows
from gui.widgets.labels import label

EMPTY = "Reconstructions of eight validation images appear here after each epoch."
Images = NDArray[np.float32]


class PreviewsCard(Card):
    """Rows of images and a slider over the epochs; it follows the newest unless the user moved it back."""

    pointed = Signal(str)

    def __init__(self) -> None:
        super().__init__("Validation previews")
        self.rows, self.slider, self._place = ImageRows(), QSlider(Qt.Orientation.Horizontal), label(role="caption")
        self._record: RunRecord | None = None
        self._epochs: list[int] = []
        self._shown: tuple[Path, int] | None = None
        self._images: tuple[Images, Images] | None = None
        self._empty = label(EMPTY, role="quiet", wrap=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.slider.setAccessibleName("epoch")
        self.slider.setPageStep(5)
        line = QHBoxLayout()
        line.addWidget(self.slider, 1)
        line.addWidget(self._place)
        self.add(self._empty, 1)
        self.add(self.rows, 1)
        self.add(line)
        self.slider.valueChanged.connect(lambda _: self._show_epoch())
        self.rows.hovered.connect(self._on_hovered)
        self.rows.hover_ended.connect(lambda: self.pointed.emit(""))
        self.show_run(None)

    def show_run(self, record: RunRecord | None) -> None:
        """Show a run's images; those of a run in training as they arrive."""
        another = record is None or self._record is None or record.run.path != self._record.run.path
        follows = another or self.slider.value() == self.slider.maximum()
        self._record = record
        self._epochs = [epoch for epoch in sorted(record.epochs) if record.epochs[epoch].preview] if record else []
        self.slider.setRange(0, max(len(self._epochs) - 1, 0))
        if follows:
            self.slider.setValue(self.slider.maximum())
        self._show_epoch()

    def epoch(self) -> int | None:
        """Return the epoch whose images are shown, or None."""
        return self._epochs[self.slider.value()] if self._epochs else None

    def _show_epoch(self) -> None:
        epoch, record = self.epoch(), self._record
        key = (record.run.path, epoch) if record and epoch is not None else None
        if key == self._shown and key is not None:
            return
        self._shown = key
        self._images = pictures(record, epoch) if record and epoch is not None else None
        for part in (self.rows, self.slider, self._place):
            part.setVisible(self._images is not None)
        self._empty.setVisible(self._images is None)
        if record and self._images is not None:
            original, made = self._images
            noisy = _read(record.run.previews / "noisy.npy")
            middle = [] if noisy is None or noisy.shape != original.shape else [ImageRow("noisy input", noisy)]
            last = ImageRow("reconstruction", made, subtitle=f"epoch {epoch}")
            self.rows.set_rows([ImageRow("original", original), *middle, last])
            self.set_subtitle(f"{record.name} · epoch {epoch} · drag the slider to see earlier epochs")
            self._place.setText(f"epoch {epoch} of {record.target_epochs}")
        else:
            self.set_subtitle("")

    def _on_hovered(self, row: int, column: int, x: int, y: int) -> None:
        if self._images is not None:
            original, made = (float(images[column, y, x]) for images in self._images)
            numbers = f"original {format_fixed(original, 3)} · reconstruction {format_fixed(made, 3)}"
            self.pointed.emit(f"x {x} · y {y} · {numbers} · difference {format_fixed(made - original, 3)}")


def pictures(record: RunRecord, epoch: int) -> tuple[Images, Images] | None:
    """Return originals and reconstructions of an epoch, (n, h, w) in [0, 1]; None if they cannot be read."""
    preview = record.epochs[epoch].preview or ""
    originals = _read(record.run.previews / "originals.npy")
    made = _read(record.run.previews / Path(preview).name)
    if originals is None or made is None or originals.shape != made.shape:
        return None
    return originals, made


def _read(path: Path) -> Images | None:
    try:
        images = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if images.ndim != 3:
        return None
    full = np.iinfo(images.dtype).max if np.issubdtype(images.dtype, np.integer) else 1
    return np.asarray(images, np.float32) / np.float32(full)
