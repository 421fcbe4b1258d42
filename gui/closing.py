"""Closing the window while it trains: stop and keep, go on in the background, or stay."""

import sys
from typing import Literal

from PySide6.QtCore import QProcess
from PySide6.QtWidgets import QMessageBox, QWidget

from gui.engine_process import environment
from gui.run_record import RunRecord

Choice = Literal["stop", "background", "stay"]


def ask(parent: QWidget, record: RunRecord | None) -> Choice:
    """Ask what shall become of the run that is being trained; of the study when there is no such run."""
    return _ask_of_study(parent) if record is None else _ask_of_run(parent, record)


def _ask_of_study(parent: QWidget) -> Choice:
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Close Engram")
    box.setText("The study is being made.")
    box.setInformativeText(
        "Stop and keep: its finished runs and the complete epochs of the run in hand are kept. Start it again in the "
        "same folder, here or by 'python -m engine study', to go on."
    )
    stop = box.addButton("Stop and keep", QMessageBox.ButtonRole.AcceptRole)
    stay = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(stay)
    box.exec()
    chosen = box.clickedButton()
    box.deleteLater()
    return "stop" if chosen is stop else "stay"


def _ask_of_run(parent: QWidget, record: RunRecord) -> Choice:
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Close Engram")
    box.setText(f"{record.name} is being trained: {record.last_epoch} of {record.goal} epochs are complete.")
    box.setInformativeText(
        "Stop and keep: the epochs that are complete are kept, and the run can be resumed.\n\n"
        "Keep training in the background: the run goes on without the window from its last complete epoch, to the same "
        "result to the bit where the backend is deterministic. What is done of the present epoch is done again."
    )
    stop = box.addButton("Stop and keep", QMessageBox.ButtonRole.AcceptRole)
    background = box.addButton("Keep training in the background", QMessageBox.ButtonRole.ActionRole)
    stay = box.addButton(QMessageBox.StandardButton.Cancel)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    chosen = box.clickedButton()
    box.deleteLater()
    return "stop" if chosen is stop else "background" if chosen is background else "stay"


def go_on_in_background(record: RunRecord) -> bool:
    """Resume a stopped run in a process of its own that the window does not hold; False when it cannot be started."""
    process = QProcess()
    process.setProgram(sys.executable)
    process.setArguments(["-m", "engine", "resume", str(record.run.path), "--runs", str(record.run.path.parent)])
    process.setProcessEnvironment(environment())
    for silence in (process.setStandardInputFile, process.setStandardOutputFile, process.setStandardErrorFile):
        silence(QProcess.nullDevice())
    return bool(process.startDetached())
