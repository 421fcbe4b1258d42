"""What every test stands on: a hermetic environment, the real scans, the installed backends, no leaks."""

import atexit
import gc
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests import disk, graphs, shapes

ROOT = Path(__file__).resolve().parents[1]
REAL_DATA = ROOT.parent / "shared" / "data" / "brain-tumor-mri"
PYTHON = sys.executable
BACKENDS = {
    "tensorflow": "pip install -e . -c constraints.txt",
    "torch": "pip install -e '.[torch]' -c constraints.txt",
    "jax": "pip install -e '.[jax]' -c constraints.txt",
}

# Set before Keras, Qt or matplotlib is imported, and inherited by every engine process that a test starts.
_scratch = Path(tempfile.mkdtemp(prefix="engram-tests-"))
atexit.register(shutil.rmtree, _scratch, ignore_errors=True)
os.environ.update(
    ENGRAM_RUNS=str(_scratch / "runs"),
    ENGRAM_CACHE=str(_scratch / "cache"),
    XDG_CONFIG_HOME=str(_scratch / "config"),
    XDG_DATA_HOME=str(_scratch / "data"),
    HF_HUB_OFFLINE="1",
    HF_DATASETS_OFFLINE="1",
    WANDB_MODE="offline",
    MPLBACKEND="Agg",
    QT_QPA_PLATFORM="offscreen",
    TF_CPP_MIN_LOG_LEVEL="3",
    PYTHONFAULTHANDLER="1",
    # Threads of linear algebra wait by spinning: side by side they take seconds for what one thread does in none.
    OPENBLAS_NUM_THREADS="1",
    OMP_NUM_THREADS="1",
    JAX_DISABLE_MOST_OPTIMIZATIONS="1",  # tiny models are compiled for longer than they run
)
for name in ("KERAS_BACKEND", "DISPLAY", "WAYLAND_DISPLAY"):
    os.environ.pop(name, None)
shapes.install()
disk.spare()

# Slowest first, so that the processes of pytest-xdist, which take a file at a time, end together.
SLOWEST_FILES = (
    "engine/training/test_job.py",
    "engine/models/test_learning.py",
    "engine/data/test_real_images.py",
    "engine/reproduction/test_full_study.py",
    "engine/search/test_killed_search.py",
    "engine/cli/test_latent.py",
    "engine/processes/test_worker.py",
    "engine/test_cli.py",
    "engine/latent/test_latent_handlers.py",
    "gui/processes/test_running.py",
    "gui/processes/test_answers.py",
    "gui/processes/test_studies.py",
    "engine/reproduction/test_job.py",
)
SOURCE_FOLDERS = ("engine", "gui", "resources", "tests", "docs", "bench", "scripts")
_source_files = pytest.StashKey[set[Path]]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """Note which files the source tree holds, for `pytest_sessionfinish` to compare."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        session.stash[_source_files] = _list_source_files()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[object]:
    """Collect no garbage while tests are imported, a quarter of that time, and leave what was imported out later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        graphs.simplify()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run whose tests wrote into the source tree."""
    before = session.stash.get(_source_files, None)
    if before is not None and (new := _list_source_files() - before):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        print("\nThe tests wrote into the source tree:", *sorted(map(str, new)), sep="\n  ")  # noqa: T201


def pytest_terminal_summary(terminalreporter) -> None:
    """List the slowest files with what they take: set-up, tests and teardown."""
    seconds = Counter()
    for report in (report for reports in terminalreporter.stats.values() for report in reports):
        if isinstance(report, pytest.TestReport):
            seconds[report.location[0]] += report.duration
    terminalreporter.section("slowest files")
    for name, duration in seconds.most_common(10):
        terminalreporter.write_line(f"{duration:6.1f} s  {name}")


def _list_source_files() -> set[Path]:
    """Return every file of the source tree but code and what Python caches: an editor may be at work there."""
    files = [path for folder in SOURCE_FOLDERS for path in (ROOT / folder).rglob("*")]
    files += [path for path in ROOT.iterdir() if not path.name.startswith(".")]
    return {path for path in files if path.suffix not in (".py", ".pyc") and path.is_file()}


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes name a test by their length: gzip holds the second, and processes side by side must name tests alike."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real scans; the test is skipped, saying so, where it is absent."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"the real scans are not here: no folder ../shared/data/{REAL_DATA.name} beside the checkout")
    return REAL_DATA


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request) -> str:
    """Each Keras backend in turn; one that is not installed is skipped with the line that installs it."""
    if find_spec(request.param) is None:
        pytest.skip(f"the backend {request.param} is not installed: {BACKENDS[request.param]}")
    return request.param


@pytest.fixture(scope="session")
def run_python():
    """Run Python code or arguments in a fresh process from the checkout; return its standard output.

    `run_python("print(1)")` runs code; `run_python("-m", "engine", "--help", backend="jax")` a command on a backend.
    """

    def run(*arguments: str, backend: str | None = None, timeout_s: float = 240) -> str:
        command = ["-c", *arguments] if len(arguments) == 1 else list(arguments)
        environment = os.environ | ({"KERAS_BACKEND": backend} if backend else {})
        finished = subprocess.run(
            [PYTHON, *command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert finished.returncode == 0, f"exit status {finished.returncode}\n{finished.stdout}\n{finished.stderr}"
        return finished.stdout

    return run


@pytest.fixture(scope="session")
def forking_python(tmp_path_factory):
    """Return a program that is Python, but begins as a fork of a process that has imported TensorFlow already.

    It is the real Python where a fork would not do: see `tests/fork_server.py`.
    """
    from tests.fork_server import ForkServer

    if not hasattr(os, "pidfd_open"):
        yield PYTHON
        return
    server = ForkServer(tmp_path_factory.mktemp("fork"))
    yield str(server.program)
    server.close()


@pytest.fixture(scope="module")
def forked_children(forking_python):
    """Let the child processes of this file be forks, which begin without seconds of imports."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", forking_python)
        yield


@pytest.fixture
def real_children(monkeypatch):
    """Let the child processes of this test begin as they do for a user, in a file of `forked_children`."""
    monkeypatch.setattr(sys, "executable", PYTHON)


@pytest.fixture
def optimized_graphs():
    """Let TensorFlow optimize graphs as it does for a user, where bits are compared with those of a real process."""
    with graphs.optimized():
        yield


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """Return a tiny trained run, trained once for all test processes: `trained("vae", epochs=1)`.

    The run is shared. A test that changes its run takes a copy: `trained("ae", at=tmp_path / "first")`.
    """
    from tests.trained_runs import TrainedRuns

    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    return TrainedRuns(shared / "trained")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the slowest files; mark tests of the real scans, so that `-m "not real_data"` leaves them out."""
    ranks = {name: rank for rank, name in enumerate(SLOWEST_FILES)}
    items.sort(key=lambda item: ranks.get(item.location[0].removeprefix("tests/"), len(ranks)))
    for item in items:
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker("real_data")


@pytest.fixture(autouse=True)
def _remember_what_was_alive(request, monkeypatch):
    """Note the widgets and threads before a window test, for `pytest_runtest_teardown` to compare."""
    if "qtbot" in request.fixturenames:
        request.getfixturevalue("qtbot")  # torn down after this fixture, and so before the comparison
        request.node.alive_before = _Alive(monkeypatch)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_teardown(item):
    """Fail a window test that leaves a widget or a thread behind."""
    result = yield
    alive_before = getattr(item, "alive_before", None)
    leaked = alive_before.leaked() if alive_before else []
    if leaked:
        pytest.fail("left behind: " + "; ".join(leaked), pytrace=False)
    return result


class _Alive:
    """The top-level widgets and threads at one moment."""

    def __init__(self, monkeypatch):
        from PySide6.QtCore import QThread
        from PySide6.QtWidgets import QApplication

        self._widgets = set(map(id, QApplication.topLevelWidgets()))
        self._threads = set(threading.enumerate())
        self._started: list[QThread] = []
        start = QThread.start

        def start_noted(thread: QThread, *priority) -> None:
            self._started.append(thread)
            start(thread, *priority)

        monkeypatch.setattr(QThread, "start", start_noted)

    def leaked(self) -> list[str]:
        """Describe what lives now and did not then, and put it away."""
        from PySide6.QtCore import QCoreApplication, QEvent

        # Most tests leave nothing after one pass; what one pass deletes may release something for the next.
        for _ in range(3):
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            QCoreApplication.processEvents()
            gc.collect()
            widgets, running, threads = found = self._list_new()
            if not any(found):
                return []
        for widget in widgets:
            widget.close()
            widget.deleteLater()
        for thread in running:
            thread.quit()
            thread.wait(2000)
        return [str(kind) for kind in (widgets, running, threads) if kind]

    def _list_new(self) -> tuple[list, list, list]:
        import shiboken6
        from PySide6.QtWidgets import QApplication

        widgets = [w for w in QApplication.topLevelWidgets() if id(w) not in self._widgets and shiboken6.isValid(w)]
        running = [t for t in self._started if shiboken6.isValid(t) and t.isRunning()]
        threads = [
            t
            for t in threading.enumerate()
            if t not in self._threads and t.is_alive() and not isinstance(t, threading._DummyThread)
        ]
        return widgets, running, threads
