"""The presenter of the results: images at once, numbers and sentences a moment later."""

from pathlib import Path

from PySide6.QtCore import QObject

from gui.panels.denoise.controller import DenoiseController
from gui.panels.denoise.lesion import LesionCard, RetentionCalculator
from gui.panels.denoise.methods_card import MethodsCard, table_text
from gui.panels.denoise.picture_area import PictureArea
from gui.panels.denoise.results_data import (
    NOISY,
    ORIGINAL,
    DenoisedImage,
    Picture,
    best_text,
    describe_noisy,
    harm_warnings,
    lesion_warnings,
    noisy_one,
    noisy_warnings,
)
from gui.selection import ImageRef
from gui.widgets.region.region import RegionState
from gui.widgets.timers import make_timer

SOON_MS, DRAFT_MS = 40, 120
Cards = tuple[LesionCard, MethodsCard, PictureArea]


class DenoisePresenter(QObject):
    """A presenter that brings denoised images and retained lesion contrast to the cards."""

    def __init__(self, experiment: DenoiseController, regions: RegionState, cards: Cards, parent: QObject) -> None:
        super().__init__(parent)
        self.keeping = RetentionCalculator(self)
        self._experiment, self._regions = experiment, regions
        self._lesion, self._methods, self._stage = cards
        self._warned_of = ""
        self._soon = make_timer(self, SOON_MS)
        self._soon.timeout.connect(self._measure)
        experiment.found.connect(self._on_found)
        experiment.drafted.connect(self._on_drafted)
        experiment.method_found.connect(self._on_method_found)
        experiment.curve_found.connect(self._show_curve)
        self.keeping.changed.connect(self.refresh)
        regions.region_changed.connect(self._schedule)
        self._lesion.threshold_changed.connect(self.refresh)

    def shown(self) -> dict[str, DenoisedImage]:
        """Return the images to show: the original, the noisy one, those of the ticked methods."""
        ticked = self._methods.ticked()
        return {key: made for key, made in self._experiment.made.items() if key in (ORIGINAL, NOISY, *ticked)}

    def with_metrics(self) -> dict[str, DenoisedImage]:
        """Return the images that have metrics: all but the original."""
        return {key: made for key, made in self._experiment.made.items() if key != ORIGINAL}

    def draw_noise(self) -> None:
        """Show the noisy image at once, before the reply of the explorer."""
        wanted, made = self._experiment.wanted, self._experiment.made
        if wanted is None or ORIGINAL not in made or self._experiment.shown is None:
            return
        if not (wanted[1].is_added and self._experiment.shown[1].is_added):
            return
        if wanted[0] == self._experiment.shown[0]:
            self._stage.pictures.replace(noisy_one(made[ORIGINAL], wanted[1]))

    def show_preview(self, image: ImageRef, pixels: Picture) -> None:
        """Show an image alone, until the reply about it arrives."""
        self._stage.pictures.set_orientation(image.orientation)
        self._stage.pictures.show_made({ORIGINAL: DenoisedImage(ORIGINAL, "Original", pixels, pixels, pixels, None)})

    def show_pictures(self) -> None:
        """Show the images of the ticked methods, as far as they are known."""
        if ORIGINAL in self._experiment.made:
            self._stage.pictures.show_made(self.shown())
            self._show_curve()

    def refresh(self) -> None:
        """Show metrics and warnings; for drafts, the known metrics, and still the warnings of the last full reply."""
        experiment, share = self._experiment, self._lesion.threshold()
        kept = {} if experiment.is_draft else self.keeping.found
        self._methods.show_numbers(self.with_metrics(), experiment.pending_methods(), kept, share)
        if not experiment.is_draft:
            self._stage.help.show_warnings(self.warnings())
            self._stage.help.show_best(self._best_text())
            self._warned_of = experiment.shown[1].text if experiment.shown else ""
        self._stage.help.show_refining(self._warned_of if experiment.is_draft else "")

    def about(self) -> str:
        """Describe what the images show."""
        if self._experiment.shown is None:
            return ""
        case, noise, _ = self._experiment.shown
        if not noise.is_added:
            return f"{case.title} · no noise added"
        kind = noise.kind.replace("-", " ")
        return f"{case.title} · {kind} noise, {noise.text}, seed {noise.seed}"

    def write(self, path: str) -> str:
        """Write all numbers to a file; return the error as a sentence, or an empty string."""
        text = table_text(self.with_metrics(), self.keeping.found, self.about())
        try:
            Path(path).write_text(text, encoding="utf-8")
        except OSError as error:
            return f"Could not write the values to {path} ({error.strerror}). Choose another folder."
        return ""

    def results(self) -> list[DenoisedImage]:
        """Return the shown results: the images of the ticked methods."""
        return [made for key, made in self.shown().items() if key not in (ORIGINAL, NOISY)]

    def warnings(self) -> list[str]:
        """Return the warnings of the shown runs and the ticked classical filters, those about the lesion first."""
        experiment = self._experiment
        if experiment.shown is None:
            return []
        said, (_, noise, methods) = self.results(), experiment.shown
        if noise.is_added:
            others = harm_warnings(said, noise, experiment.curve)
        else:
            others = noisy_warnings(said, methods.trained_on)
        problem = [self.keeping.problem] if self.keeping.problem else []
        return [*problem, *lesion_warnings(said, self.keeping.found, self._lesion.threshold()), *others]

    def _best_text(self) -> str:
        made, shown = self._experiment.made, self._experiment.shown
        if shown is None or not shown[1].is_added or self._experiment.pending_methods():
            return ""
        known = [each for key, each in made.items() if key not in (ORIGINAL, NOISY)]
        return best_text(known, made.get(NOISY))

    def _on_found(self) -> None:
        shown = self._experiment.shown
        assert shown is not None
        image = shown[0]
        self._stage.help.show_scope(self._experiment.patient_note(shown[0]))
        self._stage.pictures.set_orientation(image.orientation)
        self._stage.pictures.show_made(self.shown())
        self._methods.show_columns(shown[1].is_added)
        self._stage.help.show_place(shown[1].sigma)
        original = self._experiment.made[ORIGINAL].image
        self._lesion.show_size((original.shape[0], original.shape[1]))
        self._show_curve()
        self._schedule()

    def _on_drafted(self) -> None:
        """Replace the changed images by drafts; the noisy image already follows the slider."""
        shown = self._experiment.shown
        assert shown is not None
        for key, made in self.shown().items():
            if key in shown[2].runs:
                self._stage.pictures.replace(made)
        self._stage.help.show_place(shown[1].sigma)
        if not self._soon.isActive():
            self._soon.start(DRAFT_MS)

    def _on_method_found(self, key: str) -> None:
        if key in self._methods.ticked():
            self.show_pictures()
        self._schedule()

    def _schedule(self) -> None:
        """Refresh the numbers a moment after the images, once for many changes."""
        if not self._soon.isActive() or self._soon.interval() != SOON_MS:
            self._soon.start(SOON_MS)

    def _measure(self) -> None:
        if self._experiment.is_draft:
            self.refresh()
        else:
            self.keeping.update(self.with_metrics(), self._regions.region, self._regions.rim_px)

    def _show_curve(self) -> None:
        experiment, wanted = self._experiment, self._experiment.wanted
        shown = experiment.shown
        if shown is not None and not shown[1].is_added and ORIGINAL in experiment.made:
            self._stage.help.show_noisy(describe_noisy(experiment.made[ORIGINAL], self.results()))
        else:
            ticked = self._methods.ticked()
            filters = {key: title for key, title in wanted[2].filters.items() if key in ticked} if wanted else {}
            self._stage.help.show_curve(experiment.curve, wanted[2].runs if wanted else {}, filters)
        self.refresh()
