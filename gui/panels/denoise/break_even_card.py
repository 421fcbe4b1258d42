"""The card with the error over the noise level, the break-even noise level of each run, and the warnings."""

from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from engine.formatting import format_command
from gui.panels.denoise.results_data import ErrorCurve, help_text
from gui.widgets.card import Card, NoticeBox, PlainScrollArea
from gui.widgets.curves.plot import CurvePlot
from gui.widgets.curves.series import SeriesStyle
from gui.widgets.labels import label

TITLE, NOISY_TITLE = "PSNR vs noise level", "Noise and residual"
NONE: Mapping[str, str] = {}
# Positions of the baselines in the series colors, from the end: the colors of the first runs stay theirs.
FILTER_COLORS = {"gaussian": 7, "median": 6, "nlm": 5, "tv": 4, "wavelet": 3, "pca": 2, "bm3d": 1}
NOTHING = "noisy input (no denoising)"
COMING = "The curve is computed when no other request is waiting."
ONE_SCAN = (
    "This curve is for one image; others may differ. For many images, with confidence intervals, run:\n"
    f"{format_command('denoise-curve', 'RUN', '--data', 'SOURCE')}"
)
NO_RUN = "Select a run to see its break-even noise level."
REFINING = "Preview. Warnings refer to {} until the full result is ready."
MOST_NOTICES = 13  # three for each of four methods, and one for the region
SIDE_PX, WIDEST_PX = 392, 2**24 - 1


class BreakEvenCard(Card):
    """A card with the curve at the left, sentences and warnings at the right."""

    def __init__(self) -> None:
        super().__init__(TITLE, "this image")
        self.plot, self.text = CurvePlot("PSNR (dB)", "noise level"), label(wrap=True)
        self.notices, self.refining = [NoticeBox() for _ in range(MOST_NOTICES)], label(role="caption")
        self.text.setProperty("role", "quiet")
        self.best = label(role="title", wrap=True)
        self.scope = label(ONE_SCAN, role="caption", wrap=True)
        self.scope.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.add_action(self.refining)
        line = QHBoxLayout()
        line.setSpacing(14)
        line.addWidget(self.plot, 1)
        self._scroll = self._side()
        line.addWidget(self._scroll)
        self.add(line, 1)
        self._place: float | None = None
        self.show_curve(None, {})

    def _side(self) -> QScrollArea:
        """Return the column of sentences, which scrolls if there is no room, so that none is cut."""
        content, scroll, column = QWidget(), PlainScrollArea(), QVBoxLayout()
        content.setProperty("kind", "plain")
        content.setLayout(column)
        column.setContentsMargins(0, 0, 0, 0)
        for part in (*self.notices, self.best, self.text, self.scope):
            column.addWidget(part)
        column.addStretch()
        scroll.setWidget(content)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return scroll

    def show_scope(self, patient_note: str) -> None:
        """Show which image the curve is for, and the note on the patients of a test image."""
        self.scope.setText("\n".join(filter(None, (patient_note, ONE_SCAN))))

    def show_curve(self, curve: ErrorCurve | None, runs: Mapping[str, str], filters: Mapping[str, str] = NONE) -> None:
        """Draw the curves of runs and filters, or show what is missing."""
        self._show_chart(True)
        self.plot.set_empty_text(COMING if runs or filters else NO_RUN)
        if curve is None:
            self.plot.keep_series(())
            self.text.setText("")
        else:
            self._show_curves(curve, runs, filters)
        self._mark_place()

    def show_noisy(self, sentences: Sequence[str]) -> None:
        """Show what is known of an image that is noisy already, in the place of the chart."""
        self._show_chart(False)
        self.best.setText("")
        self.text.setText("\n".join(sentences))

    def show_best(self, text: str) -> None:
        """Show which method has the highest PSNR."""
        self.best.setText(text)
        self.best.setVisible(bool(text))

    def _show_chart(self, is_shown: bool) -> None:
        self.set_title(TITLE if is_shown else NOISY_TITLE)
        self.plot.setVisible(is_shown)
        self.scope.setVisible(is_shown)
        self._fit_side()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_side()

    def _fit_side(self) -> None:
        """Give the sentences half of a narrow card, a column of a wide one, or all of it without a chart."""
        side = min(SIDE_PX, self.width() // 2)
        is_charted = not self.plot.isHidden()
        self._scroll.setMinimumWidth(side if is_charted else 0)
        self._scroll.setMaximumWidth(side if is_charted else WIDEST_PX)

    def _show_curves(self, curve: ErrorCurve, titles: Mapping[str, str], filters: Mapping[str, str]) -> None:
        known = {run: title for run, title in titles.items() if run in curve.runs}
        drawn = {key: title for key, title in filters.items() if key in curve.runs}
        with self.plot.batch():
            self.plot.keep_series([NOTHING, *known, *drawn])
            for key, title in drawn.items():
                color = f"series:{FILTER_COLORS.get(key, 0)}"
                self._draw(key, curve.sigmas, curve.runs[key].mse, SeriesStyle(title, color, dashed=True))
            self._draw(NOTHING, curve.sigmas, curve.noisy_mse, SeriesStyle(NOTHING, "role:quiet", dashed=True))
            for run, title in known.items():
                at = curve.break_even(run)
                sigmas, errors = with_point(curve.sigmas, curve.runs[run].mse, at)
                self._draw(run, sigmas, errors, SeriesStyle(title, title))
                self.plot.mark_best(run, at or None)
        self.text.setText(
            "\n".join(help_text(title, run, curve) for run, title in known.items()) or ("" if titles else NO_RUN)
        )

    def show_place(self, sigma: float) -> None:
        """Mark the noise level of the slider."""
        self._place = sigma
        self._mark_place()

    def show_refining(self, level: str) -> None:
        """Show the level that the warnings still refer to while drafts are shown; nothing if they are current."""
        self.refining.setText(REFINING.format(level) if level else "")

    def show_warnings(self, sentences: Sequence[str]) -> None:
        """Show the warnings."""
        for notice, sentence in zip(self.notices, [*sentences, *[""] * MOST_NOTICES], strict=False):
            if notice.text() != sentence:
                notice.show_notice(sentence)

    def _mark_place(self) -> None:
        """Draw the mark if there is a curve: without one, it would cross out the sentence in its place."""
        self.plot.canvas.point_at(self._place if self.plot.items else None, stays=True)

    def _draw(self, key: str, sigmas: Sequence[float], errors: Sequence[float], style: SeriesStyle) -> None:
        positive = [(sigma, error) for sigma, error in zip(sigmas, errors, strict=True) if error > 0]
        x, y = zip(*positive, strict=True) if positive else ((), ())
        self.plot.set_series(key, x, -10 * np.log10(np.asarray(y, np.float64)), style)


def with_point(sigmas: Sequence[float], errors: Sequence[float], at: float | None) -> tuple[list[float], list[float]]:
    """Return a curve with its break-even point inserted, so that the point can be marked."""
    if not at or at in sigmas:
        return list(sigmas), list(errors)
    places = np.append(np.asarray(sigmas, np.float64), at)
    values = np.append(np.asarray(errors, np.float64), np.interp(at**2, np.square(sigmas), errors))
    order = np.argsort(places)
    return places[order].tolist(), values[order].tolist()
