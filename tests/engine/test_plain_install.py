"""What the README installs suffices: no extra backend, no UMAP and no cluster may be needed unasked."""

import json
from importlib.util import find_spec

import pytest

FAST = ["--data", "phantom", "--phantom-count", "24", "--size", "32", "--filters", "4,8", "--epochs", "1"]
EXTRAS = """
import sys
from importlib.machinery import PathFinder

class Plain(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        extras = {"jax", "jaxlib", "torch", "umap", "numba", "dask", "distributed", "dask_jobqueue"}
        return None if name.partition(".")[0] in extras else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Plain
"""


@pytest.fixture
def plain(run_python, tmp_path, monkeypatch):
    """Run Python where none of the extras is installed, in the processes that it starts neither."""
    (tmp_path / "sitecustomize.py").write_text(EXTRAS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return run_python


def test_extras_are_not_there(plain):
    found = plain("from engine import backend; print(backend.installed())")
    assert found.strip() == "['tensorflow']"


@pytest.mark.slow
@pytest.mark.skipif(
    not any(find_spec(name) for name in ("jax", "torch", "umap", "dask")),
    reason="no extra is installed here, so the other tests of a search show it: pip install -e '.[torch]'",
)
def test_a_search_needs_no_extra(plain, tmp_path):
    words = ["search", "--preset", "study-ae", "--name", "plain", "--trials", "1", *FAST, "--runs", str(tmp_path)]
    said = json.loads(plain("-m", "engine", *words, "--json"))
    assert (said["ended"], said["trials"][0]["state"]) == ("finished", "finished")
