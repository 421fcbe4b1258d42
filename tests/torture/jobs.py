"""Tiny jobs for the random events: a training, a search and a study in turn, so that one runs nearly always."""

import time
from collections import Counter
from collections.abc import Callable
from typing import ClassVar

from engine.config import RunConfig, StudyConfig, from_flat
from engine.messages import RunStudy, Search
from gui.session import Session

TINY = {"source": "phantom", "phantom_count": 48, "size": 32, "batch_size": 8, "filters": (4, 8), "latent": 4}
STUDY = {"size": 32, "filters": (4, 8), "latent": 8, "phantom_count": 60, "epochs": 2, "batch_size": 16}
EVERY_EVENTS = 20
MAX_JOB_S = 60.0


class JobStarter:
    """Starts the next job when none runs, and stops one that takes too long, such as one of the random settings."""

    started: ClassVar[Counter[str]] = Counter()

    def __init__(self, session: Session, note: Callable[[str], None]) -> None:
        self._session, self._note, self._began = session, note, time.monotonic()

    def tend(self, event: int) -> None:
        """Look after the job, now and then."""
        if event % EVERY_EVENTS:
            return
        job = self._session.job
        if job.is_busy():
            if time.monotonic() - self._began > MAX_JOB_S:
                self._note(f"stop the job, {job.state}")
                job.resume() if job.state == "paused" else job.stop()
            return
        self._began = time.monotonic()
        kind = ("train", "search", "study")[self.started.total() % 3]
        self._note(f"start a {kind}")
        self.started[kind] += 1
        getattr(self, f"_{kind}")(f"{kind}-{event}")

    def _train(self, name: str) -> None:
        if name not in self._session.runs.records:
            self._session.start(from_flat({**TINY, "epochs": 30}, RunConfig()), name)

    def _search(self, name: str) -> None:
        base = from_flat({**TINY, "epochs": 3}, RunConfig())
        space = {"latent": {"low": 2, "high": 32}, "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}}
        root, settings = str(self._session.runs.root), {"trials": 6}
        self._session.job.start_search(
            Search(name=name, root=root, base=base, space=space, settings=settings), "tensorflow"
        )

    def _study(self, name: str) -> None:
        out = str(self._session.runs.root.parent / name)
        self._session.job.start_study(RunStudy(out=out, config=StudyConfig(quick=True), settings=STUDY), "tensorflow")
