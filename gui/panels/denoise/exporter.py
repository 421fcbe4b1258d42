"""Exports of the Denoise panel: a figure with its warnings, the numbers, an image of a method, a Python script."""

from collections.abc import Mapping

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog

from engine.messages import ExportDenoised, ExportDenoisedReply, RegionSpec, RequestFailed
from gui.export import join_script, read_images
from gui.panel import DISCLAIMER, Panel
from gui.panels.denoise.case import Methods, Noise
from gui.panels.denoise.controller import DenoiseController
from gui.panels.denoise.methods_card import interval_text
from gui.panels.denoise.presenter import DenoisePresenter
from gui.panels.denoise.results_data import ORIGINAL, DenoisedImage, describe_noisy
from gui.selection import ImageRef
from gui.widgets.region.region import Region, RegionState

FIGURES = "PDF (*.pdf);;SVG (*.svg);;PNG image (*.png)"
DEPTHS: Mapping[str, tuple[QImage.Format, type[np.unsignedinteger]]] = {
    "8-bit": (QImage.Format.Format_Grayscale8, np.uint8),
    "16-bit": (QImage.Format.Format_Grayscale16, np.uint16),
}


class DenoiseExporter(QObject):
    """An exporter that asks for a path and writes: failed carries a sentence, the panel reports what was saved."""

    failed = Signal(str)

    def __init__(
        self, panel: Panel, experiment: DenoiseController, results: DenoisePresenter, regions: RegionState
    ) -> None:
        super().__init__(panel)
        self._panel, self._experiment, self._results, self._regions = panel, experiment, results, regions
        self.ask_path = QFileDialog.getSaveFileName

    def write_figure(self) -> None:
        """Have the explorer draw what is shown, with captions, warnings and the lesion's numbers."""
        shown = self._ready()
        path = self._ask("Export figure", "pdf", FIGURES) if shown else ""
        if not path or self._experiment.shown is None:
            return
        image, noise, methods = self._experiment.shown
        results, region = self._results.shown(), self._regions.region
        order = ExportDenoised(
            panel="denoise-figure",
            path=path,
            runs=tuple(key for key in results if key in methods.runs),
            filters=tuple(key for key in results if key in methods.filters),
            components=methods.components,
            heading=self._results.about(),
            titles={key: each.title for key, each in results.items()},
            notes={key: self._note(each) for key, each in results.items()},
            lines=(*self._lines(noise.is_added), *self._results.warnings()),
            region=None if region is None else RegionSpec(kind=region.kind, points=region.points),
            residual=not noise.is_added,
            **image.request_fields(),
            **noise.fields(),
        )
        handle = self._panel.session.request(order)
        handle.finished.connect(self._on_written)
        handle.failed.connect(self._on_failed)

    def write_numbers(self) -> None:
        """Write the table to a file, in full precision."""
        path = self._ask("Export metrics", "csv", "*.csv") if self._ready() else ""
        if path:
            problem = self._results.write(path)
            self.failed.emit(problem)
            if not problem:
                self._panel.report_saved(path)

    def write_result(self, key: str, depth: str) -> None:
        """Write the image of a method as a plain PNG file, in the size that the model sees."""
        made = self._results.shown().get(key) if self._ready() else None
        path = self._ask(f"Save the result of {made.title}", "png", "PNG image (*.png)", made.title) if made else ""
        if made is None or not path:
            return
        if to_image(made.image, depth).save(path):
            self._panel.report_saved(path)
        else:
            self.failed.emit(f"Could not write the image to {path}. Choose another folder.")

    def _ready(self) -> bool:
        """Return whether there is something to export; say why not if it is still computed."""
        blocker = self._experiment.export_blocker()
        self.failed.emit(blocker)
        return bool(self._experiment.made) and not blocker

    def _ask(self, title: str, ending: str, kinds: str, method: str = "") -> str:
        """Return the chosen path; its suggestion has no name of an opened file, which may be a patient's."""
        image, noise, methods = self._experiment.shown or (None, None, None)
        name = image.title.replace(" / ", "-") if image is not None and image.opened is None else "image"
        runs = method or "-".join(methods.runs.values() if methods else ())
        level = f"-sigma-{noise.sigma:g}" if noise is not None and noise.is_added else ""
        words = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in f"{name}-{runs}{level}")
        return self._panel.ask_to_save(self.ask_path, title, f"{words}.{ending}", kinds)

    def _note(self, made: DenoisedImage) -> str:
        """Return the numbers of an image and, on a second line, those of the lesion in it."""
        if made.key == ORIGINAL:
            return ""
        kept = self._results.keeping.found.get(made.key)
        return "\n".join(filter(None, (made.caption, interval_text(kept))))

    def _lines(self, has_reference: bool) -> list[str]:
        made = self._experiment.made
        return [] if has_reference else describe_noisy(made[ORIGINAL], self._results.results())

    def _on_written(self, reply: ExportDenoisedReply) -> None:
        self._panel.report_saved(reply.path)

    def _on_failed(self, failure: RequestFailed) -> None:
        self.failed.emit(failure.sentence)


def to_image(image: np.ndarray, depth: str) -> QImage:
    """Return a (height, width) image in [0, 1] as a gray image of a depth, with the disclaimer as its description."""
    kind, numbers = DEPTHS[depth]
    levels = np.ascontiguousarray(np.rint(np.clip(image, 0, 1) * np.iinfo(numbers).max).astype(numbers))
    height, width = levels.shape
    made = QImage(levels.data, width, height, levels.strides[0], kind).copy()
    made.setText("Description", DISCLAIMER)
    made.setText("Software", "Engram")
    return made


MEASURED = "metrics.psnr_db(originals, images), metrics.ssim(originals, images)"


def denoise_script(case: ImageRef, data: str, noise: Noise, methods: Methods, lesion: tuple[Region | None, int]) -> str:
    """Return a script that adds noise to an image, denoises it, measures, and saves each image as a PNG file.

    Args:
        case: the image.
        data: the code of the dataset config.
        noise: what is added.
        methods: the runs and the filters.
        lesion: the region, None if there is none, and the width of the ring around it in pixels.
    """
    region, rim_px = lesion
    opened = (case.opened.path, case.opened.slice) if case.opened else None
    kind, sigma, seed = noise.fields().values()
    given = f"{kind!r}, {sigma}, seed={seed}"
    lines = [
        f"data = {data}",
        *read_images((case.split, [case.index]), opened),
        "originals = read(data.size)",
        f"noisy = noise.add_noise(originals, {given})",
        "made = {'noisy': (originals, noisy)}",
    ]
    if methods.runs:
        lines += [
            f"for path in {list(methods.runs)}:",
            "    run = engine.runs.open_run(path)",
            "    shown = read(run.config.data.size)",
            f"    output = engine.reconstruct(engine.load_model(run), noise.add_noise(shown, {given}))",
            "    made[run.name] = shown, output",
        ]
    filters = [key for key in methods.filters if key != "pca"]
    if filters:
        lines += [
            f"for name in {filters}:",
            "    made[name] = originals, baselines.get_denoiser(name)(noisy)",
        ]
    if "pca" in methods.filters:
        lines += [
            f"linear = references.fit_pca_reference(engine.data.load(config=data), {methods.components})",
            "made['pca'] = originals, linear.predict_on_batch(noisy)",
        ]
    lines += [
        "for name, (originals, images) in made.items():",
        f"    print(name, {MEASURED})",
        "    plain.save_values(images[0, ..., 0], f'{name}.png')",
    ]
    if region is not None:
        kept = f"lesions.retention(originals[0, ..., 0], images[0, ..., 0], mask, rim={rim_px})"
        lines += [
            "    side = images.shape[1]",
            f"    mask = {_mask(region)}",
            f"    print('    lesion contrast retained', *{kept})",
        ]
    more = ["from engine.evaluation import references"] if "pca" in methods.filters else []
    imports = ("import engine", "from engine import lesions, metrics, noise", "from engine.denoising import baselines")
    return join_script(*lines, imports=(*imports, *more, "from engine.figures import plain"))


def _mask(region: Region) -> str:
    """Return the region as Python code, in pixels of the prepared image, (side, side)."""
    if region.kind == "polygon":
        corners = ", ".join(f"({x!r} * side, {y!r} * side)" for x, y in region.points)
        return f"lesions.polygon((side, side), [{corners}])"
    left, top, right, bottom = region.box
    box = ", ".join(f"{value!r} * side" for value in (left, top, right - left, bottom - top))
    return f"lesions.{region.kind}((side, side), {box})"
