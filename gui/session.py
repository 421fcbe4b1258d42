"""The session: the only thing that panels talk to. Events of runs, of the job and of the explorer pass through here."""

from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from engine import runs
from engine.config import DataConfig, RunConfig
from engine.data.walk import check_folder
from engine.messages import Event, LoadData, Request, RequestFailed, Response
from gui.explorer_client import ExplorerClient
from gui.job_controller import EngineCrash, JobController
from gui.loaded_data import LoadedData, from_answer
from gui.run_record import RunRecord
from gui.run_repository import RunRepository

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
    study_event = Signal(object)
    search_event = Signal(object)
    engine_ready = Signal(object)
    engine_crashed = Signal(object)
    data_wanted = Signal(object)
    data_loaded = Signal(object)
    progressed = Signal(object)
    answered = Signal(str, object)
    refused = Signal(str, object)
    waiting_changed = Signal(str)

    def __init__(self, root: Path, scratch: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.data: LoadedData | None = None
        self.requested_data = DataConfig()
        self._held: str | None = None
        self.runs = RunRepository(root, self.apply_event, self)
        self.job = JobController(scratch, self)
        self.explorer = ExplorerClient(scratch, self)
        self.job.find_runs_folder = self.explorer.find_runs_folder = lambda: self.runs.root
        self._connect()

    def _connect(self) -> None:
        self.runs.changed.connect(self.runs_changed)
        self.job.changed.connect(self._on_job_changed)
        self.job.event_received.connect(self._on_job_told)
        self.job.ready.connect(self.engine_ready)
        self.job.engine_crashed.connect(self._on_job_lost)
        self.job.refused.connect(lambda event: self.refused.emit(JOB, event))
        self.explorer.responded.connect(self._on_answered)
        self.explorer.progressed.connect(self.progressed)
        self.explorer.failed.connect(lambda event: self.refused.emit(event.panel, event))
        self.explorer.pending_changed.connect(self.waiting_changed)

    def open(self, root: Path) -> None:
        """Turn to a folder of runs."""
        self.runs.open(root)
        self.runs_changed.emit()

    def warm_up(self, backend: str) -> None:
        """Let both engines import their framework while nobody waits for it, one after the other."""
        self.explorer.ready.connect(lambda: self.job.warm_up(backend), Qt.ConnectionType.SingleShotConnection)
        self.explorer.warm_up(EXPLORER_BACKEND)

    def apply_event(self, event: Event, run: str) -> None:
        """Take an event of a run: live from its process, or from its record long after."""
        record = self.runs.records.get(run)
        if record and record.apply(event):
            self.run_changed.emit(run)

    def record(self, run: str | None) -> RunRecord | None:
        """What is known of a run."""
        return self.runs.records.get(run) if run else None

    def start(self, config: RunConfig, name: str | None = None) -> RunRecord:
        """Make a run and train it. Raises RunError, DataError."""
        check_folder(config.data.source)
        record = self.runs.add(runs.create_run(config, name, self.runs.root))
        self.resume(record.name)
        return record

    def resume(self, name: str, epochs: int | None = None, backend: str | None = None) -> None:
        """Go on with a run from its last complete epoch; one that is gone by now is left alone."""
        record = self.record(name)
        if record and record.config:
            self.job.start(record.run, epochs, backend)
            self.runs.mark_busy(name, True)

    def load_data(self, config: DataConfig) -> None:
        """Prepare a source and make it the one that all panels work with."""
        self.requested_data = config
        self.data_wanted.emit(config)
        self.ask(LoadData, DATA, config=config)

    def ask(self, kind: type[Request], panel: str, **fields: Any) -> int:
        """Ask the explorer for a panel; `answered` or `refused` follows, unless a newer question overtakes it."""
        self.explorer.warm_up(EXPLORER_BACKEND)
        return self.explorer.request(kind, panel, **fields)

    def close(self) -> None:
        """End both engines and wait for it: nothing outlives the window."""
        self.runs.close()
        for engine in (self.job.engine, self.explorer.engine):
            if engine:
                engine.shutdown()

    def _on_job_told(self, event: Event) -> None:
        """A search passes on what its trials say, under the names of their runs."""
        if self.job.study:
            self.study_event.emit(event)
        elif self.job.search:
            self.apply_event(event, getattr(event, "run", ""))
            self.search_event.emit(event)
        else:
            self.apply_event(event, self.job.run or "")

    def _on_job_changed(self) -> None:
        """Whoever held a run and holds it no longer has let go of it, however that came."""
        if self._held and self._held != self.job.run:
            self.runs.mark_busy(self._held, False)
        self._held = self.job.run
        self.job_changed.emit()

    def _on_job_lost(self, loss: EngineCrash) -> None:
        if loss.study:
            kept = "Finished runs of the study and completed epochs are saved."
            self.engine_crashed.emit(EngineCrash(None, f"{loss.sentence} {kept}", loss.study))
            return
        if loss.search:
            kept = "Finished trials and completed epochs are saved."
            self.engine_crashed.emit(EngineCrash(None, f"{loss.sentence} {kept}", search=loss.search))
            return
        record = self.record(loss.run)
        if record is None:
            self.engine_crashed.emit(loss)
            return
        self.runs.read_new_events(record.name)
        kept = (
            f"{record.name} is saved up to epoch {record.last_epoch}."
            if record.last_epoch
            else "No epoch was completed."
        )
        self.engine_crashed.emit(EngineCrash(loss.run, f"{loss.sentence} {kept}"))

    def _on_answered(self, answer: Response) -> None:
        if answer.panel != DATA:
            self.answered.emit(answer.panel, answer.content)
            return
        try:
            self.data = from_answer(self.requested_data, answer.content)
        except (OSError, ValueError) as error:
            reason = f"The prepared images could not be read ({error})."
            self.refused.emit(DATA, RequestFailed(reason=reason, advice="Load the dataset again.", panel=DATA))
        else:
            self.data_loaded.emit(self.data)
