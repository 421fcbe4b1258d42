"""What the lessons do: train small models one after the other, denoise a lesion, follow a lesion through the layers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from engine.config import DataConfig, RunConfig
from engine.errors import EngramError
from engine.messages import (
    ApplyFilter,
    ApplyFilterReply,
    Denoise,
    DenoiseReply,
    RegionSpec,
    Request,
    RequestFailed,
    TraceLesion,
    TraceLesionReply,
)
from gui.run_record import RunRecord
from gui.session import Session

SIGMA, RIM_PX = 0.1, 4
CANDIDATES = 8
BASELINE = "nlm"


class Experiment(QObject):
    """One experiment of a lesson; finished carries its result, progressed and failed a sentence."""

    progressed = Signal(str)
    finished = Signal(object)
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session

    def start(self) -> None:
        """Begin; the result may come at once."""

    def stop(self) -> None:
        """Take no notice of what comes from now on."""
        self.blockSignals(True)
        self.deleteLater()


class TrainingExperiment(Experiment):
    """Trains the runs of a lesson that are not there yet, one after the other; the result is their records by name."""

    def __init__(self, session: Session, configs: Mapping[str, RunConfig], parent: QObject) -> None:
        super().__init__(session, parent)
        self._configs, self._training = configs, ""

    def missing(self) -> list[str]:
        """Return the runs that must still be trained."""
        records = {name: self._session.record(name) for name in self._configs}
        return [name for name, record in records.items() if record is None or record.state != "finished"]

    def start(self) -> None:
        self._session.job_changed.connect(self._on_job_changed)
        self._session.run_changed.connect(self._on_run_changed)
        self._go_on()

    def _go_on(self) -> None:
        missing = self.missing()
        if not missing:
            self._training = ""
            self.finished.emit({name: self._session.record(name) for name in self._configs})
        elif self._session.job.is_busy():
            self.failed.emit("Another job is running. Wait until it has finished, or stop it, then try again.")
        else:
            self._train(missing[0])

    def _train(self, name: str) -> None:
        record = self._session.record(name)
        self._training = name
        try:
            if record is None:
                self._session.start(self._configs[name], name)
            elif record.can_resume:
                self._session.resume(name)
            else:
                self._fail(f"{name} cannot be resumed. Delete it in Train, then try again.")
        except EngramError as error:
            self._fail(str(error))

    def _fail(self, sentence: str) -> None:
        self._training = ""
        self.failed.emit(sentence)

    def _on_job_changed(self) -> None:
        if self._training and not self._session.job.is_busy():
            record = self._session.record(self._training)
            if record is not None and record.state == "finished":
                self._go_on()
            else:
                self._fail(f"{self._training} did not finish. Its log in Train says why; try again to resume it.")

    def _on_run_changed(self, name: str) -> None:
        record = self._session.record(name)
        if name == self._training and record is not None:
            place = list(self._configs).index(name) + 1
            epoch = min(record.last_epoch + 1, record.target_epochs)
            where = f"run {place} of {len(self._configs)}" if len(self._configs) > 1 else "training"
            self.progressed.emit(f"{name} · {where} · epoch {epoch} of {record.target_epochs}")


@dataclass(frozen=True)
class LesionImage:
    """A phantom of the test set with a lesion: its index there, and the pixels of the lesion."""

    data: DataConfig
    index: int
    mask: NDArray[np.bool_]

    @property
    def key(self) -> str:
        """Return the key of its lesion among those that all panels share."""
        first = self.data.phantom_count - self.data.phantom_count // 6
        return f"{self.data.source} phantom-{first + self.index:06d}"

    def request_fields(self) -> dict[str, Any]:
        """Return the fields of a request about it."""
        return {"data": self.data, "split": "test", "indices": (self.index,)}

    def region(self) -> RegionSpec:
        """Return the ellipse around the lesion."""
        rows, columns = np.nonzero(self.mask)
        height, width = self.mask.shape
        first = float(columns.min() / width), float(rows.min() / height)
        return RegionSpec(kind="ellipse", points=(first, ((columns.max() + 1) / width, (rows.max() + 1) / height)))


def find_lesion_image(data: DataConfig) -> LesionImage:
    """Return the test phantom, among the first few, whose lesion stands out most."""
    from engine.data.phantom import phantom

    first, found = data.phantom_count - data.phantom_count // 6, []
    for index in range(min(CANDIDATES, data.phantom_count // 6)):
        drawn = phantom(data.size, data.phantom_seed, first + index)
        change = float(np.abs(drawn.image - drawn.healthy)[drawn.mask].sum()) if drawn.mask.any() else 0.0
        found.append((change, LesionImage(data, index, drawn.mask)))
    return max(found, key=lambda each: each[0])[1]


class LesionExperiment(Experiment):
    """Base of the experiments on a phantom's lesion: they need a run that was trained on phantoms."""

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(session, parent)
        self.record: RunRecord | None = None
        self.image: LesionImage | None = None

    def candidates(self) -> list[RunRecord]:
        """Return the runs that it could use, best first."""
        return [each for each in self._session.ready_runs() if each.config and each.config.data.source == "phantom"]

    def start(self) -> None:
        found = self.candidates()
        if not found or found[0].config is None:
            self.failed.emit("There is no run that was trained on phantoms. Train a quick model in Train first.")
            return
        self.record, self.image = found[0], find_lesion_image(found[0].config.data)
        self.begin(str(self.record.run.path), self.image)

    def begin(self, run: str, image: LesionImage) -> None:
        """Send the requests."""

    def _send(self, request: Request, done: Any) -> None:
        # A lambda would outlive this object; a connection to its own method ends with it.
        self._done = done
        handle = self._session.request(request)
        handle.finished.connect(self._on_finished)
        handle.failed.connect(self._on_failed)

    def _on_finished(self, reply: Any) -> None:
        self._done(reply)

    def _on_failed(self, failure: RequestFailed) -> None:
        self.failed.emit(failure.sentence)


@dataclass(frozen=True)
class DenoisedLesion:
    """PSNR in dB and lesion contrast retained, by method; `run` is the name of the model."""

    run: str
    image: LesionImage
    psnr_db: dict[str, float]
    retained: dict[str, float]


class DenoiseExperiment(LesionExperiment):
    """Adds noise to an image with a lesion and removes it again, with a run and with non-local means."""

    def candidates(self) -> list[RunRecord]:
        runs = super().candidates()
        return sorted(runs, key=lambda each: each.config is None or each.config.noise.noise == "none")

    def begin(self, run: str, image: LesionImage) -> None:
        self.progressed.emit("Denoising a phantom with a lesion…")
        fields = {**image.request_fields(), "noise": "gaussian", "sigma": SIGMA}
        self._send(Denoise(panel="lesson", runs=(run,), **fields), lambda reply: self._on_denoised(fields, reply))

    def _on_denoised(self, fields: dict[str, Any], reply: DenoiseReply) -> None:
        request = ApplyFilter(panel="lesson", method=BASELINE, **fields)
        self._send(request, lambda filtered: self._on_filtered(reply, filtered))

    def _on_filtered(self, reply: DenoiseReply, filtered: ApplyFilterReply) -> None:
        from engine.lesions import retention

        own = next(iter(reply.runs.values()))
        if self.record is None or self.image is None:
            return
        made = {"Noisy input": (reply, reply.noisy), self.record.name: (own, own.denoised)}
        made["Non-local means"] = filtered, filtered.denoised
        try:
            retained = {
                name: float(retention(reply.original, image, self.image.mask, RIM_PX).value)
                for name, (_, image) in made.items()
            }
        except EngramError as error:
            self.failed.emit(str(error))
            return
        psnr_db = {name: metrics.psnr_db or 0.0 for name, (metrics, _) in made.items()}
        self.finished.emit(DenoisedLesion(self.record.name, self.image, psnr_db, retained))


@dataclass(frozen=True)
class TracedLesion:
    """The reply about a lesion's detectability after each layer, and the image it is in."""

    run: str
    image: LesionImage
    reply: TraceLesionReply


class TraceExperiment(LesionExperiment):
    """Follows a lesion through the layers of a run with a bottleneck."""

    def candidates(self) -> list[RunRecord]:
        return [each for each in super().candidates() if each.config and each.config.model.latent_size is not None]

    def begin(self, run: str, image: LesionImage) -> None:
        self.progressed.emit("Tracing the lesion through the layers…")
        request = TraceLesion(panel="lesson", run=run, region=image.region(), **image.request_fields())
        self._send(request, self._on_traced)

    def _on_traced(self, reply: TraceLesionReply) -> None:
        if self.record is not None and self.image is not None:
            self.finished.emit(TracedLesion(self.record.name, self.image, reply))
