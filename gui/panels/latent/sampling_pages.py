"""Random draws: images generated from latent codes, and the SD of one image's decoded posterior samples."""

import numpy as np
from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSpinBox

from engine.messages import (
    CalibrateSpread,
    CalibrateSpreadReply,
    CalibrationReport,
    PosteriorSpread,
    PosteriorSpreadReply,
    SampleLatent,
    SampleLatentReply,
)
from gui.explorer_request import ExplorerRequest
from gui.formatting import format_fixed, format_number
from gui.panels.latent.latent_map import LatentState, short
from gui.panels.latent.page import CHOOSE, WORKING, LatentPage
from gui.pixmaps import Colormap
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.curves.plot import CurvePlot
from gui.widgets.curves.series import SeriesStyle
from gui.widgets.image_board import BoardImage, ImageBoard
from gui.widgets.image_grid import ImageGrid
from gui.widgets.labels import label
from gui.widgets.view_state import View, ViewState

COUNT, MAX_COUNT, MAX_SEED = 24, 128, 9999
PAIR_PX = 400
SOURCES = {"prior": "Prior", "mixture": "Mixture fitted to training codes"}
FITTING = "Fitting a mixture to the latent codes of the training images… This is done once and may take minutes."
SAMPLES, SCANS = 32, 64
PLOT_PX = 340
IDEAL_KEY, OWN_KEY, VALIDATION_KEY = "ideal", "this image", "validation images"
CALIBRATED_KEY = "calibrated, other patients"


class SamplesPage(LatentPage):
    """The generated images; the selected one next to its nearest training image."""

    name = "samples"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.source, self.count, self.seed, self.another = QComboBox(), QSpinBox(), QSpinBox(), Button("Resample")
        self.grid = ImageGrid(86)
        self.grid.setAccessibleName("generated images")
        self.board = ImageBoard(ViewState(parent=self), lambda view: view.set_orientation(""))
        self.board.setFixedWidth(PAIR_PX)
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.count.setRange(1, MAX_COUNT)
        self.count.setValue(COUNT)
        self.seed.setRange(0, MAX_SEED)
        self._reply: SampleLatentReply | None = None
        self._lay_out()
        self.source.activated.connect(self._resample)
        for box in (self.count, self.seed):
            box.setKeyboardTracking(False)
            box.valueChanged.connect(self._resample)
        self.another.clicked.connect(lambda: self.seed.setValue((self.seed.value() + 1) % (MAX_SEED + 1)))
        self.another.setToolTip("Generate again with the next seed")
        self.grid.selection_changed.connect(self._show_pair)
        self.request.finished.connect(self._on_sampled)

    def _lay_out(self) -> None:
        named = (("From", self.source), ("Count", self.count), ("Seed", self.seed))
        for title, field in named:
            text = label(title, role="quiet")
            text.setBuddy(field)
            field.setAccessibleName(title.lower())
            self.bar.addWidget(text)
            self.bar.addWidget(field)
        self.bar.addWidget(self.another)
        self.bar.addStretch()
        line = QHBoxLayout(self.content)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(14)
        line.addWidget(self.grid, 1)
        line.addWidget(self.board)

    def refresh(self, scene: LatentState) -> None:
        for part in (self.source, self.count, self.seed, self.another):
            part.setEnabled(scene.mapped.decodes)
        if self.cannot_decode(scene):
            return
        self._offer(scene)
        fields = {"count": self.count.value(), "seed": self.seed.value(), "source": self.source.currentData()}
        message = SampleLatent(panel=self.channel, run=scene.run, data=scene.data.config, **fields)
        if self.request.send(message) and self.message():
            self.show_message(FITTING if self.source.currentData() == "mixture" else WORKING)

    def _offer(self, scene: LatentState) -> None:
        """Offer the sources: an autoencoder has no prior."""
        wanted = list(SOURCES) if scene.mapped.variational else ["mixture"]
        if [self.source.itemData(at) for at in range(self.source.count())] == wanted:
            return
        kept = self.source.currentData()
        with QSignalBlocker(self.source):
            self.source.clear()
            for key in wanted:
                self.source.addItem(SOURCES[key], key)
            self.source.setCurrentIndex(max(self.source.findData(kept), 0))
        self.source.setToolTip(
            ""
            if scene.mapped.variational
            else "An autoencoder has no prior over latent codes. Use the mixture fitted to the training codes."
        )

    def _resample(self) -> None:
        if self.scene is not None:
            self.refresh(self.scene)

    def _on_sampled(self, reply: SampleLatentReply) -> None:
        self._reply = reply
        captions = [f"{'▲ ' if sample.memorised else ''}{sample.ratio:.2f}" for sample in reply.samples]
        self.grid.set_images(np.rint(np.clip(reply.images, 0, 1) * 255).astype(np.uint8), captions)
        self.show_note(describe_samples(reply))
        self.reveal()
        self.grid.select(0)

    def _show_pair(self, selected: list[int]) -> None:
        """Show a generated image next to the nearest training image."""
        if not selected or self._reply is None or self.scene is None:
            return
        at, near = selected[0], self._reply.samples[selected[0]]
        train = self.scene.data.thumbnails[self.scene.row(("train", near.index))] / np.float32(255)
        word = "near copy ▲" if near.memorised else ""
        row = [
            BoardImage("sample", f"sample {at + 1}", self._reply.images[at], caption=word),
            BoardImage("near", short(near.name), train, caption=format_fixed(near.distance, 2)),
        ]
        self.board.set_pictures([row])


def describe_samples(reply: SampleLatentReply) -> str:
    """Return how many samples are near copies, and what the numbers below them mean."""
    count, flagged = len(reply.samples), reply.memorised
    verdict = (
        "No near copy of a training image found"
        if not flagged
        else f"{flagged} of {count} are near copies, possible memorization (▲)"
    )
    return (
        f"{verdict}. Below each image: distance to the nearest training image ÷ mean distance to the 50 nearest; a "
        f"ratio below {reply.limit:.2f} is flagged. These images are synthetic: they show no real patient. Do not "
        "interpret anatomy in them."
    )


class PosteriorPage(LatentPage):
    """Original, mean and SD of the samples; nominal and observed coverage of the intervals."""

    name = "spread"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.calibration_request = ExplorerRequest(session, self)
        self.pictures = ImageBoard(ViewState(parent=self), lambda view: view.set_orientation(""))
        self.heat = ViewState(View(window=0.1, level=0.05), self)
        self.plot = CurvePlot("observed coverage", "nominal coverage")
        self.button, self.status = Button(f"Check calibration ({SCANS} validation images)"), label(role="caption")
        self.plot.setFixedWidth(PLOT_PX)
        line = QHBoxLayout(self.content)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(12)
        line.addWidget(self.pictures, 1)
        line.addWidget(self.plot)
        self.bar.addWidget(self.button)
        self.bar.addWidget(self.status)
        self.bar.addStretch()
        self._calibration: CalibrateSpreadReply | None = None
        self._run = ""
        self._own = ""
        self.button.clicked.connect(self._calibrate)
        self.request.finished.connect(self._on_spread)
        self.calibration_request.finished.connect(self._on_calibrated)
        self.calibration_request.failed.connect(self.status.setText)
        self.calibration_request.progressed.connect(self._on_progressed)

    def refresh(self, scene: LatentState) -> None:
        if scene.run != self._run:
            self._run, self._calibration, self._own = scene.run, None, ""
            self.calibration_request.reset()
            self.status.setText("")
            self.plot.keep_series(())
        self.button.setEnabled(scene.mapped.variational)
        if not scene.mapped.variational:
            self.show_message(
                f"{scene.title} maps each image to a single latent code. Only a VAE has a posterior distribution. "
                "Choose a VAE run."
            )
            return
        if not scene.has_subject:
            self.show_message(CHOOSE)
            return
        message = PosteriorSpread(panel=self.channel, **scene.subject(), samples=SAMPLES)
        if self.request.send(message) and self.message():
            self.show_message(WORKING)

    def _calibrate(self) -> None:
        scene = self.scene
        if scene is not None:
            message = CalibrateSpread(
                panel="latent-calibrate",
                run=scene.run,
                data=scene.data.config,
                split="validation",
                samples=SAMPLES,
                count=SCANS,
            )
            if self.calibration_request.send(message):
                self.status.setText(WORKING)

    def _on_progressed(self, done: int, total: int) -> None:
        self.status.setText(f"image {done} of {total}")

    def _on_spread(self, reply: PosteriorSpreadReply) -> None:
        maps = {"spread": ("posterior SD", reply.spread)}
        if reply.half_width is not None:
            maps["interval"] = ("90% interval, ±", reply.half_width)
        top = float(np.quantile([each for _, each in maps.values()], 0.999)) or 1e-3
        self.heat.update(window=top, level=top / 2)
        caption = f"0 to {format_number(top, 2)}"
        heats = [
            BoardImage(key, title, image, Colormap.HEAT, caption, light=self.heat)
            for key, (title, image) in maps.items()
        ]
        self.pictures.set_pictures(
            [
                [
                    BoardImage("original", "original", reply.original),
                    BoardImage("mean", "mean of posterior samples", reply.mean),
                    *heats,
                ]
            ]
        )
        self._own = reply.calibration.sentence.replace("held-out pixels", "pixels of this image")
        self._draw(OWN_KEY, reply.calibration)
        self.reveal()
        self._update_note()

    def _on_calibrated(self, reply: CalibrateSpreadReply) -> None:
        self._calibration = reply
        self.status.setText(f"{reply.scans} validation images, {reply.samples} samples each")
        self._draw(VALIDATION_KEY, reply)
        if reply.calibrated:
            self._draw(CALIBRATED_KEY, reply.calibrated)
        if self.scene is not None and self.scene.has_subject:
            self.request.reset()  # its reply now has the calibrated interval
            self.refresh(self.scene)
        self._update_note()

    def _update_note(self) -> None:
        """Show the sentence of the validation images if there is one: a single image says little."""
        if not self.message():
            found = self._calibration
            calibrated = f" {found.calibrated.sentence}" if found and found.calibrated else ""
            self.show_note(f"{found.sentence}{calibrated}" if found else self._own)

    def _draw(self, key: str, found: CalibrationReport) -> None:
        levels = np.asarray(found.levels)
        self.plot.set_series(IDEAL_KEY, levels, levels, SeriesStyle("ideal", "role:quiet", dashed=True))
        color = {VALIDATION_KEY: "series:0", CALIBRATED_KEY: "series:2"}.get(key, "series:1")
        self.plot.set_series(key, levels, np.asarray(found.coverage), SeriesStyle(key, color))
