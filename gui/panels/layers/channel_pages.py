"""Pages about one channel: its kernels, the scans it likes, the input it likes best."""

from typing import Any

import numpy as np
from PySide6.QtCore import Signal

from engine.messages import MaximizeActivation, ReadKernels, TopActivations
from gui.loaded_data import scan_title
from gui.panels.layers.network import INPUT
from gui.panels.layers.page import LayersPage
from gui.panels.layers.presenter import LayersPresenter
from gui.pixmaps import Array, Colormap
from gui.widgets.channel_mosaic import ChannelMosaic, MosaicData
from gui.widgets.labels import format_number
from gui.widgets.linked_images import LinkedImage, LinkedImages
from gui.widgets.thumbnail_pairs import ThumbnailPair, ThumbnailPairs

FAVOURITES = 10
SPLIT = "validation"
OF_INPUT = "The input has no weights and no channels: choose a layer."
PAIR_PX = 64


class KernelsPage(LayersPage):
    """The weights of the chosen channel, one picture for each channel that it is given."""

    title = "Kernels"

    def __init__(self, showing: LayersPresenter) -> None:
        super().__init__(showing, "layers-kernels")
        self.mosaic = ChannelMosaic()
        self.mosaic.channel = -1
        self.lay_out(self.mosaic)
        self.aside.found.connect(self._on_found)

    def refresh(self) -> None:
        choice = self.presenter.choice
        if choice.layer == INPUT:
            self._show_message(OF_INPUT)
        elif not self.aside.request((choice.run, choice.layer), ReadKernels, run=choice.run, layer=choice.layer):
            self._show_message("Reading the weights…")

    def _show_message(self, text: str) -> None:
        self.mosaic.set_channels(None, text)
        self.words.setText("")

    def _on_found(self, content: dict[str, Any]) -> None:
        weights, choice = content["kernels"], self.presenter.choice
        if weights is None:
            self._show_message(f"{choice.layer} has no spatial kernels.")
            return
        if choice.channel >= len(weights):
            self._show_message(f"{choice.layer} has no weights for channel {choice.channel}.")
            return
        mine: Array = np.moveaxis(weights[choice.channel], 0, -1)
        most = float(np.abs(mine).max()) or 1.0
        order = [int(at) for at in np.argsort(-np.abs(mine).sum((0, 1)), kind="stable")]
        self.mosaic.set_channels(MosaicData(mine, order, lambda _: (-most, most), Colormap.SIGNED))
        inputs, high, wide = mine.shape[2], *mine.shape[:2]
        given = "its single input" if inputs == 1 else f"each of its {inputs} inputs, strongest first"
        text = (
            f"Weights of channel {choice.channel}: {high} × {wide} for {given}. One scale, ±{format_number(most, 2)}."
        )
        self.words.setText(f"{text} Blue is negative, orange positive.")


class TopActivationsPage(LayersPage):
    """The scans of the data set that excite the channel most, and what the exciting unit sees of them."""

    title = "Top-activating images"
    working = "Searching:"
    scan_wanted = Signal(str, int)

    def __init__(self, showing: LayersPresenter) -> None:
        super().__init__(showing, "layers-favourites")
        self.pairs = ThumbnailPairs(PAIR_PX)
        self.lay_out(self.pairs)
        self._liked: list[dict[str, Any]] = []
        self.aside.found.connect(self._on_found)
        self.pairs.chosen.connect(lambda at: self.scan_wanted.emit(SPLIT, self._liked[at]["index"]))

    def refresh(self) -> None:
        choice = self.presenter.choice
        scan, layer = choice.scan, choice.layer
        if layer == INPUT or scan is None:
            self.pairs.set_pairs((), 0)
            self.words.setText(OF_INPUT)
            return
        key = choice.run, layer, choice.channel, scan.data.source
        asked = {"layer": layer, "channel": choice.channel, "count": FAVOURITES, "split": SPLIT}
        if not self.aside.request(key, TopActivations, run=choice.run, data=scan.data, **asked):
            self.words.setText("Searching for top-activating images…")

    def _on_found(self, content: dict[str, Any]) -> None:
        picker, choice = self.presenter.cards.scans.picker, self.presenter.choice
        data, network = picker.data, self.presenter.network
        if data is None or network is None:
            return
        self._liked, rows, pairs = content["favourites"], data.rows(SPLIT), []
        for each in self._liked:
            image = data.thumbnails[int(rows[each["index"]])].astype(np.float32) / 255
            x, y, wide, high = (round(side * len(image) / network.size) for side in each["box"])
            patch = image[max(y, 0) : max(y + high, 1), max(x, 0) : max(x + wide, 1)]
            title = f"{scan_title(each['name'])} · {format_number(each['value'], 3)}"
            pairs.append(ThumbnailPair(title, image, patch, (0.0, 1.0), Colormap.GRAY, format_number(each["value"], 3)))
        self.pairs.set_pairs(pairs, -1)
        text = (
            f"The {SPLIT} images that activate channel {choice.channel} most, with the receptive field of the top unit"
        )
        self.words.setText(f"{text} and its activation. Click an image to open it.")


class PreferredInputPage(LayersPage):
    """The input that a channel likes best."""

    title = "Activation maximization"
    working = "Gradient ascent:"

    def __init__(self, showing: LayersPresenter) -> None:
        super().__init__(showing, "layers-preferred")
        self.board = LinkedImages(2)
        self.lay_out(self.board)
        self.aside.found.connect(self._on_found)

    def refresh(self) -> None:
        choice = self.presenter.choice
        if choice.layer == INPUT:
            self.board.show_pictures(())
            self.words.setText(OF_INPUT)
            return
        asked = {"run": choice.run, "layer": choice.layer, "channel": choice.channel}
        if not self.aside.request(tuple(asked.values()), MaximizeActivation, **asked):
            self.board.show_pictures(())
            self.words.setText("Running gradient ascent from a uniform gray image…")

    def _on_found(self, content: dict[str, Any]) -> None:
        pictures = [LinkedImage("optimized input", content["picture"])]
        seen = self.presenter.seen
        if seen is not None:
            pictures.append(LinkedImage("image", seen.original))
        self.board.show_pictures(pictures)
        start, value = format_number(content["start"], 3), format_number(content["value"], 3)
        self.words.setText(
            f"Gradient ascent from uniform gray: channel {content['channel']} rises from {start} to {value}. "
            "The optimized input need not resemble any real image."
        )
