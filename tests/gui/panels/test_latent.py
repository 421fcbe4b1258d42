"""The Latent panel: what is asked and when, the map, the chosen scan, groups, ways, walks, samples, spread, exports."""

import csv

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QWidget

from engine.messages import (
    CalibrateSpread,
    DecodeMean,
    EmbeddingErrors,
    EmbedLatents,
    ExportFigure,
    FindNeighbors,
    Interpolate,
    OpenScan,
    PosteriorSpread,
    ProjectScan,
    Reconstruct,
    RequestFailed,
    RequestProgress,
    SampleLatent,
    TraverseDimension,
)
from gui.panel import DISCLAIMER, OpenFile, ShowImage, ShowRun
from gui.panels.latent import NO_RUN, LatentPanel
from gui.panels.latent.latent_map import LEAKED, to_scatter
from gui.panels.latent.map_card import HINT, LOW_PX
from gui.panels.latent.path_pages import NEEDS_TWO
from gui.panels.latent.scan_card import distance_text
from gui.session import NO_DATA
from gui.widgets.image_view import ImageView

SIDE, COUNT = 32, 24
CLASSES = ["glioma_tumor", "no_tumor"]
SPLITS = ["train"] * 16 + ["validation"] * 2 + ["test"] * 6
INDICES = [*range(16), *range(2), *range(6)]
UMAP = "umap-learn is not installed."


@pytest.fixture
def panel(qtbot, desk, session, make_run):
    make_run("ae-0001")
    make_run("vae-0001", model="vae")
    session.open(session.runs.root)
    made = LatentPanel(desk)
    qtbot.addWidget(made)
    made.resize(1360, 820)
    made.show()
    made.restore_state({"run": "vae-0001"})
    return made


@pytest.fixture
def write(tmp_path):
    count = iter(range(1000))

    def write(array):
        path = tmp_path / "scratch" / f"array-{next(count)}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, np.asarray(array, np.float32))
        return str(path)

    return write


@pytest.fixture
def content(write):
    """What the explorer answers to EmbedLatents."""

    def make(**changes):
        points = np.stack([np.arange(COUNT) % 6, np.arange(COUNT) // 6], axis=1)
        return {
            "run": "",
            "space": "latent means",
            "decodes": True,
            "variational": True,
            "points": write(points),
            "axes": ["component 1 (40.0 % of the variance)", "component 2 (12.0 % of the variance)"],
            "note": "The plane holds 52.0 % of the variance.",
            "methods": {"pca": "", "tsne": "", "umap": UMAP},
            "classes": CLASSES,
            "split": SPLITS,
            "index": INDICES,
            "name": [f"{split}/{at}.png" for at, split in enumerate(SPLITS)],
            "label": [CLASSES[at % 2] for at in range(COUNT)],
            "mse": [0.001 * (at + 1) for at in range(COUNT)],
            "leaked": [at in (18, 22) for at in range(COUNT)],
            "dimensions": {
                "measure": "KL, nats",
                "order": [3, 0, 1, 2],
                "value": [4.0, 2.0, 0.5, 0.0],
                "active": [True, True, True, False],
                "mean": [0.0] * 4,
                "spread": [1.0] * 4,
                "low": [-2.0] * 4,
                "high": [2.0] * 4,
            },
            "collapse": {"active": 3, "dimensions": 4, "half": 1, "sentence": "The posterior has collapsed in 1 of 4."},
        } | changes

    return make


@pytest.fixture
def mapped(panel, loaded, asked, answer, content):
    """A panel with its first map."""
    request = asked(EmbedLatents)
    answer("latent-map", content(run=request.run))
    return panel


def near(memorised=False):
    nearest = [{"index": at, "name": f"train/{at}.png", "distance": 0.01 * (at + 1)} for at in range(4)]
    usual = {"typical": 0.05, "share": 0.0, "scans": 2, "split": "validation"}
    facts = {"nearest": nearest, "unit": "root mean squared difference", "ratio": 0.2, "limit": 0.3, "typical": 0.05}
    return {**facts, "usual": usual, "memorised": memorised}


@pytest.fixture
def neighbours(asked, answer):
    def reply(memorised=False, after=0):
        request = asked(FindNeighbors, after)
        sentence = "a is a near copy of the training scan b." if memorised else "a is no copy of a training scan."
        found = {"pixel": near(memorised), "latent": near(), "reconstruction": near()}
        found |= {"memorised": memorised, "sentence": sentence}
        answer("latent-near", {"run": request.run, "name": "a", "space": "latent means", **found})
        return request

    return reply


def choose_color(panel, color):
    box = panel.choice.color
    box.setCurrentIndex(box.findData(color))
    box.activated.emit(box.currentIndex())


def center_and_scale(canvas):
    """Return what stays when a text above the map changes its height: the center, and the pixels per unit."""
    ranges = np.array(canvas.box.viewRange())
    room = canvas.room()
    return np.concatenate([ranges.mean(axis=1), (room.width(), room.height()) / np.ptp(ranges, axis=1)])


def subtitle(panel):
    return panel.map._subtitle.text()


def group_of(panel):
    return panel.exploration.scene.group


class TestMap:
    def test_requests_all_images_by_principal_components(self, panel, loaded, asked, session):
        request = asked(EmbedLatents)
        assert request.run == str(session.record("vae-0001").run.path)
        assert (request.splits, request.method) == (("train", "validation", "test"), "pca")

    def test_says_what_is_missing(self, qtbot, desk, panel, session):
        assert panel.tools.page().message() == NO_DATA
        session.runs.records.clear()
        session.data = object()
        panel.refresh()
        assert panel.tools.page().message() == NO_RUN
        session.data = None

    def test_shows_points_axes_legend_and_collapse(self, mapped):
        plot = mapped.map.plot
        assert len(plot.scatter.points) == COUNT
        assert "40.0 %" in plot.scatter.axes[0]
        assert mapped.map.legend.chip(0).text() == "✓ glioma tumor 12"
        assert mapped.choice.notice.text() == "The posterior has collapsed in 1 of 4."
        assert len({mark.shape for mark in plot.scatter.marks}) == 2

    def test_umap_that_is_missing_is_gray_and_says_why(self, mapped):
        box = mapped.choice.method
        item = box.model().item(box.findData("umap"))
        assert not item.isEnabled()
        assert item.toolTip() == UMAP

    def test_another_map_is_requested_and_keeps_the_chosen_image(self, mapped, asked, answer, content):
        mapped.exploration.choose(("test", 2))
        first = asked(EmbedLatents).number
        mapped.choice.splits["train"].click()
        request = asked(EmbedLatents, first)
        assert request.splits == ("validation", "test")
        answer("latent-map", content(run=request.run))
        assert mapped.exploration.scene.chosen == ("test", 2)

    def test_colors_by_class_split_error_and_leak(self, mapped):
        scene = mapped.exploration.scene
        by = {color: to_scatter(scene.mapped, color) for color in ("class", "split", "error", "leak")}
        assert [mark.title for mark in by["split"].marks] == ["training", "validation", "test"]
        assert by["error"].values is not None
        assert by["class"].values is by["split"].values is None
        assert np.bincount(by["leak"].groups).tolist() == [18, 4, 2]
        assert by["leak"].marks[2].title == LEAKED

    def test_errors_are_requested_once_they_are_the_color(self, panel, loaded, asked, answer, content, session):
        answer("latent-map", content(run=asked(EmbedLatents).run, mse=None))
        assert not [sent for sent in session.explorer.engine.sent if isinstance(sent, EmbeddingErrors)]
        assert panel.map.plot.preview(18)[1] == ["test / 18", "glioma tumor · test · leaked"]
        panel.map.plot.canvas.pan(40, 0)
        view = center_and_scale(panel.map.plot.canvas)
        choose_color(panel, "error")
        request = asked(EmbeddingErrors)
        assert request.splits == ("train", "validation", "test")
        assert panel.map.plot.scatter.values is None
        session.explorer.engine.say(RequestProgress(number=request.number, panel="latent-errors", done=6, total=24))
        assert "25%" in subtitle(panel)
        answer("latent-errors", {"run": request.run, "mse": [0.001 * (at + 1) for at in range(COUNT)]})
        assert panel.map.plot.scatter.values[18] == pytest.approx(0.019)
        assert center_and_scale(panel.map.plot.canvas) == pytest.approx(view)
        assert subtitle(panel) == HINT
        assert panel.map.plot.preview(18)[1][2] == "MSE 0.019"

    def test_errors_that_fail_leave_the_map_with_a_notice(self, panel, loaded, asked, answer, content, session):
        answer("latent-map", content(run=asked(EmbedLatents).run, mse=None))
        choose_color(panel, "error")
        request = asked(EmbeddingErrors)
        assert subtitle(panel).startswith("Computing reconstruction errors")
        failure = RequestFailed(reason="No memory.", advice="Retry.", number=request.number, panel="latent-errors")
        session.explorer.engine.say(failure)
        assert panel.choice.notice.text() == "No memory. Retry."
        assert subtitle(panel) == HINT
        assert len(panel.map.plot.scatter.points) == COUNT

    def test_errors_of_another_map_are_not_taken(self, panel, loaded, asked, answer, content):
        first = asked(EmbedLatents)
        answer("latent-map", content(run=first.run, mse=None))
        choose_color(panel, "error")
        asked(EmbeddingErrors)
        choose_color(panel, "class")
        panel.choice.splits["train"].click()
        answer("latent-map", content(run=asked(EmbedLatents, first.number).run, mse=None))
        answer("latent-errors", {"run": first.run, "mse": [1.0] * COUNT})
        assert panel.exploration.scene.mapped.errors is None

    def test_points_are_written_before_their_errors_are_known(self, panel, loaded, asked, answer, content, tmp_path):
        answer("latent-map", content(run=asked(EmbedLatents).run, mse=None))
        panel.ask_path = lambda *_: (str(tmp_path / "points.csv"), "")
        panel.write_points()
        rows = list(csv.DictReader((tmp_path / "points.csv").read_text(encoding="utf-8").splitlines()[2:]))
        assert {row["mse"] for row in rows} == {""}

    def test_long_layout_is_reported(self, mapped, asked, session):
        first = asked(EmbedLatents).number
        mapped.choice.method.setCurrentIndex(mapped.choice.method.findData("tsne"))
        mapped.choice.method.activated.emit(1)
        request = asked(EmbedLatents, first)
        session.explorer.engine.say(RequestProgress(number=request.number, panel="latent-map", done=24, total=24))
        assert subtitle(mapped).startswith("Computing the t-SNE embedding")

    def test_legend_entry_is_remembered(self, mapped, qtbot):
        with qtbot.waitSignal(mapped.state_changed):
            mapped.map.legend.chip(1).click()
        assert mapped.map.plot.hidden == {1}
        assert mapped.save_state()["hidden"] == {"class": ["no tumor"]}
        mapped.exploration._recolor()
        assert mapped.map.plot.hidden == {1}

    def test_progress_is_reported(self, panel, loaded, asked, session):
        request = asked(EmbedLatents)
        session.explorer.engine.say(RequestProgress(number=request.number, panel="latent-map", done=6, total=24))
        assert "25%" in panel.tools.page().message() or "25%" in panel.map.plot._empty

    def test_refusal_is_said(self, panel, loaded, asked, session):
        request = asked(EmbedLatents)
        session.explorer.engine.say(
            RequestFailed(reason="No memory.", advice="Map fewer splits.", number=request.number, panel="latent-map")
        )
        assert panel.tools.page().message() == "No memory. Map fewer splits."

    def test_refused_map_is_requested_again_only_when_it_is_wanted_anew(self, panel, loaded, asked, session):
        refused = asked(EmbedLatents)
        session.explorer.engine.say(
            RequestFailed(reason="No memory.", advice="Map fewer splits.", number=refused.number, panel="latent-map")
        )
        panel.refresh()  # as an event of any run does
        assert asked(EmbedLatents).number == refused.number
        panel.hide()
        panel.show()
        again = asked(EmbedLatents, after=refused.number)
        session.explorer.engine.say(RequestFailed(reason="No memory.", number=again.number, panel="latent-map"))
        panel.choice.set_values({"method": "tsne"})
        panel.refresh()
        assert asked(EmbedLatents, after=again.number).method == "tsne"

    def test_hover_says_and_shows_the_image(self, mapped, qtbot):
        with qtbot.waitSignal(mapped.status_changed) as told:
            mapped.map.plot.pointed.emit(18)
        assert told.args == ["test / 18 · glioma tumor · test · leaked · MSE 0.019"]
        image, lines = mapped.map.plot.preview(18)
        assert image.width() == SIDE
        assert lines[0] == "test / 18"


class TestScan:
    def test_click_requests_reconstruction_and_neighbors(self, mapped, asked):
        mapped.map.plot.chosen.emit(19)
        for kind in (FindNeighbors, Reconstruct):
            request = asked(kind)
            assert (request.split, request.indices) == ("test", (1,))
        assert mapped.scan.pair.shown() == ["original"]
        assert 19 in mapped.map.plot._rings

    def test_neighbors_and_the_flag_in_words(self, mapped, neighbours):
        mapped.exploration.choose(("test", 1))
        neighbours(memorised=True)
        assert mapped.scan.boards["latent"].shown() == [f"latent-{at}" for at in range(4)]
        assert "typical distance 0.05" in mapped.scan.titles["pixel"].text()
        assert mapped.scan.notice.text() == "This image is a near copy of the training scan b."

    def test_reconstruction_stands_beside_the_original(self, mapped, asked, answer, write):
        mapped.exploration.choose(("test", 1))
        request = asked(Reconstruct)
        files = {"originals": write(np.zeros((1, SIDE, SIDE))), "images": write(np.ones((1, SIDE, SIDE)))}
        run = files | {"mse": [1.0], "psnr_db": [0.0], "ssim": [0.0]}
        originals = write(np.zeros((1, SIDE, SIDE)))
        answer("latent-scan", {"names": ["a"], "originals": originals, "runs": {request.runs[0]: run}})
        assert mapped.scan.pair.shown() == ["original", "made"]
        assert mapped.scan.pair.view("made").values.mean() == 1

    def test_neighbor_can_be_chosen(self, mapped, neighbours):
        mapped.exploration.choose(("test", 1))
        neighbours()
        mapped.scan.boards["pixel"].maximized.emit("pixel-3")
        assert mapped.exploration.scene.chosen == ("train", 3)

    def test_opens_elsewhere(self, mapped, qtbot):
        mapped.exploration.choose(("test", 1))
        for key, button in mapped.scan.buttons.items():
            with qtbot.waitSignal(mapped.navigation_requested) as told:
                button.click()
            assert told.args == [key, ShowImage("test", 1)]

    def test_run_that_another_panel_names_takes_the_place_of_the_one_shown(self, panel, session):
        panel.navigate(ShowRun("ae-0001"))
        panel.refresh()
        assert panel.choice.run_name == session.selection.run == "ae-0001"

    def test_wish_before_the_map_is_there_is_kept(self, panel, loaded, asked, answer, content):
        panel.navigate(ShowImage("test", 4))
        answer("latent-map", content(run=asked(EmbedLatents).run))
        assert panel.exploration.scene.chosen == ("test", 4)


class TestFile:
    """A scan that is dropped on the panel."""

    @pytest.fixture
    def drop(self, mapped, asked, answer):
        def drop(slices=1):
            mapped.navigate(OpenFile("/scans/head.nii"))
            assert asked(OpenScan).path == "/scans/head.nii"
            known = {"kind": "nifti", "orientation": None, "notes": ["Windowed."]}
            answer("image", {"name": "head.nii", "slices": slices, **known})

        return drop

    def test_it_is_placed_and_its_neighbors_are_requested(self, mapped, drop, asked, answer, neighbours):
        drop()
        for kind in (ProjectScan, FindNeighbors, Reconstruct):
            request = asked(kind)
            assert (request.scan, request.slice) == ("/scans/head.nii", 0)
        assert asked(ProjectScan).splits == ("train", "validation", "test")
        answer("latent-place", {"run": "", "name": "head.nii", "point": [3.0, 2.0], "nearest": [0, 1]})
        plot = mapped.map.plot
        assert (plot.scatter.extra_point, plot.scatter.guest_title) == ((3.0, 2.0), "head.nii")
        assert "head.nii is projected onto the same principal components" in mapped.map.note.text()
        neighbours(memorised=True)
        assert mapped.scan.notice.text() == "This image is a near copy of the training scan b."
        assert "Windowed." in mapped.scan.facts.text()

    def test_place_that_is_out_of_sight_is_brought_into_it(self, mapped, drop, answer):
        drop()
        answer("latent-place", {"run": "", "name": "head.nii", "point": [60.0, -50.0], "nearest": [0, 1]})
        plot = mapped.map.plot
        x, y = plot.canvas.to_widget(np.array([plot.scatter.extra_point]))[0]
        assert 0 < x < plot.width()
        assert 0 < y < plot.height()

    def test_map_without_a_place_for_it_marks_its_nearest_images(self, mapped, drop, answer):
        drop()
        answer("latent-place", {"run": "", "name": "head.nii", "point": None, "nearest": [5, 2]})
        assert mapped.map.plot.scatter.extra_point is None
        assert mapped.map.plot._rings == {5: "1", 2: "2"}
        assert "cannot place a new image" in mapped.map.note.text()

    def test_slices_are_gone_through(self, mapped, drop, asked):
        drop(slices=9)
        first = asked(ProjectScan)
        assert first.slice == 4
        mapped.scan.slices.slider.setValue(6)
        assert asked(ProjectScan, first.number).slice == 6
        assert mapped.scan.slices.isVisible()

    def test_walk_and_other_panels_take_it_too(self, mapped, drop, asked, qtbot):
        mapped.tools.show_page("walk")
        drop()
        assert asked(TraverseDimension).scan == "/scans/head.nii"
        with qtbot.waitSignal(mapped.navigation_requested) as told:
            mapped.scan.buttons["denoise"].click()
        assert told.args == ["denoise", OpenFile("/scans/head.nii")]
        text = mapped.as_python()
        compile(text, "script", "exec")
        assert "open_scan('/scans/head.nii')" in text

    def test_image_of_the_data_takes_its_place(self, mapped, drop, answer):
        drop()
        answer("latent-place", {"run": "", "name": "head.nii", "point": [3.0, 2.0], "nearest": [0, 1]})
        mapped.map.plot.chosen.emit(19)
        assert mapped.exploration.scene.opened is None
        assert mapped.map.plot.scatter.extra_point is None
        assert mapped.map.note.text() == "The plane holds 52.0 % of the variance."
        assert not mapped.scan.facts.isVisible()

    def test_another_map_places_it_again(self, mapped, drop, asked, answer, content):
        drop()
        first = asked(ProjectScan).number
        mapped.choice.splits["train"].click()
        answer("latent-map", content(run=asked(EmbedLatents).run))
        assert asked(ProjectScan, first).number > first
        assert mapped.exploration.scene.opened.name == "head.nii"


class TestGroup:
    def test_lasso_shows_members_counts_and_both_means(self, mapped, asked, answer, write):
        mapped.tools.show_page("walk")
        mapped.map.plot.lassoed.emit([0, 1, 18])
        page = mapped.tools.group
        assert mapped.tools.page() is page
        assert page.counts.text() == "3 images: glioma tumor 2 · no tumor 1"
        assert page.members.shown() == [0, 1, 18]
        assert page.board.shown() == ["pixel-wise mean"]
        request = asked(DecodeMean)
        assert request.places == (("train", 0), ("train", 1), ("test", 0))
        pictures = {"average": write(np.zeros((1, SIDE, SIDE))), "pixel_mean": write(np.ones((1, SIDE, SIDE)))}
        answer("latent-group", {"run": request.run, "count": 3, **pictures})
        assert page.board.shown() == ["decoded mean latent code", "pixel-wise mean"]
        assert mapped.map.plot.selected.sum() == 3

    def test_class_is_taken_and_cleared(self, mapped):
        page = mapped.tools.group
        page.classes.setCurrentIndex(2)
        page.classes.activated.emit(2)
        assert len(group_of(mapped)) == 12
        page.clear.click()
        assert group_of(mapped) == ()
        assert mapped.map.plot.selected is None

    def test_member_can_be_chosen(self, mapped):
        mapped.map.plot.lassoed.emit([0, 18])
        mapped.tools.group.members.opened.emit(18)
        assert mapped.exploration.scene.chosen == ("test", 0)


class TestPages:
    def test_way_between_the_first_two_chosen(self, mapped, asked, answer, write):
        mapped.tools.show_page("between")
        page = mapped.tools.between
        assert page.message() == NEEDS_TWO
        mapped.exploration.choose(("test", 1))
        mapped.exploration.choose(("test", 2))
        request = asked(Interpolate)
        assert (request.first, request.second, request.path) == (("test", 1), ("test", 2), "linear")
        facts = {"run": request.run, "path": "linear", "shares": np.linspace(0, 1, 9).tolist(), "lengths": [1.0] * 9}
        files = {key: write(np.zeros((9, SIDE, SIDE))) for key in ("images", "faded")}
        answer("latent-between", {**facts, **files})
        assert len(page.board.shown()) == 18
        assert mapped.map.plot._rings == {19: "A", 20: "B"}
        page.path.setCurrentIndex(1)
        page.path.activated.emit(1)
        assert asked(Interpolate, request.number).path == "spherical"
        page.swap.click()
        assert asked(Interpolate, request.number + 1).first == ("test", 2)

    def test_walk_slides_without_asking(self, mapped, asked, answer, write, session):
        mapped.tools.show_page("walk")
        page = mapped.tools.pages["walk"]
        first = asked(TraverseDimension)
        assert (first.split, first.indices) == ("test", (0,))  # the first test image, as long as none was chosen
        mapped.exploration.choose(("test", 1))
        request = asked(TraverseDimension, first.number)
        assert (request.dimension, request.indices) == (3, (1,))
        images = np.linspace(0, 1, 21)[:, None, None] * np.ones((21, SIDE, SIDE))
        files = {"images": write(images), "reconstruction": write(images[10:11])}
        answer(
            "latent-walk",
            {
                **{"run": request.run, "name": "a", "dimension": 3, "own": 0.0, "change": [0.0] * 21},
                **{"values": np.linspace(-2, 2, 21).tolist(), **files},
            },
        )
        assert page.slider.value() == 10
        sent = len(session.explorer.engine.sent)
        page.slider.setValue(20)
        assert page.board.view("walked").values.mean() == pytest.approx(1)
        assert page.board.view("change").values.mean() == pytest.approx(0.5)
        assert len(session.explorer.engine.sent) == sent
        page.table.select(["1"])
        assert asked(TraverseDimension, request.number).dimension == 1

    def test_samples_are_flagged_and_drawn_again(self, mapped, asked, answer, write):
        mapped.tools.show_page("samples")
        page = mapped.tools.pages["samples"]
        request = asked(SampleLatent)
        assert (request.source, request.seed) == ("prior", 0)
        samples = [
            {"index": at, "name": f"train/{at}.png", "distance": 0.02, "ratio": 0.1 + at, "memorised": at == 0}
            for at in range(3)
        ]
        answer(
            "latent-samples",
            {
                **{"run": request.run, "source": "prior", "seed": 0, "images": write(np.zeros((3, SIDE, SIDE)))},
                **{"samples": samples, "limit": 0.3, "typical": 0.05, "memorised": 1, "mixture": None},
            },
        )
        assert page.grid._model.captions == ["▲ 0.10", "1.10", "2.10"]
        assert "1 of 3 are near copies" in page.note.text()
        assert page.board.shown() == ["sample", "near"]
        page.another.click()
        assert asked(SampleLatent, request.number).seed == 1
        page.source.setCurrentIndex(page.source.findData("mixture"))
        page.source.activated.emit(1)
        assert asked(SampleLatent, request.number + 1).source == "mixture"

    def test_spread_and_its_calibration(self, mapped, asked, answer, write):
        mapped.tools.show_page("spread")
        page = mapped.tools.pages["spread"]
        mapped.exploration.choose(("test", 1))
        run = asked(PosteriorSpread).run
        found = {"levels": [0.1, 0.5, 0.9], "coverage": [0.0, 0.1, 0.2], "sentence": "The spread is far too narrow."}
        found |= {"calibration_error": 0.4, "spread": 0.01, "rms_error": 0.1, "pixels": SIDE**2}
        files = {key: write(np.full((SIDE, SIDE), 0.1)) for key in ("original", "mean", "spread")}
        answer("latent-spread", {"run": run, "name": "a", **files, "calibration": found})
        assert page.note.text() == "The spread is far too narrow."
        views = [view for view in page.findChildren(ImageView) if view.isVisible()]
        assert len(views) == 3
        assert len({view.size().toTuple() for view in views}) == 1
        page.button.click()
        asked(CalibrateSpread)
        facts = {"run": run, "split": "validation", "scans": 64, "samples": 32}
        calibrated = found | {"sentence": "Calibrated."}
        answer("latent-calibrate", {**facts, **found, "sentence": "Of many.", "calibrated": calibrated})
        assert page.note.text() == "Of many. Calibrated."
        assert set(page.plot.items) == {"ideal", "this image", "validation images", "calibrated, other patients"}
        asked(PosteriorSpread)
        files = {key: write(np.full((SIDE, SIDE), 0.1)) for key in ("original", "mean", "spread", "half_width")}
        answer("latent-spread", {"run": run, "name": "a", **files, "calibration": found})
        assert page.pictures.shown() == ["original", "mean", "spread", "interval"]

    def test_model_that_cannot_decode_says_why(self, panel, loaded, asked, answer, content, session):
        request = asked(EmbedLatents)
        answer("latent-map", content(run=request.run, decodes=False, variational=False))
        panel.exploration.choose(("test", 1))
        for name in ("between", "walk", "samples"):
            panel.tools.show_page(name)
            assert "skip connections" in panel.tools.page().message()
        panel.tools.show_page("spread")
        assert "Only a VAE has a posterior distribution" in panel.tools.page().message()
        panel.map.plot.lassoed.emit([0, 1])
        assert panel.tools.group.board.shown() == ["pixel-wise mean"]
        assert "cannot decode a mean" in panel.tools.group.note.text()
        kinds = (DecodeMean, Interpolate, TraverseDimension, SampleLatent, PosteriorSpread)
        assert not [sent for sent in session.explorer.engine.sent if isinstance(sent, kinds)]

    def test_autoencoder_offers_no_prior(self, panel, loaded, asked, answer, content):
        answer("latent-map", content(run=asked(EmbedLatents).run, variational=False))
        panel.tools.show_page("samples")
        page = panel.tools.pages["samples"]
        assert page.source.findData("prior") == -1
        assert "no prior" in page.source.toolTip()


class TestKeeping:
    def test_remembers_and_recalls(self, mapped, desk, qtbot):
        mapped.choice.set_values({"method": "tsne", "colour": "error", "splits": ["test"]})
        mapped.tools.show_page("walk")
        kept = mapped.save_state()
        again = LatentPanel(desk)
        qtbot.addWidget(again)
        again.show()
        again.restore_state(kept)
        again.refresh()
        assert again.save_state() == kept

    def test_choosing_another_color_leaves_the_run(self, mapped):
        mapped.choice.set_values({"colour": "error"})
        assert mapped.choice.run.text() == "vae-0001"
        mapped.choice.run.chosen.emit("ae-0001")
        mapped.choice.list_runs(["vae-0001", "ae-0001"])
        assert mapped.choice.run.text() == "ae-0001"

    def test_recalls_nonsense_unharmed(self, panel):
        before = panel.save_state()
        panel.restore_state({"run": 3, "method": [], "splits": "x", "hidden": 1, "page": {}})
        panel.refresh()
        assert panel.save_state() == before

    def test_figure_and_points_are_written(self, mapped, tmp_path, asked):
        mapped.map.plot.lassoed.emit([0, 18])
        mapped.ask_path = lambda *_: (str(tmp_path / "map.svg"), "")
        mapped.export()
        shown = asked(ExportFigure).map
        assert np.load(shown.points).shape == (COUNT, 3)
        assert [group.title for group in shown.groups] == [mark.title for mark in mapped.map.plot.scatter.marks]
        mapped.ask_path = lambda *_: (str(tmp_path / "points.csv"), "")
        mapped.write_points()
        lines = (tmp_path / "points.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == f"# {DISCLAIMER}"
        rows = list(csv.DictReader(lines[2:]))
        assert len(rows) == COUNT
        assert [row["index"] for row in rows if row["selected"] == "1"] == ["0", "0"]
        assert rows[18]["leaked"] == "1"

    def test_file_that_cannot_be_written_is_said(self, mapped, tmp_path):
        mapped.ask_path = lambda *_: (str(tmp_path / "no" / "points.csv"), "")
        mapped.write_points()
        assert "Could not write" in mapped.choice.notice.text()

    def test_script_is_python(self, mapped):
        mapped.exploration.choose(("test", 1))
        mapped.exploration.set_group((("train", 0), ("train", 1)))
        text = mapped.as_python()
        compile(text, "script", "exec")
        assert "vae-0001" in text
        assert "'pca'" in text

    def test_everything_that_takes_the_keys_has_a_name(self, mapped):
        nameless = [
            widget
            for widget in mapped.findChildren(QWidget)
            if isinstance(widget, (QComboBox, QAbstractButton))
            and widget.isVisible()
            and not (widget.accessibleName() or getattr(widget, "text", lambda: "")())
            and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
            and widget.parent().metaObject().className() not in ("QTabBar",)
        ]
        assert not nameless


def test_distances_keep_the_zeros_that_were_measured():
    assert [distance_text(each) for each in (1e-9, 0.05, 0.97, 1.0, 12.3)] == ["0", "0.050", "0.97", "1.00", "12.30"]


def test_notes_of_a_low_map_are_shortened_and_stay_whole_in_the_tip_and_the_figure(mapped, qtbot):
    card = mapped.map
    whole = "The plane holds 52.0 % of the variance; near points may be far apart. Patients are unknown."
    card.notes = whole
    for height, shown in ((LOW_PX - 20, "The plane holds 52.0 % of the variance. …"), (LOW_PX + 20, whole)):
        card.resize(600, height)
        card._show_notes()
        assert card.note.text() == shown
        assert card.note.toolTip() == (whole if shown != whole else "")
        assert card.notes == whole


def test_tab_goes_from_the_header_of_the_map_to_its_legend_and_then_to_the_map(mapped):
    order, widget = [], mapped.map.legend.tab_after
    for _ in range(40):
        widget = widget.nextInFocusChain()
        order.append(widget)
        if widget is mapped.map.plot:
            break
    chips = [mapped.map.legend.chip(place) for place in range(2)]
    assert [each for each in order if each in chips or each is mapped.map.plot] == [*chips, mapped.map.plot]
