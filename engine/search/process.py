"""A trial's process, seen from the search: started, spoken to, listened to by a thread that only passes on."""

import os
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from engine import errors
from engine.errors import EngramError
from engine.messages import Event, JobEnded, Message, Refused, read_event
from engine.runs import Run

LAST_WORDS_BYTES = 4096
HOME = Path(errors.__file__).resolve().parents[1]


@dataclass(frozen=True)
class Gone:
    """A trial's process has ended; `code` is negative for a signal."""

    code: int
    last_words: str


News = tuple[int, Event | Gone]


@dataclass
class TrialProcess:
    """One running trial.

    Args:
        number: of the trial.
        run: what it trains.
        slot: its place among the trials that run side by side.
        ended: what it said of the end of its job, None while it has said nothing.
        is_unwanted: whether it was asked to end for good.
        hopeless_at: the epoch after which it was given up, None when it was not.
        is_paused: whether it holds.
    """

    number: int
    run: Run
    slot: int
    ended: JobEnded | Refused | None = None
    is_unwanted: bool = False
    hopeless_at: int | None = None
    is_paused: bool = False
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self, inbox: "queue.Queue[News]", log: Path, card: str | None) -> None:
        """Start it; its events, and last its `Gone`, go to the inbox.

        Args:
            inbox: takes (number of the trial, news).
            log: file for what the frameworks say.
            card: the only GPU that it may see; None for all there are.
        """
        paths = os.pathsep.join(filter(None, [str(HOME), os.environ.get("PYTHONPATH")]))
        cards = {} if card is None else {"CUDA_VISIBLE_DEVICES": card}
        with log.open("wb") as words:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "engine.search.trial", str(self.run.path)],
                env={**os.environ, **cards, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                start_new_session=True,  # Ctrl-C is for the search, which then asks its trials to stop
            )
        threading.Thread(target=self._listen, args=(self._process, inbox, log), daemon=True).start()

    def _listen(self, process: subprocess.Popen[bytes], inbox: "queue.Queue[News]", log: Path) -> None:
        for line in _stream(process.stdout):
            try:
                inbox.put((self.number, read_event(line)))
            except EngramError:
                continue  # a library that writes to the bare descriptor
        _stream(process.stdout).close()
        code = process.wait()
        inbox.put((self.number, Gone(code, last_line(log))))

    def say(self, message: Message) -> None:
        """Send it a command; one that is gone hears nothing."""
        try:
            stdin = _stream(self._process.stdin if self._process else None)
            stdin.write(message.line().encode())
            stdin.flush()
        except (OSError, ValueError):
            return

    def kill(self) -> None:
        """End it by force."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Let go of a process that is gone."""
        if self._process is not None and self._process.stdin is not None:
            try:
                self._process.stdin.close()
            except OSError:
                return  # what was left unsaid


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("the process has not been started")
    return stream


def last_line(log: Path) -> str:
    """The last line of a log, empty when there is none."""
    try:
        text = log.read_bytes()[-LAST_WORDS_BYTES:].decode(errors="replace")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
