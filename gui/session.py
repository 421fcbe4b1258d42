"""The session: the only thing that panels talk to. Events of runs, of the job and of the explorer pass through here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from engine import config as settings
from engine import runs
from engine.config import DataConfig, RunConfig
from engine.data.files import check_folder
from engine.errors import ConfigError
from engine.messages import Event, LoadData, LoadDataReply, Request, RequestFailed
from gui import engine_process
from gui.engine_process import EngineProcess
from gui.explorer_client import ExplorerClient, RequestHandle
from gui.job_controller import EngineCrash, JobController
from gui.loaded_data import LoadedData, read_loaded_data, source_title
from gui.run_listing import RunListing
from gui.run_record import RunRecord
from gui.run_repository import RunRepository
from gui.selection import Selection

DATA = "data"
LOADING = "Loading the dataset…"
NO_DATA = "No dataset loaded. Choose a source in Data, or drop an image here."


class Session(QObject):
    """The loaded dataset, the known runs, and what is running; panels follow its signals.

    run_changed carries the name of a run whose record has changed, study_event and search_event an event of the running
    study or search, job_failed the `RequestFailed` of a job. loading_changed is emitted when the loading of a dataset
    begins or ends, loading_progressed carries how many images are read and how many there are, loading_failed the
    `RequestFailed`. request_progressed carries a request of any kind, how much of it is done and how much there is.
    """

    run_changed = Signal(str)
    runs_changed = Signal()
    job_changed = Signal()
    study_event = Signal(object)
    search_event = Signal(object)
    job_failed = Signal(object)
    engine_ready = Signal(object)
    engine_crashed = Signal(object)
    data_wanted = Signal(object)
    data_loaded = Signal(object)
    loading_changed = Signal()
    loading_progressed = Signal(int, int)
    loading_failed = Signal(object)
    request_progressed = Signal(object, int, int)

    def __init__(self, root: Path, scratch: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.scratch = scratch
        self.data: LoadedData | None = None
        self.requested_data = DataConfig()
        self.loading: RequestHandle | None = None
        self._held: str | None = None
        self.runs = RunRepository(root, self.apply_event, self)
        self.run_list = RunListing(self.runs, self)
        self.job = JobController(scratch, self)
        self.explorer = ExplorerClient(scratch, self)
        self.selection = Selection(self.request, lambda: self.data.config if self.data else self.requested_data, self)
        self.job.find_runs_folder = self.explorer.find_runs_folder = lambda: self.runs.root
        self._connect()

    def _connect(self) -> None:
        self.runs.changed.connect(self.runs_changed)
        self.job.changed.connect(self._on_job_changed)
        self.job.event_received.connect(self._on_job_event)
        self.job.ready.connect(self.engine_ready)
        self.job.engine_crashed.connect(self._on_engine_crashed)
        self.job.refused.connect(self.job_failed)
        self.explorer.pending_changed.connect(self._on_pending_changed)

    def open(self, root: Path) -> None:
        """Show the runs of a folder."""
        self.runs.open(root)
        self.runs_changed.emit()

    def warm_up(self, backend: str) -> None:
        """Start both engines one after the other, so that their backends are imported before they are needed."""
        self.explorer.ready.connect(lambda: self.job.warm_up(backend), Qt.ConnectionType.SingleShotConnection)
        self.start_explorer()

    def start_explorer(self) -> None:
        """Start the explorer if it does not run."""
        self.explorer.warm_up(engine_process.EXPLORER_BACKEND)

    def apply_event(self, event: Event, run: str) -> None:
        """Apply an event to the record of a run, live from its process or later from its file."""
        record = self.runs.records.get(run)
        if record and record.apply(event):
            self.run_changed.emit(run)

    def record(self, run: str | None) -> RunRecord | None:
        """Return the record of a run; None if it is unknown."""
        return self.runs.records.get(run) if run else None

    def current_run(self) -> RunRecord | None:
        """Return the current run, or the newest one that has a model if none was chosen; None if there is none."""
        ready = self.ready_runs()
        return next((record for record in ready if record.name == self.selection.run), ready[0] if ready else None)

    def ready_runs(self) -> list[RunRecord]:
        """Return the runs that have a model, newest first."""
        records = reversed(list(self.runs.records.values()))
        return [record for record in records if record.epochs and not record.damage]

    def start(self, config: RunConfig, name: str | None = None) -> RunRecord:
        """Create a run and train it. Raises RunError, DataError."""
        check_folder(config.data.source)
        record = self.runs.add(runs.create_run(config, name, self.runs.root))
        self.resume(record.name)
        return record

    def resume(self, name: str, epochs: int | None = None, backend: str | None = None) -> None:
        """Resume a run from its last complete epoch; do nothing if the run is gone."""
        record = self.record(name)
        if record and record.config:
            self.job.start(record.run, epochs, backend)
            self.runs.mark_busy(name, True)

    def missing_data_text(self) -> str:
        """Return what a panel without images says: that they are being loaded, or how to get some."""
        return LOADING if self.loading is not None else NO_DATA

    def load_data(self, config: DataConfig) -> None:
        """Load a dataset and make it the one that all panels work with."""
        self.requested_data = config
        self.data_wanted.emit(config)
        self.loading = handle = self.request(LoadData(panel=DATA, config=config))
        handle.finished.connect(self._on_loaded)
        handle.failed.connect(self.loading_failed)
        handle.progressed.connect(self.loading_progressed)
        self.loading_changed.emit()

    def request(self, message: Request) -> RequestHandle:
        """Send a request to the explorer; the handle tells how it ends, unless a newer one of its panel replaces it."""
        self.start_explorer()
        handle = self.explorer.send(message)
        handle.progressed.connect(lambda done, total: self.request_progressed.emit(handle.request, done, total))
        return handle

    def close(self) -> None:
        """End both engines, and those that were replaced and still end, and wait for them."""
        self.runs.close()
        self.job.is_closing = self.explorer.is_closing = True
        current = [engine for engine in (self.job.engine, self.explorer.engine) if engine]
        replaced = [engine for engine in self.findChildren(EngineProcess) if engine not in current]
        for engine in (*current, *replaced):
            engine.shutdown()

    def _on_job_event(self, event: Event) -> None:
        """Forward an event of the job; a search forwards those of its trials under the names of their runs."""
        if self.job.study:
            self.study_event.emit(event)
        elif self.job.search:
            self.apply_event(event, getattr(event, "run", ""))
            self.search_event.emit(event)
        else:
            self.apply_event(event, self.job.run or "")

    def _on_job_changed(self) -> None:
        """Mark a run as free once the job no longer trains it, whatever the reason."""
        if self._held and self._held != self.job.run:
            self.runs.mark_busy(self._held, False)
            if not (self.job.search or self.job.study) and any(each.name == self._held for each in self.ready_runs()):
                self.selection.set_run(self._held)
        self._held = self.job.run
        self.job_changed.emit()

    def _on_engine_crashed(self, loss: EngineCrash) -> None:
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

    def _on_pending_changed(self) -> None:
        if self.loading is not None and LoadData not in self.explorer.pending_kinds():
            self.loading = None
            self.loading_changed.emit()

    def _on_loaded(self, reply: LoadDataReply) -> None:
        try:
            self.data = read_loaded_data(self.requested_data, reply)
        except (OSError, ValueError) as error:
            reason = f"The prepared images could not be read ({error})."
            self.loading_failed.emit(RequestFailed(reason=reason, advice="Load the dataset again.", panel=DATA))
        else:
            self.selection.set_data(self.data)
            self.data_loaded.emit(self.data)


class LoadDataCommand(QUndoCommand):
    """Undo step that loads a source; undoing loads the previous one again, quickly, from the cache."""

    def __init__(self, session: Session, config: DataConfig, before: DataConfig) -> None:
        super().__init__(f"load {source_title(config)}")
        self._session, self._config, self._before = session, config, before

    def redo(self) -> None:
        self._session.load_data(self._config)

    def undo(self) -> None:
        self._session.load_data(self._before)


def load_data_undoable(session: Session, undo: QUndoStack, config: DataConfig) -> None:
    """Load a source for all panels; this is an undo step if another one was loaded before."""
    before = session.data.config if session.data else None
    if before is None or before == config:
        session.load_data(config)
    else:
        undo.push(LoadDataCommand(session, config, before))


def data_config(values: Mapping[str, Any]) -> DataConfig:
    """Return the dataset settings alone, without a check that a model can halve the image size often enough.

    That check belongs to the model. Raises ConfigError.
    """
    if values.get("source") in ("", "hf:"):
        raise ConfigError("Choose a folder or dataset, or drop a folder here.")
    return settings.from_flat({**values, "filters": (32,)}).data
