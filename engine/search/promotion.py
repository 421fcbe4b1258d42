"""Hyperband's promotion: a trial that continues from another one's last epoch."""

import os
import shutil
from pathlib import Path

from engine.config import RunConfig
from engine.messages import JobEnded
from engine.runs import NOT_COPIED, Run, retarget_event, write_text_atomic


def can_continue_exactly(settings: RunConfig) -> bool:
    """Return whether more epochs leave the first ones unchanged: no schedule that stretches over all of them."""
    return settings.training.schedule == "constant" and not settings.training.warm_up


def continue_from(parent: Run, path: Path) -> None:
    """Copy all of a run but its settings to a new folder, to continue there for more epochs.

    An interrupted copy is no run and is repeated; an existing one stays as it is.

    Args:
        parent: a run that has ended.
        path: the new run's folder.
    """
    if path.exists():
        return
    temporary = path.with_name(f".{path.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(parent.path, temporary, ignore=shutil.ignore_patterns("config.json", *NOT_COPIED))
    events = [event for event in parent.events() if not isinstance(event, JobEnded)]
    write_text_atomic(
        temporary / "events.jsonl", "".join(retarget_event(event, path).to_json_line() for event in events)
    )
    os.replace(temporary, path)
