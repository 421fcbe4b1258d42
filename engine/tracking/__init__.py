"""Tracking of runs with Weights & Biases: opt-in, and offline unless requested otherwise.

W&B runs in a process of its own (`engine.tracking.recorder`) that receives a run's events. Its failure never affects
the run: an event that it does not accept is dropped. The data that it receives has no path, host, user or image.
"""

import json
import netrc
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from engine import config, errors
from engine.child_process import module_command, start_process
from engine.config import RunConfig
from engine.errors import TrackingError
from engine.messages import Emit, EpochEnded, Event, JobEnded, JobStarted
from engine.runs import Run

PROJECT = "engram"
HOME = Path(errors.__file__).resolve().parents[1]
PATIENCE_S = 30.0
SERVER = "https://api.wandb.ai"
QUIET = {
    "WANDB_ERROR_REPORTING": "false",
    "WANDB_DISABLE_GIT": "true",
    "WANDB_SILENT": "true",
}


def check(settings: RunConfig) -> None:
    """Check early whether the requested tracking is possible.

    Raises:
        TrackingError: online tracking is requested, and W&B is not logged in here.
    """
    if settings.training.tracking == "online" and not is_logged_in():
        advice = "Run `wandb login`, or use --tracking offline and later run `wandb sync` on the run's wandb folder."
        raise TrackingError("Weights & Biases is not logged in on this computer.", advice)


def check_sweep() -> None:
    """Check early whether a sweep is possible, which needs W&B's server.

    Raises:
        TrackingError: W&B is not logged in here.
    """
    if not is_logged_in():
        advice = "Use KerasTuner as the tuner: it needs no network, and offline tracking records its trials for W&B."
        raise TrackingError("A W&B sweep needs a W&B login, and there is none on this computer.", advice)


def is_logged_in() -> bool:
    """Return whether this machine has a key for W&B's server, without a connection to it."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlparse(os.environ.get("WANDB_BASE_URL", SERVER)).hostname or ""
    file = Path(os.environ.get("NETRC") or Path.home() / ("_netrc" if os.name == "nt" else ".netrc"))
    try:
        return netrc.netrc(file).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False


def anonymized(settings: RunConfig) -> dict[str, Any]:
    """Return the settings of a run without anything that may identify a person, a place or a patient."""
    values = config.to_flat(settings)
    source = str(values["source"])
    known = source == "phantom" or (source.startswith("hf:") and not os.path.exists(source.removeprefix("hf:")))
    private = {name: "given" for name in ("groups", "group_pattern") if values[name]}
    return {**values, "source": source if known else "folder", **private}


def with_tracking(run: Run, settings: RunConfig, emit: Emit) -> Emit:
    """Return the receiver of a run's events: a `Tracker`, or `emit` alone without tracking.

    Raises:
        TrackingError: see `check`.
    """
    if settings.training.tracking == "off":
        return emit
    check(settings)
    return Tracker(run, settings, emit)


class Tracker:
    """Receiver that passes events on, and sends metrics to W&B's process, which it starts at the first event.

    Args:
        run: the run that emits the events.
        settings: its settings.
        emit: receives each event first.
    """

    def __init__(self, run: Run, settings: RunConfig, emit: Emit) -> None:
        self.run, self.settings, self.emit = run, settings, emit
        self._pipe: int | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, event: Event) -> None:
        """Pass on one event."""
        self.emit(event)
        if isinstance(event, JobStarted):
            self._start()
        elif isinstance(event, EpochEnded):
            self._send({"epoch": event.epoch, "metrics": event.metrics})
        elif isinstance(event, JobEnded):
            self._send({"state": event.state})
            self._finish()

    def _start(self) -> None:
        """Start W&B's process; it outlives this process, and ends when the pipe is closed."""
        self._finish()
        reading, self._pipe = os.pipe()
        try:
            nothing, command = subprocess.DEVNULL, module_command("engine.tracking.recorder")
            self._process = start_process(
                command, QUIET, stdin=reading, stdout=nothing, stderr=nothing, start_new_session=True
            )
        except OSError:
            self._close()
            return
        finally:
            os.close(reading)
        if hasattr(os, "set_blocking"):
            # A process that no longer reads must not block this one.
            os.set_blocking(self._pipe, False)
        self._send(
            {
                "run": self.run.name,
                "folder": str(self.run.path),
                "id": _wandb_id(self.run),
                "online": self.settings.training.tracking == "online",
                "settings": anonymized(self.settings),
            }
        )

    def _send(self, content: Mapping[str, Any]) -> None:
        if self._pipe is None:
            return
        try:
            os.write(self._pipe, (json.dumps(content) + "\n").encode())
        except OSError:
            self._close()

    def _finish(self) -> None:
        """Wait for W&B's process to write the rest; kill it after a timeout."""
        self._close()
        if self._process is not None:
            try:
                self._process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _close(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


def _wandb_id(run: Run) -> str:
    """Return the run's identifier at W&B, drawn once, so that a resumed run is the same run there."""
    known = run.read_json("tracking.json") if (run.path / "tracking.json").exists() else {}
    if not isinstance(known.get("id"), str):
        known = {"id": os.urandom(6).hex()}
        run.write_json("tracking.json", known)
    return str(known["id"])
