"""Labels and chips: short texts in the roles of the style sheet."""

from collections.abc import Mapping
from html import escape
from typing import Literal

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFormLayout, QLabel, QPushButton, QSizePolicy, QStyle, QStyleOption, QWidget

CHIP_PADDING_PX, TALL_PX = 22, 10_000
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

    def shown_text(self) -> str:
        """Return the part of the text that fits."""
        return self.fontMetrics().elidedText(self.text(), self._mode, self.contentsRect().width())

    def paintEvent(self, event: QPaintEvent) -> None:
        shown = self.shown_text()
        self.setToolTip("" if shown == self.text() else plain_tip(self.text()))
        option = QStyleOption()
        option.initFrom(self)
        painter = QPainter(self)
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_Widget, option, painter, self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), int(self.alignment() | Qt.TextFlag.TextSingleLine), shown)


class Chip(ElidedLabel):
    """Short fact in a frame. Its end stays instead of its beginning, if `end` names it."""

    def __init__(self, text: str = "", tone: Tone = "", parent: QWidget | None = None, end: str = "") -> None:
        super().__init__(text, Qt.TextElideMode.ElideLeft if end else Qt.TextElideMode.ElideRight, parent)
        self._least = f"…{end}" if end else "mm…"
        self.setProperty("kind", "chip")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.set_tone(tone)

    def minimumSizeHint(self) -> QSize:
        """Return room for a few letters: an empty frame says nothing."""
        return QSize(
            self.fontMetrics().horizontalAdvance(self._least) + CHIP_PADDING_PX, super().minimumSizeHint().height()
        )

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
