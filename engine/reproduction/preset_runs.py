"""The quick study: the study's two best models trained, one after the other; what is finished is taken as it is."""

from collections.abc import Mapping
from typing import Any

from engine import config, runs
from engine.config import RunConfig
from engine.errors import EngramError, StudyError
from engine.messages import Emit, Log
from engine.reproduction import published, run_process
from engine.reproduction.progress import ProgressRelay
from engine.reproduction.trials import StudyRun, from_run
from engine.runs import Run
from engine.search.runner import StopAndPause
from engine.study_folder import StudyFolder

OTHER = "The folder {} contains a study with other settings: its {} differs."
ADVICE = "Choose another folder, or use the settings of the existing study."


class PresetRuns:
    """The two runs of a quick study.

    Args:
        study: its folder.
        bases: the settings of each model.
    """

    searches: Mapping[str, Any] = {}

    def __init__(self, study: StudyFolder, bases: Mapping[str, RunConfig]) -> None:
        self.study = study
        self.planned = {published.claim(model).preset: settings for model, settings in bases.items()}

    @property
    def count(self) -> int:
        """How many runs there will be."""
        return len(self.planned)

    def check(self) -> None:
        """Find out whether the folder can take this study.

        Raises:
            StudyError: a name is taken by a run with other settings.
        """
        self._existing_runs()

    def trials(self) -> list[StudyRun]:
        """What came of the runs so far."""
        return [from_run(run) for run in self._existing_runs().values()]

    def train(self, emit: Emit, wishes: StopAndPause) -> bool:
        """Train what is not finished; False when stopped. A run that fails does not keep the other back."""
        known, follower = self._existing_runs(), ProgressRelay(emit, self.count)
        for number, (name, settings) in enumerate(self.planned.items()):
            if wishes.should_stop():
                return False
            run = known.get(name) or runs.create_run(settings, name, self.study.runs)
            follower.begin(number)
            if run.state() != "finished":
                self._train(run, follower, wishes)
        return not wishes.should_stop()

    def _train(self, run: Run, follower: ProgressRelay, wishes: StopAndPause) -> None:
        follower.emit_progress(run.name, "starting")
        try:
            run_process.train(run, follower, wishes, self.study.path / f"{run.name}.log")
        except EngramError as error:
            follower.emit(Log(text=str(error), level="warning"))
            return
        trial = from_run(run)
        loss, epoch = (trial.loss, int(trial.best["epoch"])) if trial.best else (None, None)
        follower.log_run_end(run.name, trial.state, loss, epoch, run.config.model.loss_unit)

    def _existing_runs(self) -> dict[str, Run]:
        found = {name: self._find(name, settings) for name, settings in self.planned.items()}
        return {name: run for name, run in found.items() if run is not None}

    def _find(self, name: str, settings: RunConfig) -> Run | None:
        """Return the run of the folder that has the planned settings, whatever its name. Returns None if there is none.

        Raises:
            StudyError: the name, or one that the preset had before, is taken by a run with other settings.
        """
        known = {run.name: run for run in runs.list_runs(self.study.runs)}
        former = [old for old, new in config.PRESET_ALIASES.items() if new == name]
        first = [known[each] for each in (name, *former) if each in known]
        for run in [*first, *known.values()]:
            if _settings(run) == settings:
                return run
        if first:
            raise StudyError(OTHER.format(self.study.path, f"run {first[0].name}"), ADVICE)
        return None


def _settings(run: Run) -> Any:
    try:
        return run.config
    except EngramError:
        return None
