"""A trial that goes on from another one's last epoch: Hyperband's promotion."""

import os
import shutil
from pathlib import Path

from engine.config import RunConfig
from engine.messages import JobEnded
from engine.runs import NOT_COPIED, Run, retarget_event, write_text_atomic


def can_continue_exactly(settings: RunConfig) -> bool:
    """Whether more epochs leave the first ones as they were: no schedule that is stretched over all of them."""
    return settings.training.schedule == "constant" and not settings.training.warm_up


def continue_from(parent: Run, path: Path) -> None:
    """Copy all of a run but its settings to a new folder, to go on there for more epochs.

    A copy that is cut short is no run and is made anew; one that is there already is left alone.

    Args:
        parent: a run that is over.
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
