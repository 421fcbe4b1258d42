"""Report of a problem and what the app says about itself: versions, paths, log; nothing of a patient."""

import platform
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from PySide6 import __version__ as pyside_version
from PySide6.QtCore import QLibraryInfo, QSysInfo
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QPlainTextEdit, QVBoxLayout, QWidget

from engine import __version__
from gui.panel import DISCLAIMER
from gui.widgets.labels import label

PACKAGES = ("keras", "tensorflow", "torch", "jax", "numpy", "scikit-image", "nibabel", "pydicom")
LOG_LINES = 40
LICENSE = "Apache License 2.0"
# A path, or a name of a file: both may name a patient.
PATH = re.compile(
    r"(?:[A-Za-z]:|~|\b[\w.-]+)?[\\/][^\s:;,'\"()]+"
    r"|\b[\w.-]+\.(?:nii|gz|dcm|dicom|ima|png|jpe?g|tiff?|bmp|mg[zh]|nrrd|nhdr|mh[ad]|hdr|img|csv|npy)\b"
)


def package_versions() -> dict[str, str]:
    """Return the versions of the packages that matter, as far as they are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def system_facts() -> dict[str, str]:
    """Return what a report needs to know about the machine."""
    screens = [
        f"{screen.size().width()} × {screen.size().height()} at {screen.devicePixelRatio():g}"
        for screen in QGuiApplication.screens()
    ]
    return {
        "Engram": __version__,
        "System": f"{QSysInfo.prettyProductName()}, {platform.machine()}",
        "Python": platform.python_version(),
        "Qt": f"{QLibraryInfo.version().toString()}, PySide {pyside_version}, {QGuiApplication.platformName()}",
        "Screens": "; ".join(screens),
        "Packages": ", ".join(f"{name} {number}" for name, number in package_versions().items()),
    }


def remove_paths(text: str) -> str:
    """Return a text without paths and names of files.

    Example:
        >>> remove_paths("Reading /data/DOE_JANE/t1.nii.gz failed")
        'Reading <path> failed'
    """
    return PATH.sub("<path>", text)


def make_report(logs: list[Path], state: Mapping[str, str]) -> str:
    """Return the text of a report: versions, state of the app, the ends of the engines' logs; no path, no file name."""
    facts = [f"{name}: {value}" for name, value in system_facts().items()]
    facts += [f"{name}: {remove_paths(value)}" for name, value in state.items() if value]
    parts = ["What I did:\n", "What happened:\n", "What I expected:\n", "\n".join(facts)]
    for log in logs:
        try:
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
        except OSError:
            continue
        if lines:
            parts.append("\n".join([f"Log of {log.stem}:", *map(remove_paths, lines)]))
    return "\n\n".join(parts)


def make_about(paths: Mapping[str, Path]) -> str:
    """Return what the app is, its versions and its folders."""
    facts = {**system_facts(), **{name: str(path) for name, path in paths.items()}}
    lines = [f"{name}: {value}" for name, value in facts.items()]
    about = "Train, inspect and stress-test autoencoders on brain MRI slices."
    return "\n".join([about, DISCLAIMER, f"License: {LICENSE}", "", *lines])


class TextDialog(QDialog):
    """A text to read and to copy."""

    def __init__(self, window: QWidget, title: str, about: str, text: str) -> None:
        super().__init__(window)
        self.setWindowTitle(title)
        self.text = QPlainTextEdit(text)
        self.text.setAccessibleName(title)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        copy = buttons.addButton("Copy", QDialogButtonBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.text.toPlainText()))
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(12)
        column.addWidget(label(about, wrap=True))
        column.addWidget(self.text, 1)
        column.addWidget(buttons)
        self.resize(640, 460)
        self.resize(self.size().boundedTo(self.screen().availableGeometry().size() * 0.9))
