"""The process that speaks to W&B for one run: `python -m engine.tracking.recorder`, told on stdin, one JSON a line.

The first line says what run it is, the next ones give the metrics of its epochs, and the last one how it ended; without
a last one the run broke off.
"""

import json
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import wandb

from engine.tracking import PROJECT


def settings(**more: Any) -> wandb.Settings:
    """W&B's settings: nothing about this machine, its user, its files or what it prints."""
    return wandb.Settings(
        silent=True,
        host="anon",
        username="anon",
        email="",
        disable_git=True,
        disable_code=True,
        save_code=False,
        console="off",
        x_disable_meta=True,
        x_disable_stats=True,
        x_disable_machine_info=True,
        x_save_requirements=False,
        program="engine",
        program_relpath="engine",
        **more,
    )


def main() -> None:
    """Record a run until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C stops the run, which then says so
    lines = _lines()
    told = next(lines, None)
    if told is None:
        return
    group = re.sub(r"-\d+$", "", told["run"])
    run = wandb.init(
        project=PROJECT,
        dir=told["folder"],
        id=told["id"],
        name=told["run"],
        group=group,
        config=told["settings"],
        mode="online" if told["online"] else "offline",
        resume="allow",
        settings=settings(),
    )
    state = ""
    for line in lines:
        state = line.get("state", state)
        if "metrics" in line:
            run.log(line["metrics"], step=line["epoch"])
    run.summary["state"] = state or "interrupted"
    run.finish(exit_code=0 if state in ("finished", "stopped") else 1)
    _forget_logs(Path(told["folder"]) / "wandb")


def _forget_logs(folder: Path) -> None:
    """W&B's logs name files of this machine; what is recorded does not need them."""
    for log in [*folder.glob("debug*.log"), *folder.glob("*run-*/logs/*")]:
        log.unlink(missing_ok=True)


def _lines() -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        yield json.loads(line)


if __name__ == "__main__":
    main()
