"""Real engine processes behind a real window; the window of each test finds those of the window before it warm."""

from pathlib import Path

import pytest

from engine import demo_runs
from engine.config import DataConfig
from gui import app
from gui.preferences import SettingsStore
from tests.gui.processes.warm_engines import WarmEngines

IMAGES = DataConfig(size=32, phantom_count=36)
TINY = {"latent": 8, "filters": (4, 8), "batch_size": 8}


class KeptScratch:
    """The scratch folder of the warm engines, which no window removes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def remove(self) -> None:
        """Leave the folder to the next window."""


@pytest.fixture(scope="module")
def file_engines(request, qapp, tmp_path_factory):
    """The processes of this file; its `BARE` names those that need no framework."""
    scratch = tmp_path_factory.mktemp("scratch")
    with pytest.MonkeyPatch.context() as environment:  # of the processes: no login of the user
        environment.delenv("WANDB_API_KEY", raising=False)
        environment.setenv("NETRC", str(scratch / "netrc"))
        made = WarmEngines(scratch, getattr(request.module, "BARE", ()))
        yield made
        made.end()


@pytest.fixture
def engines(file_engines, monkeypatch):
    """The warm engine processes of this file; every window and every `ExplorerClient` of the test gets them."""
    for module in ("gui.job_controller", "gui.explorer_client"):
        monkeypatch.setattr(f"{module}.EngineProcess", file_engines)
    monkeypatch.setattr(app, "Scratch", lambda: KeptScratch(file_engines.scratch))
    yield file_engines
    file_engines.is_kept = True


@pytest.fixture
def real_job(engines, real_children):
    """Let the window start a real process for its jobs: a fork dies a moment after the process that stands for it."""
    engines.end("job")
    engines.is_kept = True


@pytest.fixture
def window(qtbot, root, monkeypatch, engines):
    """A window with real engines over tiny phantoms."""
    monkeypatch.setenv("ENGRAM_RUNS", str(root))
    monkeypatch.setattr(demo_runs, "install", lambda folder: [])
    memory = SettingsStore()
    memory.set("data", IMAGES.model_dump(mode="json"))
    made = app.make_window(memory)
    made.desk.session.explorer._number = engines.newest_number  # the explorer has heard lower ones
    made.show()
    made.start()
    qtbot.waitUntil(lambda: made.desk.session.data is not None)
    yield made
    made.desk.session.close()
    job = made.desk.session.job
    job.run = job.study = job.search = None
    made.close()
    made.deleteLater()


@pytest.fixture
def start(window):
    """Start a run from the panel: `start("mine", epochs=2)`."""

    def start_run(name, epochs):
        card = window.show_panel("train").new_run
        card.settings.change_values({**TINY, "epochs": epochs})
        card.name.setText(name)
        card.start.click()
        assert card.notice.text() == ""
        return window.desk.session.record(name)

    return start_run


@pytest.fixture
def wait(qtbot):
    """Wait until a condition holds."""

    def wait_until(condition):
        qtbot.waitUntil(condition, timeout=120_000)

    return wait_until


@pytest.fixture
def finished(window, trained):
    """Put a trained run into the folder of the window: `finished("ae")`; return its record."""

    def put(name, model="ae", **changes):
        session = window.desk.session
        trained(model, at=session.runs.root / name, **changes)
        session.runs.refresh()
        return session.record(name)

    return put
