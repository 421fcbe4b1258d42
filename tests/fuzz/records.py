"""Readers of runs, searches, studies, tables and settings, and small valid files for them."""

import io
import json
import tempfile
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from unittest import mock

import h5py
import numpy as np

from engine import models, runs, tracking
from engine.archives import write_arrays
from engine.config import RunConfig, from_flat
from engine.data import cache as image_cache
from engine.data.patient_table import match_table, read_patient_table
from engine.lesions import read_boxes
from engine.messages import EpochEnded, JobEnded, JobStarted, Log, Stop, Train, read_command
from engine.models import weights_file
from engine.result_cache import ResultCache
from engine.run_damage import check_folder
from engine.search import search_spec, space_file
from engine.search.storage import FILE_NAME, TrialStorage
from engine.study_folder import StudyFolder
from engine.training import checkpoints
from gui import run_record

TINY = from_flat({"phantom_count": 48, "size": 32, "filters": (4, 8), "latent": 4}, RunConfig())
ARRAYS = [np.arange(24, dtype=np.float32).reshape(4, 6), np.array(7), np.zeros((0, 3), np.uint32)]
SHAPES = [(4, 6), (6,)]
BOXES = b"split,class,file,x_center,y_center,width,height\n" + b"Training,glioma,a.jpg,0.5,0.4,0.2,0.1\n" * 3
PATIENTS = b"split;class;file;patient\n" + b"".join(b"Training;glioma;%d.jpg;p%d\n" % (n, n // 2) for n in range(5))
COCO = {
    "images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 32}],
    "annotations": [{"image_id": 1, "bbox": [1, 2, 3, 4]}, {"image_id": 1, "segmentation": [[1, 1, 5, 1, 5, 5]]}],
}
INI = (
    b'[General]\npreferences="{\\"theme\\": \\"dark\\", \\"runs\\": \\"\\", \\"download\\": false}"\n'
    b'sizes="[1, 2, 3]"\nwindow="\\"abc\\""\n'
)


def write_beside(write: Callable[[Path], Path]) -> Callable[[], list[bytes]]:
    """Return a function that writes a file in an empty folder, and returns its content."""

    def seeds() -> list[bytes]:
        with tempfile.TemporaryDirectory() as folder:
            return [write(Path(folder)).read_bytes()]

    return seeds


def write_run(folder: Path) -> runs.Run:
    """Write a run with a record."""
    run = runs.create_run(TINY, "one", folder)
    run.append(Log(text="a"))
    started = {"path": str(run.path), "backend": "tensorflow", "device": "CPU", "first_epoch": 1, "epochs": 2}
    run.append(JobStarted(run="one", train_images=27, validation_images=9, parameters=1, **started))
    for epoch in (1, 2):
        run.append(EpochEnded(run="one", epoch=epoch, metrics={"loss": 0.5, "val_loss": 0.4}, best=True))
    run.append(JobEnded(run="one", state="finished", epoch=2))
    run.write_json("provenance.json", {"versions": {"keras": "3"}, "data": {"fingerprint": "a", "counts": [1, 2]}})
    runs.write_history(run)
    return run


def run_file(name: str) -> Callable[[], list[bytes]]:
    """Return a function that returns a file of a run."""
    return write_beside(lambda folder: write_run(folder).path / name)


def prepare_run(folder: Path) -> None:
    """Write a run into its own folder."""
    with tempfile.TemporaryDirectory() as other:
        for file in write_run(Path(other)).path.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())


def read_run(file: Path) -> object:
    """Read a run as the list of runs does, resume its numbers, and read what a page says of it."""
    run = runs.Run(file.parent)
    check_folder(run.path)
    runs.write_history(run)
    return run.history(), run.best_epoch(), run.state(), runs.last_sequence(run), run.config, run.provenance


def write_space(folder: Path) -> Path:
    """Write a space file."""
    path = folder / "space.json"
    rate = {"low": 1e-4, "high": 1e-2, "log": True, "when": {"model": ["ae"]}}
    space = {
        "latent": {"low": 8, "high": 64},
        "filters": [[4, 8], [8, 16]],
        "model": ["ae", "vae"],
        "learning_rate": rate,
    }
    path.write_text(json.dumps(space))
    return path


def write_ledger(folder: Path) -> Path:
    """Write the database of a search."""
    base = RunConfig()
    with TrialStorage(folder / FILE_NAME) as storage:
        spec = search_spec.make_spec(base, {"latent": [8, 16]}, {})
        storage.set_attrs(begun_with=spec.space.to_dict(), **search_spec.spec_to_attrs(spec))
        for number in range(4):
            storage.add_trial(f"key {number}", {"latent": number}, "search", {"rung": 1})
        storage._connection.execute("PRAGMA journal_mode = DELETE")
    return folder / FILE_NAME


def read_ledger(path: Path) -> object:
    """Read a search as the list of trials does."""
    for journal in (f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"):
        path.with_name(journal).unlink(missing_ok=True)
    with TrialStorage(path) as storage:
        return storage.trials(), search_spec.spec_from_attrs(storage), storage.pop_commands()


def make_npz() -> list[bytes]:
    """Return the arrays of a checkpoint."""
    file = io.BytesIO()
    write_arrays(file, ARRAYS)
    return [file.getvalue()]


def make_weights() -> list[bytes]:
    """Return a file as Keras writes it, with two arrays."""
    weights, target = io.BytesIO(), io.BytesIO()
    with h5py.File(weights, "w") as file:
        group = file.create_group("layers/dense/vars")
        group["0"], group["1"] = np.ones(SHAPES[0], np.float32), np.ones(SHAPES[1], np.float32)
        file.create_group("optimizer/vars")
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", "{}")
        archive.writestr(weights_file.WEIGHTS, weights.getvalue())
    return [target.getvalue()]


def read_weights(path: Path) -> None:
    """Check a model file."""
    weights_file.check_weights(path, SHAPES)


@cache
def _model() -> object:
    return models.build(TINY)


def make_model() -> list[bytes]:
    """Return the file of a tiny model."""

    def write(folder: Path) -> Path:
        _model().save(folder / "model.keras")
        return folder / "model.keras"

    return write_beside(write)()


def read_model(path: Path) -> object:
    """Load a model as `engine.models.load` does, always into the same one."""
    with mock.patch.object(models, "build", lambda config: _model()):
        return models.load(runs.Run(path.parent))


def make_state() -> list[bytes]:
    """Return the state of a checkpoint."""
    state = {"epoch": 2, "best_epoch": 1, "best_loss": 0.5, "conditions": {"threads": 2}, "metrics": {"loss": 0.1}}
    return [json.dumps({**state, "preview": "previews/2.npy"}).encode()]


def read_state(path: Path) -> object:
    """Read the state of a checkpoint."""
    return checkpoints._read_state(path.parent, [{"epoch": 1, "val_loss": 1.0}])


def make_cache_index() -> list[bytes]:
    """Return the index of prepared images."""
    index = {"items": [0, 1], "keys": ["a", "b"], "unusable": [[2, "damaged"]], "facts": [[2, 0.5]], "images": "x"}
    return [json.dumps({**index, "index": image_cache._digest(index)}).encode()]


def read_cache_index(path: Path) -> object:
    """Open an entry of the cache whose checksums agree, as a foreign program could write it."""
    try:
        content = json.loads(path.read_text())
        content["images"] = image_cache._spot_check(path.parent / "images.npy")
        content.pop("index")
        path.write_text(json.dumps({**content, "index": image_cache._digest(content)}))
    except Exception:
        pass
    return image_cache._open(path.parent)


def prepare_cache(folder: Path) -> None:
    """Write the images of a cache entry."""
    np.save(folder / "images.npy", np.zeros((2, 8, 8), np.uint8))


def read_tracking(path: Path) -> object:
    """Read the name of a run at W&B."""
    return tracking._wandb_id(runs.Run(path.parent))


def read_study(path: Path) -> object:
    """Read what a study says of itself."""
    study = StudyFolder(path.parent)
    return study.read(), study.state()


def make_commands() -> list[bytes]:
    """Return commands to an engine process."""
    return [message.to_json_line().encode() for message in (Train(config=TINY, name="a"), Stop())]


def read_preferences(path: Path) -> object:
    """Read the settings of the app."""
    from PySide6.QtCore import QSettings

    from gui import preferences

    path.with_name(f"{path.name}.refused").unlink(missing_ok=True)
    store = preferences.SettingsStore(QSettings(str(path), QSettings.Format.IniFormat))
    return preferences.load(store), store.get("sizes", []), store.get("window", "")


def read_patients(path: Path) -> object:
    """Read a table of patients and look up images."""
    return match_table(read_patient_table(path), ["Training/glioma/1.jpg", "a.jpg"], path.parent)


def read_command_line(path: Path) -> object:
    """Read a command as an engine process does."""
    return read_command(path.read_bytes())


def read_results(path: Path) -> object:
    """Read the cache of a study's results."""
    return ResultCache(path).get("curve", "a")


def read_space(path: Path) -> object:
    """Read a space file."""
    return space_file.load_space(path, RunConfig())


def read_box_file(path: Path) -> object:
    """Read a file or a folder of boxes, and draw the first one."""
    boxes = read_boxes(path.parent if path.suffix == ".txt" else path)
    return next(iter(boxes.find_by_name.values()))[0].mask((32, 32), 1.5)


def read_notes(path: Path) -> object:
    """Read the app's notes on a run."""
    return run_record.read_notes(path.parent)
