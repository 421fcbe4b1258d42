"""The Layers panel: what is asked and when, the strip, channels, scans, what a unit sees, keys, exports, memory."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from engine.formatting import format_number
from engine.messages import (
    ComputeActivations,
    ComputeChannelStatistics,
    ComputeSaliency,
    ExportFigure,
    ListLayers,
    ListLayersReply,
    MatchChannels,
    MaximizeActivation,
    OpenScan,
    ReadKernels,
    RequestFailed,
    RequestProgress,
    TopActivations,
    TraceLesion,
)
from gui.panel import DISCLAIMER, OpenFile
from gui.panels.layers import LayersPanel
from gui.panels.layers.channel_cards import MosaicCard, texts
from gui.panels.layers.compare_page import ANOTHER_RUN, NO_MODEL
from gui.panels.layers.network import INPUT, to_network
from gui.panels.layers.page import CACHE_SIZE
from gui.panels.layers.state import ColorScale, sort_channels, value_limits
from gui.pixmaps import Colormap
from gui.widgets.channel_mosaic import MosaicData
from gui.widgets.region.region import Region

SIDE, CHANNELS = 32, 6


def layer(name, kind, shape, receives, **more):
    """A layer as the explorer tells of it; its units see boxes of 8 px."""
    side = shape[0] if len(shape) == 3 else 1
    spans = [[4 * at - 2, 4 * at + 5] for at in range(side)]
    plain = {"part": "encoder", "parameters": 0, "kernel": [], "stride": [], "known": True}
    around = {"before": None, "after": None, "words": [f"What {name} does."]}
    seen = {"rows": spans, "columns": spans}
    return {"name": name, "kind": kind, "shape": shape, "receives": receives, **plain, **around, **seen, **more}


LAYERS = [
    layer("conv1", "Conv2D", [16, 16, CHANNELS], ["images"], parameters=60, kernel=[3, 3], stride=[2, 2], after="act1",
          before="norm1"),
    layer("norm1", "BatchNormalization", [16, 16, CHANNELS], ["conv1"], before="norm1", after="act1"),
    layer("act1", "LeakyReLU", [16, 16, CHANNELS], ["norm1"], before="norm1", after="act1"),
    layer("conv2", "Conv2D", [8, 8, CHANNELS], ["act1"]),
    layer("latent", "Dense", [5], ["conv2"]),
    layer("up", "Conv2DTranspose", [16, 16, CHANNELS], ["latent"]),
    layer("skip", "Concatenate", [16, 16, 2 * CHANNELS], ["up", "act1"]),
]  # fmt: skip
SHAPES = {each["name"]: each["shape"] for each in LAYERS}


@pytest.fixture
def panel(qtbot, desk, session, make_run):
    for name in ("ae-0001", "vae-0001"):
        make_run(name, model=name.split("-")[0])
    session.open(session.runs.root)
    for name in ("ae-0001", "vae-0001"):
        session.runs.read_new_events(name)
    made = LayersPanel(desk)
    qtbot.addWidget(made)
    made.resize(1340, 820)
    made.show()
    made.restore_state({"run": "ae-0001", "channel": 0})
    return made


@pytest.fixture
def write(tmp_path):
    count = iter(range(1000))

    def write(array):
        path = tmp_path / "scratch" / f"array-{next(count)}.npy"
        path.parent.mkdir(exist_ok=True)
        np.save(path, array.astype(np.float32))
        return str(path)

    return write


def listed(request, model="ae"):
    return {"run": request.run, "model": model, "size": SIDE, "layers": LAYERS}


@pytest.fixture
def reply(asked, answer, write):
    """Answer the newest question: `reply(ListLayers)`, `reply(Activate)`."""

    def say(kind, panel="layers"):
        request = asked(kind)
        if kind is ListLayers:
            return answer("layers-network", listed(request))
        rng = np.random.default_rng(len(request.layer) + sum(request.indices))
        shape = SHAPES[request.layer]
        values = rng.normal(size=(1, *shape)) * np.arange(1, shape[-1] + 1)
        files = {"originals": write(rng.random((1, SIDE, SIDE))), "activations": write(values)}
        return answer(panel, {"run": request.run, "layer": request.layer, "names": ["a"], **files})

    return say


@pytest.fixture
def seen(panel, loaded, reply, asked):
    """A panel with its first channels."""
    reply(ListLayers)
    reply(ComputeActivations)
    return panel


def turn_to(panel, reply, name):
    panel.cards.strip.strip.chosen.emit(name)
    reply(ComputeActivations)
    return panel.presenter.seen.values


@pytest.fixture
def rested(seen, reply, asked, qtbot):
    """A panel that has asked for all that may be wanted next, and now counts."""
    for _ in range(20):
        qtbot.waitUntil(
            lambda: not {ComputeActivations, ComputeChannelStatistics}.isdisjoint(seen.session.explorer.pending_kinds())
        )
        if counting(seen):
            break
        reply(ComputeActivations, "layers-ahead")
    return seen


def counting(panel):
    return ComputeChannelStatistics in panel.session.explorer.pending_kinds()


def counted(dead=()):
    names = ("mean", "spread", "energy", "zeros", "lowest", "highest")
    numbers = {name: [float(at) for at in range(CHANNELS)] for name in names}
    dead = [at in dead for at in range(CHANNELS)]
    return {"run": "ae-0001", "split": "validation", "images": 40, "layers": {"conv1": numbers | {"dead": dead}}}


class TestNetwork:
    def test_run_is_listed_and_its_first_layer_requested_through_the_first_image(self, panel, loaded, reply, asked):
        request = reply(ListLayers)
        assert request.run.endswith("ae-0001")
        wanted = asked(ComputeActivations)
        assert (wanted.layer, wanted.split, wanted.indices) == ("conv1", "test", (0,))

    def test_calm_layers_stand_in_the_box_before_them_and_far_ones_are_joined_by_a_line(self):
        network = to_network(ListLayersReply(run="a", model="ae", size=SIDE, layers=LAYERS))
        boxes = network.boxes()
        assert [box.key for box in boxes] == [INPUT, "conv1", "conv2", "latent", "up", "skip"]
        assert [key for key, _ in boxes[1].pieces] == ["conv1", "norm1", "act1"]
        assert [box.skips for box in boxes] == [(), (), (), (), (), (1,)]
        assert [box.caption for box in boxes[:2]] == ["32×32×1", "16×16×6"]
        assert boxes[0].height > boxes[1].height > boxes[2].height > boxes[3].height

    def test_chosen_layer_is_reported_in_plain_words(self, seen, reply):
        assert seen.cards.strip.words.text() == "What conv1 does."
        turn_to(seen, reply, "conv2")
        assert seen.cards.strip.words.text() == "What conv2 does."
        assert "conv2" in seen.cards.strip.strip.accessibleName()

    def test_click_on_a_piece_of_a_box_turns_to_that_layer(self, seen, asked):
        strip = seen.cards.strip.strip
        rect = strip.box_rect(1)
        place = rect.topRight().toPoint()
        place.setX(place.x() - 3)
        place.setY(place.y() + 5)
        QTest.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert seen.choice.layer == "act1"
        assert asked(ComputeActivations).layer == "act1"

    def test_input_is_the_image_itself(self, seen, reply):
        values = turn_to(seen, reply, INPUT)
        assert values.shape == (SIDE, SIDE, 1)
        assert np.array_equal(values[..., 0], seen.presenter.seen.original)

    def test_refused_network_is_reported(self, panel, loaded, session, asked):
        request = asked(ListLayers)
        said = RequestFailed(
            reason="It has no model.", advice="Train it.", number=request.number, panel="layers-network"
        )
        session.explorer.engine.say(said)
        assert "It has no model. Train it." in panel.cards.mosaic.mosaic._text


class TestKeys:
    def test_comma_and_point_go_from_box_to_box_and_their_shifts_from_layer_to_layer(self, seen, reply):
        def layers(keys):
            found = []
            for key in keys:
                QTest.keyClicks(seen.cards.mosaic.mosaic, key)
                found.append(seen.choice.layer)
            return found

        assert layers("..,") == ["conv2", "latent", "conv2"]
        assert layers("<<>") == ["act1", "norm1", "act1"]

    def test_b_goes_from_before_the_non_linearity_to_after_it(self, seen, reply):
        for expected in ("act1", "norm1", "act1"):
            QTest.keyClicks(seen.cards.mosaic.mosaic, "b")
            assert seen.choice.layer == expected

    def test_arrows_turn_channels_without_asking(self, seen, session):
        sent = len(session.explorer.engine.sent)
        order = list(seen.cards.mosaic.mosaic.channels.order)
        seen.controller.choose_channel(order[0])
        QTest.keyClick(seen.cards.mosaic.mosaic, Qt.Key.Key_Right)
        assert seen.choice.channel == order[1]
        shown = seen.cards.channel.view.values
        assert np.array_equal(shown, seen.presenter.seen.values[..., order[1]])
        assert len(session.explorer.engine.sent) == sent

    def test_p_pins_a_channel_first_and_again_lets_it_go(self, seen):
        seen.controller.choose_channel(3)
        QTest.keyClicks(seen.cards.mosaic.mosaic, "p")
        channels = seen.cards.mosaic.mosaic.channels
        assert (channels.order[0], channels.marks) == (3, {3: "pinned"})
        QTest.keyClicks(seen.cards.mosaic.mosaic, "p")
        assert seen.cards.mosaic.mosaic.channels.marks == {}

    def test_enter_enlarges_beside_the_image_and_goes_back(self, seen, reply):
        QTest.keyClick(seen.cards.mosaic.mosaic, Qt.Key.Key_Return)
        assert seen.cards.mosaic.is_large()
        assert seen.cards.mosaic.large.cells[0].title.text() == "image"
        QTest.keyClick(seen.cards.mosaic.large, Qt.Key.Key_Escape)
        assert not seen.cards.mosaic.is_large()

    def test_only_values_right_before_and_after_the_non_linearity_have_one_scale(self, seen, reply):
        board = seen.cards.mosaic.large
        for layer in ("act1", "norm1", "conv1"):
            turn_to(seen, reply, layer) if layer != "conv1" else seen.controller.choose_layer(layer)
        found = {
            name: seen.loader.seen(seen.choice.activation_key(layer=name)).values for name in ("conv1", "norm1", "act1")
        }
        ends = {name: (float(values.min()), float(values.max())) for name, values in found.items()}
        QTest.keyClick(seen.cards.mosaic.mosaic, Qt.Key.Key_Return)
        assert [cell.title.text().split(" ")[0] for cell in board.cells[1:3]] == ["conv1", "act1"]
        assert [cell.bar.ends for cell in board.cells[1:3]] == [ends["conv1"], ends["act1"]]
        seen.controller.choose_layer("norm1")
        both = min(ends["norm1"][0], ends["act1"][0]), max(ends["norm1"][1], ends["act1"][1])
        assert [cell.bar.ends for cell in board.cells[1:3]] == [both, both]


class TestChannels:
    def test_strongest_channel_is_chosen_before_another_is(self, seen, reply):
        seen.choice.channel = -1
        seen.presenter.show_channels()
        assert seen.choice.channel == seen.cards.mosaic.mosaic.channels.order[0]

    def test_order_follows_energy_and_number(self, seen):
        energy = np.square(seen.presenter.seen.values).mean((0, 1))
        assert list(seen.cards.mosaic.mosaic.channels.order) == list(np.argsort(-energy))
        seen.cards.mosaic.sort.setCurrentIndex(seen.cards.mosaic.sort.findData("number"))
        seen.cards.mosaic.sort.activated.emit(0)
        assert list(seen.cards.mosaic.mosaic.channels.order) == list(range(CHANNELS))

    def test_one_scale_for_all_or_one_each_and_it_says_which(self, seen):
        channels, values = seen.cards.mosaic.mosaic.channels, seen.presenter.seen.values
        assert channels.limits(0) == channels.limits(5) == (float(values.min()), float(values.max()))
        seen.controller.set_color_scale(ColorScale(shared=False))
        channels = seen.cards.mosaic.mosaic.channels
        assert channels.limits(0) == (float(values[..., 0].min()), float(values[..., 0].max()))
        assert seen.cards.mosaic.bar.isHidden()

    def test_signed_colors_have_zero_in_their_middle(self):
        values = np.array([[[-1.0, 2.0]]])
        assert value_limits(values, ColorScale(signed=True)) == (-2.0, 2.0)
        assert ColorScale(signed=True).scale is Colormap.SIGNED

    def test_pinned_come_first_whatever_the_order(self):
        assert sort_channels("energy", {"energy": np.array([1.0, 3.0, 2.0])}, [0], 3) == [0, 1, 2]

    def test_layer_of_numbers_shows_one_square_a_number(self, seen, reply):
        values = turn_to(seen, reply, "latent")
        assert values.shape == (1, 1, 5)
        assert seen.cards.mosaic.mosaic.channels.are_numbers


class TestPointing:
    def test_unit_under_the_cursor_tells_its_value_and_what_it_sees(self, seen, qtbot):
        with qtbot.waitSignal(seen.status_changed) as told:
            seen.cards.channel.view.hovered.emit(3, 2)
        value = float(seen.presenter.seen.values[2, 3, seen.choice.channel])
        assert told.args[0].startswith(f"channel {seen.choice.channel} · x 3 · y 2 · value ")
        assert told.args[0].endswith(format_number(value, 4))
        assert seen.cards.scans.field.box == (10, 6, 8, 8)
        seen.cards.channel.view.hover_ended.emit()
        assert seen.cards.scans.field.box is None


class TestScans:
    def test_three_images_to_begin_with_and_the_others_are_requested_afterwards(self, seen, reply, asked, qtbot):
        assert [scan.index for scan in seen.choice.scans] == [0, 1, 2]
        qtbot.waitUntil(lambda: asked(ComputeActivations).panel == "layers-ahead")
        assert asked(ComputeActivations).indices == (1,)
        reply(ComputeActivations, "layers-ahead")
        assert seen.cards.scans.pairs.pairs[1].answer is not None

    def test_image_is_added_changed_and_taken_away(self, seen):
        scans = seen.cards.scans
        scans.add_button.click()
        assert (len(seen.choice.scans), seen.choice.at) == (4, 3)
        scans.picker.back.click()
        assert seen.choice.scan.index == 2
        scans.remove.click()
        assert (len(seen.choice.scans), seen.choice.at) == (3, 2)

    def test_dropped_scan_is_looked_at_with_its_slice(self, seen, answer, asked):
        seen.navigate(OpenFile("/x/head.nii"))
        assert asked(OpenScan).path == "/x/head.nii"
        opened = {"name": "head.nii", "kind": "nifti", "slices": 9, "orientation": list("RLAP"), "notes": []}
        answer("image", opened | {"stored": [60, 48]})
        name = seen.session.runs.records[Path(seen.choice.run).name].name
        assert f"shown at 32 × 32 as {name} needs" in seen.cards.scans.facts.text()
        assert asked(ComputeActivations).scan == "/x/head.nii"
        assert asked(ComputeActivations).slice == 4
        seen.cards.scans.picker.slices.moved.emit(7)
        assert seen.choice.scan.opened.slice == 7


class TestTakingAway:
    def test_figure_has_all_channels_and_numbers_are_in_full(self, seen, tmp_path, asked):
        seen.exporter.ask_path = lambda *_: (str(tmp_path / "a.pdf"), "")
        seen.cards.export.figure.click()
        rows = asked(ExportFigure).rows
        assert [(row.title, row.colors) for row in rows] == [("image", "gray"), ("", "heat")]
        assert [note.split()[0] for note in rows[1].notes] == [
            str(channel) for channel in seen.cards.mosaic.mosaic.channels.order
        ]
        seen.exporter.ask_path = lambda *_: (str(tmp_path / "a.csv"), "")
        seen.cards.export.numbers.click()
        text = (tmp_path / "a.csv").read_text(encoding="utf-8")
        assert DISCLAIMER in text
        rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
        assert len(rows) == CHANNELS
        assert float(rows[2]["mean"]) == pytest.approx(float(seen.presenter.seen.values[..., 2].mean()), rel=1e-6)

    def test_path_that_cannot_be_written_is_reported(self, seen, tmp_path):
        seen.exporter.ask_path = lambda *_: (str(tmp_path / "no" / "a.csv"), "")
        seen.cards.export.numbers.click()
        assert "Could not write" in seen.notice.text()

    def test_script_names_run_layer_channel_and_images(self, seen):
        text = seen.as_python()
        compile(text, "script", "exec")
        assert "'conv1'" in text
        assert "read([0, 1, 2])" in text

    def test_memory_is_recalled(self, seen, desk, qtbot, session):
        seen.controller.choose_channel(2)
        seen.controller.toggle_pin()
        seen.controller.sort("mean")
        kept = seen.save_state()
        again = LayersPanel(desk)
        qtbot.addWidget(again)
        again.restore_state(kept)
        assert again.save_state() == kept
        assert kept["run"] == "ae-0001"

    def test_remembered_run_is_turned_to_also_when_it_is_read_after_others(self, desk, qtbot, session, make_run):
        for name in ("ae-0001", "vae-0001"):
            make_run(name, model=name.split("-")[0])
        session.runs.root.mkdir(exist_ok=True)
        again = LayersPanel(desk)
        qtbot.addWidget(again)
        session.runs.refresh()
        session.runs.records["ae-0001"].epochs.clear()
        again.restore_state({"run": "ae-0001"})
        assert again.choice.run.endswith("vae-0001")
        assert again.save_state()["run"] == "ae-0001"
        session.runs.records["ae-0001"].epochs = dict(session.runs.records["vae-0001"].epochs)
        again.refresh()
        assert again.choice.run.endswith("ae-0001")

    def test_nonsense_in_memory_is_passed_over(self, panel):
        panel.restore_state({"run": 3, "scans": "x", "layer": None, "channel": "a", "sort": "what", "pinned": [1]})
        assert panel.choice.sort == "energy"


class TestCounting:
    def test_numbers_over_the_dataset_arrive_later_and_order_and_mark_the_channels(
        self, rested, answer, asked, session
    ):
        assert "Until then: this image only." in rested.cards.channel.source.text()
        number = asked(ComputeChannelStatistics).number
        told = RequestProgress(number=number, panel="layers-statistics", done=3, total=40)
        session.explorer.engine.say(told)
        assert "3 of 40" in rested.cards.channel.source.text()
        request = answer("layers-statistics", counted(dead=[2]))
        assert isinstance(request, ComputeChannelStatistics)
        channels = rested.cards.mosaic.mosaic.channels
        assert list(channels.order) == [5, 4, 3, 2, 1, 0]
        assert channels.marks == {2: "dead"}
        assert rested.cards.mosaic._subtitle.text() == "16×16×6 · 1 dead"
        assert rested.cards.mosaic.sort.toolTip() == "Statistics over 40 validation images"
        rested.controller.choose_channel(4)
        assert rested.cards.channel.values["SD"].text() == "4"
        assert rested.cards.channel.source.text() == "Statistics over 40 validation images."

    def test_they_are_requested_once(self, rested, answer, asked, session):
        answer("layers-statistics", counted())
        rested.counting.request_for(rested.choice)
        assert len([sent for sent in session.explorer.engine.sent if isinstance(sent, ComputeChannelStatistics)]) == 1

    def test_refusal_is_reported_and_the_image_counts(self, rested, asked, session):
        number = asked(ComputeChannelStatistics).number
        session.explorer.engine.say(RequestFailed(reason="No disk.", number=number, panel="layers-statistics"))
        assert "No disk." in rested.cards.channel.source.text()


def salient(stack, layer="conv1", channel=0, unit=None):
    of = {"run": "ae-0001", "layer": layer, "channel": channel, "unit": unit}
    return {**of, "names": ["a"], "originals": stack, "saliency": stack}


class TestPages:
    def test_kernels_of_the_channel_are_shown_and_follow_it_without_asking(self, seen, asked, answer, write, session):
        seen.more.choose(seen.more.kernels)
        assert asked(ReadKernels).layer == "conv1"
        weights = np.arange(CHANNELS * 18.0).reshape(CHANNELS, 2, 3, 3)
        answer("layers-kernels", {"run": "ae-0001", "layer": "conv1", "kernels": write(weights)})
        seen.controller.choose_channel(4)
        shown = seen.more.kernels.mosaic.channels.values
        assert np.array_equal(shown, np.moveaxis(weights[4], 0, -1))
        assert len([sent for sent in session.explorer.engine.sent if isinstance(sent, ReadKernels)]) == 1

    def test_layer_without_kernels_says_so(self, seen, asked, answer):
        seen.more.choose(seen.more.kernels)
        asked(ReadKernels)
        answer("layers-kernels", {"run": "ae-0001", "layer": "conv1", "kernels": None})
        assert seen.more.kernels.mosaic._text == "conv1 has no spatial kernels."

    def test_favourite_scans_are_opened_by_a_click(self, seen, asked, answer):
        seen.more.choose(seen.more.favorites)
        request = asked(TopActivations)
        assert (request.layer, request.channel, request.split) == ("conv1", 0, "validation")
        liked = [
            {"index": at, "name": f"a/{at}.png", "value": 3.5 - at, "unit": [1, 1], "box": [2, 2, 8, 8]}
            for at in (1, 0)
        ]
        answer("layers-favourites", {"run": "ae-0001", "layer": "conv1", "channel": 0, "favourites": liked})
        assert [pair.caption for pair in seen.more.favorites.pairs.pairs] == ["2.5", "3.5"]
        seen.more.favorites.pairs.chosen.emit(0)
        assert (seen.choice.scan.split, seen.choice.scan.index) == ("validation", 1)

    def test_preferred_input_and_saliency_tell_what_they_are(self, seen, asked, answer, write):
        seen.more.choose(seen.more.preferred)
        assert asked(MaximizeActivation).channel == 0
        picture = write(np.zeros((SIDE, SIDE)))
        value = {"picture": picture, "start": 0.5, "value": 4.0}
        answer("layers-preferred", {"run": "ae-0001", "layer": "conv1", "channel": 0, **value})
        assert "rises from 0.5 to 4" in seen.more.preferred.words.text()
        seen.more.choose(seen.more.saliency)
        assert "Computing the gradient" in seen.more.saliency.words.text()
        assert asked(ComputeSaliency).indices == (0,)
        stack = write(np.ones((1, SIDE, SIDE)))
        answer("layers-saliency", salient(stack))
        assert "Sensitivity of the mean of channel 0 to pixel brightness" in seen.more.saliency.words.text()

    def test_click_in_the_channel_asks_one_unit_and_escape_the_whole_channel(self, seen, asked, answer, write, qtbot):
        view, page = seen.cards.channel.view, seen.more.saliency
        x, y = view.placement().to_view((3.5, 2.5))
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
        assert seen.more.page() is page
        assert asked(ComputeSaliency).unit == (2, 3)
        stack = write(np.eye(SIDE)[None])
        answer("layers-saliency", salient(stack, unit=[2, 3]))
        assert "the unit at x 3, y 2 of channel 0" in page.words.text()
        assert [field.box for field in page.fields] == [(10, 6, 8, 8)] * 2
        assert page.board.cells[1].view.state.view.zoom > 1
        assert seen.cards.channel.unit.box == (3, 2, 1, 1)
        view.hovered.emit(0, 0)
        view.hover_ended.emit()
        assert seen.cards.scans.field.box == (10, 6, 8, 8)
        QTest.keyClick(view, Qt.Key.Key_Escape)
        assert seen.choice.unit is None
        qtbot.waitUntil(lambda: asked(ComputeSaliency).unit is None)
        assert page.whole.isHidden()
        assert seen.cards.channel.unit.box is None

    def test_late_saliency_of_a_unit_is_not_shown_for_the_input(self, seen, asked, answer, write, qtbot):
        seen.cards.channel.view.clicked.emit(3, 2)
        qtbot.waitUntil(lambda: asked(ComputeSaliency).unit == (2, 3))
        seen.cards.strip.strip.chosen.emit("images")
        said = seen.more.saliency.words.text()
        answer("layers-saliency", salient(write(np.eye(SIDE)[None]), unit=[2, 3]))
        assert seen.more.saliency.words.text() == said
        assert "Sensitivity" not in said

    def test_unit_is_let_go_with_its_layer_and_by_a_button(self, seen, asked, answer, reply, write, qtbot):
        seen.cards.channel.view.clicked.emit(3, 2)
        seen.controller.choose_channel(1)
        assert seen.choice.unit == (2, 3)
        seen.more.saliency.whole.click()
        assert seen.choice.unit is None
        seen.cards.channel.view.clicked.emit(3, 2)
        turn_to(seen, reply, "latent")
        assert seen.choice.unit is None
        seen.cards.channel.view.clicked.emit(0, 0)  # a layer of numbers has no units
        assert seen.choice.unit is None
        stack = write(np.ones((1, SIDE, SIDE)))
        qtbot.waitUntil(lambda: asked(ComputeSaliency).layer == "latent")
        answer("layers-saliency", salient(stack, layer="latent", channel=1))
        assert seen.more.saliency.words.text().startswith("Sensitivity of channel 1 to pixel brightness")
        assert "Click" not in seen.more.saliency.words.text()

    def test_answers_are_kept_without_their_files_and_old_ones_asked_anew(self, seen, asked, answer, write, qtbot):
        page, units = seen.more.saliency, [(at // 16, at % 16) for at in range(CACHE_SIZE + 6)]
        page.request._timer.setInterval(0)

        def reply(unit):
            qtbot.waitUntil(lambda: asked(ComputeSaliency).unit == unit)
            stack = write(np.full((1, SIDE, SIDE), 1 + units.index(unit)))
            answer("layers-saliency", salient(stack, unit=list(unit)))
            Path(stack).unlink(missing_ok=True)  # as another process may

        def show(unit):
            seen.cards.channel.view.clicked.emit(unit[1], unit[0])
            return f"±{1 + units.index(unit)}."

        for unit in units:
            show(unit)
            reply(unit)
        questions = len(seen.session.explorer.engine.sent)
        for unit in units[-CACHE_SIZE:]:
            assert show(unit) in page.words.text()
        assert len(seen.session.explorer.engine.sent) == questions
        said = show(units[0])
        assert said not in page.words.text()
        reply(units[0])
        assert said in page.words.text()

    def test_page_that_is_not_seen_asks_nothing(self, seen, session, qtbot):
        seen.controller.choose_channel(1)
        qtbot.wait(250)
        asked = (ReadKernels, TopActivations, MaximizeActivation, ComputeSaliency, MatchChannels, TraceLesion)
        assert not [sent for sent in session.explorer.engine.sent if isinstance(sent, asked)]

    def test_refusal_is_reported_on_the_page(self, seen, asked, session):
        seen.more.choose(seen.more.saliency)
        request = asked(ComputeSaliency)
        said = RequestFailed(reason="Too much.", advice="Wait.", number=request.number, panel="layers-saliency")
        session.explorer.engine.say(said)
        assert seen.more.saliency.words.text() == "Too much. Wait."


class TestBoth:
    def test_channel_of_another_run_is_matched_and_b_flips_to_it(self, seen, asked, answer, write, session):
        both = seen.more.both
        seen.more.choose(both)
        both.against.setCurrentIndex(both.against.findText(ANOTHER_RUN))
        both.against.activated.emit(0)
        assert both.run.full_text == "vae-0001"
        request = asked(ListLayers)
        assert request.run.endswith("vae-0001")
        answer("layers-network", listed(request, "vae"))
        request = asked(MatchChannels)
        assert (request.layers, request.indices) == (("conv1", "conv1"), (0,))
        mine = seen.presenter.seen.values
        order = [3, 0, 1, 2, 5, 4]
        other = mine[..., order][np.newaxis]
        pairs = [[channel, order.index(channel)] for channel in range(CHANNELS)]
        content = {"pairs": pairs, "correlation": [1.0] * CHANNELS, "rms": [0.0] * CHANNELS}
        files = {"activations": write(other)}
        answer("layers-both", content | files | {"runs": request.runs, "layers": request.layers, "names": ["a"]})
        assert "Best match: channel 1, correlation 1, RMS difference 0." in both.words.text()
        cell = both.board.cells[2]
        assert cell.title.text() == "difference"
        assert not cell.view.values.any()
        QTest.keyClicks(seen.cards.mosaic.mosaic, "b")
        assert seen.choice.layer == "conv1"
        assert np.array_equal(seen.cards.channel.view.values, other[0, ..., 1])
        QTest.keyClicks(seen.cards.mosaic.mosaic, "b")
        assert np.array_equal(seen.cards.channel.view.values, mine[..., 0])

    def test_run_without_model_is_not_compared(self, seen):
        both = seen.more.both
        seen.more.choose(both)
        both.against.setCurrentIndex(both.against.findText(ANOTHER_RUN))
        both.against.activated.emit(0)
        both.run.chosen.emit("untrained")
        assert both.words.text() == NO_MODEL
        assert both.run.full_text == "vae-0001"

    def test_two_images_of_one_run_are_compared_without_asking(self, rested, session):
        both = rested.more.both
        rested.more.choose(both)
        sent = len(session.explorer.engine.sent)
        both.against.setCurrentIndex(both.against.findText(rested.choice.scans[1].title))
        both.against.activated.emit(0)
        look = rested.choice.activation_key(scan=rested.choice.scans[1])
        other = rested.loader.seen(look).values[..., 0]
        assert np.array_equal(both.board.cells[2].view.values, rested.presenter.seen.values[..., 0] - other)
        assert len(session.explorer.engine.sent) == sent


def followed(**changes):
    names = {"conv1": (0.9, 0.1), "conv2": (0.4, 0.5 / 0.9), "up": (0.4, 0.0)}
    layers = [
        {
            **{"name": name, "kind": "Conv2D", "part": "", "held_share": held, "alone_share": held / 2},
            **{"held_d_prime": 5 * held, "alone_d_prime": 2.5 * held, "lost_share": lost},
        }
        for name, (held, lost) in names.items()
    ]
    of = {"name": "a.png", "picture_d_prime": 5.0, "loses_most": "conv2"}
    pair = {**of, "lesion_px": 40, "output_d_prime": 2.0, "output_share": 0.4, "contrast_kept": 0.25}
    observer = {"noise": 0.05, "places": 1, "channels": 16}
    return {"run": "ae-0001", "model": "ae", **of, **observer, "layers": layers, "pairs": [pair], **changes}


class TestLesion:
    @pytest.fixture
    def drawn(self, seen):
        assert not seen.more.lesion.go.isEnabled()
        seen.cards.regions.change(Region("ellipse", ((0.25, 0.25), (0.5, 0.5))), "drawing")
        return seen

    def test_drawn_lesion_is_followed_when_that_is_requested_and_the_largest_loss_is_named(self, drawn, asked, answer):
        lesion = drawn.more.lesion
        lesion.go.click()
        request = asked(TraceLesion)
        assert (request.region.kind, request.region.points) == ("ellipse", ((0.25, 0.25), (0.5, 0.5)))
        assert request.indices == (0,)
        assert not lesion.go.isEnabled()
        answer("layers-lesion", followed())
        assert [stage.name for stage in lesion.curve.stages] == ["image", "conv1", "conv2", "up"]
        assert lesion.curve.lost == 2
        assert lesion.words.text().startswith(
            "Largest loss at conv2: 56% of the detectability that reached it. At the output, 40%"
        )
        assert "Lesion contrast retained at the output: 25%" in lesion.words.text()

    def test_click_on_a_stage_turns_to_its_layer(self, drawn, asked, answer):
        lesion = drawn.more.lesion
        lesion.go.click()
        asked(TraceLesion)
        answer("layers-lesion", followed())
        QTest.keyClick(lesion.curve, Qt.Key.Key_Left)
        QTest.keyClick(lesion.curve, Qt.Key.Key_Left)
        QTest.keyClick(lesion.curve, Qt.Key.Key_Return)
        assert drawn.choice.layer == "conv2"

    def test_change_of_the_region_can_be_undone_and_makes_the_curve_void(self, drawn, asked, answer, desk):
        lesion = drawn.more.lesion
        lesion.go.click()
        asked(TraceLesion)
        answer("layers-lesion", followed())
        drawn.cards.regions.change(Region("ellipse", ((0.5, 0.5), (0.7, 0.7))), "move")
        assert (lesion.curve.stages, lesion.go.isEnabled()) == ((), True)
        desk.undo.undo()
        assert drawn.cards.regions.region.points[0] == (0.25, 0.25)

    def test_each_image_has_a_lesion_of_its_own(self, drawn):
        drawn.controller.select_scan(1)
        assert drawn.cards.regions.region is None
        drawn.controller.select_scan(0)
        assert drawn.cards.regions.region is not None

    def test_nothing_lost_is_said_too(self, drawn, asked, answer):
        drawn.more.lesion.go.click()
        asked(TraceLesion)
        answer("layers-lesion", followed(loses_most=None))
        assert drawn.more.lesion.words.text().startswith("No layer reduces the detectability of this lesion.")


def test_choices_of_the_channels_can_be_read_whole_in_narrow_and_wide_cards(qtbot):
    card = MosaicCard()
    qtbot.addWidget(card)
    channels = MosaicData(np.zeros((4, 4, 2), np.float32), (0, 1), lambda _: (0.0, 1.0))
    card.show_channels("dec_conv_transpose_3", "48×48×24 · 0 dead", channels, (0, 1))
    card.show()
    boxes = (card.sort, card.scale, card.colors)
    for width, is_wide in ((1000, True), (600, False), (1000, True)):
        card.resize(width, 400)
        qtbot.waitUntil(lambda is_wide=is_wide: card.bar.isVisible() == is_wide)
        qtbot.waitUntil(
            lambda is_wide=is_wide: all(
                (abs(box.geometry().center().y() - card.enlarge.geometry().center().y()) < 5) == is_wide
                for box in boxes
            )
        )
        longest = [max(map(box.fontMetrics().horizontalAdvance, texts(box))) for box in boxes]
        qtbot.waitUntil(
            lambda longest=longest: all(box.width() >= text + 34 for box, text in zip(boxes, longest, strict=True))
        )
        assert [box.x() for box in boxes] == sorted(box.x() for box in boxes)


@pytest.mark.parametrize(("width", "is_stacked"), [(700, True), (814, True), (1000, False)])
def test_curve_of_the_lesion_and_its_text_have_room_in_narrow_and_wide_cards(panel, qtbot, width, is_stacked):
    card = panel.more
    card.setParent(None)
    qtbot.addWidget(card)
    page = card.lesion
    page.words.setText("Largest loss at enc_mean: 87% of the detectability that reached it. " * 2)
    card.resize(width, card.sizeHint().height())
    card.show()
    below = page.view.mapTo(page, QPoint(0, page.view.height()))
    qtbot.waitUntil(lambda: (page.curve.y() >= below.y()) == is_stacked)
    card.resize(width, card.sizeHint().height())
    curve, words = page.curve.geometry(), page.words.geometry()
    assert curve.bottom() < words.top()
    assert words.bottom() <= page.height()
    assert words.height() >= page.words.heightForWidth(words.width())
    assert curve.width() >= 400
