"""The trials' processes that run side by side."""

import queue
from pathlib import Path

from engine.messages import Message
from engine.runs import Run
from engine.search import cards
from engine.search.process import News, TrialProcess


class Fleet:
    """Starts processes, speaks to all of them, and hears what they say.

    Args:
        logs: folder for what the frameworks say.
    """

    def __init__(self, logs: Path) -> None:
        self.logs = logs
        self.running: dict[int, TrialProcess] = {}
        self._inbox: queue.Queue[News] = queue.Queue()
        self._cards = cards.found()

    def start(self, number: int, run: Run) -> None:
        """Start the process of a trial in the first free slot."""
        taken = {process.slot for process in self.running.values()}
        slot = next(slot for slot in range(len(taken) + 1) if slot not in taken)
        process = self.running[number] = TrialProcess(number, run, slot)
        process.start(self._inbox, self.log(number), cards.dealt(slot, self._cards))

    def log(self, number: int) -> Path:
        """The file with what the frameworks said in a trial."""
        return self.logs / f"{number:04d}.log"

    def say(self, message: Message) -> None:
        """Tell all of them."""
        for process in self.running.values():
            process.say(message)

    def news(self, wait_s: float) -> list[News]:
        """What they have said since the last call, waiting a moment for the first of it."""
        try:
            found = [self._inbox.get(timeout=wait_s)]
        except queue.Empty:
            return []
        while not self._inbox.empty():
            found.append(self._inbox.get())
        return found

    def dismiss(self, number: int) -> TrialProcess:
        """Forget a process that is gone; the log of one that had something to say before it broke off is kept."""
        process = self.running.pop(number)
        process.close()
        if process.ended is not None:
            self.log(number).unlink(missing_ok=True)
        return process

    def close(self) -> None:
        """End all of them by force."""
        for process in self.running.values():
            process.kill()
