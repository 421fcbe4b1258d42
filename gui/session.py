"""The session: the only thing that panels talk to. Events of runs, of the job and of the explorer pass through here."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from engine import runs
from engine.config import DataConfig, RunConfig
from engine.data.walk import check_folder
from engine.messages import Event, LoadData, Request, RequestFailed, Response
from gui.job import Job, Loss
from gui.loaded_data import LoadedData, from_answer
from gui.questions import Questions
from gui.run_book import RunBook
from gui.run_record import RunRecord

DATA = "data"
JOB = "train"
EXPLORER_BACKEND = "tensorflow"


class Session(QObject):
    """What is loaded, what is known of the runs, what is running; panels obey its signals.

    run_changed tells the name of a run whose record has changed, study_told and search_told what the study or search
    being made says. answered and refused tell the panel that asked; the panel of what the job refuses is JOB.
    """

    run_changed = Signal(str)
    runs_changed = Signal()
    job_changed = Signal()
    study_told = Signal(object)
    search_told = Signal(object)
    engine_ready = Signal(object)
    engine_lost = Signal(object)
    data_wanted = Signal(object)
    data_loaded = Signal(object)
    progressed = Signal(object)
    answered = Signal(str, object)
    refused = Signal(str, object)
    waiting_changed = Signal(str)

    def __init__(self, root: Path, scratch: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.data: LoadedData | None = None
        self.wanted = DataConfig()
        self._held: str | None = None
        self.book = RunBook(root, self.feed, self)
        self.job = Job(scratch, self)
        self.questions = Questions(scratch, self)
        self._connect()

    def _connect(self) -> None:
        self.book.changed.connect(self.runs_changed)
        self.job.changed.connect(self._on_job_changed)
        self.job.told.connect(self._on_job_told)
        self.job.ready.connect(self.engine_ready)
        self.job.lost.connect(self._on_job_lost)
        self.job.refused.connect(lambda event: self.refused.emit(JOB, event))
        self.questions.answered.connect(self._on_answered)
        self.questions.progressed.connect(self.progressed)
        self.questions.refused.connect(lambda event: self.refused.emit(event.panel, event))
        self.questions.waiting_changed.connect(self.waiting_changed)

    def open(self, root: Path) -> None:
        """Turn to a folder of runs."""
        self.book.open(root)
        self.runs_changed.emit()

    def warm_up(self, backend: str) -> None:
        """Let both engines import their framework while nobody waits for it, one after the other."""
        self.questions.ready.connect(lambda: self.job.warm_up(backend), Qt.ConnectionType.SingleShotConnection)
        self.questions.warm_up(EXPLORER_BACKEND)

    def feed(self, event: Event, run: str) -> None:
        """Take an event of a run: live from its process, or from its record long after."""
        record = self.book.records.get(run)
        if record and record.apply(event):
            self.run_changed.emit(run)

    def record(self, run: str | None) -> RunRecord | None:
        """What is known of a run."""
        return self.book.records.get(run) if run else None

    def start(self, config: RunConfig, name: str | None = None) -> RunRecord:
        """Make a run and train it. Raises RunError, DataError."""
        check_folder(config.data.source)
        record = self.book.add(runs.create_run(config, name, self.book.root))
        self.resume(record.name)
        return record

    def resume(self, name: str, epochs: int | None = None, backend: str | None = None) -> None:
        """Go on with a run from its last complete epoch; one that is gone by now is left alone."""
        record = self.record(name)
        if record and record.config:
            self.job.begin(record.run, epochs, backend)
            self.book.mark_busy(name, True)

    def load_data(self, config: DataConfig) -> None:
        """Prepare a source and make it the one that all panels work with."""
        self.wanted = config
        self.data_wanted.emit(config)
        self.ask(LoadData, DATA, config=config)

    def ask(self, kind: type[Request], panel: str, **fields: Any) -> int:
        """Ask the explorer for a panel; `answered` or `refused` follows, unless a newer question overtakes it."""
        self.questions.warm_up(EXPLORER_BACKEND)
        return self.questions.ask(kind, panel, **fields)

    def close(self) -> None:
        """End both engines and wait for it: nothing outlives the window."""
        self.book.close()
        for engine in (self.job.engine, self.questions.engine):
            if engine:
                engine.finish()

    def _on_job_told(self, event: Event) -> None:
        """A search passes on what its trials say, under the names of their runs."""
        if self.job.study:
            self.study_told.emit(event)
        elif self.job.search:
            self.feed(event, getattr(event, "run", ""))
            self.search_told.emit(event)
        else:
            self.feed(event, self.job.run or "")

    def _on_job_changed(self) -> None:
        """Whoever held a run and holds it no longer has let go of it, however that came."""
        if self._held and self._held != self.job.run:
            self.book.mark_busy(self._held, False)
        self._held = self.job.run
        self.job_changed.emit()

    def _on_job_lost(self, loss: Loss) -> None:
        if loss.study:
            kept = "Finished runs of the study and completed epochs are saved."
            self.engine_lost.emit(Loss(None, f"{loss.sentence} {kept}", loss.study))
            return
        if loss.search:
            kept = "Finished trials and completed epochs are saved."
            self.engine_lost.emit(Loss(None, f"{loss.sentence} {kept}", search=loss.search))
            return
        record = self.record(loss.run)
        if record is None:
            self.engine_lost.emit(loss)
            return
        self.book.read(record.name)
        kept = (
            f"{record.name} is saved up to epoch {record.last_epoch}."
            if record.last_epoch
            else "No epoch was completed."
        )
        self.engine_lost.emit(Loss(loss.run, f"{loss.sentence} {kept}"))

    def _on_answered(self, answer: Response) -> None:
        if answer.panel != DATA:
            self.answered.emit(answer.panel, answer.content)
            return
        try:
            self.data = from_answer(self.wanted, answer.content)
        except (OSError, ValueError) as error:
            reason = f"The prepared images could not be read ({error})."
            self.refused.emit(DATA, RequestFailed(reason=reason, advice="Load the dataset again.", panel=DATA))
        else:
            self.data_loaded.emit(self.data)
