"""Tiny trained runs, each trained once for all the test processes of one call of pytest."""

import hashlib
import shutil
from pathlib import Path

from filelock import FileLock

from engine import backend, config, runs
from engine.runs import Run
from engine.training import job
from tests import graphs

TINY = {
    "source": "phantom",
    "phantom_count": 36,
    "size": 32,
    "latent": 8,
    "filters": (4, 8),
    "epochs": 2,
    "batch_size": 8,
    "learning_rate": 1e-3,
}


def tiny_config(**changes):
    """Return tiny settings with these changes; settings that the model does not have are left out."""
    sections = config.sections(changes.get("model", "ae")).values()
    known = {spec.name for section in sections for spec in config.list_fields(section)}
    return config.from_flat({**{name: value for name, value in TINY.items() if name in known}, **changes})


class TrainedRuns:
    """A folder of trained runs that the processes of pytest-xdist share; the first process that needs a run trains it.

    Args:
        folder: the folder, one for all processes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, model: str = "ae", *, at: Path | None = None, **changes) -> Run:
        """Return a run of `model` trained with `tiny_config(**changes)`.

        Args:
            model: the model's name in the settings.
            at: where to put a copy that the test may change, such as `tmp_path / "first"`; its last part is the
                run's name. None returns the shared run, which no test may change.
            **changes: settings that differ from the tiny ones.
        """
        settings = tiny_config(model=model, **changes)
        how = "optimized" if graphs.are_optimized() else ""
        key = hashlib.sha256((settings.model_dump_json() + how).encode()).hexdigest()[:16]
        path = self._folder / f"{model}-{key}"
        with FileLock(self._folder / f"{key}.lock"):
            if not path.exists():
                backend.preload("engine.training.trainer", settings.training.backend)
                graphs.simplify()
                made = job.train(settings, run=path.name, root=self._folder / "unfinished")
                made.path.rename(path)
                _rename(path)
        return _copy(path, at) if at else Run(path)


def _copy(path: Path, target: Path) -> Run:
    shutil.copytree(path, target, ignore=shutil.ignore_patterns(*runs.NOT_COPIED))
    _rename(target)
    return Run(target)


def _rename(path: Path) -> None:
    """Write the run's name and folder into its events."""
    run = Run(path)
    runs.write_text_atomic(
        path / "events.jsonl", "".join(runs.retarget_event(event, path).to_json_line() for event in run.events())
    )
