"""The plot: what it draws, says and writes."""

import csv
import itertools
from datetime import datetime

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from gui import palette
from gui.widgets.curves.axis import NumberAxis, format_time
from gui.widgets.curves.controls import CurveControls
from gui.widgets.curves.export import FOOTER_PX, RATIO, export_pdf, export_png, export_svg
from gui.widgets.curves.plot import CurvePlot
from gui.widgets.curves.points import PointAxis, PointPlot, Points
from gui.widgets.curves.series import Scale, SeriesStyle

EPOCHS = np.arange(1, 11)


@pytest.fixture
def plot(qtbot):
    made = CurvePlot("mean squared error", "epoch")
    qtbot.addWidget(made)
    made.resize(500, 320)
    with qtbot.waitExposed(made):
        made.show()
    return made


@pytest.fixture
def drawn(plot):
    plot.set_series("train", EPOCHS, 1 / EPOCHS, SeriesStyle("run train", "run"))
    plot.set_series("val", EPOCHS, 2 / EPOCHS, SeriesStyle("run validation", "run", dashed=True))
    return plot


def view_range(plot):
    (left, right), (low, high) = plot.canvas.box.viewRange()
    return left, right, low, high


def colors_on(plot):
    """Return the colors of the canvas with the number of pixels that have them."""
    image = plot.canvas.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    found, counts = np.unique(np.frombuffer(image.constBits(), np.uint32) & 0xFFFFFF, return_counts=True)
    return {f"#{color:06x}": int(count) for color, count in zip(found, counts, strict=True)}


def is_near(color, key):
    """Whether a drawn color is the series' own, edges smoothed."""
    series = palette.rgb(palette.find_series_color(key))
    return max(abs(one - other) for one, other in zip(palette.rgb(color), series, strict=True)) < 90


def test_view_holds_all_points_and_grows_with_the_curve(drawn):
    left, right, low, high = view_range(drawn)
    assert left < 1 < 10 < right
    assert low < 0.1 < 2 < high
    drawn.set_series("train", np.arange(1, 41), 1 / np.arange(1, 41))
    assert view_range(drawn)[1] > 40


def test_changes_of_a_batch_are_drawn_once(drawn, monkeypatch):
    redrawn, redraw = [], drawn._redraw
    monkeypatch.setattr(drawn, "_redraw", lambda items: (redrawn.append(len(items)), redraw(items)))
    with drawn.batch():
        drawn.set_series("train", EPOCHS, 4 / EPOCHS)
        drawn.set_series("new", EPOCHS, 8 / EPOCHS)
        drawn.mark_best("new", 10)
        drawn.keep_series(["train", "new"])
    assert redrawn == [2]
    assert view_range(drawn)[3] > 8
    assert drawn.items["train"]._smooth.getData()[1][0] == 4
    drawn.set_series("train", EPOCHS, 16 / EPOCHS)
    assert redrawn == [2, 1]


def test_view_moved_by_hand_stays_until_it_is_given_back(drawn):
    drawn.canvas.box.setRange(xRange=(2, 4), padding=0)
    drawn.canvas.box.sigRangeChangedManually.emit([True, True])
    drawn.set_series("train", np.arange(1, 41), 1 / np.arange(1, 41))
    assert view_range(drawn)[:2] == pytest.approx((2, 4))
    QTest.keyClick(drawn, Qt.Key.Key_R)
    assert view_range(drawn)[1] > 40


def test_one_point_is_visible_in_a_sane_range(plot):
    plot.set_series("a", [1], [0.02])
    left, right, low, high = view_range(plot)
    assert left < 1 < right < 3
    assert 0 < low < 0.02 < high < 0.03
    assert colors_on(plot)[palette.find_series_color("a")] > 10


def test_all_steps_to_the_goal_are_in_sight_and_only_whole_ones_are_named(plot):
    plot.set_series("train", [1, 2], [0.5, 0.4])
    plot.canvas.set_x_limit(4)
    left, right, *_ = view_range(plot)
    assert left < 1
    assert 4 < right < 4.5
    spaced = plot.canvas._x_axis.tickValues(left, right, 400)
    assert all(float(value).is_integer() for _, values in spaced for value in values)
    plot.canvas.set_x_limit(0)
    assert view_range(plot)[1] < 2.5


def test_curve_has_its_series_color_and_follows_the_theme(drawn, dressed):
    dressed("dark")
    assert colors_on(drawn)[palette.DARK.series[0]] > 50
    dressed("light")
    seen = colors_on(drawn)
    assert seen[palette.LIGHT.series[0]] > 50
    assert palette.DARK.series[0] not in seen
    assert seen[palette.LIGHT.field] > 1000


def test_validation_is_dashed_and_train_is_not(plot):
    drawn = {}
    for dashed in (False, True):
        plot.set_series("a", EPOCHS, EPOCHS, SeriesStyle("a", "a", dashed))
        drawn[dashed] = sum(count for color, count in colors_on(plot).items() if is_near(color, "a"))
    assert 0.4 * drawn[False] < drawn[True] < 0.8 * drawn[False]


def test_raw_curve_is_faint_behind_the_smoothed_one(plot):
    rng = np.random.default_rng(0)
    plot.set_series("a", np.arange(100), rng.normal(size=100))
    item = plot.items["a"]
    assert not item._raw.isVisible()
    plot.set_smoothing(0.9)
    assert item._raw.isVisible()
    assert item._raw.opts["pen"].color().alpha() < 128
    assert np.ptp(item._smooth.yData) < 0.6 * np.ptp(item._raw.yData)
    plot.set_smoothing(0.0)
    assert not item._raw.isVisible()
    np.testing.assert_array_equal(item._smooth.yData, item.series.y)


def test_log_axes_place_and_frame_by_powers_of_ten(drawn):
    drawn.set_scale(Scale(True, True))
    left, right, low, high = view_range(drawn)
    assert left < 0 < 1 < right < 1.2
    assert low < -1 < np.log10(2) < high < 0.7
    np.testing.assert_allclose(drawn.items["train"]._smooth.yData, np.log10(1 / EPOCHS))
    drawn.set_scale(Scale(False, False))
    np.testing.assert_allclose(drawn.items["train"]._smooth.yData, 1 / EPOCHS)


def test_log_axis_leaves_out_what_is_not_positive(plot):
    plot.set_series("a", [0, 1, 2, 3], [1.0, 0.0, -2.0, 100.0])
    plot.set_scale(Scale(True, True))
    np.testing.assert_allclose(plot.items["a"]._smooth.yData, [0, np.nan, np.nan, 2])
    assert np.isfinite(view_range(plot)).all()


def test_hover_lists_all_curves_by_value(drawn):
    assert [(style.label, value) for style, value in drawn.readout(4.2)] == [
        ("run validation", 0.5),
        ("run train", 0.25),
    ]
    drawn.set_series("late", [8, 9, 10], [7.0, 7.0, 7.0])
    assert [style.label for style, _ in drawn.readout(9)] == ["late", "run validation", "run train"]
    assert [style.label for style, _ in drawn.readout(2)] == ["run validation", "run train"]


def test_hover_shows_a_box_at_the_nearest_point(drawn, move):
    canvas = drawn.canvas
    x = canvas.x_on_widget(4.2)
    QTest.mouseMove(canvas.viewport(), QPoint(round(x), canvas.height() // 2))
    text = drawn._readout.text()
    assert drawn._readout.isVisible()
    assert "epoch 4<" in text
    assert text.index("run validation") < text.index("run train")
    assert canvas.rect().contains(drawn._readout.geometry())
    canvas.pointer_left.emit()
    assert not drawn._readout.isVisible()


def test_box_stays_inside_at_the_right_edge(drawn):
    drawn.point_at(10)
    assert drawn.canvas.rect().contains(drawn._readout.geometry())
    assert drawn._readout.geometry().right() < drawn.canvas.x_on_widget(10)


def test_arrows_walk_along_the_curve(drawn):
    for key, place in ((Qt.Key.Key_Left, "epoch 10"), (Qt.Key.Key_Left, "epoch 9"), (Qt.Key.Key_Right, "epoch 10")):
        QTest.keyClick(drawn, key)
        assert f"<b>{place}</b>" in drawn._readout.text()
    QTest.keyClick(drawn, Qt.Key.Key_Escape)
    assert not drawn._readout.isVisible()


def test_best_point_is_marked_and_can_move(drawn):
    before = drawn.canvas.grab().toImage()
    drawn.mark_best("val", 7)
    assert drawn.items["val"]._points.getData()[0].tolist() == [7]
    assert drawn.canvas.grab().toImage() != before
    drawn.mark_best("val", 8)
    assert drawn.items["val"]._points.getData()[1] == pytest.approx([0.25])
    drawn.mark_best("val", None)
    assert len(drawn.items["val"]._points.getData()[0]) == 0


@pytest.mark.parametrize("height", [150, 400])
def test_label_of_a_level_below_all_curves_is_whole_whatever_the_height(drawn, height, qtbot):
    drawn.resize(400, height)
    drawn.set_reference("floor", 0.001, "entropy floor")
    drawn.canvas.show_all()
    label = drawn.canvas._references["floor"][1].label

    def is_whole():
        drawn.canvas.grab()  # it is placed when it is drawn
        return drawn.canvas.box.sceneBoundingRect().contains(label.mapRectToScene(label.boundingRect()))

    qtbot.waitUntil(is_whole)


def test_reference_level_is_in_sight_on_both_scales_and_can_go(drawn):
    drawn.set_reference("floor", 0.001, "entropy {floor}")
    assert view_range(drawn)[2] < 0.001
    _, line = drawn.canvas._references["floor"]
    assert line.label.toPlainText() == "entropy {floor}"
    drawn.set_scale(Scale(False, True))
    assert line.value() == pytest.approx(-3)
    assert view_range(drawn)[2] < -3
    drawn.set_reference("floor", -1.0, "nowhere on a log axis")
    assert not drawn.canvas._references["floor"][1].isVisible()
    drawn.set_reference("floor", None)
    assert not drawn.canvas._references


def test_empty_plot_says_what_will_be_here(plot):
    plot.set_empty_text("Curves appear when training starts.")
    assert plot._empty.isVisible()
    plot.set_series("a", [1], [1.0])
    assert not plot._empty.isVisible()
    plot.keep_series([])
    assert plot._empty.isVisible()
    assert not plot.items


def test_numbers_stand_at_both_ends_of_the_axis(plot):
    plot.set_series("a", [0.0, 0.1, 0.2, 0.3], [1.0, 2.0, 3.0, 4.0])
    plot.grab()
    canvas = QImage(10, 10, QImage.Format.Format_RGB32)
    painter = QPainter(canvas)
    _, _, labels = plot.canvas._x_axis.generateDrawSpecs(painter)
    painter.end()
    assert [text for _, _, text in labels] == ["0.0", "0.1", "0.2", "0.3"]


def test_legend_names_curves_by_line_and_name_not_by_color_alone(drawn):
    text = drawn._legend.text()
    assert "━━</span>&nbsp;run train" in text
    assert "╍╍</span>&nbsp;run validation" in text
    drawn.set_series("val", [1, 2], [1, 2], SeriesStyle("ae-0001 validation", "ae-0001", dashed=True))
    assert "ae&#8209;0001 validation" in drawn._legend.text()


def test_export_writes_the_image_with_its_footer(drawn, tmp_path):
    path = tmp_path / "plot.png"
    export_png(drawn, path, "not for diagnosis")
    image = QImage(str(path))
    assert (image.width(), image.height()) == (500 * RATIO, (320 + FOOTER_PX) * RATIO)
    footer = image.copy(0, 320 * RATIO, 500 * RATIO, FOOTER_PX * RATIO)
    back = QColor(palette.current().field).rgb()
    assert any(footer.pixel(x, y) != back for x in range(0, 400) for y in range(10, 40))


def test_controls_steer_all_plots_and_export_numbers(qtbot, drawn, tmp_path):
    other = CurvePlot("kl", "epoch")
    qtbot.addWidget(other)
    controls = CurveControls([drawn, other], footer="not for diagnosis")
    qtbot.addWidget(controls)
    controls.smoothing.set_value(0.5)
    controls.log_y.click()
    assert (drawn.canvas.axis_scale.log_x, drawn.canvas.axis_scale.log_y) == (False, True)
    assert other.canvas.axis_scale == drawn.canvas.axis_scale
    path = tmp_path / "curves.csv"
    controls.ask_path = lambda parent, name, kinds: str(path)
    controls.export_as(drawn, "csv")
    lines = path.read_text().splitlines()
    assert lines[0] == "# not for diagnosis"
    rows = list(csv.reader(lines[1:]))
    assert rows[0] == ["curve", "epoch", "mean squared error", "smoothed"]
    assert rows[2] == ["run train", "2.0", "0.5", repr(float(drawn.items["train"].series.smooth[1]))]
    assert len(rows) == 21


def test_export_that_fails_says_why(qtbot, drawn, tmp_path):
    controls = CurveControls([drawn])
    qtbot.addWidget(controls)
    controls.ask_path = lambda parent, name, kinds: str(tmp_path / "nowhere" / name)
    for kind in ("csv", "png"):
        with qtbot.waitSignal(controls.export_failed) as failed:
            controls.export_as(drawn, kind)
        assert "nowhere" in failed.args[0]


def test_export_menu_names_every_plot(qtbot, drawn):
    controls = CurveControls([drawn])
    qtbot.addWidget(controls)
    controls.fill_menu()
    picture, drawing, page, numbers = controls.export.menu().actions()
    assert [action.text().removeprefix("mean squared error: ") for action in (picture, drawing, page, numbers)] == [
        "image (PNG)",
        "drawing (SVG)",
        "page (PDF)",
        "values (CSV)",
    ]
    asked = []
    controls.ask_path = lambda parent, name, kinds: asked.append((name, kinds))
    picture.trigger()
    numbers.trigger()
    assert asked == [("curves.png", "*.png"), ("curves.csv", "*.csv")]


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (-4.0, 0.0, ["0.0001", "0.001", "0.01", "0.1", "1"]),
        (-9.0, 3.0, ["1e\u22129", "1e\u22127", "1e\u22125", "0.001", "0.1", "10", "1,000"]),
        (-2.1, -0.9, ["0.01", "0.02", "0.05", "0.1"]),
        (0.3, 0.6, ["2", "2.5", "3", "3.5"]),
    ],
)
def test_log_axis_names_its_ticks(qapp, low, high, texts):
    axis = NumberAxis("left")
    axis.setLogMode(True)
    ticks = axis.tickValues(low, high, 300)
    assert [text for _, values in ticks for text in axis.tickStrings(values, 1.0, None) if text] == texts


def test_linear_axis_writes_as_many_places_as_the_steps_need(qapp):
    axis = NumberAxis("left")
    assert axis.tickStrings([-0.5, 0.0, 0.5], 1.0, 0.5) == ["\u22120.5", "0.0", "0.5"]
    assert axis.tickStrings([6000.0, 12000.0], 1.0, 6000.0) == ["6,000", "12,000"]
    assert axis.tickStrings([1e-7, 2e-7], 1.0, 1e-7) == ["1e\u22127", "2e\u22127"]


def wheel(plot, shift=False):
    """Turn the wheel over the middle of the plot's box."""
    canvas = plot.canvas
    plot.grab()
    at = QPointF(canvas.mapFromScene(canvas.box.sceneBoundingRect().center()))
    keys = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    place = canvas.viewport().mapToGlobal(at)
    turn = QWheelEvent(
        at, place, QPoint(), QPoint(0, 480), Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(canvas.viewport(), turn)


def test_wheel_zooms_x_and_y_follows_until_it_is_zoomed_too(plot):
    plot.set_series("a", np.arange(101), np.abs(np.arange(101) - 50.0))
    before = view_range(plot)
    wheel(plot)
    left, right, low, high = view_range(plot)
    assert before[0] < left < right < before[1]
    assert 0.5 * (right - left) < high < 0.7 * (right - left), "y shows what is left of x"
    wheel(plot, shift=True)
    assert view_range(plot)[:2] == pytest.approx((left, right))
    assert view_range(plot)[3] - view_range(plot)[2] < high - low
    plot.set_series("a", np.arange(201), np.arange(201.0))
    assert view_range(plot)[1] == pytest.approx(right)
    plot.canvas.show_all()
    assert view_range(plot)[1] > 200


def test_drag_zooms_to_its_box_and_values_outside_are_not_read(drawn):
    drawn.canvas.box.zoom_to(QPointF(2, 0.0), QPointF(6, 0.6))
    assert view_range(drawn) == pytest.approx((2, 6, 0.0, 0.6))
    assert [style.label for style, _ in drawn.readout(3)] == ["run train"]
    assert len(drawn.readout(6)) == 2


def test_outliers_can_be_left_out_of_the_range(plot):
    plot.set_series("a", np.arange(100), np.where(np.arange(100) == 3, 1000.0, 1.0))
    assert view_range(plot)[3] > 900
    plot.set_scale(Scale(clips=True))
    assert view_range(plot)[3] < 2


def test_faint_curve_sets_the_range_only_until_its_color_has_another(plot):
    plot.set_series("other", [1, 2], [0.1, 0.2])
    plot.set_series("batches", [0.1, 0.5, 0.9], [9.0, 8.0, 7.0], SeriesStyle("batches", "run", faint=True))
    assert view_range(plot)[3] > 9
    assert [style.label for style, _ in plot.readout(1)] == ["other"]
    plot.set_series("run", [1, 2], [0.3, 0.2], SeriesStyle("run", "run"))
    assert view_range(plot)[3] < 1


def test_one_crosshair_runs_through_all_plots(qtbot, drawn):
    other = CurvePlot("kl", "epoch")
    qtbot.addWidget(other)
    other.set_series("a", EPOCHS, EPOCHS)
    other.show()
    controls = CurveControls([drawn, other])
    qtbot.addWidget(controls)
    drawn.point_at(4.2)
    assert other.canvas._line.isVisible()
    assert other.canvas._line.value() == 4
    other.point_at(None)
    assert not drawn.canvas._line.isVisible()


def test_labels_of_levels_never_overlap(drawn):
    for number, level in enumerate((0.500, 0.505, 0.510, 0.515)):
        drawn.set_reference(f"floor {number}", level, f"floor of {number}")
    drawn.canvas.grab()
    labels = [line.label for _, line in drawn.canvas._references.values()]
    boxes = [label.mapRectToScene(label.textItem.boundingRect()) for label in labels if label.opacity()]
    assert len(boxes) == 4
    for one, other in itertools.combinations(boxes, 2):
        assert not one.adjusted(1, 1, -1, -1).intersects(other)


def test_plot_that_a_list_names_has_no_legend_but_can_be_enlarged_and_exported_with_one(qtbot, tmp_path):
    plot = CurvePlot("mse", "epoch", listed=True)
    qtbot.addWidget(plot)
    plot.resize(500, 320)
    plot.show()
    plot.set_series("a", EPOCHS, EPOCHS, SeriesStyle("ae-0001 training", "ae-0001"))
    assert not plot._legend.isVisible()
    with qtbot.waitSignal(plot.enlarge_toggled):
        QTest.keyClick(plot, Qt.Key.Key_E)
    QTest.keyClick(plot, Qt.Key.Key_Escape)
    assert not plot.enlarge.isChecked()
    for write, ending in ((export_svg, "svg"), (export_pdf, "pdf")):
        write(plot, tmp_path / f"plot.{ending}", "not for diagnosis")
    drawing = (tmp_path / "plot.svg").read_text(encoding="utf-8")
    assert "training" in drawing
    assert "not for diagnosis" in drawing
    assert (tmp_path / "plot.pdf").read_bytes().startswith(b"%PDF")
    assert plot.enlarge.isVisible()


def test_times_are_written_as_precisely_as_their_steps_need():
    noon = datetime(2026, 3, 1, 12, 30, 15).timestamp()
    assert [format_time(noon, "clock", step) for step in (1, 60, 86_400)] == ["12:30:15", "12:30", "01 Mar"]
    assert [format_time(3725, "duration", step) for step in (1, 60)] == ["1:02:05", "1 h 02"]
    axis = NumberAxis("bottom")
    axis.kind = "clock"
    (_, places), *_ = axis.tickValues(noon, noon + 7200, 600)
    assert {format_time(place, "clock", 1)[-5:] for place in places} <= {"00:00", "30:00"}


@pytest.mark.parametrize(("counts", "between"), [(True, False), (False, True)])
def test_axis_that_counts_has_no_ticks_between_whole_numbers(qtbot, counts, between):
    made = PointPlot("trials")
    qtbot.addWidget(made)
    made.show_points(Points(), PointAxis("trial", counts=counts), PointAxis("loss"))
    spaced = made.canvas._x_axis.tickSpacing(1.0, 3.0, 300)
    assert any(step % 1 for step, _ in spaced) == between
