"""Events of a study's runs, translated into the progress of the study."""

from engine.messages import (
    Continued,
    Emit,
    EpochEnded,
    Event,
    Log,
    Paused,
    Progress,
    SearchEnded,
    SearchStarted,
    SearchState,
    StudyProgress,
    TrialEnded,
)


class ProgressRelay:
    """Receiver that translates the events of runs and searches.

    Args:
        emit: receives the study's own events.
        total: number of runs in the study.
        done: number of runs that have ended.
    """

    def __init__(self, emit: Emit, total: int, done: int = 0) -> None:
        self.emit, self.total, self.done = emit, total, done
        # How the search ended.
        self.ended = ""
        self._before, self._is_held, self._unit = done, False, ""

    def begin(self, done: int) -> None:
        """Start the next part of the study, with `done` of its runs ended."""
        self.done = self._before = done

    def __call__(self, event: Event) -> None:
        """Translate an event of a run or of a search into those of the study."""
        if isinstance(event, Progress):
            share = (event.epoch - 1 + event.batch / max(event.batches, 1)) / max(event.epochs, 1)
            minutes = f"{event.left_s / 60:.0f} min" if event.left_s >= 90 else f"{event.left_s:.0f} s"
            self.emit_progress(event.run, f"epoch {event.epoch} of {event.epochs} · {minutes} left for this run", share)
        elif isinstance(event, EpochEnded):
            value = event.metrics.get("val_loss", float("nan"))
            self.emit_progress(event.run, f"epoch {event.epoch} done, validation loss {value:.5g}")
        elif isinstance(event, (Paused, Continued)) or (isinstance(event, Log) and event.level != "info"):
            self.emit(event)
        elif isinstance(event, SearchState):
            self._on_state(event)
        else:
            self._on_search(event)

    def _on_search(self, event: Event) -> None:
        if isinstance(event, SearchStarted):
            self._unit = event.base.model.loss_unit
        elif isinstance(event, TrialEnded) and event.score is None:
            self.emit(Log(text=f"{event.run} {event.state}. {event.reason}".strip(), level="warning"))
        elif isinstance(event, TrialEnded):
            self.log_run_end(event.run, event.state, event.score, event.best_epoch, self._unit)
        elif isinstance(event, SearchEnded):
            self.ended = event.state

    def _on_state(self, event: SearchState) -> None:
        """Update the count; a search reports its pause as a state, once all its trials are paused."""
        self.done = self._before + event.done
        if event.state == "paused" and not self._is_held:
            self.emit(Paused(run=event.search))
        elif event.state != "paused" and self._is_held:
            self.emit(Continued(run=event.search))
        self._is_held = event.state == "paused"

    def emit_progress(self, name: str, text: str, share: float | None = None) -> None:
        """Emit the progress of a run."""
        whole = None if share is None else (self.done + share) / max(self.total, 1)
        line = f"{name} · run {min(self.done + 1, self.total)} of {self.total} · {text}"
        self.emit(StudyProgress(stage="training", text=line, share=whole))

    def log_run_end(self, name: str, state: str, loss: float | None, epoch: int | None, unit: str) -> None:
        """Log that a run has ended, with its best validation loss, None if it has none."""
        text = f"{name} ({self.done + 1} of {self.total}) {state}"
        if loss is not None:
            text += f", validation loss {loss:,.6g} {unit}".rstrip() + f" in epoch {epoch}"
        self.emit(Log(text=f"{text}."))
