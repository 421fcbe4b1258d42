"""Card for the first steps: shown in Train until there is a run of the user's own."""

from PySide6.QtCore import Signal

from engine import demo_runs
from gui.session import Session
from gui.widgets.buttons import Button
from gui.widgets.card import Card
from gui.widgets.flow_layout import FlowLayout
from gui.widgets.labels import label

READY = "{names} are ready to explore. "
TRAIN = "Train your own in about a minute: 400 phantoms of 64 × 64 px, 15 epochs."


class FirstRunCard(Card):
    """What to do first, as buttons."""

    train_wanted = Signal()
    lesson_wanted = Signal()
    guide_wanted = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__("First steps")
        self._session = session
        self._text, self.train = label(wrap=True), Button("Train a quick model", "primary")
        self.lesson, self.guide = Button("Take a lesson", "link"), Button("Guide", "link")
        line = FlowLayout()
        for button, wanted in (
            (self.train, self.train_wanted),
            (self.lesson, self.lesson_wanted),
            (self.guide, self.guide_wanted),
        ):
            button.clicked.connect(wanted)
            line.addWidget(button)
        self.add(self._text)
        self.add(line)
        session.runs_changed.connect(self.refresh)
        session.job_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Name the demo runs that are there; hide once there is a run that is none of them."""
        shipped = {folder.name for folder in demo_runs.PACKED.iterdir()}
        names = sorted(self._session.runs.records)
        ready = [name for name in names if name in shipped]
        listed = " and ".join(filter(None, (", ".join(ready[:-1]), *ready[-1:])))
        self._text.setText((READY.format(names=listed) if len(ready) > 1 else "") + TRAIN)
        self.train.setEnabled(not self._session.job.is_busy())
        is_needed = set(names) <= shipped
        # Shown before the panel has it, the card would be a window of its own.
        if not is_needed or self.parentWidget() is not None:
            self.setVisible(is_needed)
