"""Window of a lesson (predict, run, compare), and the frame around the control that it talks about."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from gui import palette
from gui.help.experiments import Experiment
from gui.help.lessons import LESSONS, Lesson, Outcome
from gui.panel import Panel, Target
from gui.session import Session
from gui.theme import GAP
from gui.widgets.buttons import Button
from gui.widgets.card import NoticeBox, ScrollingCard
from gui.widgets.labels import form_rows, label
from gui.widgets.region.region import Region
from gui.widgets.timers import make_timer

MARGIN, WIDTH = 6, 3


class Pointer(QWidget):
    """Frame over a window that marks one of its controls; the mouse goes through it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._target: QWidget | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def point_at(self, target: QWidget | None) -> None:
        """Mark a control, scrolled into view; None marks nothing."""
        if self._target is not None:
            self._target.removeEventFilter(self)
            self._target.destroyed.disconnect(self._on_target_destroyed)
        self._target = target
        if target is None:
            self.hide()
            return
        target.installEventFilter(self)
        target.destroyed.connect(self._on_target_destroyed)
        for area in ancestors(target):
            area.ensureWidgetVisible(target)
        self.raise_()
        self._follow()

    def target(self) -> QWidget | None:
        """Return the marked control."""
        return self._target

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide):
            self._follow()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(palette.current().accent), WIDTH))
        inset = WIDTH // 2 + 1
        painter.drawRoundedRect(self.rect().adjusted(inset, inset, -inset, -inset), 7, 7)

    def _follow(self) -> None:
        target, window = self._target, self._window
        if target is None or not target.isVisible():
            self.hide()
            return
        seen = QRect(target.mapTo(window, target.rect().topLeft()), target.size())
        self.setGeometry(seen.adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN))
        self.show()

    def _on_target_destroyed(self) -> None:
        self._target = None
        self.hide()


def ancestors(widget: QWidget) -> list[QScrollArea]:
    """Return the scroll areas around a widget, the innermost first."""
    found, at = [], widget.parentWidget()
    while at is not None:
        found += [at] if isinstance(at, QScrollArea) else []
        at = at.parentWidget()
    return found


def find_control(panel: QWidget, name: str) -> QWidget | None:
    """Return the first visible control of a panel with an accessible name. Returns None if there is none."""
    named = (each for each in panel.findChildren(QWidget) if each.isVisible())
    return next((each for each in named if each.accessibleName().split(":")[0] == name), None)


WIDTH_PX, FACT_PX = 364, 150
STEPS = ("1 Predict", "2 Run", "3 Compare")
ShowPanel = Callable[[str], Panel]


class LessonWindow(QDialog):
    """Window beside the app that leads through one lesson; it stays open while the user works in the app.

    Args:
        window: the app's window.
        session: runs the experiments.
        show_panel: switches to a panel and returns it.
    """

    navigated = Signal(str, object)

    def __init__(self, window: QWidget, session: Session, show_panel: ShowPanel) -> None:
        super().__init__(window, Qt.WindowType.Tool)
        self._fit = make_timer(self, 0)
        self._fit.timeout.connect(self.fit_height)
        self.setWindowTitle("Lesson")
        self.setFixedWidth(WIDTH_PX)
        self._session, self._show_panel, self.pointer = session, show_panel, Pointer(window)
        self.lesson: Lesson = LESSONS[0]
        self.outcome: Outcome | None = None
        self._experiment: Experiment | None = None
        self.step = label(role="caption")
        self.question, self.task = label(wrap=True), label(role="quiet", wrap=True)
        self.choices, self._group = QWidget(), QButtonGroup(self)
        self.go, self.next = Button("Lock in and run", "primary"), Button("Next lesson")
        self.progress, self.notice = label(role="quiet", wrap=True), NoticeBox()
        self.verdict, self.facts, self.words = label(role="title", wrap=True), QWidget(), label(wrap=True)
        self.shows = QWidget()
        self._lay_out()
        self.go.clicked.connect(self.run)
        self.next.clicked.connect(lambda: self.open_lesson((LESSONS.index(self.lesson) + 1) % len(LESSONS)))
        self._group.buttonClicked.connect(lambda _: self.go.setEnabled(True))

    def _lay_out(self) -> None:
        column, card, buttons = QVBoxLayout(self), ScrollingCard(), QHBoxLayout()
        self.card = card
        for part in (self.step, self.question, self.choices, self.task, self.progress, self.notice):
            card.add(part)
        for part in (self.verdict, self.facts, self.words):
            card.add(part)
        self.shows_line = QHBoxLayout(self.shows)
        self.shows_line.setContentsMargins(0, 0, 0, 0)
        self.shows_line.addStretch()
        card.add(self.shows)
        card.body.addStretch()
        buttons.addWidget(self.go)
        buttons.addStretch()
        buttons.addWidget(self.next)
        card.footer.addLayout(buttons)
        column.setContentsMargins(GAP, GAP, GAP, GAP)
        column.addWidget(card)

    def open_lesson(self, number: int) -> None:
        """Show a lesson from its beginning, and the panel where it takes place."""
        self._drop_experiment()
        self.lesson, self.outcome = LESSONS[number], None
        self.card.set_title(f"{number + 1}. {self.lesson.title}")
        self.question.setText(self.lesson.question)
        self.task.setText(self.lesson.task)
        self._fill_choices()
        self.notice.show_notice("")
        self._show_step(0)
        self.show()
        self.point(self.lesson.panel, self.lesson.look)

    def fit_height(self) -> None:
        """Take the height that the texts need, as far as the screen has it; the lower edge stays."""
        area = self.card.area
        needed = self.height() - area.viewport().height() + area.sizeHint().height()
        fitting = min(needed, self.screen().availableGeometry().height() - 2 * GAP)
        if fitting != self.height():
            grown = fitting - self.height()
            self.setFixedHeight(fitting)
            self.move(self.x(), max(self.y() - grown, self.screen().availableGeometry().top()))

    def event(self, event: QEvent) -> bool:
        """Fit the height again whenever the texts need another one."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit.start()
        return super().event(event)

    def run(self) -> None:
        """Start the experiment; the prediction stands from now on."""
        self._drop_experiment()
        self.notice.show_notice("")
        self._experiment = made = self.lesson.make(self._session, self)
        made.progressed.connect(self.progress.setText)
        made.failed.connect(self._on_failed)
        made.finished.connect(self._on_finished)
        self._show_step(1)
        self.progress.setText("Starting…")
        made.start()

    def point(self, panel: str, name: str) -> None:
        """Show a panel and mark one of its controls, beside this window."""
        shown = self._show_panel(panel)
        marked = find_control(shown, name)
        self.pointer.point_at(marked)
        self._stand_beside(marked, shown)

    def _stand_beside(self, marked: QWidget | None, panel: QWidget) -> None:
        """Move into a lower corner of the panel that leaves the marked control visible, at best below the settings."""
        self.fit_height()
        room = QRect(panel.mapToGlobal(QPoint()), panel.size())
        seen = QRect(marked.mapToGlobal(QPoint()), marked.size()) if marked else QRect()
        frame, spot = self.frameGeometry(), QRect(QPoint(), self.frameSize())
        spot.moveBottomLeft(room.bottomLeft())
        if spot.intersects(seen):
            spot.moveBottomRight(room.bottomRight())
        self.move(self.pos() + spot.topLeft() - frame.topLeft())

    def reject(self) -> None:
        """Close on Escape, and when the window is closed: Qt calls this for both."""
        self._drop_experiment()
        self.pointer.point_at(None)
        super().reject()

    def _fill_choices(self) -> None:
        fresh = QWidget()
        column = QVBoxLayout(fresh)
        column.setContentsMargins(0, 0, 0, 0)
        for number, text in enumerate(self.lesson.choices):
            button = QRadioButton(text)
            self._group.addButton(button, number)
            column.addWidget(button)
        self.choices = self._replace(self.choices, fresh)

    def _replace(self, old: QWidget, fresh: QWidget) -> QWidget:
        self.card.body.replaceWidget(old, fresh)
        for button in old.findChildren(QRadioButton):
            self._group.removeButton(button)
        old.deleteLater()
        return fresh

    def _show_step(self, at: int) -> None:
        self.step.setText("  ›  ".join(f"[{name}]" if place == at else name for place, name in enumerate(STEPS)))
        self.choices.setEnabled(at == 0)
        self.go.setVisible(at == 0)
        self.go.setEnabled(at == 0 and self._group.checkedId() >= 0)
        self.task.setVisible(at < 2)
        self.progress.setVisible(at == 1)
        for part in (self.verdict, self.facts, self.words):
            part.setVisible(at == 2)
        for button in self.shows.findChildren(QPushButton):
            button.deleteLater()
        self._fit.start()

    def _on_failed(self, sentence: str) -> None:
        self._show_step(0)
        self.notice.show_notice(sentence)
        self._fit.start()

    def _on_finished(self, result: object) -> None:
        self.outcome = found = self.lesson.compare(result)
        self._show_step(2)
        choices, guess = self.lesson.choices, self._group.checkedId()
        answer = choices[found.answer] if found.answer < len(choices) else "None of these"
        right = guess == found.answer
        self.verdict.setText(f"{'As you predicted' if right else 'Measured'}: {answer}.")
        rows = QWidget()
        lines = form_rows({name: label(value, wrap=True) for name, value in found.facts}, FACT_PX)
        lines.setContentsMargins(0, 0, 0, 0)
        rows.setLayout(lines)
        self.facts = self._replace(self.facts, rows)
        self.words.setText(found.text)
        for key in dict.fromkeys(panel for panel, _ in found.show):
            button = Button(f"Show in {key.title()}")
            button.clicked.connect(lambda _=False, key=key: self._show_result(key, found))
            self.shows_line.insertWidget(self.shows_line.count() - 1, button)
        self._drop_experiment()

    def _show_result(self, key: str, found: Outcome) -> None:
        """Show the result in a panel, and mark the control to look at."""
        if found.image is not None:
            region = found.image.region()
            self._session.selection.lesions.put(found.image.key, Region(region.kind, region.points))
        targets: list[Target] = [target for panel, target in found.show if panel == key]
        for target in targets:
            self.navigated.emit(key, target)
        self.point(key, self.lesson.after)

    def _drop_experiment(self) -> None:
        if self._experiment is not None:
            self._experiment.stop()
            self._experiment = None
