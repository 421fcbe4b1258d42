"""Cards, notices, chips, buttons, labels, color bars, wrapping rows."""

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QTextEdit, QVBoxLayout, QWidget

from engine.formatting import format_fixed, format_measured, format_number, format_percent
from gui import palette
from gui.pixmaps import Colormap
from gui.widgets.buttons import Button, IconButton, RailButton
from gui.widgets.card import Card, NoticeBox
from gui.widgets.color_bar import ColorBar
from gui.widgets.combo_boxes import ElidedComboBox, FocusComboBox
from gui.widgets.flow_layout import FlowLayout
from gui.widgets.labels import Chip, ElidedLabel, FilterChip, FirmLabel, PartsLabel, UnitLabel, label, plain_tip


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (None, 4, "\u2014"),
        (float("nan"), 4, "\u2014"),
        (float("-inf"), 4, "\u2212∞"),
        (0.0, 4, "0"),
        (-0.011, 2, "\u22120.011"),
        (0.003926, 4, "0.003926"),
        (0.00392649, 4, "0.003926"),
        (6071.3, 4, "6,071"),
        (1800, 4, "1,800"),
        (97322.52, 4, "97,323"),
        (11_500_000, 4, "11,500,000"),
        (1e-7, 3, "1e\u22127"),
        (40, 4, "40"),
    ],
)
def test_numbers_are_written_one_way(value, digits, text):
    assert format_number(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.135, "0.1350"),
        (0.1347, "0.1347"),
        (-2.5, "−2.500"),
        (6046.02, "6,046"),
        (12.0, "12"),
        (1e-7, "1e−7"),
        (None, "—"),
    ],
)
def test_zeros_of_what_was_measured_stay(value, text):
    assert format_measured(value) == text


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [(12345.678, 1, "12,345.7"), (-0.04, 1, "0.0"), (-0.06, 1, "\u22120.1"), (7.0, 0, "7")],
)
def test_fixed_places(value, places, text):
    assert format_fixed(value, places) == text


@pytest.mark.parametrize(("share", "text"), [(0.984, "98%"), (1.0, "100%"), (-0.19, "\u221219%")])
def test_shares_are_whole_percentages(share, text):
    assert format_percent(share) == text


def test_card_has_a_title_a_subtitle_actions_and_a_body(qtbot):
    card, body, action = Card("Runs", "14"), QLabel("body"), QPushButton("go")
    qtbot.addWidget(card)
    card.add(body)
    inner = QHBoxLayout()
    inner.addWidget(QLabel("inner"))
    card.add(inner)
    card.add_action(action)
    card.set_title("All runs")
    card.set_subtitle("15")
    card.resize(400, 200)
    card.show()
    texts = {label.text() for label in card.findChildren(QLabel)}
    assert texts == {"All runs", "15", "body", "inner"}
    assert card.accessibleName() == "All runs"
    assert action.y() < body.y()
    assert action.geometry().right() > 370


def test_notice_says_its_kind_and_hides_when_it_has_nothing_to_say(qtbot):
    page = QWidget()
    qtbot.addWidget(page)
    notice = NoticeBox(parent=page)
    page.show()
    assert not notice.isVisible()
    notice.show_notice("210 of 390 test scans are also in train.", "warning", "Look at the pairs")
    assert notice.isVisible()
    assert notice.accessibleName() == "warning: 210 of 390 test scans are also in train."
    button = notice.findChild(QPushButton)
    with qtbot.waitSignal(notice.action_requested):
        QTest.keyClick(button, Qt.Key.Key_Space)
    notice.show_notice("Fine.", "info")
    assert notice.property("kind") == "info"
    assert not button.isVisible()
    notice.show_notice("")
    assert not notice.isVisible()


def test_notice_is_colored_by_its_kind_and_theme(qtbot, dressed):
    notice = NoticeBox("Careful.")
    qtbot.addWidget(notice)
    notice.resize(300, 80)
    for mode, colors in (("dark", palette.DARK), ("light", palette.LIGHT)):
        dressed(mode)
        notice.show_notice("Careful.", "warning")
        assert notice.grab().toImage().pixelColor(150, 70).name() == colors.warning_card
        notice.show_notice("By the way.", "info")
        assert notice.grab().toImage().pixelColor(150, 70).name() == colors.info_card


def test_filter_chip_shows_its_state_by_a_mark_too(qtbot):
    chip = FilterChip("glioma")
    qtbot.addWidget(chip)
    with qtbot.waitSignal(chip.toggled):
        QTest.keyClick(chip, Qt.Key.Key_Space)
    assert chip.text() == "✓ glioma"
    assert chip.accessibleName() == "glioma"
    chip.setChecked(False)
    assert chip.text() == "glioma"


def test_chip_has_a_tone(qtbot, dressed):
    dressed("dark")
    chip = Chip("TensorFlow", "accent")
    qtbot.addWidget(chip)
    assert chip.palette().color(chip.foregroundRole()).name() == palette.DARK.accent
    chip.set_tone("")
    assert chip.palette().color(chip.foregroundRole()).name() == palette.DARK.quiet


def test_elided_label_shortens_and_tells_the_rest(qtbot):
    label = ElidedLabel("a rather long name of a file.png", Qt.TextElideMode.ElideMiddle)
    qtbot.addWidget(label)
    label.resize(90, 20)
    label.grab()
    assert "…" in label.shown_text()
    assert label.toolTip() == label.text()
    label.resize(900, 20)
    label.grab()
    assert label.shown_text() == label.text()
    assert label.toolTip() == ""


def colors_of(icon, size=24, mode=None):
    image = icon.pixmap(size, size).toImage()
    seen = [image.pixelColor(x, y) for x in range(size) for y in range(size)]
    return max(seen, key=lambda color: color.alpha()).name()


def test_icons_follow_the_theme(qtbot, dressed):
    dressed("dark")
    button, tool, rail = Button("Pause", icon_name="pause"), IconButton("export", "Export"), RailButton("data", "Data")
    for widget in (button, tool, rail):
        qtbot.addWidget(widget)
        widget.ensurePolished()
    dressed("light")
    assert colors_of(button.icon()) == palette.LIGHT.text
    assert colors_of(tool.icon()) == colors_of(rail.icon()) == palette.LIGHT.quiet
    button.set_icon("play")
    assert tool.accessibleName() == tool.toolTip() == "Export"


def test_rail_keeps_one_place_chosen(qtbot):
    page = QWidget()
    qtbot.addWidget(page)
    row = QHBoxLayout(page)
    places = [RailButton("data", "Data"), RailButton("train", "Train")]
    for place in places:
        row.addWidget(place)
    page.show()
    places[0].setChecked(True)
    QTest.keyClick(places[1], Qt.Key.Key_Space)
    assert [place.isChecked() for place in places] == [False, True]


@pytest.mark.parametrize("kind", ["", "primary", "danger", "link"])
def test_keyboard_focus_is_visible_on_every_button(qtbot, dressed, kind):
    dressed("dark")
    assert_focus_shows(qtbot, Button("Start", kind))


@pytest.mark.parametrize(
    "make", [lambda: FilterChip("x"), lambda: IconButton("copy", "Copy"), lambda: RailButton("data", "Data")]
)
def test_keyboard_focus_is_visible_on_chips_and_icons(qtbot, dressed, make):
    dressed("dark")
    assert_focus_shows(qtbot, make())


def assert_focus_shows(qtbot, widget):
    page = QWidget()
    qtbot.addWidget(page)
    row, other = QHBoxLayout(page), QPushButton("other")
    row.addWidget(widget)
    row.addWidget(other)
    with qtbot.waitExposed(page):
        page.show()
    page.activateWindow()
    other.setFocus()
    qtbot.waitUntil(other.hasFocus)
    before, place = widget.grab().toImage(), widget.geometry()
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    assert widget.hasFocus()
    assert widget.grab().toImage() != before
    assert widget.geometry() == place


def test_flow_breaks_into_lines_and_cuts_nothing_off(qtbot):
    page = QWidget()
    qtbot.addWidget(page)
    flow = FlowLayout(page, gap=5)
    for i in range(6):
        flow.addWidget(QPushButton(f"button {i}"))
    page.resize(230, 300)
    page.show()
    buttons = page.findChildren(QPushButton)
    assert len({button.y() for button in buttons}) > 1
    assert all(QRect(0, 0, 230, 300).contains(button.geometry()) for button in buttons)
    pairs = [(a, b) for i, a in enumerate(buttons) for b in buttons[i + 1 :]]
    assert not any(a.geometry().intersects(b.geometry()) for a, b in pairs)
    assert flow.heightForWidth(10_000) < flow.heightForWidth(230)
    assert flow.takeAt(0).widget() is buttons[0]
    assert flow.takeAt(99) is None
    assert flow.count() == 5


def test_color_bar_names_its_ends(qtbot):
    bar = ColorBar()
    qtbot.addWidget(bar)
    bar.set_range(Colormap.HEAT, 0.0, 2.41)
    assert bar.texts == ("0", "1.2", "2.4")
    bar.resize(120, 30)
    left, right = (bar.grab().toImage().pixelColor(x, 3).lightness() for x in (0, 119))
    assert left < 20 < 200 < right


def test_color_bar_writes_only_what_does_not_touch(qtbot):
    bar = ColorBar()
    qtbot.addWidget(bar)
    bar.set_range(Colormap.SIGNED, -1.2e-5, 1.2e-5)
    texts = ["\u22121.2e\u22125", "0", "+1.2e\u22125"]
    room = [bar.fontMetrics().horizontalAdvance(text) for text in texts]
    for width, wanted in ((300, texts), (sum(room) + 12, texts[::2]), (room[0] + room[2], ["\u00b11.2e\u22125"])):
        bar.resize(width, 30)
        assert [text for _, text in bar.shown_texts()] == wanted
    bar.set_range(Colormap.HEAT, -0.0031, 0.6)
    bar.resize(sum(bar.fontMetrics().horizontalAdvance(text) for text in bar.texts) + 24, 30)
    assert len(bar.shown_texts()) == 2  # the long end would reach the middle
    bar.set_range(Colormap.HEAT, -1.2e-5, 2.4e-5)
    bar.resize(room[0], 30)
    assert [text for _, text in bar.shown_texts()] == ["\u22121.2e\u22125 to 2.4e\u22125"]


def test_name_that_looks_like_markup_is_shown_letter_for_letter(qapp):
    name = "a<b>bold.png"
    for made in (label(name), ElidedLabel(name)):
        assert made.textFormat() == Qt.TextFormat.PlainText
        assert made.text() == name
    assert plain_tip(name) == "<span>a&lt;b&gt;bold.png</span>"
    assert plain_tip("R & D.png") == "R & D.png"


def combo_picture(qtbot, kind, text, width):
    box = kind()
    qtbot.addWidget(box)
    box.addItem(text)
    # With a style sheet, as the app has one, Qt does not elide.
    box.setStyleSheet("QComboBox { padding: 4px 8px; border: 1px solid gray }")
    box.resize(width, 30)
    return box.grab().toImage()


def test_entry_ends_in_an_ellipsis_where_it_does_not_fit(qtbot):
    full, width = "Quick look: small autoencoder, 400 phantoms", 160
    shown = combo_picture(qtbot, ElidedComboBox, full, width)
    cut = [combo_picture(qtbot, QComboBox, full[:letters] + "…", width) for letters in range(8, 30)]
    assert shown in cut
    assert shown != combo_picture(qtbot, QComboBox, full, width)
    assert combo_picture(qtbot, ElidedComboBox, "Custom", width) == combo_picture(qtbot, QComboBox, "Custom", width)


def test_the_wheel_changes_a_combo_box_only_with_the_focus(qtbot, wheel):
    row = QWidget()
    other, box = QPushButton("other", row), FocusComboBox(row)
    box.addItems(["axial", "sagittal"])
    qtbot.addWidget(row)
    with qtbot.waitExposed(row):
        row.show()
    other.setFocus()
    wheel(box, (5, 5), -1)
    assert box.currentText() == "axial"
    box.setFocus()
    wheel(box, (5, 5), -1)
    assert box.currentText() == "sagittal"


def test_no_layout_squeezes_a_firm_label(qtbot):
    window, text = QWidget(), FirmLabel("caption")
    qtbot.addWidget(window)
    inner = QWidget(window)
    column = QVBoxLayout(inner)
    for part in (text, QTextEdit()):
        column.addWidget(part)
    window.show()
    for width, lines in ((140, 4), (700, 1)):
        inner.resize(width, 60)
        text.setText("You can also drop a folder or an image anywhere in the app.")
        height = text.fontMetrics().height()
        qtbot.waitUntil(lambda lines=lines, height=height: text.height() >= lines * height == text.minimumHeight())


@pytest.mark.parametrize(
    ("kind", "text", "fitting", "shown"),
    [
        (PartsLabel, "click: select · drag: lasso", "click: select · drag: lasso", "click: select · drag: lasso"),
        (PartsLabel, "click: select · drag: lasso", "click: select · drag", "click: select"),
        (PartsLabel, "click: select · drag: lasso", "click", ""),
        (PartsLabel, "a-long-file-name", "a-long-file", "a-long-f…"),
        (UnitLabel, "loss (nats per image)", "loss (nats per", "loss"),
        (UnitLabel, "reconstruction term (nats)", "reconstruction te", "reconstruction"),
    ],
    ids=["all", "first-part", "no-part", "one-part", "no-unit", "no-last-word"],
)
def test_labels_leave_out_whole_parts(qtbot, kind, text, fitting, shown):
    made = kind(text)
    qtbot.addWidget(made)
    made.resize(made.fontMetrics().horizontalAdvance(fitting) + 1, 20)
    if "…" in shown:
        assert made.shown_text().endswith("…")
    else:
        assert made.shown_text() == shown
    made.grab()
    assert made.toolTip() == ("" if made.shown_text() == made.text() else made.text())


def test_chip_shows_the_longest_wording_that_fits_and_wants_no_more_room(qtbot):
    chip = Chip()
    qtbot.addWidget(chip)
    chip.show_fact("For research only. Not for diagnosis.", "Not for diagnosis.")
    widths = [chip.sizeHint().width()]
    chip.set_wording(1)
    widths.append(chip.sizeHint().width())
    assert widths == [chip.width_of(0), chip.width_of(1)]
    assert widths[1] < widths[0]
    assert chip.minimumSizeHint().width() == widths[1]
    for width, text in zip(widths, ("For research only. Not for diagnosis.", "Not for diagnosis."), strict=True):
        chip.resize(width, 24)
        assert chip.shown_text() == text


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
def test_drop_down_shows_whole_entries_of_a_narrow_box(qtbot):
    page = QWidget()
    qtbot.addWidget(page)
    page.setStyleSheet("QComboBox { combobox-popup: 0; }")
    page.resize(400, 300)
    box = ElidedComboBox(page)
    box.addItems([f"Reference study: {kind} autoencoder, number {number}" for number in range(12) for kind in ("a",)])
    box.resize(120, 30)
    page.show()
    box.showPopup()
    view = box.view()
    qtbot.waitUntil(lambda: view.viewport().width() >= view.sizeHintForColumn(0) > box.width())
    assert view.verticalScrollBar().maximum() == 0
    box.hidePopup()
