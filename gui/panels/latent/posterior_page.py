"""How far samples of the chosen scan's posterior spread, and whether that spread says where the picture is wrong."""

import numpy as np
from PySide6.QtWidgets import QHBoxLayout

from engine.messages import (
    CalibrateSpread,
    CalibrateSpreadReply,
    CalibrationReport,
    PosteriorSpread,
    PosteriorSpreadReply,
)
from gui.explorer_request import ExplorerRequest
from gui.panels.latent.latent_map import LatentState
from gui.panels.latent.page import CHOOSE, WORKING, LatentPage
from gui.pixmaps import Colormap
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.curves.plot import CurvePlot
from gui.widgets.curves.series import SeriesStyle
from gui.widgets.image_board import ImageBoard, Picture
from gui.widgets.labels import format_number, label
from gui.widgets.view_state import View, ViewState

SAMPLES, SCANS = 32, 64
PLOT_PX = 340
EXPECTED_KEY, OBSERVED_KEY, MANY = "ideal", "this image", "validation images"


class PosteriorPage(LatentPage):
    """Original, mean and spread; what the intervals promise and what they hold."""

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
        top = float(np.quantile(reply.spread, 0.999)) or 1e-3
        self.heat.update(window=top, level=top / 2)
        heat = Picture(
            "spread", "posterior SD", reply.spread, Colormap.HEAT, f"0 to {format_number(top, 2)}", light=self.heat
        )
        self.pictures.set_pictures(
            [
                [
                    Picture("original", "original", reply.original),
                    Picture("mean", "mean of posterior samples", reply.mean),
                    heat,
                ]
            ]
        )
        self._own = reply.calibration.sentence.replace("held-out pixels", "pixels of this image")
        self._draw(OBSERVED_KEY, reply.calibration)
        self.reveal()
        self._update_note()

    def _on_calibrated(self, reply: CalibrateSpreadReply) -> None:
        self._calibration = reply
        self.status.setText(f"{reply.scans} validation images, {reply.samples} samples each")
        self._draw(MANY, reply)
        self._update_note()

    def _update_note(self) -> None:
        """Show the sentence of the validation images if there is one: a single image says little."""
        if not self.message():
            self.show_note(self._calibration.sentence if self._calibration else self._own)

    def _draw(self, key: str, found: CalibrationReport) -> None:
        levels = np.asarray(found.levels)
        self.plot.set_series(EXPECTED_KEY, levels, levels, SeriesStyle("ideal", "role:quiet", dashed=True))
        colour = "series:0" if key == MANY else "series:1"
        self.plot.set_series(key, levels, np.asarray(found.coverage), SeriesStyle(key, colour))
