import importlib.util
import sys
import threading

import pytest

from engine import lean_import


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Name of a package that can be imported and is not yet."""
    (tmp_path / "seldom_needed").mkdir()
    (tmp_path / "seldom_needed" / "__init__.py").write_text("from seldom_needed import part")
    (tmp_path / "seldom_needed" / "part.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield "seldom_needed"
    for name in [name for name in sys.modules if name.startswith("seldom_needed")]:
        del sys.modules[name]


def test_a_package_left_out_is_missing_there_and_only_there(package):
    with lean_import.hide_packages([package]):
        with pytest.raises(ModuleNotFoundError, match=package):
            importlib.import_module(package)
        with pytest.raises(ModuleNotFoundError, match=package):
            importlib.import_module(f"{package}.part")
    assert importlib.import_module(package).part


def test_whoever_only_looks_is_told_that_it_is_there(package):
    with lean_import.hide_packages([package]):
        assert importlib.util.find_spec(package) is not None


def test_what_is_imported_already_stays(package):
    known = importlib.import_module(package)
    with lean_import.hide_packages([package]):
        assert importlib.import_module(package) is known


def test_another_thread_imports_as_ever(package):
    found = []
    with lean_import.hide_packages([package]):
        thread = threading.Thread(target=lambda: found.append(importlib.import_module(package)))
        thread.start()
        thread.join()
    assert found[0].part


def test_an_error_meanwhile_leaves_nothing_behind(package):
    before = list(sys.meta_path)
    with pytest.raises(OSError, match="broken"), lean_import.hide_packages([package]):
        raise OSError("broken")
    assert sys.meta_path == before
