"""Weights & Biases keeps a copy of what a run tells: opt in, on this machine unless asked otherwise.

W&B lives in a process of its own (`engine.tracking.recorder`) that is fed a run's events. Whatever becomes of it, no
run is hurt: an event that it does not take is dropped. What it is told has no path, host, user or picture in it.
"""

import json
import netrc
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from engine import config, errors
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
    """Refuse early what could not be tracked.

    Raises:
        TrackingError: tracking online is wanted, and W&B is not logged in here.
    """
    if settings.training.tracking == "online" and not is_logged_in():
        advice = "Run `wandb login`, or use --tracking offline and later run `wandb sync` on the run's wandb folder."
        raise TrackingError("Weights & Biases is not logged in on this computer.", advice)


def check_sweep() -> None:
    """Refuse early a sweep, which lives on W&B's server.

    Raises:
        TrackingError: W&B is not logged in here.
    """
    if not is_logged_in():
        advice = "Use KerasTuner as the tuner: it needs no network, and offline tracking records its trials for W&B."
        raise TrackingError("A W&B sweep needs a W&B login, and there is none on this computer.", advice)


def is_logged_in() -> bool:
    """Whether W&B has a key for its server on this machine; asks nobody."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    host = urlparse(os.environ.get("WANDB_BASE_URL", SERVER)).hostname or ""
    file = Path(os.environ.get("NETRC") or Path.home() / ("_netrc" if os.name == "nt" else ".netrc"))
    try:
        return netrc.netrc(file).authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False


def environment() -> dict[str, str]:
    """The environment of a process that speaks to W&B."""
    paths = os.pathsep.join(filter(None, [str(HOME), os.environ.get("PYTHONPATH")]))
    return {**os.environ, **QUIET, "PYTHONPATH": paths}


def anonymized(settings: RunConfig) -> dict[str, Any]:
    """The settings of a run without what may name a person, a place or a patient."""
    values = config.to_flat(settings)
    source = str(values["source"])
    known = source == "phantom" or (source.startswith("hf:") and not os.path.exists(source.removeprefix("hf:")))
    return {**values, "source": source if known else "folder"}


def with_tracking(run: Run, settings: RunConfig, emit: Emit) -> Emit:
    """What a run's events go to: W&B's process and `emit`, or `emit` alone when nobody asked for tracking.

    Raises:
        TrackingError: as `check`.
    """
    if settings.training.tracking == "off":
        return emit
    check(settings)
    return Tracker(run, settings, emit)


class Tracker:
    """Passes events on, and what is worth keeping of them to W&B's process, which it starts with the first.

    Args:
        run: whose events they are.
        settings: its settings.
        emit: takes each event first.
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
        """Start W&B's process; it goes on alone when this one ends, and ends when the pipe does."""
        self._finish()
        reading, self._pipe = os.pipe()
        try:
            process = [sys.executable, "-m", "engine.tracking.recorder"]
            nothing = subprocess.DEVNULL
            self._process = subprocess.Popen(
                process, stdin=reading, stdout=nothing, stderr=nothing, env=environment(), start_new_session=True
            )
        except OSError:
            self._close()
            return
        finally:
            os.close(reading)
        if hasattr(os, "set_blocking"):
            os.set_blocking(self._pipe, False)  # a process that no longer reads holds nobody up
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
        """Let W&B's process write the rest down; one that takes too long is given up."""
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
    """The run's name at W&B, drawn once: a run that is gone on with is the same run there."""
    file = run.path / "tracking.json"
    if not file.exists():
        run.write_json(file.name, {"id": os.urandom(6).hex()})
    return str(json.loads(file.read_text(encoding="utf-8"))["id"])
