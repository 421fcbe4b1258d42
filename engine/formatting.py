"""Text of numbers, the same in the app, on the command line, in figures and in pages.

Thousands have a comma, minus is a true minus sign, and a missing number is a dash.
"""

import difflib
import math
import re
import shlex
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Collection
from pathlib import PureWindowsPath

MINUS = "\u2212"
_REPLACEMENT = "\ufffd"
DASH = "\u2014"
_SPREADSHEET_LINE = re.compile(r'\A"?sep=.?"?\s*[\r\n]+', re.IGNORECASE)
SIMILARITY, N_SHOWN = 0.7, 12
MIN_LETTERS = 3


def format_number(value: float | None, digits: int = 4) -> str:
    """Format a number with `digits` significant digits, without zeros at its end.

    Examples:
        >>> format_number(0.00392649), format_number(97322.52), format_number(-3.0), format_number(None)
        ('0.003926', '97,323', '−3', '—')
    """
    if value is None or value != value:
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    size = abs(value)
    if float(value).is_integer() and size < 1e6:
        text = f"{int(size):,}"
    elif size >= 10**digits:
        text = f"{round(size):,}"
    elif size < 1e-4:
        mantissa, exponent = f"{size:.{digits - 1}e}".split("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
    else:
        text = f"{size:,.{digits}g}"
    return (MINUS if value < 0 else "") + text.replace("e-", f"e{MINUS}")


def format_measured(value: float | None, digits: int = 4) -> str:
    """Format a measured number: as `format_number`, but with the zeros at its end, which are measured too.

    Examples:
        >>> format_measured(0.25), format_measured(12.0)
        ('0.2500', '12')
    """
    text = format_number(value, digits)
    if value is None or "." not in text or "e" in text:
        return text
    return (MINUS if value < 0 else "") + f"{abs(value):#,.{digits}g}"


def format_fixed(value: float | None, places: int) -> str:
    """Format a number with `places` decimal places.

    Examples:
        >>> format_fixed(24.4312, 1), format_fixed(-0.04, 1), format_fixed(None, 2)
        ('24.4', '0.0', '—')
    """
    if value is None or not math.isfinite(value):
        return format_number(value)
    size = f"{abs(value):,.{places}f}"
    return (MINUS if value < 0 and size.strip("0.,") else "") + size


def format_signed(value: float, places: int = 3) -> str:
    """Format a number with its sign and `places` decimal places.

    Examples:
        >>> format_signed(0.0214), format_signed(-0.5, 1), format_signed(-0.0001)
        ('+0.021', '−0.5', '0.000')
    """
    return f"{'+' if value >= 0 else ''}{format_fixed(value, places)}"


def format_percent(share: float) -> str:
    """Format a fraction as a whole percentage.

    Examples:
        >>> format_percent(0.594), format_percent(-0.1)
        ('59%', '−10%')
    """
    return f"{share:.0%}".replace("-", MINUS)


def format_duration(seconds: float) -> str:
    """Format a duration in seconds, in its two largest units.

    Examples:
        >>> format_duration(42), format_duration(102), format_duration(7500)
        ('42 s', '1 min 42 s', '2 h 5 min')
    """
    whole = max(round(seconds), 0) if math.isfinite(seconds) else 0
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def format_parameters(count: int) -> str:
    """Format a number of parameters.

    Examples:
        >>> format_parameters(11_520_000), format_parameters(93_100), format_parameters(9_441)
        ('11.5 M', '93 k', '9,441')
    """
    return f"{count / 1e6:.1f} M" if count >= 1e6 else f"{count / 1e3:.0f} k" if count >= 1e4 else f"{count:,}"


def format_count(count: int) -> str:
    """Format a whole number with commas between its thousands.

    Examples:
        >>> format_count(1800)
        '1,800'
    """
    return f"{count:,}"


def describe_fit(size: tuple[int, int], side: int, run: str) -> str:
    """Describe what is done to an image for the model of a run.

    Args:
        size: height and width of the image in pixels.
        side: side of the images that the model sees.
        run: name of the run; empty if there is none.

    Examples:
        >>> describe_fit((512, 495), 96, "demo-ae"), describe_fit((96, 96), 96, "demo-ae"), describe_fit((8, 6), 0, "")
        ('495 × 512 pixels, shown at 96 × 96 as demo-ae needs', '96 × 96 pixels, as demo-ae needs', '6 × 8 pixels')
    """
    found = f"{size[1]:,} × {size[0]:,} pixels"
    if not run:
        return found
    return f"{found}, as {run} needs" if size == (side, side) else f"{found}, shown at {side} × {side} as {run} needs"


def format_source(source: str) -> str:
    """Return a source of images for a report that others read: of a path only its last part, never the way there.

    Example:
        >>> format_source("/home/ada/clinic/scans"), format_source("hf:benschill/brain-tumor-collection")
        ('scans', 'hf:benschill/brain-tumor-collection')
    """
    prefix = "hf:" if source.startswith("hf:") else ""
    path = PureWindowsPath(source.removeprefix(prefix))
    is_relative = not path.anchor and not source.removeprefix(prefix).startswith((".", "~"))
    return source if prefix and is_relative and len(path.parts) <= 2 else prefix + path.name


def find_similar(word: str, names: Collection[str]) -> str:
    """Return the name closest to a word, whatever their case, or the only one that begins with it; empty if none is.

    Examples:
        >>> find_similar("VEA", ["ae", "vae"]), find_similar("val", ["test", "validation"]), find_similar("x", ["ae"])
        ('vae', 'validation', '')
    """
    typed, known = word.casefold(), {name.casefold(): name for name in names}
    swapped = [name for name in known if sorted(name) == sorted(typed)]
    near = swapped or difflib.get_close_matches(typed, known, 1, SIMILARITY)
    begun = [name for name in known if len(typed) >= MIN_LETTERS and name.startswith(typed)]
    return known[near[0]] if near else known[begun[0]] if len(begun) == 1 else ""


def suggest(word: str, names: Collection[str], title: str) -> str:
    """Return advice on a name that is not known: the similar one, if there is one, and the last of those known.

    Example:
        >>> suggest("study-a", ["unet", "study-ae"], "Presets")
        "Did you mean 'study-ae'? Presets: unet, study-ae."
    """
    near = find_similar(word, names)
    question = f"Did you mean '{near}'? " if near else ""
    return f"{question}{title}: {', '.join([*names][-N_SHOWN:]) or 'none yet'}."


def quote(*words: object) -> str:
    """Return words as one line for the user's shell: `sh` and its kin, or those of Windows.

    Example:
        >>> quote("train", "--run", "first-ae")
        'train --run first-ae'
    """
    typed = [str(word) for word in words]
    return subprocess.list2cmdline(typed) if sys.platform == "win32" else shlex.join(typed)


def format_command(*words: object) -> str:
    """Return a command of this program as the user types it: `engram` where that is installed.

    Example:
        >>> format_command("denoise", "my head.png").endswith(" denoise 'my head.png'") or sys.platform == "win32"
        True
    """
    program = ("engram",) if shutil.which("engram") else ("python", "-m", "engine")
    return quote(*program, *words)


def make_printable(text: str) -> str:
    r"""Return a text with the bytes of a file name that are no UTF-8, and its control characters, replaced.

    Examples:
        >>> make_printable("caf\udce9.png") == "caf\ufffd.png"
        True
    """
    return "".join(_REPLACEMENT if _is_unprintable(letter) else letter for letter in text)


def _is_unprintable(letter: str) -> bool:
    return letter not in "\n\t" and unicodedata.category(letter) in {"Cc", "Cs"}


def decode_table(content: bytes) -> str:
    r"""Return a text in UTF-8, in UTF-16 with its mark, or else as spreadsheets write it on Windows.

    A first line such as `sep=;`, which tells spreadsheets the delimiter, is left out.

    Raises:
        UnicodeDecodeError: it is no text.

    Examples:
        >>> decode_table(b"sep=;\nfile;patient\n")
        'file;patient\n'
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            if b"\0" in content:
                raise
            text = content.decode("cp1252")
    return _SPREADSHEET_LINE.sub("", text, count=1)
