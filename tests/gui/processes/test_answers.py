"""A real explorer process: it answers questions, and the panels show its answers."""

import re
import shutil

import numpy as np
import pytest
from PySide6.QtTest import QTest

from engine import data, noise
from engine.config import DataConfig
from engine.messages import LoadData, OpenScan, Reconstruct
from gui.explorer_client import ExplorerClient
from gui.panel import LoadSource
from gui.widgets.region.region import Region
from tests.gui.processes.conftest import IMAGES

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_children")]
BARE = ("job",)


@pytest.fixture
def explorer(qtbot, tmp_path, engines):
    """A client of a real explorer, which keeps every outcome with the number of its request."""
    made = ExplorerClient(tmp_path)
    made._number = engines.newest_number
    made.warm_up("tensorflow")
    made.heard = []
    yield made
    made.engine.shutdown()
    made.deleteLater()


@pytest.fixture
def send(explorer):
    def send(message):
        handle = explorer.send(message)
        for outcome in (handle.finished, handle.failed):
            outcome.connect(lambda reply: explorer.heard.append((handle.request.number, reply)))
        return handle

    return send


def test_newest_question_wins_and_the_overtaken_are_given_up(explorer, send, wait):
    for size, count in ((256, 400), (128, 400), (32, 36)):
        newest = send(LoadData(panel="data", config=DataConfig(size=size, phantom_count=count)))
    wait(lambda: not newest.is_pending())
    [(number, reply)] = explorer.heard
    assert number == newest.request.number
    assert reply.counts["no_tumor"]["train"] > 0


def test_cancelled_loading_frees_the_explorer(explorer, send, wait, tmp_path):
    progress = []
    loading = send(LoadData(panel="data", config=DataConfig(size=128, phantom_count=100_000, phantom_seed=9)))
    loading.progressed.connect(lambda done, total: progress.append(done))
    wait(lambda: bool(progress))
    loading.cancel()
    newest = send(OpenScan(panel="scan", path=str(tmp_path / "nowhere.png")))
    wait(lambda: not newest.is_pending())
    assert [number for number, _ in explorer.heard] == [newest.request.number]


def test_scan_that_cannot_be_opened_is_refused_with_a_sentence(explorer, send, wait, tmp_path):
    file = tmp_path / "notes.txt"
    file.write_text("no scan")
    send(OpenScan(panel="scan", path=str(file)))
    wait(lambda: bool(explorer.heard))
    assert "notes.txt" in explorer.heard[0][1].reason
    assert explorer.engine.is_running()


@pytest.fixture
def real_images(real_data, tmp_path):
    """A folder with every 25th of the real images, in the folders that they lie in."""
    for file in sorted(real_data.glob("*/*/*.jpg"))[::25]:
        target = tmp_path / "real" / file.relative_to(real_data)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return tmp_path / "real"


def test_real_images_are_dropped_loaded_and_shown(window, wait, real_images):
    window.navigate("data", LoadSource(str(real_images)))
    session, panel = window.desk.session, window.panels["data"]
    wait(lambda: session.data.config.source == str(real_images) or bool(panel.source.notice.text()))
    assert panel.source.notice.text() == ""
    assert session.data.classes == ("glioma_tumor", "meningioma_tumor", "no_tumor", "pituitary_tumor")
    assert len(panel.scans.grid.shown()) == len(session.data.thumbnails) == len(list(real_images.rglob("*.jpg"))) > 100
    panel.scans.classes[3].click()
    panel.scans.splits[2].click()
    pituitary = list(real_images.glob("Testing/pituitary_tumor/*"))
    assert len(panel.scans.grid.shown()) == session.data.counts["pituitary_tumor"]["test"] == len(pituitary) > 0


def test_run_is_reconstructed_as_the_panel_shows_it(window, wait, finished):
    session = window.desk.session
    finished("seen")
    panel = window.show_panel("compare")
    panel.runs.choose(["seen"])
    wait(lambda: panel.board._shown is not None and len(panel.board._shown.made) == 1)
    shown = panel.board._shown
    images = data.load(config=IMAGES).test.read(list(panel.gallery.pages.indices))
    assert shown.originals == pytest.approx(images[..., 0], abs=1e-6)
    made = shown.made[0]
    assert made.mse == pytest.approx(np.mean((made.images - images[..., 0]) ** 2, axis=(1, 2)), rel=1e-4)
    assert Reconstruct not in session.explorer.pending_kinds()


def test_copied_script_of_compare_prints_the_same_numbers(window, wait, finished, run_python, tmp_path):
    finished("seen")
    panel = window.show_panel("compare")
    panel.runs.choose(["seen"])
    wait(lambda: panel.board._shown is not None and len(panel.board._shown.made) == 1)
    printed = run_python(f"import os; os.chdir({str(tmp_path)!r})\n{panel.as_python()}")
    assert "seen" in printed
    assert (tmp_path / "seen-1.png").is_file()
    psnr_db = np.array(re.search(r"\[(.*?)\]", printed, re.DOTALL)[1].split(), float)
    assert psnr_db == pytest.approx(panel.board._shown.made[0].psnr_db, rel=1e-4)


def test_slider_puts_noise_on_an_image_and_the_run_takes_it_out(window, wait, finished):
    record = finished("ae")
    panel = window.show_panel("denoise")
    wait(lambda: panel.experiment.is_current() and str(record.run.path) in panel.experiment.made)
    panel.regions.change(Region("ellipse", ((0.3, 0.3), (0.6, 0.6))), "drawing")
    for value in (0.05, 0.15, 0.2):
        panel.case.noise.sigma.set_value(value)
    wait(lambda: panel.experiment.is_current() and panel.experiment.shown[1].sigma == 0.2)
    made = panel.experiment.made[str(record.run.path)]
    noisy = panel.experiment.made["noisy"].image
    assert np.array_equal(noisy, noise.add_noise(made.original[None, ..., None], "gaussian", 0.2, 0)[0, ..., 0])
    assert panel.stage.pictures.board.view(made.key).values == pytest.approx(made.image)
    wait(lambda: not panel.experiment.pending_methods() and panel.experiment.curve is not None)
    assert panel.experiment.failures == {}
    wait(lambda: panel.results.keeping.found.keys() == panel.results.with_metrics().keys())
    assert len(panel.results.keeping.found) >= 7


def test_slider_shows_drafts_of_a_mirrored_model_and_rests_on_its_full_answer(window, wait, finished):
    record = finished("unet", "unet", mirrored=True, epochs=1)
    panel, run = window.show_panel("denoise"), str(record.run.path)
    wait(lambda: panel.experiment.is_current() and run in panel.experiment.made)
    drafts = []
    panel.experiment.drafted.connect(lambda: drafts.append(panel.experiment.made[run]))
    for value in (0.05, 0.15, 0.2):
        panel.case.noise.sigma.set_value(value)
    wait(lambda: panel.experiment.is_current() and panel.experiment.shown[1].sigma == 0.2)
    made = panel.experiment.made[run]
    assert {draft.exact for draft in drafts} == {False}
    assert np.array_equal(drafts[-1].noisy, made.noisy)
    assert not np.array_equal(drafts[-1].image, made.image)
    assert np.array_equal(panel.stage.pictures.board.view(run).values, made.image)
    assert made.exact
    assert made.ssim is not None


def test_layers_of_a_run_are_walked_through_with_keys(window, wait, finished):
    session = window.desk.session
    finished("ae")
    panel = window.show_panel("layers")
    wait(lambda: panel.presenter.seen is not None)
    first = panel.presenter.seen
    assert first.values.shape == (16, 16, 4)
    assert panel.cards.strip.words.text()
    QTest.keyClicks(panel.cards.mosaic.mosaic, ".")
    assert panel.choice.layer != first.look.layer
    wait(lambda: panel.presenter.seen.look.layer == panel.choice.layer)
    assert panel.presenter.seen.values.shape == (8, 8, 8)
    panel.more.choose(panel.more.kernels)
    wait(lambda: panel.more.kernels.mosaic.channels is not None)
    assert panel.more.kernels.mosaic.channels.values.shape == (3, 3, 4)
    panel.cards.regions.change(Region("ellipse", ((0.3, 0.3), (0.6, 0.6))), "drawing")
    panel.more.choose(panel.more.lesion)
    panel.more.lesion.go.click()
    wait(lambda: bool(panel.more.lesion.curve.stages))
    assert panel.more.lesion.words.text()
    wait(lambda: "over" in panel.cards.channel.source.text() and not panel.counting.state(panel.choice.run))
    assert session.explorer.engine.is_running()


def test_map_of_images_is_hovered_lassoed_and_drawn_from(window, wait, finished):
    finished("ae")
    panel = window.show_panel("latent")
    wait(lambda: panel.exploration.scene is not None)
    scene, plot = panel.exploration.scene, panel.map.plot
    assert len(plot.scatter.points) == len(scene.mapped.names) == 36
    image, lines = plot.preview(0)
    assert image.width() == IMAGES.size
    assert lines[0] == scene.name(scene.mapped.key_at(0))
    panel.exploration.choose(("test", 0))
    wait(lambda: panel.scan.notice.text() != "" and "made" in panel.scan.pair.shown())
    assert len(panel.scan.boards["latent"].shown()) == len(panel.scan.boards["pixel"].shown()) == 4
    plot.lassoed.emit([0, 1, 2])
    wait(lambda: "decoded mean latent code" in panel.tools.group.board.shown())
    panel.exploration.choose(("test", 1))
    for name in ("between", "walk", "samples"):
        panel.tools.show_page(name)
        wait(lambda: panel.tools.page().message() == "")
    panel.tools.show_page("spread")
    assert "Only a VAE has a posterior" in panel.tools.page().message()
