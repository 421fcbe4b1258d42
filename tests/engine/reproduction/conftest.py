"""Runs of a study as they lie in its folder, without having been trained."""

import pytest

from engine import config, runs
from engine.messages import EpochEnded, JobEnded, JobStarted
from engine.study_folder import StudyFolder
from tests.trained_runs import TINY


@pytest.fixture
def study(tmp_path):
    made = StudyFolder(tmp_path / "study")
    made.path.mkdir()
    return made


@pytest.fixture
def write_run(study):
    """Write a run's folder: `write_run("a", losses=[3, 1, 2], model="vae")`; `state=None`: it died."""

    def write(name, losses=(), state="finished", **changes):
        settings = config.from_flat({**TINY, "epochs": max(len(losses), 1), **changes})
        run = runs.create_run(settings, name, study.runs)
        started = {"first_epoch": 0, "epochs": settings.training.epochs, "train_images": 9, "validation_images": 3}
        more = {"parameters": 10, "backend": "tensorflow", "device": "CPU"}
        run.append(JobStarted(run=name, path=str(run.path), **started, **more))
        for epoch, loss in enumerate(losses, 1):
            metrics = {"loss": float(loss), "val_loss": float(loss)}
            run.append(EpochEnded(run=name, epoch=epoch, metrics=metrics, best=loss == min(losses[:epoch])))
        if losses:
            run.model_path.write_bytes(b"weights")
            (run.checkpoints / "epoch-00001").mkdir(parents=True)
        if state:
            run.append(JobEnded(run=name, state=state, epoch=len(losses)))
        return run

    return write
