"""Small labels in the roles of the style sheet."""

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget


def label(text: str = "", role: str = "", wrap: bool = False, parent: QWidget | None = None) -> QLabel:
    """Return a label in a role of the style sheet: title, quiet, caption, danger, accent or plain."""
    made = QLabel(text, parent)
    made.setTextFormat(Qt.TextFormat.PlainText)  # names of files and classes may look like markup
    made.setWordWrap(wrap)
    if role:
        made.setProperty("role", role)
    return made


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
