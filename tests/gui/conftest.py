"""What window tests stand on: settings of their own, the dark theme, series colors from the start; runs and scans."""

import gc

import numpy as np
import pytest
from PySide6.QtCore import QObject, QSettings, Signal
from PySide6.QtGui import QUndoStack
from pytestqt.qtbot import QtBot

from engine import config, runs
from engine.config import DataConfig
from engine.messages import EpochEnded, JobEnded, JobStarted, Log, Response, SubsetMetrics
from gui import palette, theme
from gui.engine_process import ProcessExit
from gui.panel import AppContext
from gui.preferences import Preferences
from gui.session import Session


@pytest.fixture(autouse=True, scope="module")
def _spare_the_collector():
    """Leave what lives before a file out of the collections that look for leaks after its tests: ten times faster."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _patience():
    """Wait a minute for what is to happen: a wait ends at its event, and a busy machine is not a failure."""
    for wait in (QtBot.waitSignal, QtBot.waitSignals, QtBot.waitUntil, QtBot.waitActive, QtBot.waitExposed):
        wait.__kwdefaults__["timeout"] = 60_000


@pytest.fixture(autouse=True)
def _own_settings(tmp_path):
    """No test reads or writes the user's settings, or another test's."""
    for kind in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
        QSettings.setPath(kind, QSettings.Scope.UserScope, str(tmp_path / "settings"))


@pytest.fixture(autouse=True)
def _fresh_colors():
    palette.reset_series()
    palette.use(palette.DARK)


@pytest.fixture
def dressed(qapp):
    """Return a function that dresses the program in a theme; it is undressed after the test."""
    font = qapp.font()

    def dress(mode):
        theme.apply(qapp, mode)
        qapp.setFont(theme.base_font())

    yield dress
    qapp.setStyleSheet("")
    qapp.setFont(font)
    palette.use(palette.DARK)


class FakeEngine(QObject):
    """Stands for an engine process: keeps what it is sent, says what it is told to say."""

    event_received = Signal(object)
    ended = Signal(object)

    def __init__(self, name, scratch, backend, threads=0, parent=None):
        super().__init__(parent)
        self.name, self.backend, self.threads, self.sent, self.pid, self.running = name, backend, threads, [], 0, False

    def start(self):
        self.running = True

    def is_running(self):
        return self.running

    def send(self, message):
        self.sent.append(message)

    def say(self, event):
        self.event_received.emit(event)

    def die(self, code=9, crashed=True, wanted=False):
        self.running = False
        self.ended.emit(ProcessExit(code, crashed, wanted, ""))

    def detach(self):
        self.running = False

    def kill(self):
        self.die(wanted=True)

    def shutdown(self):
        self.running = False


@pytest.fixture
def fake_engines(monkeypatch):
    """No process is started: panels are tested by what they send and by what they are told."""
    for module in ("gui.job_controller", "gui.explorer_client"):
        monkeypatch.setattr(f"{module}.EngineProcess", FakeEngine)


@pytest.fixture
def tiny():
    """Make a tiny config that trains in a second: `tiny(model="vae", epochs=3)`."""
    small = {"phantom_count": 36, "size": 32, "latent": 8, "filters": (4, 8), "epochs": 2, "batch_size": 8}

    return lambda **changes: config.from_flat({**small, **changes})


@pytest.fixture
def root(tmp_path):
    return tmp_path / "runs"


@pytest.fixture
def make_run(root, tiny):
    """Write a run's folder as an engine leaves it: `make_run("ae-0001", epochs=3, state="stopped")`."""

    def make(name, epochs=3, state="finished", goal=None, **changes):
        run = runs.create_run(tiny(epochs=goal or epochs, **changes), name, root)
        for event in number(story(run, epochs, state)):
            run.append(event)
        run.previews.mkdir()
        (run.checkpoints / f"epoch-{epochs:05d}").mkdir(parents=True)
        rng = np.random.default_rng(0)
        for picture in ["originals", *(f"epoch-{epoch:05d}" for epoch in range(1, epochs + 1))]:
            np.save(run.previews / f"{picture}.npy", rng.integers(0, 256, (8, 32, 32), dtype=np.uint8))
        return run

    return make


def number(events):
    """Number events as a run's recorder does."""
    return [event.model_copy(update={"sequence": place}) for place, event in enumerate(events, 1)]


def story(run, epochs, state="finished"):
    """The events of a run: started, so many epochs, ended (not ended when `state` is None)."""
    nats = 1000.0 if run.config.model.loss_unit else 1.0
    yield Log(text="Reading phantom.")
    yield JobStarted(
        run=run.name,
        path=str(run.path),
        first_epoch=0,
        epochs=run.config.training.epochs,
        train_images=27,
        validation_images=3,
        parameters=9441,
        backend="tensorflow",
        device="CPU",
        **({"train_floor_nats": 305.0, "validation_floor_nats": 310.0} if run.config.model.loss_unit else {}),
    )
    for epoch in range(1, epochs + 1):
        loss = nats / epoch
        metrics = {"loss": loss, "val_loss": loss * 1.1, "val_mse": 0.1 / epoch, "images_per_s": 100.0, "train_s": 1.0}
        if run.config.model.loss_unit:
            parts = {"reconstruction": loss * 0.9, "kl": loss * 0.1}
            metrics |= parts | {f"val_{part}": value for part, value in parts.items()}
        preview = f"previews/epoch-{epoch:05d}.npy"
        yield EpochEnded(run=run.name, epoch=epoch, metrics=metrics, best=True, preview=preview)
    if state:
        yield JobEnded(run=run.name, state=state, epoch=epochs)


def place(split, row, **more):
    """A member of a group of repeated scans, as an answer names it."""
    return {"split": split, "name": f"{split}/{row}.png", **more}


@pytest.fixture
def data_content(tmp_path):
    """Return the reply to LoadData: 24 images of two classes in three sets, two files skipped."""
    store = tmp_path / "images.npy"
    np.save(store, np.random.default_rng(1).integers(0, 256, (24, 32, 32), dtype=np.uint8))
    rows = {"train": list(range(16)), "validation": [16, 17], "test": list(range(18, 24))}
    classes = ["glioma_tumor", "no_tumor"]
    return {
        "source": "phantom",
        "fingerprint": "f",
        "classes": classes,
        "counts": {
            name: {split: sum(row % 2 == label for row in at) for split, at in rows.items()}
            for label, name in enumerate(classes)
        },
        "skipped": [{"name": "a.txt", "reason": "not a picture"}, {"name": "b.png", "reason": "damaged"}],
        "notes": ["The source brings no test set."],
        "leaked": [],
        "store": str(store),
        "splits": {
            split: {"rows": at, "labels": [row % 2 for row in at], "names": [f"{split}/{row}.png" for row in at]}
            for split, at in rows.items()
        },
        "repeats": REPEATS,
    }


REPEATS = {
    "splits": {
        "train": {"n": 18, "redundant": 1},
        "test": {"n": 6, "redundant": 0, "test_in_train": 2, "test_in_train_bytes": None, "test_clean": 4},
    },
    "groups": [
        {"across": True, "members": [place("train", 3), place("test", 18)]},
        {"across": True, "members": [place("train", 5), place("test", 22)]},
        {"across": False, "members": [place("train", 6), place("train", 7)]},
    ],
    "warning": "2 of 6 test scans are also in train, pixel for pixel. Trust the numbers on the 4 clean test scans.",
}


def make_metrics(psnr_db):
    """Return the metrics of four images as a reply to EvaluateRun holds them; those of a VAE are None."""
    known = {"n": 4, "ms_ssim_scales": 1, "psnr_db": psnr_db, "psnr_db_interval": [19.0, 21.0], "mse": 0.01}
    known |= {"psnr_db_patient_interval": [18.0, 22.0], "patients": 3}
    known |= {"mae": 0.05, "ssim": 0.7, "ms_ssim": 0.8, "head_psnr_db": 18.0, "head_ssim": 0.6}
    return dict.fromkeys(SubsetMetrics.model_fields) | known


@pytest.fixture
def session(qtbot, root, tmp_path, fake_engines):
    """A session whose engines are fakes."""
    made = Session(root, tmp_path / "scratch")
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def desk(session):
    return AppContext(session, QUndoStack(session), Preferences(theme="dark"))


@pytest.fixture
def answer(session):
    """Let the explorer answer the newest question of a panel: `answer("data", content)`."""

    def say(panel, content):
        asked = [sent for sent in session.explorer.engine.sent if getattr(sent, "panel", "") == panel][-1]
        session.explorer.engine.say(Response(number=asked.number, panel=panel, content=content))
        return asked

    return say


@pytest.fixture
def loaded(session, answer, data_content):
    """A session that has loaded its scans."""
    session.load_data(DataConfig(size=32))
    answer("data", data_content)
    return session.data


@pytest.fixture
def asked(qtbot, session):
    """Wait for the newest question of a kind."""

    def newest(kind, after=0):
        def found():
            return [sent for sent in session.explorer.engine.sent if isinstance(sent, kind) and sent.number > after]

        qtbot.waitUntil(lambda: session.explorer.engine is not None and bool(found()))
        return found()[-1]

    return newest
