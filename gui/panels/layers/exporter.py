"""Export of the panel: a figure, a table of channel statistics, a Python script."""

import csv
import io
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from gui.export import FIGURES, changed_data, join_script, save_figure
from gui.panel import DISCLAIMER, Panel
from gui.panels.layers.network import INPUT
from gui.panels.layers.presenter import LayersPresenter
from gui.panels.layers.state import FLAT, LayersState, Numbers
from gui.widgets.card import NoticeBox

COLUMNS = ("mean", "spread", "energy", "zeros", "lowest", "highest", "dead")
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
        self.ask_path = QFileDialog.getSaveFileName

    def caption(self) -> str:
        """Return what is shown, as text."""
        choice = self._presenter.choice
        run = choice.run.replace("\\", "/").rsplit("/", 1)[-1]
        return f"{run} · {choice.layer} · {choice.scan.title if choice.scan else ''}"

    def write_figure(self) -> None:
        """Export the channels as shown, or the enlarged images."""
        card = self._presenter.cards.mosaic
        path = self._ask("Export figure", "layers.png", FIGURES)
        if path and save_figure(card, self.caption(), path):
            self._panel.report_saved(path)
        elif path:
            self._notice.show_notice(f"Could not write the figure to {path}. Choose another folder.")

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
        if self._presenter.seen is None:
            self._notice.show_notice("Nothing to export yet. Choose a run and an image first.", "info")
            return ""
        return self._panel.ask_to_save(self.ask_path, title, name, kinds)


def to_csv(numbers: Numbers, about: str) -> str:
    """Return the statistics as CSV in full precision, under a comment that says what they are."""
    out = io.StringIO()
    out.write(f"# {about}\n# Engram · {DISCLAIMER}\n")
    writer = csv.writer(out, lineterminator="\n")
    known = [name for name in COLUMNS if name in numbers]
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
