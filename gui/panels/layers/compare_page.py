"""The page with the channel, its match in another run or itself on another image, and the difference."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QVBoxLayout, QWidget

from engine.messages import MatchChannels, MatchChannelsReply
from gui.formatting import format_number
from gui.panels.layers.loaders import LayerActivation
from gui.panels.layers.network import INPUT
from gui.panels.layers.page import TEXT_PX, LayersPage
from gui.panels.layers.presenter import Counterpart, LayersPresenter
from gui.pixmaps import Array, Colormap
from gui.run_chooser import RunChooser
from gui.widgets.combo_boxes import ElidedComboBox
from gui.widgets.labels import label
from gui.widgets.linked_images import LinkedImage, LinkedImages

SHOWN = 3
CHOOSE_TEXT = "Select another run, or add another image for this one."
NO_MODEL = "Choose a run with a model, other than the one above."
ANOTHER_RUN = "Another run"
RUN, SCAN = "run", "scan"


class ComparePage(LayersPage):
    """A page that compares with the choice at the right; B flips the large image to the other and back."""

    title = "Compare channels"
    working = "Matching channels:"
    network_wanted = Signal(str)

    def __init__(self, presenter: LayersPresenter) -> None:
        super().__init__(presenter)
        self.board, self.against, self.layer = LinkedImages(SHOWN), ElidedComboBox(), ElidedComboBox()
        self.run = RunChooser(presenter.loader.session, "Run to compare with")
        self._runs: dict[str, str] = {}
        self._other = ""
        self._offered: list[tuple[str, Any]] = []
        self._reply: MatchChannelsReply | None = None
        side, column = QWidget(), QVBoxLayout()
        side.setLayout(column)
        side.setFixedWidth(TEXT_PX)
        column.setContentsMargins(0, 0, 0, 0)
        self.against.setAccessibleName("compare with")
        self.layer.setAccessibleName("layer of the other model")
        for box in (self.against, self.layer):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for part in (label("Compare with", role="quiet"), self.against, self.run, self.layer, self.words):
            column.addWidget(part)
        column.addStretch()
        self.line.addWidget(self.board, 1)
        self.line.addWidget(side)
        self.against.activated.connect(self._on_against_chosen)
        self.run.chosen.connect(self._on_run_chosen)
        self.layer.activated.connect(lambda _: self.refresh())
        self.request.finished.connect(self._on_finished)

    def offer(self, runs: Mapping[str, str]) -> None:
        """Offer the other runs (folder to name), of which the first is chosen at first, and the other images."""
        choice = self.presenter.choice
        offered: list[tuple[str, Any]] = [("", None)]
        titles = ["Nothing"]
        self._runs = {path: name for path, name in runs.items() if path != choice.run}
        if self._other not in self._runs:
            self._choose_run(next(iter(self._runs), ""))
        if self._runs:
            offered.append((RUN, None))
            titles.append(ANOTHER_RUN)
        for scan in choice.scans:
            if scan != choice.scan:
                offered.append((SCAN, scan))
                titles.append(scan.title)
        if offered == self._offered:
            return
        kept = self._offered[self.against.currentIndex()] if self._offered else ("", None)
        self._offered = offered
        with QSignalBlocker(self.against):
            self.against.clear()
            self.against.addItems(titles)
            self.against.setCurrentIndex(offered.index(kept) if kept in offered else 0)

    def refresh(self) -> None:
        kind, what = self._offered[max(self.against.currentIndex(), 0)] if self._offered else ("", None)
        self.layer.setVisible(kind == RUN)
        self.run.setVisible(kind == RUN)
        if kind == SCAN:
            self._follow_scan(what)
        elif kind == RUN and self.presenter.choice.layer != INPUT:
            self._follow_run(self._other)
        else:
            self._show(None, (), CHOOSE_TEXT if not kind else "The input has no channels: choose a layer.")

    def deactivate(self) -> None:
        super().deactivate()
        self.presenter.set_other(None)

    def _on_against_chosen(self) -> None:
        self.layer.clear()
        self.refresh()

    def _choose_run(self, path: str) -> None:
        self._other = path
        self.layer.clear()
        self.run.show_run(self._runs.get(path, ""))

    def _on_run_chosen(self, name: str) -> None:
        """Compare with a run of the list; one that has no model, or that is shown already, changes nothing."""
        path = next((path for path, each in self._runs.items() if each == name), "")
        self._choose_run(path or self._other)
        self.refresh()
        if not path:
            self._show(None, (), NO_MODEL)

    def _follow_scan(self, scan: Any) -> None:
        """Show the same channel on another image."""
        choice, seen = self.presenter.choice, self.presenter.seen
        look = choice.activation_key(scan=scan)
        other = self.presenter.loader.seen(look) if look else None
        if seen is None or other is None or other.values.shape != seen.values.shape:
            self._show(None, (), "Computing the activations of the other image…")
            return
        pair = seen.values[..., choice.channel], other.values[..., choice.channel]
        rms = float(np.sqrt(np.mean(np.square(pair[0] - pair[1]))))
        title = f"{scan.title} · channel {choice.channel}"
        text = f"Channel {choice.channel} on two images: RMS difference {format_number(rms, 3)}."
        self._show_pair(pair, title, text)

    def _follow_run(self, run: str) -> None:
        """Request a matching with the channels of the other run."""
        network, look = self.presenter.loader.networks.get(run), self.presenter.choice.activation_key()
        if network is None:
            self.network_wanted.emit(run)
            self._show(None, (), "Opening the other model…")
            return
        if look is None:
            return
        if not self.layer.count():
            self.layer.addItems([layer.name for layer in network.layers])
            self.layer.setCurrentIndex(max(self.layer.findText(look.layer), 0))
        elif look.layer in network.by_name and (self._reply is None or self._reply.layers[0] != look.layer):
            self.layer.setCurrentText(look.layer)
        layers = look.layer, self.layer.currentText()
        fields = look.scan.request_fields()
        self.request.send(MatchChannels(panel="layers-both", runs=(look.run, run), layers=layers, **fields))
        if self.request.is_pending():
            self._show(None, (), "Matching channels…")

    def _on_finished(self, reply: MatchChannelsReply) -> None:
        seen, choice = self.presenter.seen, self.presenter.choice
        self._reply = reply
        if seen is None or reply.layers[0] != seen.look.layer:
            return
        pairs = np.asarray(reply.pairs)
        at = np.flatnonzero(pairs[:, 0] == choice.channel)
        mean = format_number(float(np.mean(reply.correlation)), 2)
        whole = f"{len(pairs)} matched channels, mean correlation {mean}."
        if not len(at):
            self._show(None, (), f"Channel {choice.channel} has no match in the other model. {whole}")
            return
        other = reply.activations[0]
        partner, row = int(pairs[at[0], 1]), int(at[0])
        values: Array = np.atleast_2d(other[..., partner])
        run = reply.runs[1].replace("\\", "/").rsplit("/", 1)[-1]
        numbers = format_number(reply.correlation[row], 2), format_number(reply.rms[row], 3)
        text = f"Best match: channel {partner}, correlation {numbers[0]}, RMS difference {numbers[1]}. {whole}"
        self._show_pair((seen.values[..., choice.channel], values), f"{run} · channel {partner}", text)

    def _show_pair(self, pair: tuple[Array, Array], title: str, text: str) -> None:
        seen, choice = self.presenter.seen, self.presenter.choice
        assert isinstance(seen, LayerActivation)
        low = min(float(pair[0].min()), float(pair[1].min()))
        high = max(float(pair[0].max()), float(pair[1].max()), low + 1e-12)
        limits = (-max(-low, high), max(-low, high)) if choice.color_scale.signed else (low, high)
        mine = f"channel {choice.channel}"
        pictures = [LinkedImage(mine, pair[0], limits, choice.color_scale.scale)]
        pictures.append(LinkedImage(title, pair[1], limits, choice.color_scale.scale))
        if pair[0].shape == pair[1].shape:
            difference: Array = np.asarray(pair[0] - pair[1])
            most = float(np.abs(difference).max()) or 1.0
            pictures.append(LinkedImage("difference", difference, (-most, most), Colormap.SIGNED))
        self._show(Counterpart(title, pair[1], limits), pictures, text)

    def _show(self, other: Counterpart | None, pictures: tuple[()] | list[LinkedImage], text: str) -> None:
        self.presenter.set_other(other)
        self.board.show_pictures(pictures)
        self.words.setText(text)
