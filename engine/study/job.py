"""The study as one job: train what is missing, measure the best, draw, write the page. It does not know who listens."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine import __version__, backend, runs
from engine.config import RunConfig, StudyConfig
from engine.data import loading
from engine.errors import BackendError, EngramError
from engine.messages import Emit, Log, ShouldStop, StudyEnded, StudyProgress, ignore, never
from engine.runs import Run
from engine.studies import Study
from engine.study import figures, numbers, page, tables, training
from engine.study.findings import Findings, Inquiry
from engine.study.plan import Planned, plan
from engine.study.trials import Trial, told

FORMAT = 1


def make(
    out: Path,
    chosen: StudyConfig,
    settings: Mapping[str, Any],
    *,
    emit: Emit = ignore,
    should_stop: ShouldStop = never,
) -> dict[str, Any]:
    """Do the seed study again in a folder, or go on with what is there: finished runs are taken as they are.

    Args:
        out: the study's folder; made if missing.
        chosen: how much is done.
        settings: flat settings that go over those of every run, the source among them.
        emit: takes progress, sentences, and the end.
        should_stop: asked all the while; True ends the job soon and keeps everything.

    Returns:
        What study.json holds; its 'state' is 'finished' or 'stopped'.

    Raises:
        EngramError: what is wrong with the settings, the folder, the data or the backend.
    """
    study = Study(out.expanduser().resolve())
    planned = plan(chosen, settings)
    _check(planned[0].config)
    ending = StudyEnded(out=str(study.path), state="failed")
    try:
        with study.lock():
            content = _Work(study, chosen, settings, emit, should_stop).do(planned)
        ending = ending.model_copy(update={"state": content["state"]})
    except EngramError as error:
        ending = ending.model_copy(update={"reason": error.what, "advice": error.advice})
        raise
    finally:
        emit(ending)
    return content


def _check(first: RunConfig) -> None:
    """Find out before there are runs what would make every one of them fail.

    Raises:
        DataError: there is no such source.
        BackendError: the backend is not installed.
    """
    name = first.training.backend
    if name not in backend.installed():
        raise BackendError(f"The backend {name} is not installed.", f"Install it: {backend.INSTALL[name]}.")
    loading.open_source(first.data)


class _Work:
    """One go at a study whose folder is held."""

    def __init__(
        self, study: Study, chosen: StudyConfig, settings: Mapping[str, Any], emit: Emit, should_stop: ShouldStop
    ) -> None:
        self.study, self.chosen, self.settings = study, chosen, settings
        self.emit, self.should_stop = emit, should_stop
        self._began = time.monotonic()
        before = study.read()
        self._spent_s = float(before.get("elapsed_s") or 0.0)
        self._content: dict[str, Any] = {key: before[key] for key in ("contents", "numbers") if key in before}

    def do(self, planned: Sequence[Planned]) -> dict[str, Any]:
        """Go through the stages; what is known is written down after each."""
        self._write("running", planned, self._known(planned))  # a folder with another study in it is left as it is
        try:
            finished = self._go(planned)
        except EngramError as error:
            self._content |= {"reason": error.what, "advice": error.advice}
            self._write("failed", planned, self._known(planned))
            raise
        return self._write("finished" if finished else "stopped", planned, self._known(planned))

    def _go(self, planned: Sequence[Planned]) -> bool:
        trained = training.train_all(self.study, planned, self.emit, self.should_stop)
        if self.should_stop():
            return False
        trials = told(trained.values())
        self._write("running", planned, trained)
        findings = Inquiry(self.chosen, self.settings, self.emit, self.should_stop).measure(trials)
        return findings is not None and self._draw(findings)

    def _draw(self, findings: Findings) -> bool:
        rows = numbers.rows(findings)
        written = [each.write(self.study) for each in [*tables.tables(findings), numbers.table(rows)]]
        drawings = figures.drawings()
        for number, draw in enumerate(drawings):
            self.emit(StudyProgress(stage="drawing", text="Drawing the figures", share=number / len(drawings)))
            if self.should_stop():
                return False
            drawn = draw(findings)
            if drawn is not None:
                written.append(drawn.write(self.study))
        self._content = _measured(findings) | {"numbers": [vars(row) for row in rows], "contents": written}
        runs.write_text(self.study.page, page.html(self.study, findings, written, rows))
        self.emit(Log(text=f"The page is {self.study.page}"))
        return True

    def _known(self, planned: Sequence[Planned]) -> dict[str, Run]:
        found = {each.name: training.find(self.study, each) for each in planned}
        return {name: run for name, run in found.items() if run is not None}

    def _write(self, state: str, planned: Sequence[Planned], trained: Mapping[str, Run]) -> dict[str, Any]:
        trials: list[Trial] = told(trained.values())
        content = {
            "format": FORMAT,
            "engram": __version__,
            "state": state,
            "path": str(self.study.path),
            "page": str(self.study.page) if self.study.page.exists() else None,
            "config": self.chosen.model_dump(mode="json"),
            "settings": dict(self.settings),
            "planned": len(planned),
            "runs": [each.content() for each in trials],
            **self._content,
            "elapsed_s": self._spent_s + time.monotonic() - self._began,
        }
        self.study.write(content)
        return content


def _measured(findings: Findings) -> dict[str, Any]:
    return {
        "best": {
            model: {
                "run": best.trial.run.name,
                "splits": best.measured,
                "noise": best.sweep.content(),
            }
            for model, best in findings.best.items()
        },
        "linear": findings.linear,
        "audit": findings.audit,
        "fingerprint": findings.images.fingerprint,
        "counts": findings.images.counts(),
        "shown_from": findings.split,
    }
