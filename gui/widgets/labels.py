"""Labels and chips: short texts in the roles of the style sheet."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Literal

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFormLayout, QLabel, QMenu, QPushButton, QSizePolicy, QStyle, QStyleOption, QWidget

CHIP_PADDING_PX, TALL_PX = 22, 10_000
PARTS_SIGN, LEAST_LETTERS = " · ", "mm…"
Tone = Literal["", "accent", "warning", "danger"]


def label(text: str = "", role: str = "", wrap: bool = False, parent: QWidget | None = None) -> QLabel:
    """Return a label in a role of the style sheet: title, quiet, caption, danger, accent or plain.

    Its text is shown as it is: names of files and runs may look like markup.
    """
    made = QLabel(text, parent)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    if role:
        made.setProperty("role", role)
    return made


def fix_width(text: QLabel, width_px: int) -> None:
    """Give a label a fixed width, more where the font needs it."""
    text.setFixedWidth(max(width_px, text.sizeHint().width()))


def form_rows(rows: Mapping[str, QWidget], label_px: int) -> QFormLayout:
    """Return a form of named rows, whose labels are `label_px` wide, or as wide as their words."""
    form = QFormLayout()
    form.setVerticalSpacing(6)
    form.setHorizontalSpacing(8)
    for title, widget in rows.items():
        text = label(title, role="quiet")
        fix_width(text, label_px)
        text.setBuddy(widget)
        widget.setAccessibleName(title)
        form.addRow(text, widget)
    return form


def elide_middle(text: str, most: int) -> str:
    """Return a text of at most `most` letters; its middle is left out, since names differ at their ends.

    Example:
        >>> elide_middle("ae-search-of-today-0009", 13)
        'ae-sea…y-0009'
    """
    kept = most - 1
    return text if len(text) <= most else f"{text[: kept - kept // 2]}…{text[len(text) - kept // 2 :]}"


def add_heading(menu: QMenu, title: str) -> None:
    """Add a title above a group of entries of a menu; Qt's own sections show only a line."""
    if not menu.isEmpty():
        menu.addSeparator()
    menu.addAction(title).setEnabled(False)


def plain_tip(text: str) -> str:
    """Return a text for a tool tip, which would take a file name such as a<b>.png for markup."""
    if "<" not in text:
        return text
    return f"<span>{escape(text)}</span>".replace("\n", "<br>")


def set_style_property(widget: QWidget, **properties: object) -> None:
    """Set dynamic properties and make the style sheet apply to the widget again."""
    for name, value in properties.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class FirmLabel(QLabel):
    """Wrapped lines that no layout squeezes: the label is at least as high as its text."""

    def __init__(self, role: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setProperty("role", role)

    def setText(self, text: str) -> None:
        super().setText(text)
        self._claim_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._claim_height()

    def _claim_height(self) -> None:
        # `heightForWidth` is never below the minimum that was set before.
        room = QRect(0, 0, self.contentsRect().width(), TALL_PX)
        flags = int(self.alignment() | Qt.TextFlag.TextWordWrap)
        self.setMinimumHeight(self.fontMetrics().boundingRect(room, flags, self.text()).height())


class ElidedLabel(QLabel):
    """One line, elided to fit; hovering and screen readers give the full text."""

    def __init__(
        self, text: str = "", mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight, parent: QWidget | None = None
    ) -> None:
        super().__init__(text, parent)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(0)

    def minimumSizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance("…"), super().minimumSizeHint().height())

    def wordings(self) -> Sequence[str]:
        """Return the texts that say the same, the longest first."""
        return (self.text(),)

    def shown_text(self) -> str:
        """Return the longest wording that fits, or the part of the last one that does."""
        room, measure, wordings = self.contentsRect().width(), self.fontMetrics(), self.wordings()
        fitting = (text for text in wordings if measure.horizontalAdvance(text) <= room)
        return next(fitting, measure.elidedText(wordings[-1], self._mode, room))

    def paintEvent(self, event: QPaintEvent) -> None:
        shown = self.shown_text()
        self.setToolTip("" if shown == self.text() else plain_tip(self.text()))
        option = QStyleOption()
        option.initFrom(self)
        painter = QPainter(self)
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_Widget, option, painter, self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), int(self.alignment() | Qt.TextFlag.TextSingleLine), shown)


class PartsLabel(ElidedLabel):
    """One line of parts, such as "click: select · drag: lasso", without those at its end that do not fit."""

    def wordings(self) -> Sequence[str]:
        parts = self.text().split(PARTS_SIGN)
        fewer = [PARTS_SIGN.join(parts[:count]) for count in range(len(parts), 0, -1)]
        return [*fewer, ""] if len(parts) > 1 else fewer


class UnitLabel(ElidedLabel):
    """One line such as "loss (nats per image)", without the unit where that does not fit, or without its last words."""

    def wordings(self) -> Sequence[str]:
        words = self.text().partition(" (")[0].split(" ")
        return [self.text(), *(" ".join(words[:count]) for count in range(len(words), 0, -1))]


class Chip(ElidedLabel):
    """Short fact in a frame, in the longest of its wordings that fits."""

    def __init__(self, text: str = "", tone: Tone = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent=parent)
        self._shorter: Sequence[str] = ()
        self._wording = 0
        self.setProperty("kind", "chip")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.set_tone(tone)

    def show_fact(self, text: str, *shorter: str) -> None:
        """Show a text, or one of the shorter wordings where there is no room; it is never narrower than the last."""
        self._shorter = shorter
        self.setText(text)
        self.updateGeometry()

    def wordings(self) -> Sequence[str]:
        return self.text(), *self._shorter

    def set_wording(self, number: int) -> None:
        """Want no more room than one of the wordings needs: 0 is the longest; one that is missing is the last."""
        if number != self._wording:
            self._wording = number
            self.updateGeometry()

    def width_of(self, number: int) -> int:
        """Return the width that a wording needs, in pixels."""
        wordings = self.wordings()
        text = wordings[min(number, len(wordings) - 1)]
        return self.fontMetrics().horizontalAdvance(text) + CHIP_PADDING_PX

    def sizeHint(self) -> QSize:
        return QSize(self.width_of(self._wording), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Return room for the shortest wording, or for a few letters: an empty frame says nothing."""
        least = self._shorter[-1] if self._shorter else LEAST_LETTERS
        return QSize(self.fontMetrics().horizontalAdvance(least) + CHIP_PADDING_PX, super().minimumSizeHint().height())

    def set_tone(self, tone: Tone) -> None:
        set_style_property(self, tone=tone)


class FilterChip(QPushButton):
    """Small button that stays pressed; a check mark shows this as well as the color."""

    def __init__(self, text: str, checked: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._text = text
        self.setProperty("kind", "chip")
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(text)
        self.toggled.connect(self._show_state)
        self.setChecked(checked)

    def _show_state(self, checked: bool) -> None:
        self.setText(f"✓ {self._text}" if checked else self._text)
