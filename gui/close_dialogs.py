"""Closing the window while it trains or searches: stop and keep, go on in the background, or stay."""

import sys
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QProcess
from PySide6.QtWidgets import QMessageBox, QWidget

from gui.engine_process import environment
from gui.run_record import RunRecord

Choice = Literal["stop", "background", "stay"]


def ask_about_run(parent: QWidget, record: RunRecord | None) -> Choice:
    """Ask what shall become of the run that is being trained; of the study when there is no such run."""
    return _ask_of_study(parent) if record is None else _ask_of_run(parent, record)


def ask_about_search(parent: QWidget, name: str) -> Choice:
    """Ask what shall become of the search that runs."""
    text = (
        "Stop and keep: finished trials and completed epochs are saved. You can resume the search later.\n\n"
        "Continue in background: Engram closes and the search continues; running trials restart from their last "
        "completed epoch. Open the search again in Search to see its progress."
    )
    return _choice(parent, f"Search {name} is running.", text, "Continue in background")


def _ask_of_study(parent: QWidget) -> Choice:
    text = (
        "Stop and keep: finished runs and completed epochs are saved. To resume, start the study again with the same "
        "folder, here or with 'python -m engine study'."
    )
    return _choice(parent, "The reproduction study is still running.", text)


def _ask_of_run(parent: QWidget, record: RunRecord) -> Choice:
    said = f"{record.name} is still training: {record.last_epoch} of {record.target_epochs} epochs completed."
    text = (
        "Stop and keep: completed epochs are saved. You can resume the run later.\n\n"
        "Continue in background: Engram closes and the run continues from its last completed epoch; the current epoch "
        "is restarted. With a deterministic backend the result is bit-identical."
    )
    return _choice(parent, said, text, "Continue in background")


def _choice(parent: QWidget, said: str, text: str, background: str = "") -> Choice:
    """Ask; what can go on without the window may be let go on."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Close Engram")
    box.setText(said)
    box.setInformativeText(text)
    stop = box.addButton("Stop and keep", QMessageBox.ButtonRole.AcceptRole)
    beside = box.addButton(background, QMessageBox.ButtonRole.ActionRole) if background else None
    stay = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    chosen = box.clickedButton()
    box.deleteLater()
    return "stop" if chosen is stop else "background" if beside and chosen is beside else "stay"


def resume_detached(record: RunRecord) -> bool:
    """Resume a stopped run in a process of its own that the window does not hold; False when it cannot be started."""
    return _detach(["resume", str(record.run.path), "--runs", str(record.run.path.parent)])


def search_in_background(name: str, root: Path) -> bool:
    """Go on with a stopped search in a process of its own; False when it cannot be started."""
    return _detach(["search", "--name", name, "--runs", str(root)])


def _detach(command: list[str]) -> bool:
    process = QProcess()
    process.setProgram(sys.executable)
    process.setArguments(["-m", "engine", *command])
    process.setProcessEnvironment(environment())
    for silence in (process.setStandardInputFile, process.setStandardOutputFile, process.setStandardErrorFile):
        silence(QProcess.nullDevice())
    return bool(process.startDetached())
