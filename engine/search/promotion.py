"""A trial that goes on from another one's last epoch: Hyperband's promotion."""

import os
import shutil
from pathlib import Path

from engine.config import RunConfig
from engine.messages import Event, JobEnded
from engine.runs import Run, write_text


def is_exact(settings: RunConfig) -> bool:
    """Whether more epochs leave the first ones as they were: no schedule that is stretched over all of them."""
    return settings.training.schedule == "constant" and not settings.training.warm_up


def promote(parent: Run, path: Path, settings: RunConfig) -> Run:
    """Copy a run to a new folder, to go on there for more epochs. A copy that is cut short leaves no run.

    Args:
        parent: a run that is over.
        path: the new run's folder.
        settings: the parent's settings with more epochs.

    Returns:
        The new run.
    """
    if path.exists():
        return Run(path)
    temporary = path.with_name(f".{path.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(parent.path, temporary, ignore=shutil.ignore_patterns("lock"))
    events = [event for event in parent.events() if not isinstance(event, JobEnded)]
    write_text(temporary / "events.jsonl", "".join(_renamed(event, path).line() for event in events))
    run = Run(temporary)
    run.write_json("config.json", settings.model_dump(mode="json"))
    os.replace(temporary, path)
    return Run(path)


def _renamed(event: Event, path: Path) -> Event:
    changes = {"run": path.name, "path": str(path)}
    return event.model_copy(update={name: value for name, value in changes.items() if name in type(event).model_fields})
