"""The demo runs, trained on phantoms, that ship with Engram. Does not import Keras.

They are stored in `resources/demo` in packed form: no checkpoint, previews of some epochs only, nothing that names a
machine. `scripts/build_demo_run.py` rebuilds them.
"""

import shutil
from collections.abc import Collection
from pathlib import Path

from engine import runs
from engine.config import RESOURCES
from engine.messages import EpochEnded, Event, JobStarted
from engine.runs import Run

PACKED = RESOURCES / "demo"
KEPT = ("config.json", "provenance.json", "history.csv", "model.keras")


def install(root: Path | str | None = None) -> list[Run]:
    """Copy the demo runs into a folder that has no runs yet; a folder with runs is left unchanged.

    Args:
        root: folder of the runs; `runs.default_root()` when None.

    Returns:
        The new runs; empty if the folder already had runs.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = Path(root or runs.default_root())
    if runs.list_runs(folder):
        return []
    return [_unpack(packed, folder / packed.name) for packed in sorted(PACKED.iterdir()) if packed.is_dir()]


def _unpack(packed: Path, target: Path) -> Run:
    """Copy one run; its settings come last, so that an interrupted copy does not count as a run."""
    shutil.copytree(packed, target, ignore=shutil.ignore_patterns("config.json", "events.jsonl"), dirs_exist_ok=True)
    _write_events(target, [_with_path(event, str(target)) for event in Run(packed).events()])
    shutil.copyfile(packed / "config.json", target / "config.json")
    return Run(target.resolve())


def pack(run: Run, target: Path, epochs: Collection[int]) -> Run:
    """Copy the parts of a finished run that ship with Engram.

    Args:
        run: the run.
        target: the new folder; its old content is removed.
        epochs: epochs whose previews are kept.

    Returns:
        The packed run.
    """
    shutil.rmtree(target, ignore_errors=True)
    (target / "previews").mkdir(parents=True)
    for name in KEPT:
        shutil.copyfile(run.path / name, target / name)
    shutil.copyfile(run.previews / "originals.npy", target / "previews" / "originals.npy")
    events = [_with_path(event, "") for event in run.events()]
    kept = [_without_previews(event, epochs) for event in events]
    for event in kept:
        if isinstance(event, EpochEnded) and event.preview:
            shutil.copyfile(run.path / event.preview, target / event.preview)
    _write_events(target, kept)
    return Run(target)


def _with_path(event: Event, path: str) -> Event:
    return event.model_copy(update={"path": path}) if isinstance(event, JobStarted) else event


def _without_previews(event: Event, epochs: Collection[int]) -> Event:
    dropped = isinstance(event, EpochEnded) and event.epoch not in epochs
    return event.model_copy(update={"preview": None}) if dropped else event


def _write_events(folder: Path, events: list[Event]) -> None:
    runs.write_text_atomic(folder / "events.jsonl", "".join(event.to_json_line() for event in events))
