"""What a run will cost on this machine, shown before it starts: measured once for each kind of run, and kept."""

from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import QObject, Signal

from engine.config import AUTO_BACKEND, RunConfig, cost_settings, from_flat
from engine.messages import RunEstimated
from gui.formatting import format_duration, format_fixed, format_parameters
from gui.job_controller import JobController
from gui.widgets.timers import make_timer

SOON_MS = 900
MAX_KEPT = 60
MINUTE_S, ROUND_S = 60, 5
CHOOSING = "choosing the fastest backend for this model…"
MEASURING, WAITING = "measuring the time on this machine…", "time and memory follow when the engine is free"


class RunEstimator(QObject):
    """Estimates by kind of run; a missing one is measured by the idle engine soon after it was asked for."""

    changed = Signal()

    def __init__(self, job: JobController, parent: QObject) -> None:
        super().__init__(parent)
        self._job = job
        self._known: dict[str, RunEstimated] = {}
        self._wanted: tuple[str, RunConfig] | None = None
        self._measured = ""
        self._soon = make_timer(self, SOON_MS)
        self._soon.timeout.connect(self._measure)
        job.estimated.connect(self._on_estimated)
        job.ready.connect(lambda _: self._soon.start() if self._wanted else None)

    def find(self, config: RunConfig) -> RunEstimated | None:
        """Return what is known of such a run, and see to the rest."""
        token = make_token(config)
        known = self._known.get(token)
        self._wanted = None if known and known.is_complete else (token, config)
        if self._wanted and self._measured != token:
            self._soon.start()
        return known

    def resolve(self, config: RunConfig) -> RunConfig | None:
        """Return settings with the backend that 'auto' stands for. Returns None while it is being chosen."""
        if config.training.backend != AUTO_BACKEND:
            return config
        known = self.find(config)
        return from_flat({"backend": known.backend}, config) if known and known.backend else None

    def forget_wish(self) -> None:
        """Measure nothing: the form is hidden, or holds no valid run."""
        self._wanted = None
        self._soon.stop()

    def is_measuring(self, config: RunConfig) -> bool:
        return self._measured == make_token(config)

    def save_state(self) -> dict[str, str]:
        """Return the newest complete estimates."""
        complete = [(token, event) for token, event in self._known.items() if event.images_per_s]
        return {token: event.to_json_line() for token, event in complete[-MAX_KEPT:]}

    def restore_state(self, kept: dict[str, Any]) -> None:
        for token, line in kept.items():
            try:
                self._known[token] = RunEstimated.model_validate_json(line)
            except ValidationError:
                continue

    def _measure(self) -> None:
        if self._wanted and self._job.estimate(self._wanted[1], self._wanted[0]):
            self._measured = self._wanted[0]
            self.changed.emit()

    def _on_estimated(self, event: RunEstimated) -> None:
        if event.is_complete or event.reason:
            self._measured = "" if self._measured == event.token else self._measured
            event = event.model_copy(update={"is_complete": True})
        self._known.pop(event.token, None)
        self._known[event.token] = event
        self.changed.emit()


def make_token(config: RunConfig) -> str:
    """Return a text that is equal for runs whose steps cost the same."""
    return repr(list(cost_settings(config).items()))


def predict_s(known: RunEstimated, config: RunConfig, train: int, validation: int) -> float | None:
    """Return the time of a run, s. Returns None while its parts are not known."""
    if not known.images_per_s:
        return None
    images_s = train / known.images_per_s + validation * (known.validation_s or 0.0)
    return (known.start_s or 0.0) + config.training.epochs * (images_s + (known.epoch_s or 0.0))


def describe_estimate(
    known: RunEstimated | None, config: RunConfig, sizes: tuple[int, int] | None, is_measuring: bool
) -> str:
    """Return the cost of a run as text: parameters, memory, time; empty if nothing is known.

    Args:
        known: what is known of its parts.
        config: its settings.
        sizes: training and validation images; None if the dataset is not loaded.
        is_measuring: whether the engine is at it.
    """
    words = [f"{format_parameters(known.parameters)} parameters"] if known and known.parameters else []
    if known and known.memory_mb:
        free = f" of {format_fixed(known.free_mb / 1e3, 1)} GB that are free" if known.free_mb else ""
        words.append(f"about {format_fixed(known.memory_mb / 1e3, 1)} GB memory{free}")
    seconds = predict_s(known, config, *sizes) if known and sizes else None
    if seconds is not None:
        step = MINUTE_S if seconds > 2 * MINUTE_S else ROUND_S
        words.append(f"about {format_duration(max(round(seconds / step), 1) * step)} on this machine")
    if known and known.reason:
        words.append(known.reason)
    elif known is None or not known.is_complete:
        words.append(MEASURING if is_measuring else WAITING)
    return " · ".join(words)
