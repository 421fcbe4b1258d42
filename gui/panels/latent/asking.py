"""One kind of question of this panel: asked once, answered or refused, the newest counts."""

from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.messages import Refused, Request, RequestProgress
from gui.session import Session


class Asking(QObject):
    """Asks under a name of its own; what has just been asked is not asked again."""

    found = Signal(object)
    failed = Signal(str)
    progressed = Signal(int, int)

    def __init__(self, session: Session, name: str, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._name = session, name
        self._question: tuple[type[Request], dict[str, Any]] | None = None
        session.answered.connect(self._on_answered)
        session.refused.connect(self._on_refused)
        session.progressed.connect(self._on_progressed)

    def ask(self, kind: type[Request], **fields: Any) -> bool:
        """Ask, unless this is what was asked last; whether it was asked."""
        if self._question == (kind, fields):
            return False
        self._question = kind, fields
        self._session.ask(kind, self._name, **fields)
        return True

    def forget(self) -> None:
        """Want no answer any more, and ask anew the next time."""
        self._question = None

    def is_waiting(self) -> bool:
        return self._question is not None and self._session.questions.is_waiting(self._name)

    def _on_answered(self, panel: str, content: dict[str, Any]) -> None:
        if panel == self._name and self._question is not None:
            try:
                self.found.emit(content)
            except (OSError, ValueError) as error:
                self.failed.emit(f"The answer cannot be read ({error}).")

    def _on_refused(self, panel: str, refused: Refused) -> None:
        if panel == self._name and self._question is not None:
            self._question = None
            self.failed.emit(f"{refused.reason} {refused.advice}".strip())

    def _on_progressed(self, event: RequestProgress) -> None:
        if event.panel == self._name and self._question is not None:
            self.progressed.emit(event.done, event.total)
