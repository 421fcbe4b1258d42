"""The process that takes part in a W&B sweep: `python -m engine.tracking.agent`, told on stdin, answering on stdout.

The first line in says which sweep, to make or to join. Out come the sweep's name and then, one after the other, the
values that W&B wants tried; in come the epochs of each trial and, last, its score.
"""

import io
import json
import os
from typing import Any

import wandb

from engine.tracking import PROJECT
from engine.tracking.recorder import settings


def main() -> None:
    """Take part in a sweep until it is over or stdin ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    told = io.TextIOWrapper(io.FileIO(0, closefd=False), encoding="utf-8")
    order = json.loads(told.readline())

    def send(content: dict[str, Any]) -> None:
        answers.write(json.dumps(content) + "\n")

    def trial() -> None:
        run = wandb.init(dir=order["folder"], settings=settings())
        send({"values": dict(run.config)})
        score = None
        for line in told:
            content = json.loads(line)
            if "metrics" in content:
                run.log(content["metrics"], step=content["epoch"])
            else:
                score = content["score"]
                break
        else:
            run.finish(exit_code=1)
            os._exit(0)  # whoever searches is gone
        if score is not None:
            run.summary["val_loss"] = score
        run.finish(exit_code=0 if score is not None else 1)

    name = order["sweep"] or wandb.sweep(order["config"], project=PROJECT)
    send({"sweep": name})
    wandb.agent(name, function=trial, project=PROJECT, count=order["trials"])
    send({"over": True})


if __name__ == "__main__":
    main()
