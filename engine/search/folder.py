"""Folder of a search, `_searches/NAME` beside its runs: its database, its lock, the logs of trials that crashed.

A run's name never begins with '_', so the folder never collides with a run. Imports no framework.
"""

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine import config, runs, tracking
from engine.config import RunConfig
from engine.data import loading
from engine.durable import move_copy, replace_durably
from engine.errors import RunExists, SearchBusy, SearchError, SearchNotFound
from engine.formatting import suggest
from engine.messages import EpochEnded, JobEnded, JobStarted
from engine.messages import Search as Order
from engine.runs import NAME_PATTERN, NOT_COPIED, Run, retarget_event, write_text_atomic
from engine.search.commands import QueuedCommand
from engine.search.search_spec import SearchSpec, check_command, make_spec, spec_from_attrs, spec_to_attrs
from engine.search.storage import FILE_NAME, TrialStorage

FOLDER_NAME = "_searches"


@dataclass(frozen=True)
class SearchFolder:
    """One search; its runs lie in `root`."""

    path: Path

    @property
    def name(self) -> str:
        """Return the name of the search, which is its folder's."""
        return self.path.name

    @property
    def root(self) -> Path:
        """Return the folder of the runs."""
        return self.path.parent.parent

    def open_storage(self) -> TrialStorage:
        """Open the database.

        Raises:
            SearchDamaged: it cannot be read.
        """
        return TrialStorage(self.path / FILE_NAME)

    def send(self, command: QueuedCommand) -> None:
        """Check a command and queue it for the process that searches.

        Raises:
            ConfigError: its values, space or number of trials is not valid.
        """
        with self.open_storage() as storage:
            check_command(spec_from_attrs(storage), command)
            storage.push_command(command)

    def run_name(self, number: int) -> str:
        """Return the name of a trial's run."""
        return f"{self.name}-{number:04d}"

    def is_busy(self) -> bool:
        """Return whether a living process runs the search."""
        return runs.is_locked(self.path)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock of the search; the system releases it when the process dies.

        Raises:
            SearchBusy: another process runs the search.
        """
        advice = f"List its trials with: trials {self.name}. Stop it there first: trials {self.name} --stop."
        with runs.lock_folder(self.path, SearchBusy(f"Search '{self.name}' is running in another process.", advice)):
            yield


def open_search(name: str, root: Path | str | None = None) -> SearchFolder:
    """Open a search by its name.

    Raises:
        SearchNotFound: no search has this name.
    """
    home = Path(root or runs.default_root()) / FOLDER_NAME
    if NAME_PATTERN.fullmatch(name) and (home / name / FILE_NAME).is_file():
        return SearchFolder((home / name).resolve())
    known = [each.name for each in list_searches(root)]
    raise SearchNotFound(f"There is no search '{name}' in {home.parent}.", suggest(name, known, "Searches there"))


def list_searches(root: Path | str | None = None) -> list[SearchFolder]:
    """Return all searches of a folder of runs, by name."""
    home = Path(root or runs.default_root()) / FOLDER_NAME
    return [SearchFolder(path.parent.resolve()) for path in sorted(home.glob(f"*/{FILE_NAME}"))]


def prepare_folder(command: Order) -> SearchFolder:
    """Create the folder of a search, or open the existing one.

    Raises:
        ConfigError: there is nothing to search, or the settings contradict each other.
        SearchError: the name is not valid, its runs' names are taken, or another process creates it.
        TrackingError: it needs W&B's server, and W&B is not logged in here.
        DataError: its images cannot be opened, so every trial would fail.
    """
    home = Path(command.root or runs.default_root()) / FOLDER_NAME
    if not NAME_PATTERN.fullmatch(command.name):
        raise SearchError(f"'{command.name}' is not a valid search name.", "Use letters, digits, '.', '_' and '-'.")
    if (home / command.name / FILE_NAME).is_file():
        check_source(command)
        return SearchFolder((home / command.name).resolve())
    search = SearchFolder(home.resolve() / command.name)
    if command.base is None or command.space is None:
        raise SearchNotFound(f"There is no search '{command.name}' to resume.", "Add --preset or --space to start one.")
    spec = make_spec(command.base, command.space, command.settings)
    tracking.check(spec.base)
    check_source(command)
    if spec.settings.tuner == "wandb":
        tracking.check_sweep()
    if taken := sorted(search.root.glob(f"{search.name}-[0-9][0-9][0-9][0-9]*")):
        raise RunExists(f"There is already a run '{taken[0].name}'.", "Choose another name for the search.")
    search.path.mkdir(parents=True, exist_ok=True)
    with search.lock():
        if not (search.path / FILE_NAME).exists():
            _begin(search, spec)
    return search


def check_source(command: Order, is_strict: bool = False) -> None:
    """Check the images of a search if its trials read the same ones as this process.

    Args:
        command: the search.
        is_strict: whether the meaning of folders must be certain.

    Raises:
        ConfigError: it is not.
        DataError: they cannot be opened, or there are none.
    """
    try:
        spec = spec_of_command(command)
    except SearchNotFound:
        # `prepare_folder` names the missing options.
        return
    is_here = command.settings.get("cluster", spec.settings.cluster) in ("", "local")
    if is_here and "source" not in spec.space.names:
        loading.check_source(spec.base.data)
        if is_strict:
            loading.check_folders(spec.base.data)


def _begin(search: SearchFolder, spec: SearchSpec) -> None:
    """Write the database with its specification in one step, so that every database found is readable."""
    staged = search.path / f"{FILE_NAME}.new"
    staged.unlink(missing_ok=True)
    with TrialStorage(staged) as storage:
        attrs = spec_to_attrs(spec)
        attrs["begun_with"] = spec.space.to_dict()
        storage.set_attrs(**attrs)
    replace_durably(staged, search.path / FILE_NAME)


def spec_of_command(command: Order) -> SearchSpec:
    """Return the specification of a command, or that of the existing search of its name, without writing anything.

    Raises:
        ConfigError, SearchNotFound: see `prepare_folder`.
    """
    if command.base is not None and command.space is not None:
        return make_spec(command.base, command.space, command.settings)
    with open_search(command.name, command.root).open_storage() as storage:
        return spec_from_attrs(storage)


# ---- runs of the trials -------------------------------------------------------------------------------------------


def create_or_reopen_run(search: SearchFolder, number: int, settings: RunConfig) -> Run:
    """Return the run folder of a trial: a new one, or the one that a crash left, complete or not.

    Raises:
        RunExists: an unrelated run has this name.
    """
    try:
        return runs.create_run(settings, search.run_name(number), search.root)
    except RunExists:
        run = Run(search.root / search.run_name(number))
        if not (run.path / "config.json").exists():
            run.write_json("config.json", config.to_record(settings))
        # A different number of parallel trials does not make it a different trial.
        own = run.config.training.threads
        if run.config != config.from_flat({"threads": own}, settings):
            raise
        return run


def can_continue_exactly(settings: RunConfig) -> bool:
    """Return whether more epochs leave the first ones unchanged: no schedule that stretches over all of them."""
    return settings.training.schedule == "constant" and not settings.training.warm_up


def continue_from(parent: Run, path: Path) -> None:
    """Copy all of a run but its settings to a new folder, to continue there for more epochs.

    An interrupted copy is no run and is repeated; an existing one stays as it is.

    Args:
        parent: a run that has ended.
        path: the new run's folder.
    """
    if path.exists():
        return
    temporary = path.with_name(f".{path.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(parent.path, temporary, ignore=shutil.ignore_patterns("config.json", *NOT_COPIED))
    events = [event for event in parent.events() if not isinstance(event, JobEnded)]
    write_text_atomic(
        temporary / "events.jsonl", "".join(retarget_event(event, path).to_json_line() for event in events)
    )
    move_copy(temporary, path)


def list_val_losses(run: Run) -> list[float]:
    """Return the validation loss per image of each complete epoch, in order."""
    return [row.get("val_loss", math.nan) for row in run.history()]


def elapsed_s(run: Run) -> float:
    """Return the time spent on a run, without breaks and without the time before its first start."""
    total, began, last = 0.0, None, 0.0
    for event in run.events():
        if isinstance(event, JobStarted):
            total, began = total + (0.0 if began is None else last - began), event.time
        if began is not None and isinstance(event, JobStarted | EpochEnded | JobEnded):
            last = event.time
    return total + (0.0 if began is None else last - began)


def find_last_job_end(run: Run) -> JobEnded | None:
    """Return how a run's last job ended by itself. Returns None if it was stopped, crashed or has not started."""
    last = [event for event in run.events() if isinstance(event, JobStarted | JobEnded)][-1:]
    ended = last[0] if last and isinstance(last[0], JobEnded) else None
    return ended if ended and ended.state != "stopped" else None


def prune_checkpoints(run: Run) -> None:
    """Keep only the last checkpoint of a run: enough to resume it, in half the disk space."""
    for old in sorted(run.checkpoints.glob("epoch-*"))[:-1]:
        shutil.rmtree(old, ignore_errors=True)
