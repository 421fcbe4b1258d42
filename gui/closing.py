"""Closing the window while it trains or searches: stop and keep, go on in the background, or stay."""

import sys
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QProcess
from PySide6.QtWidgets import QMessageBox, QWidget

from gui.engine_process import environment
from gui.run_record import RunRecord

Choice = Literal["stop", "background", "stay"]


def ask(parent: QWidget, record: RunRecord | None) -> Choice:
    """Ask what shall become of the run that is being trained; of the study when there is no such run."""
    return _ask_of_study(parent) if record is None else _ask_of_run(parent, record)


def ask_of_search(parent: QWidget, name: str) -> Choice:
    """Ask what shall become of the search that runs."""
    text = (
        "Stop and keep: all trials are kept, with the complete epochs of those that run, and the search can be gone on "
        "with.\n\nKeep searching in the background: the search goes on without the window, inside the trials that "
        "run, from their last complete epochs. Open it again in Search to see how far it is."
    )
    return _choice(parent, f"Search {name} is running.", text, "Keep searching in the background")


def _ask_of_study(parent: QWidget) -> Choice:
    text = (
        "Stop and keep: its finished runs and the complete epochs of the run in hand are kept. Start it again in the "
        "same folder, here or by 'python -m engine study', to go on."
    )
    return _choice(parent, "The study is being made.", text)


def _ask_of_run(parent: QWidget, record: RunRecord) -> Choice:
    said = f"{record.name} is being trained: {record.last_epoch} of {record.goal} epochs are complete."
    text = (
        "Stop and keep: the epochs that are complete are kept, and the run can be resumed.\n\n"
        "Keep training in the background: the run goes on without the window from its last complete epoch, to the same "
        "result to the bit where the backend is deterministic. What is done of the present epoch is done again."
    )
    return _choice(parent, said, text, "Keep training in the background")


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


def go_on_in_background(record: RunRecord) -> bool:
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
