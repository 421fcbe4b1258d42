"""Pages about one channel: kernels, top-activating images, optimized input, saliency."""

import numpy as np
from PySide6.QtCore import Signal

from engine.messages import (
    ComputeSaliency,
    ComputeSaliencyReply,
    MaximizeActivation,
    MaximizeActivationReply,
    ReadKernels,
    ReadKernelsReply,
    TopActivations,
    TopActivationsReply,
    TopImage,
)
from gui.formatting import format_number
from gui.loaded_data import scan_title
from gui.panels.layers.network import INPUT, LayerSummary
from gui.panels.layers.page import LayersPage
from gui.panels.layers.presenter import LayersPresenter
from gui.pixmaps import Array, Colormap, robust_limit
from gui.widgets.buttons import Button
from gui.widgets.channel_mosaic import ChannelMosaic, MosaicData
from gui.widgets.image_view import BoxOverlay
from gui.widgets.linked_images import LinkedImage, LinkedImages
from gui.widgets.thumbnail_pairs import ThumbnailPair, ThumbnailPairs

TOP_IMAGES = 10
SPLIT = "validation"
OF_INPUT = "The input has no weights and no channels: choose a layer."
PAIR_PX = 64
HOW = "to pixel brightness: orange = increases, blue = decreases. Activation per unit of intensity, color range"


class KernelsPage(LayersPage):
    """The weights of the chosen channel, one image per input channel."""

    title = "Kernels"

    def __init__(self, presenter: LayersPresenter) -> None:
        super().__init__(presenter)
        self.mosaic = ChannelMosaic()
        self.mosaic.channel = -1
        self.lay_out(self.mosaic)
        self.request.finished.connect(self._on_finished)

    def refresh(self) -> None:
        choice = self.presenter.choice
        if choice.layer == INPUT:
            self.request.cancel()
            self._show_message(OF_INPUT)
            return
        self.request.send(ReadKernels(panel="layers-kernels", run=choice.run, layer=choice.layer))
        if self.request.is_pending():
            self._show_message("Reading the weights…")

    def _show_message(self, text: str) -> None:
        self.mosaic.set_channels(None, text)
        self.words.setText("")

    def _on_finished(self, reply: ReadKernelsReply) -> None:
        weights, choice = reply.kernels, self.presenter.choice
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
    """The images of the dataset that activate the channel most, and the receptive field of the top unit in each."""

    title = "Top-activating images"
    working = "Searching:"
    scan_wanted = Signal(str, int)

    def __init__(self, presenter: LayersPresenter) -> None:
        super().__init__(presenter)
        self.pairs = ThumbnailPairs(PAIR_PX)
        self.lay_out(self.pairs)
        self._top: tuple[TopImage, ...] = ()
        self.request.finished.connect(self._on_finished)
        self.pairs.chosen.connect(lambda at: self.scan_wanted.emit(SPLIT, self._top[at].index))

    def refresh(self) -> None:
        choice = self.presenter.choice
        scan, layer = choice.scan, choice.layer
        if layer == INPUT or scan is None:
            self.request.cancel()
            self.pairs.set_pairs((), 0)
            self.words.setText(OF_INPUT)
            return
        message = TopActivations(
            panel="layers-favourites",
            run=choice.run,
            data=scan.data,
            split=SPLIT,
            layer=layer,
            channel=choice.channel,
            count=TOP_IMAGES,
        )
        self.request.send(message)
        if self.request.is_pending():
            self.words.setText("Searching for top-activating images…")

    def _on_finished(self, reply: TopActivationsReply) -> None:
        picker, choice = self.presenter.cards.scans.picker, self.presenter.choice
        data, network = picker.data, self.presenter.network
        if data is None or network is None:
            return
        self._top, rows, pairs = reply.favourites, data.rows(SPLIT), []
        for each in self._top:
            image = data.thumbnails[int(rows[each.index])].astype(np.float32) / 255
            x, y, wide, high = (round(side * len(image) / network.size) for side in each.box)
            patch = image[max(y, 0) : max(y + high, 1), max(x, 0) : max(x + wide, 1)]
            value = format_number(each.value, 3)
            title = f"{scan_title(each.name)} · {value}"
            pairs.append(ThumbnailPair(title, image, patch, (0.0, 1.0), Colormap.GRAY, value))
        self.pairs.set_pairs(pairs, -1)
        text = (
            f"The {SPLIT} images that activate channel {choice.channel} most, with the receptive field of the top unit"
        )
        self.words.setText(f"{text} and its activation. Click an image to open it.")


class PreferredInputPage(LayersPage):
    """The input that maximizes a channel, by gradient ascent."""

    title = "Activation maximization"
    working = "Gradient ascent:"

    def __init__(self, presenter: LayersPresenter) -> None:
        super().__init__(presenter)
        self.board = LinkedImages(2)
        self.lay_out(self.board)
        self.request.finished.connect(self._on_finished)

    def refresh(self) -> None:
        choice = self.presenter.choice
        if choice.layer == INPUT:
            self.request.cancel()
            self.board.show_pictures(())
            self.words.setText(OF_INPUT)
            return
        channel = {"run": choice.run, "layer": choice.layer, "channel": choice.channel}
        self.request.send(MaximizeActivation(panel="layers-preferred", **channel))
        if self.request.is_pending():
            self.board.show_pictures(())
            self.words.setText("Running gradient ascent from a uniform gray image…")

    def _on_finished(self, reply: MaximizeActivationReply) -> None:
        pictures = [LinkedImage("optimized input", reply.picture)]
        seen = self.presenter.seen
        if seen is not None:
            pictures.append(LinkedImage("image", seen.original))
        self.board.show_pictures(pictures)
        start, value = format_number(reply.start, 3), format_number(reply.value, 3)
        self.words.setText(
            f"Gradient ascent from uniform gray: channel {reply.channel} rises from {start} to {value}. "
            "The optimized input need not resemble any real image."
        )


class SaliencyPage(LayersPage):
    """The gradient of the unit that was clicked in the channel image, else of the mean of the channel."""

    title = "Saliency"
    whole_wanted = Signal()

    def __init__(self, presenter: LayersPresenter) -> None:
        super().__init__(presenter)
        self.board, self.whole = LinkedImages(2), Button("Whole channel")
        self.fields = [BoxOverlay(cell.view) for cell in self.board.cells]
        self.whole.setToolTip("Back to whole-channel saliency (Esc)")
        self.whole.hide()
        self.lay_out(self.board, self.whole)
        self.whole.clicked.connect(self.whole_wanted)
        self.request.finished.connect(self._on_finished)

    def refresh(self) -> None:
        choice = self.presenter.choice
        look, unit = choice.activation_key(), choice.unit
        self.whole.setVisible(unit is not None)
        if choice.layer == INPUT or look is None:
            self.request.cancel()
            self.board.show_pictures(())
            self.words.setText(OF_INPUT)
            return
        channel = {"run": choice.run, "layer": choice.layer, "channel": choice.channel, "unit": unit}
        self.request.send(ComputeSaliency(panel="layers-saliency", **channel, **look.scan.request_fields()))
        if self.request.is_pending():
            self.board.show_pictures(())
            self.words.setText("Computing the gradient…")

    def _on_finished(self, reply: ComputeSaliencyReply) -> None:
        choice = self.presenter.choice
        if (reply.layer, reply.unit) != (choice.layer, choice.unit):
            return  # another layer was chosen, and the page has not followed yet
        original, found = reply.originals[0], reply.saliency[0]
        limit = find_limit(found)
        saliency = LinkedImage("saliency", found, (-limit, limit), Colormap.SIGNED)
        self.board.show_pictures([LinkedImage("image", original), saliency])
        unit, facts = reply.unit, self.presenter.facts
        box = facts.box(*unit) if unit and facts else None
        for field in self.fields:
            field.set_box(box)
        self.board.look_at(box)
        self.words.setText(
            f"Sensitivity of {title_text(reply, facts)} {HOW} ±{format_number(limit, 2)}.{hint_text(unit, facts)}"
        )


def title_text(reply: ComputeSaliencyReply, facts: LayerSummary | None) -> str:
    """Return what the saliency is of."""
    unit, who = reply.unit, f"channel {reply.channel}"
    if unit:
        return f"the unit at x {unit[1]}, y {unit[0]} of {who}"
    return f"the mean of {who}" if facts and facts.has_units else who


def hint_text(unit: object, facts: LayerSummary | None) -> str:
    """Return what the box is, or how to select one unit if the channel has units."""
    if unit:
        return " The box is its receptive field."
    return " Click in the channel image to select one unit." if facts and facts.has_units else ""


def find_limit(found: Array) -> float:
    """Return the limit of the color range: the robust limit of the nonzero pixels, since one unit sees few."""
    seen = found[found != 0]
    return robust_limit(seen) if seen.size else 1.0
