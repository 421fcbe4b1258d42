"""Parallel axes: places, brushes, order, flips, pointing, keys, colors, files."""

import math

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFont, QImage
from PySide6.QtTest import QTest

from gui import palette
from gui.widgets.parallel.model import DROPPED, FAILED, GOOD, MISSING, Lines, ParallelAxis, ParallelModel, nearest
from gui.widgets.parallel.paint import small, ticks
from gui.widgets.parallel.view import MANY, write_pdf, write_png
from gui.widgets.parallel.widget import ParallelCoordinates, axis_menu

AXES = [
    ParallelAxis("rate", "learning rate", log=True),
    ParallelAxis("latent", "latent", marks=(256.0, 512.0, 1024.0)),
    ParallelAxis("kind", "kind", words=("ae", "vae"), none="off"),
    ParallelAxis("score", "val MSE", none="no score"),
]
VALUES = np.array(
    [
        [1e-4, 256, 0, 0.3],
        [1e-3, 512, 1, 0.1],
        [1e-2, 1024, 1, 0.2],
        [1e-3, 512, math.nan, 0.5],
        [1e-3, 256, 0, math.nan],
    ]
)
LINES = Lines(tuple("abcde"), VALUES, np.array([GOOD, GOOD, GOOD, DROPPED, FAILED], np.int8), "score")


@pytest.fixture
def axes(qtbot):
    made = ParallelCoordinates()
    qtbot.addWidget(made)
    made.resize(800, 400)
    made.show()
    made.show_lines(AXES, LINES)
    return made


@pytest.fixture
def model():
    made = ParallelModel()
    made.show(AXES, LINES)
    return made


def point(axes, key, place, dx=0):
    frame = axes.frame()
    return QPoint(round(frame.x(key)) + dx, round(frame.y(place)))


def drag(axes, start, *through):
    QTest.mousePress(axes, Qt.MouseButton.LeftButton, pos=start)
    for at in through:
        QTest.mouseMove(axes, at)
    QTest.mouseRelease(axes, Qt.MouseButton.LeftButton, pos=through[-1] if through else start)


def brush(axes, key, low, high):
    drag(axes, point(axes, key, low), point(axes, key, (low + high) / 2), point(axes, key, high))


class TestModel:
    def test_places_go_from_foot_to_head_and_none_lies_below(self, model):
        assert model.unit_values("rate") == pytest.approx([0, 0.5, 1, 0.5, 0.5])
        assert model.unit_values("latent") == pytest.approx([0, 1 / 3, 1, 1 / 3, 0])
        assert model.unit_values("kind") == pytest.approx([0, 1, 1, MISSING, 0])
        assert model.unit_values("score")[4] == MISSING

    def test_flip_turns_values_but_not_what_has_none(self, model):
        model.set_brush("kind", (0.9, 1.0))
        model.flip("kind")
        assert model.unit_values("kind") == pytest.approx([1, 0, 0, MISSING, 1])
        assert model.selected().tolist() == [False, True, True, False, False]

    def test_log_keeps_the_values_of_a_brush(self, model):
        model.set_brush("latent", (-0.01, 0.4))
        before = model.selected().tolist()
        model.set_log("latent", True)
        assert model.unit_values("latent") == pytest.approx([0, 0.5, 1, 0.5, 0])
        assert model.selected().tolist() == before == [True, True, False, True, True]
        model.set_log("kind", True)
        assert "kind" not in model.log

    def test_several_brushes_mean_and(self, model):
        model.set_brush("rate", (0.4, 0.6))
        assert model.selected().tolist() == [False, True, False, True, True]
        model.set_brush("kind", (0.9, 1.1))
        assert model.selected().tolist() == [False, True, False, False, False]

    def test_what_has_no_value_can_be_brushed(self, model):
        model.set_brush("score", (MISSING - 0.02, MISSING + 0.02))
        assert model.selected().tolist() == [False, False, False, False, True]

    def test_shares_go_from_the_best_to_the_worst_good_one(self, model):
        shares = model.rank_shares()
        assert shares[:3] == pytest.approx([1, 0, 0.5])
        assert shares[3] == 1  # given up: its score is worse than any good one's, and it sets no scale
        assert math.isnan(shares[4])

    def test_what_was_arranged_stays_when_lines_come(self, model):
        model.move("score", 0)
        model.flip("score")
        model.set_brush("latent", (0.5, 1))
        more = Lines(("a", "f"), VALUES[:2], np.array([GOOD, GOOD], np.int8), "score")
        model.show(AXES, more)
        assert model.order == ["score", "rate", "latent", "kind"]
        assert model.flipped == {"score"}
        assert list(model.brushes) == ["latent"]
        model.show(AXES[2:], Lines(("a",), VALUES[:1, 2:], np.array([GOOD], np.int8), "score"))
        assert (model.order, model.brushes) == (["score", "kind"], {})

    def test_no_lines_and_one_value_do_no_harm(self):
        model = ParallelModel()
        assert nearest(model.rank_shares(), (np.zeros(0), np.zeros(0)), (0.5, 3), model.selected()) == (-1, math.inf)
        one = Lines(("a",), np.array([[3.0, 1.0]]), np.zeros(1, np.int8), "score")
        model.show([ParallelAxis("x", "x", log=True), ParallelAxis("score", "s")], one)
        assert model.unit_values("x") == pytest.approx([0.5])
        assert ticks(model, "x") == [(3.0, "3")]

    @pytest.mark.parametrize(
        ("ends", "log"), [((0.1304, 0.1364), False), ((10.94, 11.06), False), ((0.9996, 100.2), True)]
    )
    def test_no_mark_reads_like_another(self, ends, log):
        model = ParallelModel()
        lines = Lines(tuple("ab"), np.array(ends)[:, None], np.array([GOOD, GOOD], np.int8), "x")
        model.show([ParallelAxis("x", "x", log=log)], lines)
        texts = [text for _, text in ticks(model, "x")]
        assert (texts[0], texts[-1]) == tuple(f"{end:.3g}" for end in ends)
        assert len(texts) == len(set(texts))

    def test_marks_are_not_underlined_with_the_title_that_has_the_keys(self):
        font = QFont()
        font.setUnderline(True)
        assert not small(font).underline()

    def test_of_lines_on_each_other_the_best_is_taken(self):
        shares, both = np.array([0.7, 0.1, math.nan]), np.full(3, 10.0)
        assert nearest(shares, (both, both), (0.5, 12), np.ones(3, bool)) == (1, 2.0)
        assert nearest(shares, (both, both), (0.5, 12), np.array([True, False, True]))[0] == 0


class TestMouse:
    def test_drag_on_axes_brushes_and_a_click_takes_it_away(self, axes, qtbot):
        with qtbot.waitSignal(axes.brushed):
            brush(axes, "rate", 0.4, 0.6)
        assert axes.selection() == ["b", "d", "e"]
        brush(axes, "kind", 0.8, 1.1)
        assert axes.selection() == ["b"]
        drag(axes, point(axes, "rate", 0.1))
        assert axes.selection() == ["b", "c"]
        axes.clear_brushes()
        assert axes.selection() is None

    def test_brush_is_moved_and_stretched(self, axes):
        brush(axes, "latent", 0.2, 0.45)
        assert axes.selection() == ["b", "d"]
        drag(axes, point(axes, "latent", 0.3), point(axes, "latent", 0.6), point(axes, "latent", 0.95))
        assert axes.selection() == ["c"]
        low = axes.model.brushes["latent"][0]
        drag(axes, point(axes, "latent", low), point(axes, "latent", 0.4), point(axes, "latent", 0.2))
        assert axes.selection() == ["b", "c", "d"]

    def test_axis_is_moved_by_its_name_and_flipped_by_a_click_on_it(self, axes, qtbot):
        title = QPoint(round(axes.frame().x("rate")), 12)
        with qtbot.waitSignal(axes.arranged):
            drag(axes, title, QPoint(title.x() + 60, 12), QPoint(round(axes.frame().x("kind")) + 20, 12))
        assert axes.model.order == ["latent", "kind", "rate", "score"]
        with qtbot.waitSignal(axes.arranged):
            drag(axes, QPoint(round(axes.frame().x("rate")), 12))
        assert axes.model.flipped == {"rate"}

    def test_line_under_the_cursor_is_reported_and_chosen_by_a_click(self, axes, qtbot):
        frame, model = axes.frame(), axes.model
        x = (frame.x("rate") + frame.x("latent")) / 2
        y = (frame.y(model.unit_values("rate")[2]) + frame.y(model.unit_values("latent")[2])) / 2
        with qtbot.waitSignal(axes.hovered) as blocker:
            QTest.mouseMove(axes, QPoint(round(x), round(y)))
        assert blocker.args == ["c"]
        with qtbot.waitSignal(axes.chosen) as blocker:
            QTest.mouseClick(axes, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(y)))
        assert blocker.args == ["c"]
        brush(axes, "latent", 0.2, 0.4)  # c is not among those that are left
        QTest.mouseMove(axes, QPoint(round(x), round(y) + 1))
        assert axes._lit != "c"

    def test_menu_has_what_the_mouse_does_and_more(self, axes):
        menu = axis_menu(axes, "latent")
        actions = {action.text(): action for action in menu.actions() if action.text()}
        assert not actions["Clear this filter"].isEnabled()
        actions["Logarithmic"].trigger()
        actions["Move right"].trigger()
        actions["Reverse"].trigger()
        assert axes.model.log == {"rate", "latent"}
        assert axes.model.order == ["rate", "kind", "latent", "score"]
        assert axes.model.flipped == {"latent"}
        assert not axis_menu(axes, "kind").actions()[1].isEnabled()


class TestKeys:
    def test_everything_can_be_done_with_keys(self, axes, qtbot):
        axes.setFocus()
        qtbot.keyClick(axes, Qt.Key.Key_Right)
        qtbot.keyClick(axes, Qt.Key.Key_Up)
        assert axes.selection() == ["a", "e"]
        qtbot.keyClick(axes, Qt.Key.Key_Up)
        assert axes.selection() == ["b", "d"]
        qtbot.keyClick(axes, Qt.Key.Key_Up, Qt.KeyboardModifier.ShiftModifier)
        assert axes.selection() == ["b", "c", "d"]
        assert "3 of 5 lines shown; filtered axes: latent" in axes.accessibleDescription()
        qtbot.keyClick(axes, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
        assert axes.model.order == ["rate", "kind", "latent", "score"]
        qtbot.keyClick(axes, Qt.Key.Key_F)
        qtbot.keyClick(axes, Qt.Key.Key_L)
        assert (axes.model.flipped, "latent" in axes.model.log) == ({"latent"}, True)
        qtbot.keyClick(axes, Qt.Key.Key_Delete)
        assert axes.selection() is None
        qtbot.keyClick(axes, Qt.Key.Key_Down)
        qtbot.keyClick(axes, Qt.Key.Key_Escape)
        assert axes.selection() is None


class TestPicture:
    def colors(self, axes):
        image = axes.grab().toImage()
        return {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(40, image.height() - 30)}

    def test_best_stands_out_most_and_failed_ones_look_like_none_of_them(self, axes, dressed):
        for theme in ("dark", "light"):
            dressed(theme)
            axes.refresh()
            field = palette.current().field
            seen = [palette.contrast(palette.find_score_color(share), field) for share in (0, 0.25, 0.5, 0.75, 1)]
            assert seen == sorted(seen, reverse=True)
            assert seen[0] > 9
            assert seen[-1] > 1.7
            colors = self.colors(axes)
            assert palette.current().danger in colors

    def test_image_has_heading_and_mark(self, axes, tmp_path):
        write_png(axes, tmp_path / "a.png", "Search s", "not for diagnosis")
        image = QImage(str(tmp_path / "a.png"))
        assert (image.width(), image.height()) == (1600, 904)
        with pytest.raises(OSError, match=r"\w"):
            write_png(axes, tmp_path / "none" / "a.png", "", "")

    def test_pdf_holds_vectors_and_letters(self, axes, tmp_path):
        write_pdf(axes, tmp_path / "a.pdf", "Search s", "not for diagnosis")
        content = (tmp_path / "a.pdf").read_bytes()
        assert content.startswith(b"%PDF")
        assert b"/Font" in content
        assert b"/Subtype /Image" not in content
        assert b"/MediaBox [0 0 600.000000 339.000000]" in content or b"/MediaBox [0 0 600 339]" in content
        with pytest.raises(OSError, match=r"\w"):
            write_pdf(axes, tmp_path / "none" / "a.pdf", "", "")


class TestManyLines:
    """More than can be drawn in a frame."""

    @staticmethod
    def lines(count):
        values = np.random.default_rng(0).random((count, 4)) * [1e-2, 1000, 1, 1] + [1e-4, 100, 0, 0.1]
        return Lines(tuple(map(str, range(count))), values, np.zeros(count, np.int8), "score")

    def test_they_are_drawn_between_beats_and_become_the_same_image(self, axes, qtbot):
        axes.grab()
        axes.show_lines(AXES, self.lines(MANY + 1))
        first = axes.layer.picture()
        assert first is not None
        qtbot.waitUntil(lambda: axes.layer.picture() is not first)
        made = axes.grab().toImage()
        axes.refresh()
        assert axes.grab().toImage() == made

    def test_what_is_done_meanwhile_is_seen_at_once(self, axes):
        axes.grab()
        axes.show_lines(AXES, self.lines(MANY + 1))
        before = axes.grab().toImage()
        axes.change(lambda: axes.model.flip("rate"))
        assert axes.grab().toImage() != before
        assert axes.layer.picture() is not None

    def test_first_ones_are_drawn_though_none_were_before(self, axes, qtbot):
        axes.clear()
        axes.show_lines(AXES, self.lines(MANY + 1))
        axes.grab()
        assert axes.layer.picture() is None
        qtbot.waitUntil(lambda: axes.layer.picture() is not None)

    def test_other_size_leaves_them_to_be_drawn_between_beats(self, axes, qtbot):
        axes.show_lines(AXES, self.lines(MANY + 1))
        axes.resize(700, 350)
        axes.grab()
        assert axes.layer.picture() is None
        qtbot.waitUntil(lambda: axes.layer.picture() is not None)
        assert axes.layer.picture().size() == axes.size() * axes.devicePixelRatioF()
