"""Stands for `engine.training.trainer` in the process of a trial: epochs that take a moment and leave a checkpoint.

The environment says how: `FAKE_EPOCH_S` how long an epoch takes, `FAKE_FITTING` what else an epoch does: "talk" on the
bare stdout, or "break" off with an unexpected error.
"""

import os
import time

from engine.messages import EpochEnded, JobEnded, JobStarted

EPOCH_S = float(os.environ.get("FAKE_EPOCH_S", "0.01"))


def fit(run, config, images, emit, context):
    kept = sorted(run.checkpoints.glob("epoch-*"))
    epoch, epochs = int(kept[-1].name.removeprefix("epoch-")) if kept else 0, config.training.epochs
    counts = {"train_images": len(images.train), "validation_images": len(images.validation), "parameters": 1}
    known = {"run": run.name, "path": str(run.path), "backend": "tensorflow", "device": "CPU"}
    emit(JobStarted(first_epoch=epoch, epochs=epochs, **known, **counts))
    while epoch < epochs and not context.should_stop():
        time.sleep(EPOCH_S)
        epoch += 1
        (run.checkpoints / f"epoch-{epoch:05d}").mkdir(parents=True, exist_ok=True)
        emit(EpochEnded(run=run.name, epoch=epoch, metrics={"val_loss": 1 / epoch}, best=True))
        if os.environ.get("FAKE_FITTING") == "talk":
            os.write(1, b"a library that writes to the bare descriptor\n")
        if os.environ.get("FAKE_FITTING") == "break":
            raise TypeError("no framework does that")
    emit(JobEnded(run=run.name, state="finished" if epoch == epochs else "stopped", epoch=epoch))
