"""Export of the panel: a figure, a table of channel statistics, a Python script."""

import csv
import io
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from engine.messages import ExportFigure, FigureRow
from engine.messages.figures import Colors
from gui.export import FigureExporter, changed_data, join_script
from gui.panel import DISCLAIMER, Panel
from gui.panels.layers.network import INPUT
from gui.panels.layers.presenter import LayersPresenter, large_pictures
from gui.panels.layers.state import FLAT, SORTS, LayersState, Numbers
from gui.pixmaps import Array, Colormap
from gui.widgets.card import NoticeBox

STATISTICS = ("mean", "spread", "energy", "zeros", "lowest", "highest", "dead")
COLUMNS, MOST_CHANNELS = 10, 120
OWN_SCALE = "Each channel has its own scale, from its lowest to its highest value."
FIGURE_COLORS: dict[Colormap, Colors] = {Colormap.GRAY: "gray", Colormap.HEAT: "heat", Colormap.SIGNED: "signed"}
IMPORTS = (
    "import engine",
    "from engine import evaluation",
    "from engine.analysis import activations, channel_statistics",
    "from engine.figures import plain",
)


class LayersExporter(QObject):
    """An exporter that asks for a path, writes the file, and shows the error if there is one."""

    def __init__(self, presenter: LayersPresenter, notice: NoticeBox, panel: Panel) -> None:
        super().__init__(panel)
        self._presenter, self._notice, self._panel = presenter, notice, panel
        self._figure = FigureExporter(panel)
        self._figure.failed.connect(notice.show_notice)
        self.ask_path = QFileDialog.getSaveFileName

    def caption(self) -> str:
        """Return what is shown, as text."""
        choice = self._presenter.choice
        run = choice.run.replace("\\", "/").rsplit("/", 1)[-1]
        return f"{run} · {choice.layer} · {choice.scan.title if choice.scan else ''}"

    def write_figure(self) -> None:
        """Export the image and the channels in their order, or the enlarged images."""
        if self._check_ready():
            run, choice = Path(self._presenter.choice.run).name, self._presenter.choice
            path = self._figure.ask(self.ask_path, f"{run}-{choice.layer}")
            if path:
                self._figure.write(lambda: self._make_figure(path))

    def _make_figure(self, path: str) -> ExportFigure:
        presenter = self._presenter
        assert presenter.seen is not None
        large = presenter.cards.mosaic.is_large()
        rows, lines = self._list_large() if large else self._list_channels(presenter.seen.values)
        titles = ("",) * COLUMNS
        heading, scale = self.caption(), "value of the channel"
        return ExportFigure(
            panel="layers-figure", path=path, heading=heading, titles=titles, rows=rows, lines=lines, scale=scale
        )

    def _list_large(self) -> tuple[tuple[FigureRow, ...], tuple[str, ...]]:
        presenter = self._presenter
        rows = [
            self._row(picture.title, picture.values[None], picture.scale, picture.limits)
            for picture in large_pictures(presenter.choice, presenter.loader)
        ]
        return tuple(rows), ()

    def _list_channels(self, values: Array) -> tuple[tuple[FigureRow, ...], tuple[str, ...]]:
        """Return rows of channels below the image, and what their order and their colors are."""
        presenter, shown = self._presenter, self._presenter.cards.mosaic.mosaic.channels
        assert presenter.seen is not None
        assert shown is not None
        kept, is_shared = list(shown.order)[:MOST_CHANNELS], presenter.choice.color_scale.shared
        rows = [self._row("image", presenter.seen.original[None], Colormap.GRAY, (0.0, 1.0))]
        for first in range(0, len(kept), COLUMNS):
            some = kept[first : first + COLUMNS]
            notes = tuple(f"{channel} {shown.marks.get(channel, '')}".strip() for channel in some)
            stack, limits = np.moveaxis(values[..., some], -1, 0), presenter.limits(some[0])
            if not is_shared:
                ends = np.array([presenter.limits(channel) for channel in some])[..., None, None]
                stack, limits = (stack - ends[:, 0]) / (ends[:, 1] - ends[:, 0]), (0.0, 1.0)
            rows.append(self._row("", stack, shown.scale, limits, notes))
        order = "" if len(kept) == len(shown.order) else f"The first {len(kept)} of {len(shown.order)} channels. "
        lines = [f"{order}Order: {SORTS[presenter.choice.sort]}, {presenter.numbers()[1]}."]
        return tuple(rows), (*lines, *([] if is_shared else [OWN_SCALE]))

    def _row(
        self, title: str, images: Array, scale: Colormap, limits: tuple[float, float], notes: tuple[str, ...] = ()
    ) -> FigureRow:
        saved, ends = self._figure.save_array(images), None if scale is Colormap.SIGNED else limits
        return FigureRow(title=title, images=saved, colors=FIGURE_COLORS[scale], limits=ends, notes=notes)

    def write_numbers(self) -> None:
        """Export the statistics of all channels in full precision."""
        path = self._ask("Export channel statistics", "channels.csv", "*.csv")
        if not path:
            return
        numbers, over = self._presenter.numbers()
        try:
            Path(path).write_text(to_csv(numbers, f"{self.caption()} · {over}"), encoding="utf-8")
        except OSError as error:
            reason = f"Could not write the values to {path} ({error.strerror}). Choose another folder."
            self._notice.show_notice(reason)
        else:
            self._panel.report_saved(path)

    def _ask(self, title: str, name: str, kinds: str) -> str:
        """Return the chosen path; empty if none was chosen, or if nothing is shown yet."""
        return self._panel.ask_to_save(self.ask_path, title, name, kinds) if self._check_ready() else ""

    def _check_ready(self) -> bool:
        """Return whether something is shown; say so if nothing is."""
        if self._presenter.seen is None:
            self._notice.show_notice("Nothing to export yet. Choose a run and an image first.", "info")
        return self._presenter.seen is not None


def to_csv(numbers: Numbers, about: str) -> str:
    """Return the statistics as CSV in full precision, under a comment that says what they are."""
    out = io.StringIO()
    out.write(f"# {about}\n# Engram · {DISCLAIMER}\n")
    writer = csv.writer(out, lineterminator="\n")
    known = [name for name in STATISTICS if name in numbers]
    writer.writerow(["channel", *known])
    count = len(numbers[known[0]]) if known else 0
    for channel in range(count):
        writer.writerow([channel, *(numbers[name][channel].item() for name in known)])
    return out.getvalue()


def make_script(choice: LayersState) -> str:
    """Return a script that computes the activations, prints the channel's statistics and saves it as it is shown.

    Returns an empty text without an image.
    """
    scan = choice.scan
    if scan is None or not choice.run:
        return ""
    layer, channel = choice.layer, max(choice.channel, 0)
    lines = [
        f"run = engine.runs.open_run({choice.run!r})",
        f"data = {changed_data(scan.data)}.model_copy(update={{'size': run.config.data.size}})",
        "model = evaluation.load_model(run)",
    ]
    if scan.opened is not None:
        lines += [
            f"scan = engine.data.open_scan({scan.opened.path!r})",
            f"images = engine.data.prepare(scan, data, {scan.opened.slice})[None, ..., None]",
        ]
    else:
        places = [each.index for each in choice.scans if each.opened is None and each.split == scan.split]
        lines += [f"images = engine.data.load(config=data).splits[{scan.split!r}].read({places})"]
    at = places.index(scan.index) if scan.opened is None else 0
    if layer == INPUT:
        saved = f"plain.save_values(images[{at}, ..., 0], 'image.png')"
        return join_script(*lines, "print(images.shape, images.mean())", saved, imports=(IMPORTS[0], *IMPORTS[1::2]))
    return join_script(
        *lines,
        f"seen = activations.compute(model, images, [{layer!r}])[{layer!r}]  # (images, height, width, channels)",
        f"channel = seen[..., {channel}]",
        "print(channel.shape, channel.min(), channel.mean(), channel.max())",
        f"print(channel_statistics.statistics(model, images, [{layer!r}])[{layer!r}].energy)",
        *_save_channel(choice, at, channel),
        imports=IMPORTS,
    )


def _save_channel(choice: LayersState, at: int, channel: int) -> list[str]:
    """Return the lines that save the channel of one image in the colors of the panel, if it is an image."""
    scale = choice.color_scale
    limits = "(-most, most)" if scale.signed else "(low, high)"
    widest = "most = max(-low, high) or 1.0" if scale.signed else f"high = high if high - low > {FLAT} else low + 1"
    return [
        "if channel.ndim == 3:",
        f"    scaled = {f'seen[{at}]' if scale.shared else f'channel[{at}]'}",
        "    low, high = float(scaled.min()), float(scaled.max())",
        f"    {widest}",
        f"    plain.save_values(channel[{at}], '{choice.layer}-{channel}.png', {limits}, {scale.scale.value!r})",
    ]
