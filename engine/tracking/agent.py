"""Process that runs a W&B sweep: `python -m engine.tracking.agent`, with commands on stdin and replies on stdout.

The first line on stdin names the sweep to create or to join. The replies are the sweep's name and then, one after the
other, the values that W&B proposes. The commands are the epochs of each trial and, last, its score.
"""

import io
import json
import os
from typing import Any

import wandb

from engine.tracking import PROJECT
from engine.tracking.recorder import settings


def main() -> None:
    """Run a sweep until it is over or stdin ends."""
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    commands = io.TextIOWrapper(io.FileIO(0, closefd=False), encoding="utf-8")
    order = json.loads(commands.readline())

    def send(content: dict[str, Any]) -> None:
        replies.write(json.dumps(content) + "\n")

    def trial() -> None:
        run = wandb.init(dir=order["folder"], settings=settings())
        send({"values": dict(run.config)})
        score = None
        for line in commands:
            content = json.loads(line)
            if "metrics" in content:
                run.log(content["metrics"], step=content["epoch"])
            else:
                score = content["score"]
                break
        else:
            run.finish(exit_code=1)
            # The search has ended.
            os._exit(0)
        if score is not None:
            run.summary["val_loss"] = score
        run.finish(exit_code=0 if score is not None else 1)

    name = order["sweep"] or wandb.sweep(order["config"], project=PROJECT)
    send({"sweep": name})
    wandb.agent(name, function=trial, project=PROJECT, count=order["trials"])
    send({"over": True})


if __name__ == "__main__":
    main()
