"""Dialogs for closing the window during a job: stop and keep, continue in the background, or cancel."""

from pathlib import Path
from typing import Literal

from PySide6.QtCore import QProcess
from PySide6.QtWidgets import QMessageBox, QWidget

from engine.child_process import module_command
from engine.formatting import format_command
from gui.engine_process import environment
from gui.run_record import RunRecord

Choice = Literal["stop", "background", "stay"]


def ask_about_run(parent: QWidget, record: RunRecord | None) -> Choice:
    """Ask what to do with the run in training, or with the study if `record` is None."""
    return _ask_of_study(parent) if record is None else _ask_of_run(parent, record)


def ask_about_search(parent: QWidget, name: str) -> Choice:
    """Ask what to do with the running search."""
    text = (
        "Stop and keep: finished trials and completed epochs are saved. You can resume the search later.\n\n"
        "Continue in background: Engram closes and the search continues; running trials restart from their last "
        "completed epoch. Open the search again in Search to see its progress."
    )
    return _choice(parent, f"Search {name} is running.", text, "Continue in background")


def _ask_of_study(parent: QWidget) -> Choice:
    text = (
        "Stop and keep: finished runs and completed epochs are saved. To resume, start the study again with the same "
        f"folder, here or with '{format_command('study')}'."
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
    """Show the question; offer to continue in the background if `background` names that button."""
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
    """Resume a stopped run in a process independent of the window; return False if it cannot be started."""
    return _detach(["resume", str(record.run.path), "--runs", str(record.run.path.parent)])


def search_in_background(name: str, root: Path) -> bool:
    """Resume a stopped search in a process independent of the window; return False if it cannot be started."""
    return _detach(["search", "--name", name, "--runs", str(root)])


def _detach(command: list[str]) -> bool:
    process = QProcess()
    program, *words = module_command("engine", *command)
    process.setProgram(program)
    process.setArguments(words)
    process.setProcessEnvironment(environment())
    for silence in (process.setStandardInputFile, process.setStandardOutputFile, process.setStandardErrorFile):
        silence(QProcess.nullDevice())
    return bool(process.startDetached())
