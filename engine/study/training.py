"""Every run of a study trained, one after the other: what is finished is taken as it is, what was stopped goes on."""

import shutil
from collections.abc import Sequence
from typing import Any

from engine import runs
from engine.errors import EngramError, StudyError
from engine.messages import Emit, EpochEnded, Event, Log, Progress, ShouldStop, StudyProgress
from engine.runs import Run
from engine.studies import Study
from engine.study import process
from engine.study.plan import Planned


def train_all(study: Study, planned: Sequence[Planned], emit: Emit, should_stop: ShouldStop) -> dict[str, Run]:
    """Train what a study needs.

    Args:
        study: its folder.
        planned: its runs.
        emit: takes progress, and a sentence for each run that has ended.
        should_stop: asked all the while; the run in hand is then kept as it is.

    Returns:
        The runs by their planned names, those that are there; fewer than planned when stopped. A run that fails does
        not keep the others back.

    Raises:
        StudyError: a name is taken by a run with other settings.
    """
    kept = {each.name: find(study, each) for each in planned}
    for number, each in enumerate(planned):
        if should_stop():
            break
        run = kept[each.name] or runs.create(each.config, each.name, study.runs)
        kept[each.name] = run
        if not _is_over(run):
            _train(study, run, _Place(run.name, number, len(planned), emit), should_stop)
        if each.is_trial and run.state() == "finished":
            shutil.rmtree(run.checkpoints, ignore_errors=True)  # three times the weights, and no one goes on from it
    return {name: run for name, run in kept.items() if run is not None}


def find(study: Study, planned: Planned) -> Run | None:
    """The run of a study's folder that has the planned settings, whatever its name.

    Raises:
        StudyError: the planned name is taken by a run with other settings.
    """
    known = {run.name: run for run in runs.find_all(study.runs)}
    first = [known[planned.name]] if planned.name in known else []
    for run in [*first, *known.values()]:
        if _settings(run) == planned.config:
            return run
    if first:
        what = f"The folder {study.path} holds a study with other settings: its run {planned.name} differs."
        raise StudyError(what, "Choose another folder for this one, or give the settings of the study that is there.")
    return None


def _is_over(run: Run) -> bool:
    """Whether a run needs no more training: it is finished, or failed when it had epochs, as it would again."""
    state = run.state()
    return state == "finished" or (state == "failed" and bool(run.history()))


def _settings(run: Run) -> Any:
    try:
        return run.config
    except EngramError:
        return None


def _train(study: Study, run: Run, place: "_Place", should_stop: ShouldStop) -> None:
    place.say(None, "starting")
    try:
        process.train(run, place, should_stop, study.log)
    except EngramError as error:
        place.emit(Log(text=str(error), level="warning"))
        return
    best, rows = run.best_epoch(), {int(row["epoch"]): row for row in run.history()}
    text = f"{run.name} ({place.number + 1} of {place.total}) {run.state()}"
    if best:
        unit = run.config.model.loss_unit
        text += f", validation {rows[best]['val_loss']:.6g} {unit}".rstrip() + f" in epoch {best}"
    place.emit(Log(text=f"{text}."))


class _Place:
    """Takes the events of one run and tells where the study is."""

    def __init__(self, name: str, number: int, total: int, emit: Emit) -> None:
        self.name, self.number, self.total, self.emit = name, number, total, emit

    def __call__(self, event: Event) -> None:
        """Turn an event of the run into one of the study."""
        if isinstance(event, Progress):
            share = (event.epoch - 1 + event.batch / max(event.batches, 1)) / max(event.epochs, 1)
            minutes = f"{event.left_s / 60:.0f} min" if event.left_s >= 90 else f"{event.left_s:.0f} s"
            self.say(share, f"epoch {event.epoch} of {event.epochs} · {minutes} left for this run")
        elif isinstance(event, EpochEnded):
            value = event.metrics.get("val_loss", float("nan"))
            self.say(None, f"epoch {event.epoch} done, validation {value:.5g}")
        elif isinstance(event, Log) and event.level != "info":
            self.emit(event)

    def say(self, share: float | None, text: str) -> None:
        """Tell how far this run is."""
        whole = None if share is None else (self.number + share) / self.total
        told = f"{self.name} · run {self.number + 1} of {self.total} · {text}"
        self.emit(StudyProgress(stage="training", text=told, share=whole))
