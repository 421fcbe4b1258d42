"""Process that sends one run to W&B: `python -m engine.tracking.recorder`, with one JSON object per line on stdin.

The first line identifies the run, the next ones give the metrics of its epochs, and the last one its final state.
Without a last one the run crashed.
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
    """Return W&B's settings, which hide this machine, its user, its files and its output."""
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
    # Ctrl-C stops the run, which then reports it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lines = _lines()
    header = next(lines, None)
    if header is None:
        return
    group = re.sub(r"-\d+$", "", header["run"])
    run = wandb.init(
        project=PROJECT,
        dir=header["folder"],
        id=header["id"],
        name=header["run"],
        group=group,
        config=header["settings"],
        mode="online" if header["online"] else "offline",
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
    _forget_logs(Path(header["folder"]) / "wandb")


def _forget_logs(folder: Path) -> None:
    """Delete W&B's logs, which name files of this machine; the record does not need them."""
    for log in [*folder.glob("debug*.log"), *folder.glob("*run-*/logs/*")]:
        log.unlink(missing_ok=True)


def _lines() -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        yield json.loads(line)


if __name__ == "__main__":
    main()
