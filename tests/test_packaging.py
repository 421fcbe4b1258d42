"""What a clone, an installed copy and the two commands promise, without installing anything."""

import ast
import importlib.metadata
import importlib.util
import os
import re
import stat
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.conftest import ROOT
from tests.test_house import committed, sources

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
REQUIREMENTS = [Requirement(line) for line in PROJECT["dependencies"]]
EXTRAS = {name: [Requirement(line) for line in lines] for name, lines in PROJECT["optional-dependencies"].items()}
BARE_PATH = "/usr/bin:/bin"


def pins() -> dict[str, str]:
    """The constraints file as {package: version}; every line is a comment or `name==version`."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    kept = [line for line in lines if line and not line.startswith("#")]
    strange = [line for line in kept if not re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9A-Za-z.]*", line)]
    assert not strange, "a pin is `name==version`, without address, path or build suffix"
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in kept)}


def executable(path: Path, text: str) -> None:
    """Write a little program, with which a test plays a machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def load_script(name: str):
    """Import a script of scripts/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Packages


@pytest.mark.parametrize("requirement", [r for rs in [REQUIREMENTS, *EXTRAS.values()] for r in rs], ids=str)
def test_every_requirement_is_pinned_within_its_range(requirement):
    assert requirement.specifier.contains(pins()[canonicalize_name(requirement.name)])


def test_installed_keras_is_new_enough():
    floor = next(requirement for requirement in REQUIREMENTS if requirement.name == "keras")
    assert floor.specifier.contains(importlib.metadata.version("keras"))


def test_every_imported_package_is_declared():
    extras = [each for name, requirements in EXTRAS.items() if name != "dev" for each in requirements]
    declared = {canonicalize_name(requirement.name) for requirement in REQUIREMENTS + extras}
    declared.add("bm3d")  # its license allows research alone, so the user installs it
    modules = load_script("check_bare").MODULES
    homes = {module: [package] for package, module in modules.items()}
    homes |= dict(importlib.metadata.packages_distributions())
    imported = {name.split(".")[0] for source in sources() for _, name in source.imports()}
    foreign = imported - set(sys.stdlib_module_names) - {"engine", "gui", "resources"}
    undeclared = {
        name for name in foreign if not {canonicalize_name(home) for home in homes.get(name, [name])} & declared
    }
    assert not undeclared


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """The wheel, built from a copy of what git keeps."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for path in committed():
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(out),
        str(copy),
    ]
    subprocess.run(command, check=True, capture_output=True)
    with zipfile.ZipFile(next(out.glob("engram_mri-*.whl"))) as archive:
        yield archive


def test_wheel_holds_code_and_resources_and_nothing_else(wheel):
    kept = {path.relative_to(ROOT).as_posix() for path in committed()}
    wanted = {
        name
        for name in kept
        if name.startswith("resources/") or re.match(r"(engine|gui)/.*\.py$|engine/py\.typed$", name)
    }
    # The help window of an installed copy shows the documentation.
    wanted |= {f"resources/{name}" for name in kept if name.startswith("docs/")}
    packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == wanted


def test_installed_copy_finds_its_resources(wheel, tmp_path, run_python):
    pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot load here", exc_type=ImportError)
    wheel.extractall(tmp_path)
    code = f"""
import sys; sys.path.insert(0, {str(tmp_path)!r})
import engine, engine.config, gui.theme
assert engine.__file__.startswith({str(tmp_path)!r})
from gui.help import help_window
print(len(engine.config.presets()), gui.theme.SOURCES.is_dir(), gui.theme.STYLE_SHEET.is_file())
print(help_window.INDEX, "docs/tutorials/first-run.md" in help_window.list_pages())
"""
    index = tmp_path / "resources" / "docs" / "index.md"
    assert run_python(code).split()[1:] == ["True", "True", str(index), "True"]


@pytest.mark.parametrize("entry", [*PROJECT["scripts"].values(), *PROJECT["gui-scripts"].values()])
def test_entry_points_lead_to_functions(entry):
    module, function = entry.split(":")
    tree = ast.parse(Path(importlib.util.find_spec(module).origin).read_text("utf-8"))
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    names |= {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert function in names


# make run, make test


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A folder that stands ready as after `make set-up`, with a Python that only says how it was called."""
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    for name in ("pyproject.toml", "constraints.txt", "scripts/set_up.sh", "scripts/qt_libraries.py"):
        executable(tmp_path / name, "#!/bin/sh\necho setting up\n")
    executable(
        tmp_path / ".venv/bin/python",
        '#!/bin/sh\nif [ "$*" = "-m gui.display" ]; then exit ${NO_DISPLAY:-0}; fi\necho "python $*"\n',
    )
    for name in (".ready", ".qt-ready"):
        (tmp_path / ".venv" / name).touch()
    return tmp_path


def make(checkout: Path, *arguments: str, **environment: str) -> str:
    """Run make on a machine without display, plus the given environment; return what it printed."""
    finished = subprocess.run(
        ["make", *arguments],
        cwd=checkout,
        env={"PATH": BARE_PATH, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def test_make_run_without_a_display_runs_the_demo(checkout):
    sentence, call = make(checkout, "run", NO_DISPLAY="1").splitlines()
    assert "headless demo" in sentence
    assert call == "python -m engine demo"


def test_make_run_with_a_display_opens_the_window(checkout):
    assert make(checkout, "run").splitlines() == ["python main.py"]


def test_make_test_runs_pytest_with_its_arguments(checkout):
    (call,) = make(checkout, "test", "ARGS=-k noise").splitlines()
    assert call.startswith("python -m pytest -n logical --maxprocesses 4 ")
    assert call.endswith(" -k noise")


def test_make_test_continues_without_the_window_where_qt_cannot_load(checkout):
    (checkout / ".venv" / ".qt-ready").unlink()
    executable(
        checkout / ".venv/bin/python", '#!/bin/sh\necho "python $*"\ncase "$*" in *qt_libraries*) exit 1 ;; esac\n'
    )
    *_, sentence, call = make(checkout, "test").splitlines()
    assert "the tests of the app are skipped" in sentence
    assert "-p no:pytest-qt" in call
    assert "--ignore tests/gui" in call


def test_make_sets_up_again_when_the_packages_change(checkout):
    os.utime(checkout / "pyproject.toml", (2**31, 2**31))
    assert "setting up" in make(checkout, "test")


def test_every_target_is_listed(checkout):
    targets = re.search(r"^\.PHONY: help (.*)$", (ROOT / "Makefile").read_text(), re.M).group(1).split()
    assert re.findall(r"^  make (\S+)", make(checkout), re.M) == targets


def set_up(checkout: Path, machine: Path, **environment: str) -> subprocess.CompletedProcess:
    """Run scripts/set_up.sh of a checkout on a machine whose only Pythons are in one folder."""
    script = checkout / "scripts" / "set_up.sh"
    script.write_bytes((ROOT / "scripts/set_up.sh").read_bytes())
    environment = {"PATH": f"{machine}:{machine / 'tools'}", **environment}
    return subprocess.run(["/bin/sh", script], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def machine(tmp_path) -> Path:
    """A machine with `dirname` and no Python."""
    folder = tmp_path / "machine"
    executable(folder / "tools/dirname", '#!/bin/sh\nexec /usr/bin/dirname "$@"\n')
    return folder


# A Python that notes its calls; `-m venv DIR` leaves a copy of itself there. What it lacks fails when asked for.
PLAYED_PYTHON = """#!/bin/sh
echo "$@" >> {log}
case "$*" in
    *print*version_info*) echo {version} ;;
    *version_info*) exit {too_old} ;;
    *"import ensurepip"*) exit {no_ensurepip} ;;
    "-m pip --version") exit {no_pip} ;;
    "-m venv"*) for last; do :; done; /bin/mkdir -p "$last/bin"; /bin/cp "$0" "$last/bin/python" ;;
esac
"""


def play_python(machine: Path, name: str, version: str = "3.12", **lacks: int) -> Path:
    """Put a played Python on a machine; return the file in which it notes its calls."""
    log = machine / f"{name}.log"
    settings = {"version": version, "too_old": 0, "no_ensurepip": 0, "no_pip": 0, "log": log} | lacks
    executable(machine / name, PLAYED_PYTHON.format(**settings))
    return log


def test_set_up_takes_a_python_that_suits_and_installs_with_the_constraints(checkout, machine):
    (checkout / ".venv/bin/python").unlink()
    too_old, chosen = play_python(machine, "python3.11", too_old=1), play_python(machine, "python3.12")
    finished = set_up(checkout, machine)
    assert finished.returncode == 0, finished.stderr
    assert "venv" not in too_old.read_text()
    calls = chosen.read_text().splitlines()
    assert "-m venv --clear .venv" in calls
    assert (
        calls[-1] == "-m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .[dev]"
    )


@pytest.mark.parametrize("version", [(3, 10, 9), (3, 11, 0), (3, 12, 5), (3, 13, 9), (3, 14, 0)])
def test_set_up_and_the_package_want_the_same_pythons(version):
    code = re.search(r"-c 'import sys; sys.exit\((.*)\)'", (ROOT / "scripts/set_up.sh").read_text("utf-8")).group(1)
    refused = eval(code, {"sys": SimpleNamespace(version_info=version)})
    assert refused != SpecifierSet(PROJECT["requires-python"]).contains(".".join(map(str, version)))


def test_set_up_brings_pip_in_where_ensurepip_is_missing(checkout, machine):
    (checkout / ".venv/bin/python").unlink()
    calls = play_python(machine, "python3", no_ensurepip=1)
    assert set_up(checkout, machine).returncode == 0
    assert "-m venv --clear --without-pip .venv" in calls.read_text().splitlines()
    assert "-m pip --python .venv/bin/python install --quiet pip" in calls.read_text().splitlines()


def test_set_up_keeps_an_environment_that_works(checkout, machine):
    log = play_python(machine, "python3")
    (checkout / ".venv/bin/python").write_bytes((machine / "python3").read_bytes())
    assert set_up(checkout, machine).returncode == 0
    assert "-m venv" not in log.read_text()


@pytest.mark.parametrize("lacks", [{"no_ensurepip": 1, "no_pip": 1}, {"too_old": 1}])
def test_set_up_says_what_to_install(checkout, machine, lacks):
    (checkout / ".venv/bin/python").unlink()
    play_python(machine, "python3", **lacks)
    finished = set_up(checkout, machine)
    assert finished.returncode == 1
    assert "apt-get install" in finished.stderr


def test_a_named_python_is_taken_before_all_others(checkout, machine):
    (checkout / ".venv/bin/python").unlink()
    other, named = play_python(machine, "python3.11"), play_python(machine, "named")
    assert set_up(checkout, machine, PYTHON=str(machine / "named")).returncode == 0
    assert "-m venv --clear .venv" in named.read_text()
    assert not other.exists()


def test_a_named_python_that_does_not_suit_is_refused_and_not_replaced(checkout, machine):
    (checkout / ".venv/bin/python").unlink()
    play_python(machine, "python3.11")
    play_python(machine, "named", version="3.9", too_old=1)
    finished = set_up(checkout, machine, PYTHON=str(machine / "named"))
    assert finished.returncode == 1
    assert "named is Python 3.9, which does not suit: Engram needs Python 3.11, 3.12 or 3.13." in finished.stderr
    assert not (checkout / ".venv/bin/python").exists()


@pytest.mark.parametrize(("version", "anew"), [("3.12", False), ("3.13", True)])
def test_an_environment_of_another_version_than_the_named_python_is_made_anew(checkout, machine, version, anew):
    play_python(machine, "python3.12")
    (checkout / ".venv/bin/python").write_bytes((machine / "python3.12").read_bytes())
    log = play_python(machine, "named", version=version)
    assert set_up(checkout, machine, PYTHON=str(machine / "named")).returncode == 0
    assert ("-m venv" in log.read_text()) == anew


def test_make_sets_up_again_when_a_python_is_named(checkout):
    assert "setting up" not in make(checkout, "test")
    assert "setting up" in make(checkout, "test", "PYTHON=python3")


# The bare lane


@pytest.fixture
def check_bare():
    return load_script("check_bare")


def test_extras_that_the_bare_lane_must_not_find_are_those_of_the_project(check_bare):
    decoders = ["highdicom", "pyjpegls", "pylibjpeg", "pylibjpeg-openjpeg", "python-gdcm", "simpleitk"]
    others = ["dask", "dask-jobqueue", "distributed", "jax", "mkdocs-material", "torch", "umap-learn"]
    assert check_bare.list_extra_packages() == sorted([*decoders, *others])


@pytest.mark.parametrize("present", ["torch", "umap", "dask_jobqueue", "SimpleITK"])
def test_an_extra_that_can_be_imported_fails_the_bare_lane(check_bare, present, monkeypatch, capsys):
    monkeypatch.setattr(check_bare, "find_spec", lambda name: object() if name == present else None)
    assert check_bare.main() == 1
    assert present.replace("_", "-").lower() in capsys.readouterr().err
    monkeypatch.setattr(check_bare, "find_spec", lambda name: None)
    assert check_bare.main() == 0


# Qt's system libraries


@pytest.fixture
def qt_libraries(monkeypatch):
    """The script on a played Linux that has apt-get, all fonts and all libraries but two."""
    script = load_script("qt_libraries")
    monkeypatch.setattr(script.sys, "platform", "linux")
    monkeypatch.setattr(script.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(script, "has_font", lambda: True)
    lacking = {"libEGL.so.1", "libxcb-cursor.so.0"}
    monkeypatch.setattr(script, "loads", lambda library: library not in lacking)
    script.lacking = lacking
    return script


def test_missing_libraries_print_the_apt_line_to_those_who_may_not_install(qt_libraries, monkeypatch, capsys):
    monkeypatch.setattr(qt_libraries, "administrator", lambda: None)
    monkeypatch.setattr(qt_libraries.subprocess, "run", lambda *_, **__: pytest.fail("nothing may be run"))
    assert qt_libraries.main() == 1
    assert "sudo apt-get install -y --no-install-recommends libegl1 libxcb-cursor0\n" in capsys.readouterr().out


@pytest.mark.parametrize("prefix", [[], ["sudo", "-n"]])
def test_missing_libraries_are_installed_by_an_administrator(qt_libraries, monkeypatch, capsys, prefix):
    calls = []

    def run(command, **_):
        calls.append(command)
        if "install" in command:
            qt_libraries.lacking.clear()

    monkeypatch.setattr(qt_libraries, "administrator", lambda: prefix)
    monkeypatch.setattr(qt_libraries.subprocess, "run", run)
    assert qt_libraries.main() == 0
    assert [call[-1] for call in calls] == ["update", "libxcb-cursor0"]
    assert all(call[: len(prefix) + 1] == [*prefix, "env"] for call in calls)
    assert "sudo apt-get" not in capsys.readouterr().out


def test_missing_font_is_a_missing_package(qt_libraries, monkeypatch):
    monkeypatch.setattr(qt_libraries, "has_font", lambda: False)
    assert qt_libraries.missing_packages() == ["libegl1", "libxcb-cursor0", "fonts-dejavu-core"]


def test_nothing_missing_says_nothing(qt_libraries, capsys):
    qt_libraries.lacking.clear()
    assert qt_libraries.main() == 0
    assert capsys.readouterr().out == ""


# CI


def test_ci_script_is_a_sound_executable():
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
