"""An executor that plays trials by a script, in the process of the test.

`FakeExecutor` keeps `engine.search.executor.Executor`. Each time the search looks for news, each running trial plays
one
step: it starts, trains one epoch or ends. So a search needs no framework and no second process, waits for nothing and
comes out the same each time. A trial writes into its run what a real one writes: its events, a checkpoint after each
epoch, and the lock that keeps a second process out.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from engine import config
from engine.config import RunConfig
from engine.messages import (
    Continue,
    Continued,
    EpochEnded,
    Event,
    JobEnded,
    JobStarted,
    Message,
    Pause,
    Paused,
    RequestFailed,
    Stop,
)
from engine.runs import Run
from engine.search.executor import EventSink, ProcessExited, TrialTask

MAX_STEPS = 5000  # of a search; one that needs more continues for ever


@dataclass(frozen=True)
class Attempt:
    """One process of a trial.

    Args:
        epochs: after how many epochs of its own the process ends; None for all that the trial wants.
        ending: how it ends then: the job's last word, or a `ProcessExited` without one. None finishes the job.
        epochs_until_stop: how many epochs it trains before it obeys `Stop`; None never obeys.
        steps_per_epoch: how many looks for news an epoch takes.
        steps_before_start: how many looks for news its framework takes.
    """

    epochs: int | None = None
    ending: JobEnded | RequestFailed | ProcessExited | None = None
    epochs_until_stop: int | None = 0
    steps_per_epoch: int = 1
    steps_before_start: int = 0


def kill_after(epochs: int) -> Attempt:
    """Return an attempt that is killed (`kill -9`, or by a system short of memory) after these epochs."""
    return Attempt(epochs, ProcessExited(-9, ""))


def fail(reason: str, advice: str = "", epochs: int = 0) -> Attempt:
    """Return an attempt that fails after these epochs and says why."""
    return Attempt(epochs, JobEnded(run="", state="failed", reason=reason, advice=advice))


def crash(last_words: str, epochs: int = 0) -> Attempt:
    """Return an attempt whose process breaks off after these epochs with exit code 1 and words in its log."""
    return Attempt(epochs, ProcessExited(1, last_words))


def compute_loss(settings: RunConfig, epoch: int) -> float:
    """Return a validation loss that depends on the learning rate, the latent size and the epoch alone."""
    values = config.to_flat(settings)
    return 0.1 + abs(values["learning_rate"] - 2e-3) + abs(values["latent"] - 7) / 100 + 1 / epoch


@dataclass
class FakeExecutor:
    """Plays every trial of a search.

    Args:
        attempts: of each trial by its number, one for all its attempts, or a list of them; behind its end, all finish.
        losses: validation loss of a run's settings after an epoch, counted from 1.
        unheard_steps: steps that each trial plays between the last news that the search takes and the search's death.

    Attributes:
        begun: (number of the trial, epochs complete before) of every attempt, in order.
        running: trials that are being played.
        expected: how often the search said that another trial will follow.
    """

    attempts: Mapping[int, Attempt | Sequence[Attempt]] = field(default_factory=dict)
    losses: Callable[[RunConfig, int], float] = compute_loss
    unheard_steps: int = 0
    begun: list[tuple[int, int]] = field(default_factory=list)
    running: list["FakeTrial"] = field(default_factory=list)
    expected: int = 0
    _steps: int = 0
    _tries: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    def submit(self, task: TrialTask, inbox: EventSink) -> "FakeTrial":
        """Begin to play a trial."""
        trial = FakeTrial(self, task, inbox, self._attempt(task.number))
        self.begun.append((task.number, trial.epoch))
        self.running.append(trial)
        return trial

    def _attempt(self, number: int) -> Attempt:
        known, tried = self.attempts.get(number, ()), self._tries[number]
        self._tries[number] += 1
        if isinstance(known, Attempt):
            return known
        return known[tried] if tried < len(known) else Attempt()

    def prewarm(self, backend: str) -> None:
        """Note that another trial will follow."""
        self.expected += 1

    def check(self) -> None:
        """Play one step of each trial."""
        self._steps += any(not trial.is_paused for trial in self.running)  # a paused search waits as long as it likes
        assert self._steps <= MAX_STEPS, "the search goes on for ever"
        for trial in list(self.running):
            trial.step()

    def close(self) -> None:
        """Leave; the search has ended its trials."""
        assert not self.running, "trials live on behind their search"


class FakeTrial:
    """One process of a trial, and the search's hand on it (`engine.search.executor.TrialHandle`).

    Args:
        executor: that plays it.
        task: the trial.
        inbox: takes its news.
        attempt: how it goes.
    """

    def __init__(self, executor: FakeExecutor, task: TrialTask, inbox: EventSink, attempt: Attempt) -> None:
        self.executor, self.task, self.attempt, self._inbox = executor, task, attempt, inbox
        kept = sorted(task.run.checkpoints.glob("epoch-*"))
        self.epoch = int(kept[-1].name.removeprefix("epoch-")) if kept else 0
        self.is_paused = self.is_stopped = False
        self._is_heard = True
        self._held = ExitStack()
        self._held.enter_context(task.run.lock())
        task.log.write_text("what the framework said\n")
        self._steps = self._play()

    def step(self) -> None:
        """Play one step."""
        if next(self._steps, None) is None:
            self._leave()

    def send(self, message: Message) -> None:
        """Take a command."""
        if isinstance(message, Pause | Continue) and self.is_paused != isinstance(message, Pause):
            self.is_paused = not self.is_paused
            self._tell((Paused if self.is_paused else Continued)(run=self.task.run.name))
        if isinstance(message, Stop):
            self.is_stopped, self.is_paused = True, False

    def kill(self) -> None:
        """End it by force, and after `unheard_steps` more if it is the search that ends."""
        self._is_heard = False
        for _ in range(self.executor.unheard_steps if self in self.executor.running else 0):
            self.step()
        self._is_heard = True
        if self in self.executor.running:
            self._leave(ProcessExited(-9, ""))

    def close(self) -> None:
        """Let go of one that is gone."""
        assert self not in self.executor.running

    def _play(self) -> Iterator[bool]:
        """Play the trial; each True is the end of a step."""
        run, epochs = self.task.run, self.task.run.config.training.epochs
        for _ in range(self.attempt.steps_before_start):
            yield True
        self._record(_started(run, self.epoch, epochs))
        yield True
        own = unwanted = 0
        while self.epoch < epochs and own != self.attempt.epochs:
            for _ in range(self.attempt.steps_per_epoch - 1):
                yield True
            while self.is_paused:
                yield True
            if self.is_stopped and unwanted == self.attempt.epochs_until_stop:
                self._record(JobEnded(run=run.name, state="stopped", epoch=self.epoch))
                return
            own, unwanted = own + 1, unwanted + self.is_stopped
            self._train_epoch()
            yield True
        self._end()

    def _train_epoch(self) -> None:
        """Add an epoch to the last checkpoint, whose content stands for the weights: all that they depend on."""
        run, before = self.task.run, self.task.run.checkpoints / f"epoch-{self.epoch:05d}"
        self.epoch += 1
        values = config.to_flat(run.config)
        weights = json.loads((before / "weights.json").read_text()) if before.exists() else []
        weights.append([self.epoch, values["learning_rate"], values["latent"]])
        folder = run.checkpoints / f"epoch-{self.epoch:05d}"
        folder.mkdir(parents=True)
        (folder / "weights.json").write_text(json.dumps(weights))
        loss = self.executor.losses(run.config, self.epoch)
        self._record(EpochEnded(run=run.name, epoch=self.epoch, metrics={"val_loss": loss}, best=False))

    def _end(self) -> None:
        """End as the attempt says, once its epochs are over."""
        ending = self.attempt.ending
        if isinstance(ending, ProcessExited):
            self._leave(ending)
        elif isinstance(ending, RequestFailed):
            self._tell(ending)
        elif ending is not None:
            self._record(ending.model_copy(update={"run": self.task.run.name, "epoch": self.epoch}))
        else:
            self._record(JobEnded(run=self.task.run.name, state="finished", epoch=self.epoch))

    def _record(self, event: Event) -> None:
        self.task.run.append(event)
        self._tell(event)

    def _tell(self, event: Event | ProcessExited) -> None:
        if self._is_heard:
            self._inbox.put((self.task.number, event))

    def _leave(self, gone: ProcessExited | None = None) -> None:
        """Let the run go, then say so."""
        if self in self.executor.running:
            self.executor.running.remove(self)
            self._held.close()
            self._tell(gone or ProcessExited(0, ""))


def _started(run: Run, first_epoch: int, epochs: int) -> JobStarted:
    """Return the word with which a trial starts; no search reads more of it."""
    counts = {"train_images": 27, "validation_images": 9, "parameters": 1}
    known = {"run": run.name, "path": str(run.path), "backend": "tensorflow", "device": "CPU"}
    return JobStarted(first_epoch=first_epoch, epochs=epochs, **known, **counts)
