"""The style sheet, the themes and the tinted icons."""

import itertools
import re

import numpy as np
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QIcon, QImage, QPainter, QPalette
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QMessageBox

from gui import palette, theme
from gui.palette import DARK, LIGHT, rgb
from gui.theme import SOURCES, icon, icon_file
from gui.widgets.combo_boxes import SearchableComboBox
from gui.widgets.number_table import NumberTable, TableColumn

NAMES = sorted(path.stem for path in SOURCES.glob("*.svg"))


@pytest.mark.parametrize("colors", [DARK, LIGHT], ids=lambda colors: colors.name)
def test_every_role_in_the_style_sheet_is_filled_in(colors):
    sheet = theme.style_sheet(colors)
    assert "$" not in sheet.replace("$names", "")
    assert colors.card in sheet


def test_no_color_is_written_outside_the_palette():
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b", theme.STYLE_SHEET.read_text())


def test_apply_changes_the_palette_and_what_widgets_have(qtbot, qapp, dressed):
    label = QLabel()
    qtbot.addWidget(label)
    for mode, colors in (("light", LIGHT), ("dark", DARK)):
        dressed(mode)
        assert palette.current() is colors
        assert qapp.palette().color(QPalette.ColorRole.Base).name() == colors.field
        label.ensurePolished()
        assert label.palette().color(label.foregroundRole()).name() == colors.text


def test_system_mode_follows_the_system_and_a_chosen_theme_does_not(qapp, dressed):
    dressed("system")
    assert palette.current() is DARK
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert palette.current() is LIGHT
    dressed("dark")
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert palette.current() is DARK


def test_base_font_is_13_px_with_figures_of_one_width(qapp):
    font = theme.base_font()
    assert font.pixelSize() == 13
    assert font.featureValue(QFont.Tag("tnum")) == 1


@pytest.mark.parametrize("name", NAMES)
def test_icon_is_drawn_in_its_color_alone(qapp, name):
    image = icon(name, "#4fc3b8").pixmap(20, 20).toImage()
    places = itertools.product(range(image.width()), range(image.height()))
    drawn = [color for x, y in places if (color := image.pixelColor(x, y)).alpha() > 128]
    assert drawn
    for color in drawn:
        assert np.abs(np.array(rgb(color.name())) - rgb("#4fc3b8")).max() <= 2  # rounding of half-covered pixels


def test_icon_is_drawn_anew_at_one_and_a_half_not_stretched(qapp):
    at_scale = icon("layers", "#ffffff").pixmap(QSize(20, 20), 1.5).toImage()
    expected = QImage(30, 30, QImage.Format.Format_ARGB32_Premultiplied)
    expected.fill(Qt.GlobalColor.transparent)
    painter = QPainter(expected)
    QSvgRenderer(str(icon_file("layers", "#ffffff"))).render(painter)
    painter.end()
    assert (at_scale.width(), at_scale.devicePixelRatio()) == (30, 1.5)
    at_scale.setDevicePixelRatio(1)
    assert at_scale.convertToFormat(expected.format()) == expected


def test_icon_has_a_second_color_while_checked(qapp):
    tinted = icon("link", "#111111", on="#eeeeee")
    drawn = {}
    for state in (QIcon.State.Off, QIcon.State.On):
        image = tinted.pixmap(QSize(24, 24), 1.0, QIcon.Mode.Normal, state).toImage()
        places = itertools.product(range(24), range(24))
        drawn[state] = {image.pixelColor(x, y).name() for x, y in places if image.pixelColor(x, y).alpha() > 250}
    assert drawn == {QIcon.State.Off: {"#111111"}, QIcon.State.On: {"#eeeeee"}}


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
def test_drop_down_shows_all_its_entries(qtbot, dressed):
    dressed("dark")
    for count in (2, 9):
        box = QComboBox()
        qtbot.addWidget(box)
        box.addItems([str(number) for number in range(count)])
        box.show()
        box.showPopup()
        # A popup with arrows covers the last entry by one of them.
        arrows = [part for part in box.view().window().children() if "Scroller" in part.metaObject().className()]
        assert arrows == []
        assert box.view().viewport().height() >= count * box.view().sizeHintForRow(0)
        box.hidePopup()


def test_placeholders_are_as_readable_as_quiet_text(qtbot, dressed):
    dressed("light")
    field = QLineEdit()
    qtbot.addWidget(field)
    field.ensurePolished()
    assert field.palette().color(QPalette.ColorRole.PlaceholderText).name() == LIGHT.quiet


def test_dialogs_have_no_pictures_of_the_style(qtbot, dressed):
    dressed("dark")
    box = QMessageBox(
        QMessageBox.Icon.Question, "", "", QMessageBox.StandardButton.Ok | QMessageBox.StandardButton.Cancel
    )
    qtbot.addWidget(box)
    box.ensurePolished()
    assert [button.icon().isNull() for button in box.buttons()] == [True, True]
    drawn = box.iconPixmap().toImage()
    places = itertools.product(range(drawn.width()), range(drawn.height()))
    assert {drawn.pixelColor(x, y).name() for x, y in places if drawn.pixelColor(x, y).alpha() > 250} == {
        DARK.info_text
    }


def test_part_is_styled_anew_only_in_other_colors(qtbot, dressed):
    dressed("dark")
    part = QLabel()
    qtbot.addWidget(part)
    theme.restyle(part)
    assert part.styleSheet() == ""
    dressed("light")
    assert part.styleSheet() == theme.style_sheet(LIGHT)
    part.setStyleSheet("QLabel {}")
    theme.restyle(part)
    assert part.styleSheet() == "QLabel {}"


@pytest.fixture
def dress_by_parts(qapp, dressed):
    """Dress the program in a theme without a style sheet of its own, as the app does."""
    yield lambda mode: theme.apply(qapp, mode, by_parts=True)
    qapp.setProperty(theme.STYLED, None)


def test_parts_have_their_own_sheet_where_the_app_has_none(qtbot, qapp, dress_by_parts):
    dress_by_parts("dark")
    part = QLabel()
    qtbot.addWidget(part)
    theme.restyle(part)
    assert (qapp.styleSheet(), part.styleSheet()) == ("", theme.style_sheet(DARK))
    theme.apply(qapp, "light")
    assert (qapp.styleSheet(), part.styleSheet()) == ("", theme.style_sheet(LIGHT))


def test_table_that_fits_its_rows_fits_them_in_a_new_style(qtbot, dress_by_parts):
    dress_by_parts("dark")
    table = NumberTable([TableColumn("name")])
    qtbot.addWidget(table)
    table.fit_height()
    plain = table.height()
    theme.restyle(table)
    styled = table.maximumHeight()
    table.fit_height()
    assert styled == table.maximumHeight() != plain


def test_list_of_found_names_is_styled(qtbot, dress_by_parts):
    dress_by_parts("dark")
    names = SearchableComboBox("run")
    qtbot.addWidget(names)
    names.addItems(["ae-0001", "vae-0001"])
    QTest.keyClicks(names.lineEdit(), "v")
    assert names.completer().popup().styleSheet() == theme.style_sheet(DARK)
