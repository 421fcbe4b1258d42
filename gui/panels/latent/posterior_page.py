"""How far samples of the chosen scan's posterior spread, and whether that spread says where the picture is wrong."""

from typing import Any

import numpy as np
from PySide6.QtWidgets import QHBoxLayout

from engine.messages import CalibrateSpread, PosteriorSpread
from gui.panels.latent.explorer_request import ExplorerRequest
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
        self.calibrating = ExplorerRequest(session, "latent-calibrate", self)
        self.pictures = ImageBoard(ViewState(parent=self), lambda view: view.set_orientation(""))
        self.heat = ViewState(View(window=0.1, level=0.05), self)
        self.plot = CurvePlot("observed coverage", "nominal coverage")
        self.button, self.told = Button(f"Check calibration ({SCANS} validation images)"), label(role="caption")
        self.plot.setFixedWidth(PLOT_PX)
        line = QHBoxLayout(self.content)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(12)
        line.addWidget(self.pictures, 1)
        line.addWidget(self.plot)
        self.bar.addWidget(self.button)
        self.bar.addWidget(self.told)
        self.bar.addStretch()
        self._many: dict[str, Any] | None = None
        self._run = ""
        self._own = ""
        self.button.clicked.connect(self._calibrate)
        self.asking.found.connect(self._on_found)
        self.calibrating.found.connect(self._on_calibrated)
        self.calibrating.failed.connect(self.told.setText)
        self.calibrating.progressed.connect(lambda done, total: self.told.setText(f"image {done} of {total}"))

    def refresh(self, scene: LatentState) -> None:
        if scene.run != self._run:
            self._run, self._many, self._own = scene.run, None, ""
            self.calibrating.reset()
            self.told.setText("")
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
        if self.asking.ask(PosteriorSpread, **scene.subject(), samples=SAMPLES) and self.message():
            self.show_message(WORKING)

    def _calibrate(self) -> None:
        scene = self.scene
        if scene is not None:
            fields = {"split": "validation", "samples": SAMPLES, "count": SCANS}
            if self.calibrating.ask(CalibrateSpread, run=scene.run, data=scene.data.config, **fields):
                self.told.setText(WORKING)

    def _on_found(self, content: dict[str, Any]) -> None:
        original, mean, spread = (content[key] for key in ("original", "mean", "spread"))
        top = float(np.quantile(spread, 0.999)) or 1e-3
        self.heat.update(window=top, level=top / 2)
        heat = Picture(
            "spread", "posterior SD", spread, Colormap.HEAT, f"0 to {format_number(top, 2)}", light=self.heat
        )
        self.pictures.set_pictures(
            [[Picture("original", "original", original), Picture("mean", "mean of posterior samples", mean), heat]]
        )
        self._own = content["calibration"]["sentence"].replace("held-out pixels", "pixels of this image")
        self._draw(OBSERVED_KEY, content["calibration"])
        self.reveal()
        self._say_it()

    def _on_calibrated(self, content: dict[str, Any]) -> None:
        self._many = content
        self.told.setText(f"{content['scans']} validation images, {content['samples']} samples each")
        self._draw(MANY, content)
        self._say_it()

    def _say_it(self) -> None:
        """The sentence of many scans where there is one: one scan alone says little."""
        if not self.message():
            self.show_note(self._many["sentence"] if self._many else self._own)

    def _draw(self, key: str, found: dict[str, Any]) -> None:
        levels = np.asarray(found["levels"])
        self.plot.set_series(EXPECTED_KEY, levels, levels, SeriesStyle("ideal", "role:quiet", dashed=True))
        colour = "series:0" if key == MANY else "series:1"
        self.plot.set_series(key, levels, np.asarray(found["coverage"]), SeriesStyle(key, colour))
