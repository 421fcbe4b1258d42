"""The house rules, held: over the tree, and each seen to catch a planted breach."""

import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import house
from tests.conftest import ROOT

ROOMS = ("engine", "gui")
MEGABYTE = 2**20
COMMITTED_FILE_BYTES, DEMO_RUN_BYTES = 8 * MEGABYTE, 9 * MEGABYTE
TRAINED = {".keras", ".h5", ".npy", ".npz", ".pt", ".onnx", ".tflite", ".safetensors"}
SCANS = {".dcm", ".nii", ".gz", ".ima", ".mha", ".parquet", ".arrow", ".tif", ".tiff", ".jpg", ".jpeg"}


def sources() -> Iterator[house.Source]:
    """Yield every Python file of the program itself."""
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return (house.Source(path.relative_to(ROOT), path.read_text("utf-8")) for path in [*paths, ROOT / "main.py"])


@dataclass
class Inspection:
    """What the rules find in the program: sentences by rule, lines of each function, lines of each file."""

    breaches: dict[Callable, list[str]]
    functions: list[int]
    files: list[int]


@pytest.fixture(scope="module")
def inspected() -> Inspection:
    """Inspect the program once; each file is parsed, seen by every rule, and let go."""
    found = Inspection({rule: [] for rule in PLANTED}, [], [])
    for source in sources():
        for rule, breaches in found.breaches.items():
            breaches += rule(source)
        found.functions += [lines for _, lines in house.functions(source)]
        found.files.append(source.lines)
    return found


def committed() -> list[Path]:
    """Every file that git keeps or would keep."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("git, or the checkout's .git folder, is not here to say what is committed")
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


# One planted breach for each rule: the file it stands in and its text.
PLANTED = {
    house.long_functions: ("engine/a.py", "def f() -> None:\n" + "    pass\n" * 51),
    house.long_files: ("engine/a.py", "x = 1\n" * 401),
    house.large_classes: ("gui/a.py", "class A:\n" + "    x = 1\n" * 300),
    house.many_arguments: ("engine/a.py", "def f(a: int, b: int, c: int, d: int, e: int, f: int) -> None: ..."),
    house.untyped_arguments: ("engine/a.py", "def f(a): ..."),
    house.prints: ("gui/a.py", "print('hello')"),
    house.blind_excepts: ("engine/a.py", "try:\n    x = 1\nexcept (OSError, Exception):\n    pass"),
    house.vague_names: ("engine/image_utils.py", ""),
    house.unfinished: ("engine/a.py", "x = 1  # TODO: more"),
    house.excused_budgets: ("engine/a.py", "def f(): ...  # noqa: PLR0913"),
    house.docstrings_without_a_verb: ("engine/a.py", 'def _f() -> int:\n    """The number of images."""'),
    house.late_imports: ("engine/a.py", "def f() -> None:\n    import keras"),
    house.stray_processes: ("engine/a.py", "import subprocess\nsubprocess.run(['ls'])"),
    house.relative_imports: ("engine/a.py", "from .errors import EngramError"),
    house.wall_crossings: ("engine/a.py", "from PySide6.QtCore import QObject"),
}

MORE_PLANTED = [
    (house.large_classes, "gui/a.py", "class A:\n" + "".join(f"    def f{i}(self) -> None: ...\n" for i in range(26))),
    (house.large_classes, "gui/a.py", "class MainWindow:\n" + "    x = 1\n" * 150),
    (house.blind_excepts, "engine/a.py", "try:\n    x = 1\nexcept:\n    pass"),
    (house.docstrings_without_a_verb, "gui/a.py", 'async def f() -> bool:\n    """Whether it has ended."""'),
    (
        house.docstrings_without_a_verb,
        "gui/a.py",
        'class A:\n    @property\n    def f(self) -> int:\n        """\n        How many there are.\n        """',
    ),
    (
        house.docstrings_without_a_verb,
        "engine/a.py",
        'class A:\n    @cached_property\n    def f(self) -> int:\n        """Number of images."""',
    ),
    (house.late_imports, "engine/a.py", "def f() -> None:\n    from keras import ops"),
    (house.late_imports, "engine/a.py", "def f() -> None:\n    importlib.import_module('keras')"),
    (house.excused_budgets, "engine/a.py", "import os  # noqa"),
    (house.stray_processes, "gui/a.py", "process = QProcess(self)"),
    (house.wall_crossings, "engine/data/a.py", "import gui.app"),
    (house.wall_crossings, "engine/data/a.py", "import keras"),
    (house.wall_crossings, "engine/data/a.py", "from engine.models import BUILDERS"),
    (house.wall_crossings, "engine/config/data.py", "from PIL import Image"),
    (house.wall_crossings, "engine/runs.py", "from engine.training import job"),
    (house.wall_crossings, "gui/panels/train.py", "import keras.ops"),
    (house.wall_crossings, "gui/widgets/a.py", "from engine.messages import Event"),
    (house.wall_crossings, "gui/widgets/a.py", "from gui.session import Session"),
]


@pytest.mark.parametrize("rule", PLANTED, ids=lambda rule: rule.__name__)
def test_house_keeps(rule, inspected):
    assert not inspected.breaches[rule], "\n".join(inspected.breaches[rule])


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [(rule, *planted) for rule, planted in PLANTED.items()] + MORE_PLANTED,
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_rule_catches_a_planted_breach(rule, path, text):
    assert list(rule(house.Source(Path(path), text)))


def test_rules_let_a_tidy_file_pass():
    text = '''"""Noise."""

import numpy as np
from engine.errors import EngramError


class Noise:
    """Adds noise."""

    def add(self, images: np.ndarray, level: float) -> np.ndarray:
        """Return noisy images."""
        try:
            return images + level
        except Exception as error:
            raise EngramError(str(error)) from error
'''
    tidy = house.Source(Path("engine/noise.py"), text)
    assert [breach for rule in PLANTED for breach in rule(tidy)] == []


def test_nine_functions_in_ten_are_short(inspected):
    sizes = inspected.functions
    assert house.mostly_within(house.FUNCTION_LINES, sizes), Counter(size > house.FUNCTION_LINES for size in sizes)


def test_nine_files_in_ten_are_short(inspected):
    assert house.mostly_within(house.FILE_LINES, inspected.files), sorted(inspected.files)


def test_nine_in_ten_is_nine_in_ten():
    assert house.mostly_within(25, [25] * 9 + [26])
    assert not house.mostly_within(25, [25] * 8 + [26] * 2)


def test_body_is_counted_without_its_docstring():
    text = 'def f() -> int:\n    """One.\n\n    Two.\n    """\n    x = 1\n    return x\n'
    assert [lines for _, lines in house.functions(house.Source(Path("a.py"), text))] == [2]


def test_no_text_names_a_registry_or_a_machine():
    breaches = []
    for path in committed():
        content = path.read_bytes()
        if b"\0" not in content[:8192]:
            breaches += house.foreign_places(path.relative_to(ROOT), content.decode("utf-8", "replace"))
    assert not breaches, "\n".join(breaches)


@pytest.mark.parametrize(
    "words",
    [
        ["https:", "", "packages.example.org", "simple"],
        ["https:", "", "files.example.org", "a.whl"],
        ["", "work", "main", "a.py"],
    ],
)
def test_registry_and_machine_are_noticed(words):
    assert list(house.foreign_places(Path("constraints.txt"), "/".join(words)))


def test_no_large_file_is_committed():
    large = {
        str(path.relative_to(ROOT)): size
        for path in committed()
        if (size := path.stat().st_size) > COMMITTED_FILE_BYTES
    }
    assert not large


def test_trained_weights_are_the_demo_runs_alone_and_small():
    trained = [path for path in committed() if path.suffix in TRAINED]
    elsewhere = [str(path.relative_to(ROOT)) for path in trained if ROOT / "resources" not in path.parents]
    assert not elsewhere
    assert sum(path.stat().st_size for path in trained) <= DEMO_RUN_BYTES


def test_no_scan_is_committed():
    scans = [str(path.relative_to(ROOT)) for path in committed() if path.suffix.lower() in SCANS]
    assert not scans


def lint_imports(folder: Path) -> subprocess.CompletedProcess:
    """Check the import contracts of the packages in a folder."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False)


def test_import_contracts_hold():
    finished = lint_imports(ROOT)
    assert finished.returncode == 0, finished.stdout + finished.stderr


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("engine/quality.py", "import PySide6"),
        ("gui/session.py", "import engine.training.job"),
        ("engine/runs.py", "import engine.models"),
    ],
)
def test_import_contracts_catch_a_planted_breach(tmp_path, path, line):
    for name in ("pyproject.toml", *ROOMS):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
    with (tmp_path / path).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    finished = lint_imports(tmp_path)
    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert "BROKEN" in finished.stdout


LOADED = f"; import sys; print(*sorted({house.FRAMEWORKS | house.QT!r} & set(sys.modules)))"


@pytest.mark.parametrize(
    "code",
    [
        "import engine",
        "import engine, engine.config, engine.messages, engine.runs, engine.data, engine.metrics",
        "import engine.cli",
    ],
)
def test_import_takes_no_framework(run_python, code):
    assert run_python(code + LOADED).split() == []


def test_imported_framework_would_be_noticed(run_python):
    assert run_python("import wandb" + LOADED).split() == ["wandb"]


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["demo", "--help"], ["evaluate", "--help"]])
def test_help_takes_no_framework(run_python, arguments):
    code = f"import sys, engine.cli; sys.argv = ['engine', *{arguments!r}]"
    code += "\ntry: engine.cli.main()\nexcept SystemExit: pass\nprint('LOADED', end=' ')"
    printed = run_python(code + LOADED)
    assert "usage" in printed.lower()
    assert printed.split("LOADED")[1].split() == []


def test_window_takes_no_framework(run_python):
    pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot load here", exc_type=ImportError)
    loaded = set(run_python("import gui.app" + LOADED).split())
    assert "PySide6" in loaded
    assert loaded.isdisjoint(house.FRAMEWORKS)
