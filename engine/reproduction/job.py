"""The study as one job: trains the missing runs, evaluates the best, draws the figures, writes the page."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from engine import __version__, backend, config, result_cache, runs
from engine.config import RunConfig, StudyConfig
from engine.data import loading
from engine.errors import BackendError, ConfigError, EngramError
from engine.job_context import Cancelled, JobContext
from engine.messages import (
    Continued,
    Emit,
    Log,
    Paused,
    RunStudy,
    ShouldStop,
    StudyEnded,
    StudyProgress,
    discard_event,
    never_stop,
)
from engine.messages import Search as Order
from engine.reproduction import comparison, figures, page, published, tables
from engine.reproduction.evaluator import StudyEvaluator, StudyResults
from engine.reproduction.preset_runs import PresetRuns
from engine.reproduction.search_runs import SearchRuns
from engine.reproduction.trials import SearchSummary, StudyRun, best_of_each
from engine.search.job import StopAndPause
from engine.study_folder import StudyFolder
from engine.training.backend_choice import resolve_backend

FORMAT = 1
POLL_INTERVAL_S = 0.1
Settings = Mapping[str, Any]


def run_study(
    order: RunStudy,
    *,
    emit: Emit = discard_event,
    should_stop: ShouldStop = never_stop,
    is_paused: ShouldStop = never_stop,
) -> dict[str, Any]:
    """Reproduce the reference study in a folder, or resume it there: completed parts are kept.

    Args:
        order: the study's folder, created if missing, and how much is done.
        emit: receives progress, log messages, and the end.
        should_stop: polled throughout; True ends the job soon and keeps everything.
        is_paused: polled as often; True pauses the job. Neither may block.

    Returns:
        The content of study.json; its 'state' is 'finished' or 'stopped'.

    Raises:
        EngramError: the settings, the folder, the data or the backend are not usable.
    """
    study = StudyFolder(Path(order.out).expanduser().resolve())
    order = _with_backend(order, emit, JobContext(should_stop))
    bases = base_configs(order.settings)
    orders = {} if order.config.quick else search_commands(order.config, order.settings, study.runs)
    _check(next(iter(bases.values())))
    ending = StudyEnded(out=str(study.path), state="failed")
    try:
        with study.lock():
            training = SearchRuns(study, orders, order.settings) if orders else PresetRuns(study, bases)
            content = StudyRunner(study, order, emit, StopAndPause(should_stop, is_paused)).run(training)
        ending = ending.model_copy(update={"state": content["state"]})
    except EngramError as error:
        ending = ending.model_copy(update={"reason": error.what, "advice": error.advice})
        raise
    finally:
        emit(ending)
    return content


def _with_backend(order: RunStudy, emit: Emit, context: JobContext) -> RunStudy:
    """Return the order with the fastest backend for its first model, if it leaves the choice to us."""
    first = next(iter(base_configs(order.settings).values()))
    chosen, reason = resolve_backend(first, context, is_in_process=False)
    if not reason:
        return order
    emit(Log(text=reason))
    return order.model_copy(update={"settings": {**order.settings, "backend": chosen.training.backend}})


def _check(first: RunConfig) -> None:
    """Check before the first run for what would make every run fail.

    Raises:
        DataError: there is no such source, or no image in it.
        BackendError: the backend is not installed.
    """
    name = first.training.backend
    if name not in backend.installed():
        raise BackendError(f"The backend {name} is not installed.", f"Install it: {backend.INSTALL_HINTS[name]}.")
    loading.check_source(first.data)


def base_configs(settings: Settings) -> dict[str, RunConfig]:
    """Return the study's best settings with others over them.

    Args:
        settings: flat settings that override those of every run, the source among them.

    Returns:
        The settings of 'ae' and of 'vae'.

    Raises:
        ConfigError: neither model has a setting, or its value is not valid.
    """
    best = {model: published.claim(model).best for model in published.MODELS}
    if unknown := sorted(settings.keys() - set().union(*map(config.to_flat, best.values()))):
        raise ConfigError(f"Neither model of the reference study has a setting '{unknown[0]}'.", "Remove it.")
    # The runs are trained elsewhere and compared later, so a folder needs its full path.
    if "source" in settings:
        settings = {**settings, "source": config.resolve_source(str(settings["source"]))}
    return {model: _override(base, settings) for model, base in best.items()}


def search_commands(chosen: StudyConfig, settings: Settings, root: Path) -> dict[str, Order]:
    """Return the two searches of a study, named 'ae' and 'vae'; a setting that is given is not searched.

    Args:
        chosen: how much is done.
        settings: see `base_configs`.
        root: folder of the runs.

    Raises:
        ConfigError: see `base_configs`; or nothing is left to search.
    """
    counts = {"ae": chosen.trials_ae, "vae": chosen.trials_vae}
    return {
        model: _make_command(model, base, settings, counts[model], root)
        for model, base in base_configs(settings).items()
    }


def _make_command(model: str, base: RunConfig, settings: Settings, count: int, root: Path) -> Order:
    space = published.claim(model).space
    varied = {name: values for name, values in space.to_dict().items() if name not in settings}
    if not varied:
        what = f"Nothing is left to search: {', '.join(space.names)} are all fixed."
        raise ConfigError(what, "Do not fix one of them, or use --quick.")
    wanted = {"trials": count, "seed": base.training.seed, "algorithm": "bayesian"}
    return Order(name=model, root=str(root), base=base, space=varied, settings=wanted, retry_failed=True)


def _override(base: RunConfig, settings: Settings) -> RunConfig:
    known = config.to_flat(base)
    return config.from_flat({name: value for name, value in settings.items() if name in known}, base)


class Training(Protocol):
    """Source of a study's runs."""

    @property
    def count(self) -> int:
        """Return the number of runs."""

    @property
    def searches(self) -> Mapping[str, SearchSummary]:
        """Return the searches so far, by model."""

    def check(self) -> None:
        """Raise StudyError if the folder holds another study."""

    def trials(self) -> list[StudyRun]:
        """Return the runs so far."""

    def train(self, emit: Emit, control: StopAndPause) -> bool:
        """Train the missing runs. Returns False if stopped."""


class StudyRunner:
    """Runner of a study whose folder is locked."""

    def __init__(self, study: StudyFolder, order: RunStudy, emit: Emit, control: StopAndPause) -> None:
        self.study, self.chosen, self.settings = study, order.config, order.settings
        self.emit, self.control = emit, control
        self._began = time.monotonic()
        before = study.read()
        self._spent_s = float(before.get("elapsed_s") or 0.0)
        self._content = {key: before[key] for key in (*MEASURED, "contents", "numbers", "drawn_from") if key in before}

    def run(self, training: Training) -> dict[str, Any]:
        """Run the stages; save the results after each."""
        # A folder with another study in it stays unchanged.
        training.check()
        self._write("running", training)
        try:
            self._run_stages(training)
        except Cancelled:
            return self._write("stopped", training)
        except EngramError as error:
            self._content |= {"reason": error.what, "advice": error.advice}
            self._write("failed", training)
            raise
        return self._write("finished", training)

    def _run_stages(self, training: Training) -> None:
        if not training.train(self.emit, self.control):
            raise Cancelled
        self._write("running", training)
        trials, known = training.trials(), result_cache.ResultCache(self.study.measured)
        context = JobContext(self._wait_while_paused, self._emit_measuring)
        evaluator = StudyEvaluator(self.chosen, self.settings, known, context)
        images = evaluator.read(trials)
        mark = self._fingerprint(trials, images.fingerprint)
        if mark == self._content.get("drawn_from") and self._is_whole():
            self.emit(Log(text=f"No changes: the page is {self.study.page}"))
            return
        self._draw(evaluator.measure(trials, training.searches, images), mark)

    def _emit_measuring(self, text: str, done: int, total: int) -> None:
        """Emit what is being measured, and how much of it is done; a total of 0 is unknown."""
        self.emit(StudyProgress(stage="measuring", text=text, share=done / total if total else None))

    def _wait_while_paused(self) -> bool:
        """Return whether to stop; block while the study is paused."""
        if self._is_held():
            self.emit(Paused(run=self.study.path.name))
            while self._is_held():
                time.sleep(POLL_INTERVAL_S)
            self.emit(Continued(run=self.study.path.name))
        return self.control.should_stop()

    def _is_held(self) -> bool:
        return self.control.is_paused() and not self.control.should_stop()

    def _fingerprint(self, trials: Sequence[StudyRun], images: str) -> str:
        """Return a fingerprint of everything that the page depends on."""
        models = [result_cache.model_fingerprint(trial.run) for trial in best_of_each(trials).values()]
        results = [trial.content() for trial in trials]
        # Their values are in the models' settings in normalized form.
        given = sorted(self.settings)
        return result_cache.fingerprint(__version__, self.chosen.model_dump(), given, models, results, images)

    def _is_whole(self) -> bool:
        """Return whether every file of the study still exists."""
        files = [name for each in self._content.get("contents", ()) for name in each["files"].values()]
        return self.study.page.is_file() and all((self.study.path / name).is_file() for name in files)

    def _draw(self, findings: StudyResults, mark: str) -> None:
        rows = comparison.rows(findings)
        written = [each.write(self.study) for each in [*tables.tables(findings), comparison.table(rows)]]
        drawings = figures.figure_builders()
        for number, draw in enumerate(drawings):
            self.emit(StudyProgress(stage="drawing", text="Drawing the figures", share=number / len(drawings)))
            if self._wait_while_paused():
                raise Cancelled
            drawn = draw(findings)
            if drawn is not None:
                written.append(drawn.write(self.study))
        results = {"numbers": [row.to_json() for row in rows], "contents": written, "drawn_from": mark}
        self._content = {name: value(findings) for name, value in MEASURED.items()} | results
        runs.write_text_atomic(self.study.page, page.html(self.study, findings, written, rows))
        self.emit(Log(text=f"The page is {self.study.page}"))

    def _write(self, state: str, training: Training) -> dict[str, Any]:
        content = {
            "format": FORMAT,
            "engram": __version__,
            "state": state,
            "path": str(self.study.path),
            "page": str(self.study.page) if self.study.page.exists() else None,
            "config": self.chosen.model_dump(mode="json"),
            "settings": dict(self.settings),
            "planned": training.count,
            "runs": [each.content() for each in training.trials()],
            **self._content,
            "elapsed_s": self._spent_s + time.monotonic() - self._began,
        }
        page = content["page"] and self.study.page.name
        self.study.write({**content, "path": "", "page": page})  # the record says nothing of where it lies
        return content


def _best(findings: StudyResults) -> dict[str, Any]:
    return {
        model: {"run": best.trial.run.name, "splits": best.measured, "noise": best.sweep.content()}
        for model, best in findings.best.items()
    }


MEASURED: dict[str, Callable[[StudyResults], Any]] = {
    "best": _best,
    "linear": lambda findings: findings.linear,
    "audit": lambda findings: findings.audit,
    "patients": lambda findings: findings.images.patients.to_json(),
    "fingerprint": lambda findings: findings.images.fingerprint,
    "counts": lambda findings: findings.images.counts(),
    "shown_from": lambda findings: findings.split,
}
