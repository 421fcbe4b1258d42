"""Small labels, and number formats that are the same everywhere."""

from PySide6.QtWidgets import QLabel, QWidget

MINUS = "\u2212"


def label(text: str = "", role: str = "", wrap: bool = False, parent: QWidget | None = None) -> QLabel:
    """Return a label in a role of the style sheet: title, quiet, caption, danger, accent or plain."""
    made = QLabel(text, parent)
    made.setWordWrap(wrap)
    if role:
        made.setProperty("role", role)
    return made


def format_number(value: float | None, digits: int = 4) -> str:
    """Format a number with `digits` significant digits, a true minus, and a dash for None."""
    if value is None or value != value:
        return "\u2014"
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else f"{MINUS}∞"
    size = abs(value)
    if float(value).is_integer() and size < 1e6:
        text = grouped(int(size))
    elif size >= 10**digits:
        text = grouped(round(size))
    elif size < 1e-4:
        mantissa, exponent = f"{size:.{digits - 1}e}".split("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    else:
        text = f"{size:,.{digits}g}"
    return (MINUS if value < 0 else "") + text.replace("e-", f"e{MINUS}")


def format_measured(value: float | None, digits: int = 4) -> str:
    """Format a measured number: as `format_number`, but with zeros at its end, which are measured too."""
    text = format_number(value, digits)
    if value is None or "." not in text or "e" in text:
        return text
    return (MINUS if value < 0 else "") + f"{abs(value):#,.{digits}g}"


def fixed(value: float, places: int) -> str:
    """Format a number with `places` decimal places, and a true minus unless it rounds to zero."""
    size = f"{abs(value):.{places}f}"
    whole, point, rest = size.partition(".")
    sign = MINUS if value < 0 and float(size) else ""
    return sign + grouped(int(whole)) + point + rest


def percent(share: float) -> str:
    """Format a fraction as a whole percentage, such as 40%, with a true minus."""
    return f"{share:.0%}".replace("-", MINUS)


def grouped(value: int) -> str:
    """Format a whole number with commas between its thousands: 1,800."""
    return f"{value:,}"


def set_style_property(widget: QWidget, **properties: object) -> None:
    """Set dynamic properties and make the style sheet apply to the widget again."""
    for name, value in properties.items():
        widget.setProperty(name, value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)
