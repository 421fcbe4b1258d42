"""The label before a field of the Denoise panel."""

from PySide6.QtWidgets import QWidget

from gui.widgets.labels import label

LABEL_PX = 58


def field_label(title: str, field: QWidget | None = None) -> QWidget:
    """Return a label with the field as its buddy; all labels have one width."""
    text = label(title, role="quiet")
    text.setFixedWidth(LABEL_PX)
    if field is not None:
        text.setBuddy(field)
    return text
