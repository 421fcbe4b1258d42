"""A planted structure is found again by every method; what takes long can be stopped; lack of UMAP has a sentence."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import engine
from engine.errors import ConfigError, EngramError
from engine.job_context import Cancelled, JobContext, ResumableJob
from engine.latent import embedding
from engine.latent.embedding import EmbeddingProcess

ROOT = Path(__file__).resolve().parents[3]
ZEROS = "import sys, numpy; numpy.save(sys.argv[4], numpy.zeros((8, 2), 'float32'))"


@pytest.fixture
def groups():
    """Three well separated groups of 20 points in 20 dimensions, and which group each belongs to."""
    rng = np.random.default_rng(0)
    centres = np.zeros((3, 20))
    centres[[0, 1, 2], [4, 9, 14]] = 12
    labels = np.repeat(np.arange(3), 20)
    return (centres[labels] + rng.standard_normal((60, 20))).astype(np.float32), labels


def everything(points):
    return np.ones(len(points), np.bool_)


def purity(points, labels):
    """Share of points whose nearest other point is of their own group."""
    distances = ((points[:, None] - points) ** 2).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    return float(np.mean(labels[distances.argmin(axis=1)] == labels))


def test_components_are_the_planted_directions():
    rng = np.random.default_rng(1)
    axes = np.linalg.qr(rng.standard_normal((6, 2)))[0].T
    points = (rng.standard_normal((2000, 2)) * [5, 2]) @ axes + 3
    found = embedding.components((points + 0.01 * rng.standard_normal(points.shape)).astype(np.float32), 2)
    assert np.abs(found.axes @ axes.T) == pytest.approx(np.eye(2), abs=0.02)
    assert found.shares == pytest.approx([25 / 29, 4 / 29], abs=0.02)


def test_components_beyond_the_points_are_zero(groups):
    points = groups[0][:5]
    found = embedding.components(points, 20)
    assert found.axes.shape == (20, 20)
    assert found.axes[:5] @ found.axes[:5].T == pytest.approx(np.eye(5), abs=1e-9)
    assert not found.axes[5:].any()
    assert found.shares.sum() == pytest.approx(1.0)
    assert found.project(points) @ found.axes + found.mean == pytest.approx(points, abs=1e-4)


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_planted_groups_are_apart_on_the_map(groups, method):
    points, labels = groups
    laid = embedding.compute_embedding(points, everything(points), method, seed=3)
    assert laid.points.shape == (60, 2)
    assert purity(laid.points, labels) == 1.0


def test_components_are_those_of_the_training_images_alone(groups):
    points, labels = groups
    far = points.copy()
    far[labels == 2] += 1000
    chosen = labels != 2
    shown = embedding.compute_embedding(far, chosen, "pca", 0).points[chosen]
    assert shown == pytest.approx(embedding.compute_embedding(points, chosen, "pca", 0).points[chosen], abs=1e-3)


def test_points_that_never_differ_are_laid_out_too():
    laid = embedding.compute_embedding(np.ones((5, 4), np.float32), np.ones(5, np.bool_), "pca", 0)
    assert np.isfinite(laid.points).all()
    assert "0.0%" in laid.axes[0]


def test_lack_of_umap_is_reported_with_the_line_that_installs_it(groups, monkeypatch):
    monkeypatch.setattr(embedding, "find_spec", lambda name: None)
    assert 'pip install -e ".[umap]"' in embedding.methods()["umap"]
    assert embedding.methods()["pca"] == ""
    with pytest.raises(ConfigError, match=r"umap-learn is not installed.*pip install"):
        embedding.compute_embedding(groups[0], everything(groups[0]), "umap", 0)


@pytest.mark.slow
@pytest.mark.timeout(900)  # UMAP compiles itself: half a minute of work, much longer on a busy machine
@pytest.mark.skipif(find_spec("umap") is None, reason=f"umap-learn is not installed: {embedding.INSTALL_UMAP}")
def test_umap_keeps_the_groups_apart_and_its_seed(groups, run_python, tmp_path):
    """In one process, for most of the time goes into compiling."""
    points, labels = groups
    np.save(tmp_path / "points.npy", points)
    said = run_python(
        "import sys; import numpy as np; from engine.latent import embedding_child\n"
        f"points = np.load({str(tmp_path / 'points.npy')!r})\n"
        "laid = [embedding_child.METHODS['umap'](points, 5) for _ in range(2)]\n"
        f"np.save({str(tmp_path / 'laid.npy')!r}, laid)\n"
        "print(sys.modules['tensorflow'])",
        timeout_s=900,
    )
    first, again = np.load(tmp_path / "laid.npy")
    assert purity(first, labels) == 1.0
    assert np.array_equal(first, again)
    assert said == "None\n"


def run_instead(monkeypatch, program):
    """Let the process run another program, which writes zeros in the end."""

    def command(module, *arguments, ignore_warnings):
        return [sys.executable, "-c", f"{program}; {ZEROS}", *arguments]

    monkeypatch.setattr(embedding, "module_command", command)


def wait_for(process):
    """Return the points of a process once it has finished."""
    while (laid := process.wait()) is None:
        pass
    return laid


@pytest.mark.parametrize("program", ["print('noise')", "import sys; sys.stderr.write('noise')"])
def test_what_a_process_prints_stays_in_it(program, monkeypatch, capfd):
    run_instead(monkeypatch, program)
    laid = wait_for(EmbeddingProcess(np.ones((8, 3), np.float32), "umap", 0))
    assert laid.shape == (8, 2)
    assert capfd.readouterr() == ("", "")


def test_process_imports_the_engine_that_started_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    same = f"import engine; assert engine.__file__ == {engine.__file__!r}, engine.__file__"
    run_instead(monkeypatch, same)
    assert wait_for(EmbeddingProcess(np.ones((8, 3), np.float32), "umap", 0)).shape == (8, 2)


@pytest.fixture
def processes(monkeypatch):
    """The processes that were started."""
    started = []

    class Noted(EmbeddingProcess):
        def __init__(self, *given):
            super().__init__(*given)
            started.append(self)

    monkeypatch.setattr(embedding, "EmbeddingProcess", Noted)
    return started


def interrupt_layout(points, processes):
    """Start a layout and interrupt it while its process runs."""
    layout = ResumableJob(lambda _: embedding.compute_embedding_in_steps(points, everything(points), "tsne", 3))
    with pytest.raises(Cancelled):
        layout.run(JobContext(lambda: bool(processes)))
    return layout


def test_layout_that_was_stopped_continues_and_equal_seeds_give_equal_maps(groups, processes):
    points = groups[0]
    found = interrupt_layout(points, processes).run()
    assert len(processes) == 1
    assert np.array_equal(found.points, embedding.compute_embedding(points, everything(points), "tsne", 3).points)


def test_layout_that_is_dropped_leaves_no_process(groups, processes):
    layout = interrupt_layout(groups[0], processes)
    assert processes[0]._process.returncode is None
    del layout
    assert processes[0]._process.returncode is not None
    assert not processes[0]._words.exists()


def test_process_that_fails_says_why():
    process = EmbeddingProcess(np.full((8, 3), np.nan, np.float32), "tsne", 0)
    with pytest.raises(EngramError, match=r"could not be computed: ValueError.*NaN.*Use PCA for the map"):
        wait_for(process)


def test_process_ends_with_the_one_that_started_it(tmp_path):
    np.save(tmp_path / "points.npy", np.random.default_rng(0).standard_normal((2000, 50)).astype(np.float32))
    words = [sys.executable, "-m", "engine.latent.embedding_child", "tsne", "0", "points.npy", "laid.npy"]
    started = subprocess.Popen(words, cwd=tmp_path, stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})
    started.communicate()
    assert started.returncode == 1
    assert not (tmp_path / "laid.npy").exists()


def test_only_components_have_a_place_for_others(groups):
    points = groups[0]
    laid = embedding.compute_embedding(points, everything(points), "pca", 0)
    assert laid.transform(points[7:9]) == pytest.approx(laid.points[7:9], abs=1e-5)
    assert embedding.compute_embedding(points[:3], everything(points[:3]), "tsne", 0).transform(points[:1]) is None
