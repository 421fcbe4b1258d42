"""The name before a field of the Denoise panel."""

from PySide6.QtWidgets import QWidget

from gui.widgets.labels import label

LABEL_PX = 58


def field_label(title: str, field: QWidget | None = None) -> QWidget:
    """A name that leads to its field, all of one width."""
    text = label(title, role="quiet")
    text.setFixedWidth(LABEL_PX)
    if field is not None:
        text.setBuddy(field)
    return text
