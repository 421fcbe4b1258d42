"""One kind of question of this panel: asked once, answered or refused, the newest counts."""

from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.messages import Request, RequestFailed, RequestProgress
from gui.session import Session

Question = tuple[type[Request], dict[str, Any]]


class ExplorerRequest(QObject):
    """Asks under a name of its own; what has just been asked is not asked again.

    Args:
        session: what passes questions on.
        name: what the questions are asked under.
        parent: what owns this.
        once: do not ask again what was refused, until `allow_retry` or `reset`.
    """

    found = Signal(object)
    failed = Signal(str)
    progressed = Signal(int, int)

    def __init__(self, session: Session, name: str, parent: QObject, *, once: bool = False) -> None:
        super().__init__(parent)
        self._session, self._name, self._once = session, name, once
        self._question: Question | None = None
        self._refused: Question | None = None
        session.answered.connect(self._on_answered)
        session.refused.connect(self._on_refused)
        session.progressed.connect(self._on_progressed)

    def ask(self, kind: type[Request], **fields: Any) -> bool:
        """Ask, unless this is what was asked last; whether it was asked."""
        if (kind, fields) in (self._question, self._refused):
            return False
        self._question, self._refused = (kind, fields), None
        self._session.ask(kind, self._name, **fields)
        return True

    def reset(self) -> None:
        """Want no answer any more, and ask anew the next time."""
        self._question = self._refused = None

    def allow_retry(self) -> None:
        """Ask again what was refused, the next time that it is wanted."""
        self._refused = None

    def is_waiting(self) -> bool:
        return self._question is not None and self._session.explorer.is_waiting(self._name)

    def _on_answered(self, panel: str, content: dict[str, Any]) -> None:
        if panel == self._name and self._question is not None:
            try:
                self.found.emit(content)
            except ValueError as error:
                self._fail(f"The results could not be read ({error}).")

    def _on_refused(self, panel: str, refused: RequestFailed) -> None:
        if panel == self._name and self._question is not None:
            self._fail(f"{refused.reason} {refused.advice}".strip())

    def _on_progressed(self, event: RequestProgress) -> None:
        if event.panel == self._name and self._question is not None:
            self.progressed.emit(event.done, event.total)

    def _fail(self, why: str) -> None:
        self._question, self._refused = None, self._question if self._once else None
        self.failed.emit(why)
