"""*Copy as Python* of each panel runs as it is and gives what the engine gives the panel."""

import re
from dataclasses import replace
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from engine import config, lesions
from engine.config import DataConfig
from engine.data.scan import read_view
from engine.explorer.explorer import Explorer
from engine.messages import (
    ApplyFilter,
    ComputeActivations,
    DecodeMean,
    Denoise,
    EmbedLatents,
    LoadData,
    OpenVolumeReply,
    Reconstruct,
    WriteReport,
    never_stop,
)
from engine.reports import writer
from engine.reports.writer import answer_report
from gui.export import changed_data
from gui.lesion_regions import mask_of
from gui.panels.compare.script import compare_script
from gui.panels.data import DataPanel
from gui.panels.denoise.case import Methods, Noise
from gui.panels.denoise.exporter import denoise_script, to_image
from gui.panels.latent.export import latent_script
from gui.panels.layers.exporter import make_script
from gui.panels.layers.state import ColorScale, LayersState, value_limits
from gui.panels.report.script import report_script, study_script
from gui.panels.scan import ScanPanel
from gui.panels.train.new_run_card import NewRunCard
from gui.pixmaps import gray_image, pixels_of, to_colors
from gui.selection import ImageRef
from gui.widgets.region.region import Region

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
    given = {"number": 1, "panel": "x", "data": data}
    return lambda kind, **fields: explorer.answer(
        kind(**{name: value for name, value in (given | fields).items() if name in kind.model_fields})
    )


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
        for at, image in enumerate(reply.images, 1):
            np.testing.assert_array_equal(pixels(done.folder / f"{name}-{at}.png"), pixels_of(gray_image(image)))
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
    asked = {"split": "test", "indices": (1,), "noise": "rician", "sigma": 0.08, "seed": 3}
    told = ask(Denoise, runs=(str(run.path),), **asked)
    case = ImageRef("a", data, "test", 1)
    methods = Methods(runs={str(run.path): run.name}, filters={"median": "Median", "pca": "PCA-4"}, components=4)
    done = execute(denoise_script(case, changed_data(data), Noise("rician", 0.08, 3), methods, (LESION, 3)))
    assert set(done.made) == {"noisy", run.name, "median", "pca"}
    kept = re.findall(r"retained (\S+)", done.out)[1:]  # the first is that of the noisy image
    replies = {run.name: next(iter(told.runs.values()))}
    replies |= {key: ask(ApplyFilter, method=key, components=4, **asked) for key in ("median", "pca")}
    for name, reply in replies.items():
        originals, images = done.made[name]
        assert done.metrics.psnr_db(originals, images)[0] == pytest.approx(reply.psnr_db, rel=1e-4)
        np.testing.assert_array_equal(pixels(done.folder / f"{name}.png"), pixels_of(to_image(reply.denoised, "8-bit")))
        mask = mask_of(LESION, reply.denoised.shape)
        value, _ = lesions.retention(originals[0, ..., 0], reply.denoised, mask, 3)
        assert float(kept.pop(0)) == pytest.approx(value, rel=1e-4, nan_ok=True)
    assert not kept
    np.testing.assert_array_equal(pixels(done.folder / "noisy.png"), pixels_of(to_image(told.noisy, "8-bit")))


@pytest.mark.slow
def test_denoise_of_an_image_that_is_noisy_already(run, data, execute):
    case, methods = ImageRef("a", data, "test", 1), Methods(filters={"median": "Median"})
    done = execute(denoise_script(case, changed_data(data), Noise("none", 0.1, 3), methods, (None, 3)))
    np.testing.assert_array_equal(*done.made["noisy"])


@pytest.mark.slow
def test_layers(run, data, ask, execute):
    told = ask(ComputeActivations, run=str(run.path), split="test", indices=(2,), layer="enc_act1")
    seen = told.activations.reshape(16, 16, 4)
    choice = LayersState(run=str(run.path), layer="enc_act1", channel=1, scans=[ImageRef("a", data, "test", 2)])
    for scale in (ColorScale(), ColorScale(shared=False, signed=True)):
        done = execute(make_script(replace(choice, color_scale=scale)))
        np.testing.assert_allclose(done.channel[0], seen[..., 1], rtol=1e-4, atol=1e-6)
        as_shown = to_colors(seen[..., 1], *value_limits(seen, scale, None if scale.shared else 1), scale.scale)
        np.testing.assert_array_equal(pixels(done.folder / "enc_act1-1.png"), as_shown)
    done = execute(make_script(replace(choice, layer="images")))
    assert pixels(done.folder / "image.png").shape == done.images.shape[1:3] == (32, 32)


@pytest.mark.slow
def test_latent(run, data, ask, execute):
    told = ask(EmbedLatents, run=str(run.path), splits=("train", "test"), method="pca")
    scene = SimpleNamespace(
        run=str(run.path), data=SimpleNamespace(config=data), has_subject=True, opened=None, chosen=("test", 1)
    )
    scene.group, scene.mapped = (("train", 0), ("train", 1)), SimpleNamespace(decodes=True)
    done = execute(latent_script(scene, changed_data(data), ["train", "test"], "pca"))
    np.testing.assert_allclose(done.laid.points, told.points, rtol=1e-3, atol=1e-4)
    means = ask(DecodeMean, run=str(run.path), places=scene.group)
    (made,) = ask(Reconstruct, split="test", indices=(1,), runs=(str(run.path),)).runs.values()
    images = {"decoded-mean": means.average, "pixel-mean": means.pixel_mean, "reconstruction": made.images}
    for name, image in images.items():
        np.testing.assert_array_equal(pixels(done.folder / f"{name}.png"), pixels_of(gray_image(image[0])))


def test_data(data, ask, execute):
    panel = SimpleNamespace(session=SimpleNamespace(data=SimpleNamespace(config=data)))
    done = execute(DataPanel.as_python(panel))
    told = ask(LoadData, config=data)
    assert done.images.counts() == told.counts
    for name, counts in told.repeats.splits.model_dump(exclude_none=True).items():
        assert counts.items() <= done.found["splits"][name].items()
    assert "near-duplicates: {" in done.out


@pytest.mark.slow
def test_train(run, execute, tmp_path):
    """The script trains the very run that the panel shows: the same curves, and the same preview images."""
    card = SimpleNamespace(
        settings=SimpleNamespace(config=lambda: run.config),
        _session=SimpleNamespace(runs=SimpleNamespace(root=tmp_path / "runs")),
    )
    done = execute(NewRunCard.python(card))
    losses = [[row[name] for row in each.history() for name in ("loss", "val_loss")] for each in (run, done.run)]
    assert losses[0] == losses[1]
    images = [{path.name: path.read_bytes() for path in each.previews.glob("*.npy")} for each in (run, done.run)]
    assert images[0] == images[1]
    assert images[0]


def test_scan(execute, qtbot, desk, tmp_path):
    values = np.random.default_rng(0).normal(100, 30, (6, 9, 12)).astype(np.float32)
    nib.save(nib.Nifti1Image(values, np.diag([1.0, 1, 3, 1])), tmp_path / "head.nii")
    panel = ScanPanel(desk)
    qtbot.addWidget(panel)
    assert panel.as_python() == ""
    panel._path = str(tmp_path / "head.nii")
    facts = read_view(panel._path, tmp_path / "seen.npy")
    facts = {name: facts[name] for name in OpenVolumeReply.model_fields if name != "voxels"}
    panel._on_opened(OpenVolumeReply(voxels=str(tmp_path / "seen"), **facts))
    panel.planes.set_inverted(True)
    panel.use.plane.setCurrentIndex(panel.use.plane.findData("coronal"))
    done, cell = execute(panel.as_python()), panel.planes.cells["coronal"]
    view = cell.view.state.view
    np.testing.assert_array_equal(done.values, cell.view.values)
    as_shown = pixels_of(gray_image(cell.view.values, view.window, view.level, invert=True))
    np.testing.assert_array_equal(pixels(done.folder / f"coronal-{cell.view.index + 1}.png"), as_shown)


@pytest.mark.slow
def test_report_on_an_image(run, execute, tmp_path):
    """The script writes the very page that the panel has the explorer write."""
    Image.fromarray(np.arange(64 * 64, dtype=np.uint16).reshape(64, 64).astype(np.uint8)).save(tmp_path / "head.png")
    settings = config.DenoiseConfig(noise="rician", sigma=0.05)
    order = WriteReport(
        panel="report", path="report.html", runs=(str(run.path),), scan=str(tmp_path / "head.png"), slice=0,
        roi="8,8,8,16", against=("tv",), settings=settings,
    )  # fmt: skip
    done = execute(report_script(order))
    assert done.request == order
    answer_report(order.model_copy(update={"path": "again.html"}))
    assert (done.folder / "report.html").read_bytes() == (done.folder / "again.html").read_bytes()


@pytest.mark.parametrize("what", [{"runs": ("a", "it's $b")}, {"search": "wide"}])
def test_report_on_runs_or_a_search(execute, monkeypatch, what):
    asked = []
    monkeypatch.setattr(writer, "answer_report", lambda given: asked.append(given) or given)
    order = WriteReport(panel="report", path="two.pdf", root=r"C:\new\runs", **what)
    execute(report_script(order))
    assert asked == [order]


def test_study(execute, monkeypatch):
    from engine.messages import RunStudy
    from engine.reproduction import job as study

    order = RunStudy(out="study", config=config.StudyConfig(), settings={"size": 32})
    asked = []
    monkeypatch.setattr(study, "run_study", lambda given: asked.append(given) or {"page": "p", "state": "finished"})
    execute(study_script(order).replace("__main__", "script"))
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
