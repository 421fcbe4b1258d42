"""*Copy as Python* of each panel runs as it is and gives what the engine gives the panel."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from engine import config, runs
from engine.config import DataConfig
from engine.explorer.explorer import Explorer
from engine.messages import ComputeActivations, Denoise, EmbedLatents, Reconstruct, never_stop
from engine.training import job
from gui.export import changed_data
from gui.panels.compare.script import compare_script
from gui.panels.data import DataPanel
from gui.panels.denoise.case import Methods, Noise
from gui.panels.denoise.script import denoise_script
from gui.panels.latent.export import latent_script
from gui.panels.layers.exporter import make_script
from gui.panels.layers.state import LayersState
from gui.panels.report import as_python as report_script
from gui.panels.train.new_run_card import NewRunCard
from gui.selection import ImageRef
from gui.widgets.region.region import Region
from tests.trained_runs import tiny_config

LESION = Region("ellipse", ((0.25, 0.25), (0.5, 0.5)))


@pytest.fixture(scope="module")
def run(trained):
    return trained(epochs=1)


@pytest.fixture
def data(run):
    """The dataset that is loaded in the app: the run's images at another size, so that a script must fit them."""
    return run.config.data.model_copy(update={"size": 48})


@pytest.fixture
def ask(tmp_path, data):
    """Ask the engine as a panel does: `ask(Reconstruct, ...)` -> the reply, with arrays in place of files."""
    explorer = Explorer(tmp_path, lambda event: None, never_stop)
    return lambda kind, **fields: explorer.answer(kind(number=1, panel="x", data=data, **fields))


@pytest.fixture
def execute(tmp_path, monkeypatch, capsys):
    """Run a script in an empty folder; return its names and what it printed."""
    folder = tmp_path / "script"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def go(script):
        scope = {"__name__": "script"}
        exec(compile(script, "script", "exec"), scope)
        return SimpleNamespace(**scope, out=capsys.readouterr().out, folder=folder)

    return go


def saved(array):
    """The 8-bit levels of an image that the engine computed for a panel."""
    return np.rint(np.clip(array, 0, 1) * 255).astype(np.uint8)


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.slow
def test_compare(run, data, ask, execute):
    told = ask(Reconstruct, split="test", indices=(2, 0), runs=(str(run.path), "pca:4"))
    compared = [SimpleNamespace(ref=ref) for ref in told.runs]
    gallery = SimpleNamespace(compared=compared, scan=None, split="test", pages=SimpleNamespace(indices=(2, 0)))
    done = execute(compare_script(gallery, changed_data(data)))
    for name, reply in zip((run.name, "PCA-4"), told.runs.values(), strict=True):
        originals, reconstructed = done.made[name]
        np.testing.assert_allclose(done.metrics.psnr_db(originals, reconstructed), reply.psnr_db, rtol=1e-4)
        np.testing.assert_allclose(done.metrics.ssim(originals, reconstructed), reply.ssim, rtol=1e-4)
        shown = [pixels(done.folder / f"{name}-{at}.png").astype(int) for at in (1, 2)]
        np.testing.assert_allclose(shown, saved(reply.images).astype(int), atol=1)
    assert [line.split()[0] for line in done.out.splitlines()] == [run.name, "PCA-4"]


@pytest.mark.slow
def test_compare_of_an_opened_file(run, data, execute, tmp_path):
    Image.fromarray(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64).astype(np.uint8)).save(tmp_path / "head.png")
    scan = SimpleNamespace(path=str(tmp_path / "head.png"), slice=0)
    compared = [SimpleNamespace(ref=str(run.path))]
    gallery = SimpleNamespace(compared=compared, scan=scan, split="test", pages=SimpleNamespace(indices=()))
    done = execute(compare_script(gallery, changed_data(data)))
    assert done.made[run.name][1].shape == (1, 32, 32, 1)
    assert pixels(done.folder / f"{run.name}-1.png").shape == (32, 32)


@pytest.mark.slow
def test_denoise(run, data, ask, execute):
    told = ask(Denoise, split="test", indices=(1,), runs=(str(run.path),), noise="rician", sigma=0.08, seed=3)
    case = ImageRef("a", data, "test", 1)
    methods = Methods(runs={str(run.path): run.name}, filters={"median": "Median"})
    done = execute(denoise_script(case, changed_data(data), Noise("rician", 0.08, 3), methods, (LESION, 3)))
    assert set(done.made) == {"noisy", run.name, "median"}
    ((reply,), originals, images) = (told.runs.values(), *done.made[run.name])
    assert done.metrics.psnr_db(originals, images)[0] == pytest.approx(reply.psnr_db, rel=1e-4)
    noisy = pixels(done.folder / "noisy.png")
    np.testing.assert_array_equal(noisy, saved(told.noisy))
    np.testing.assert_allclose(pixels(done.folder / f"{run.name}.png").astype(int), saved(reply.denoised), atol=1)
    assert done.out.count("lesion contrast retained") == 3


@pytest.mark.slow
def test_layers(run, data, ask, execute):
    told = ask(ComputeActivations, run=str(run.path), split="test", indices=(2,), layer="enc_act1")
    choice = LayersState(run=str(run.path), layer="enc_act1", channel=1, scans=[ImageRef("a", data, "test", 2)])
    done = execute(make_script(choice))
    np.testing.assert_allclose(done.channel, told.activations[..., 1], rtol=1e-4, atol=1e-6)
    assert execute(make_script(replace(choice, layer="images"))).images.shape == (1, 32, 32, 1)


@pytest.mark.slow
def test_latent(run, data, ask, execute):
    told = ask(EmbedLatents, run=str(run.path), splits=("train", "test"), method="pca")
    scene = SimpleNamespace(
        run=str(run.path), data=SimpleNamespace(config=data), has_subject=True, opened=None, chosen=("test", 1)
    )
    scene.group, scene.mapped = (("train", 0), ("train", 1)), SimpleNamespace(decodes=True)
    done = execute(latent_script(scene, changed_data(data), ["train", "test"], "pca"))
    np.testing.assert_allclose(done.laid.points, told.points, rtol=1e-3, atol=1e-4)
    assert done.average.shape == (1, 32, 32, 1)


def test_data(data, execute):
    panel = SimpleNamespace(session=SimpleNamespace(data=SimpleNamespace(config=data)))
    done = execute(DataPanel.as_python(panel))
    assert done.images.config == data
    assert "train" in done.out


def test_train(execute, tmp_path, monkeypatch):
    """The training itself is that of docs/reference/api.md, which a test runs."""
    chosen = tiny_config(model="vae", epochs=1)
    monkeypatch.setattr(job, "train", lambda config, root: runs.create_run(config, root=root))
    card = SimpleNamespace(
        settings=SimpleNamespace(config=lambda: chosen),
        _session=SimpleNamespace(runs=SimpleNamespace(root=tmp_path / "runs")),
    )
    done = execute(NewRunCard.python(card))
    assert done.run.config == chosen
    assert [each.path for each in runs.list_runs(tmp_path / "runs")] == [done.run.path]


def test_report(execute, monkeypatch):
    from engine.messages import RunStudy
    from engine.reproduction import job as study

    order = RunStudy(out="study", config=config.StudyConfig(), settings={"size": 32})
    asked = []
    monkeypatch.setattr(study, "run_study", lambda given: asked.append(given) or {"page": "p", "state": "finished"})
    execute(report_script(order).replace("__main__", "script"))
    assert (asked[0].out, asked[0].settings, asked[0].config) == (order.out, order.settings, order.config)


def test_scripts_take_paths_of_windows(tmp_path):
    r"""A path such as C:\new\table.png holds what would be signs of their own in Python."""
    path = r"C:\new\table images"
    gallery = SimpleNamespace(
        compared=[SimpleNamespace(ref=path)],
        scan=SimpleNamespace(path=path, slice=0),
        split="test",
        pages=SimpleNamespace(indices=()),
    )
    script = compare_script(gallery, changed_data(DataConfig(source=path)))
    compile(script, "script", "exec")
    assert script.count(repr(path)) == 3
