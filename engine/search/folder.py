"""Folder of a search, `_searches/NAME` beside its runs: its database, its lock, the logs of trials that crashed.

A run's name never begins with '_', so the folder never collides with a run. Imports no framework.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine import config, runs, tracking
from engine.config import RunConfig, SearchConfig
from engine.data import loading
from engine.errors import ConfigError, RunExists, SearchBusy, SearchError, SearchNotFound
from engine.messages import Search as Order
from engine.runs import NAME_PATTERN, Run
from engine.search import space
from engine.search.dimensions import AnyDimension
from engine.search.space import Space
from engine.search.storage import FILE_NAME, TrialStorage

FOLDER_NAME = "_searches"
MUTABLE_SETTINGS = ("trials", "parallel", "early_stopping", "cluster", "spare")


@dataclass(frozen=True)
class SearchSpec:
    """Everything that defines a search.

    Args:
        base: the settings that do not vary.
        space: the settings that vary.
        settings: the settings of the search itself.
    """

    base: RunConfig
    space: Space
    settings: SearchConfig

    def trial(self, values: Mapping[str, Any]) -> RunConfig:
        """Return the settings of a trial's run.

        Raises:
            ConfigError: the values contradict each other.
        """
        built = config.from_flat(values, self.base)
        epochs = max(1, round(built.training.epochs * self.settings.epochs_scale))
        shared: dict[str, Any] = {}
        is_here = self.settings.cluster in ("", "local")
        if is_here and self.settings.parallel > 1 and not built.training.threads:
            shared["threads"] = max(1, (os.cpu_count() or 1) // self.settings.parallel)
        return config.from_flat({"epochs": epochs, **shared}, built)


@dataclass(frozen=True)
class SearchFolder:
    """One search; its runs lie in `root`."""

    path: Path

    @property
    def name(self) -> str:
        """Name of the search, which is its folder's."""
        return self.path.name

    @property
    def root(self) -> Path:
        """Folder of the runs."""
        return self.path.parent.parent

    def open_storage(self) -> TrialStorage:
        """Open the database.

        Raises:
            SearchDamaged: it cannot be read.
        """
        return TrialStorage(self.path / FILE_NAME)

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
    known = ", ".join(each.name for each in list_searches(root)) or "none yet"
    raise SearchNotFound(f"There is no search '{name}' in {home.parent}.", f"Searches there: {known}.")


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


def check_source(command: Order) -> None:
    """Check the images of a search if its trials read the same ones as this process.

    Raises:
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


def _begin(search: SearchFolder, spec: SearchSpec) -> None:
    """Write the database with its specification in one step, so that every database found is readable."""
    staged = search.path / f"{FILE_NAME}.new"
    staged.unlink(missing_ok=True)
    with TrialStorage(staged) as storage:
        storage.set_attrs(begun_with=spec.space.to_dict(), **spec_to_attrs(spec))
    os.replace(staged, search.path / FILE_NAME)


def spec_of_command(command: Order) -> SearchSpec:
    """Return the specification of a command, or that of the existing search of its name, without writing anything.

    Raises:
        ConfigError, SearchNotFound: see `prepare_folder`.
    """
    if command.base is not None and command.space is not None:
        return make_spec(command.base, command.space, command.settings)
    with open_search(command.name, command.root).open_storage() as storage:
        return spec_from_attrs(storage)


def spec_to_attrs(spec: SearchSpec) -> dict[str, Any]:
    """Return a specification as the database stores it."""
    return {
        "base": spec.base.model_dump(mode="json"),
        "space": spec.space.to_dict(),
        "settings": spec.settings.model_dump(mode="json"),
    }


def spec_from_attrs(storage: TrialStorage) -> SearchSpec:
    """Return the specification that a database stores."""
    kept = storage.attrs()
    base = config.from_nested(kept["base"])
    return SearchSpec(base, space.parse(kept["space"], base), SearchConfig.model_validate(kept["settings"]))


def make_spec(base: RunConfig, described: Mapping[str, Any], given: Mapping[str, Any]) -> SearchSpec:
    """Return a valid specification.

    Raises:
        ConfigError: its parts contradict each other.
    """
    settings = config.validate(SearchConfig, given)
    points = space.parse(described, base)
    base = config.from_flat({"seed": settings.seed}, base)
    if settings.tuner == "wandb":
        check_sweepable(points, settings)
        if settings.parallel > 1:
            raise ConfigError("A W&B sweep proposes one trial at a time.", "Set --parallel to 1.")
    epochs = next((each for each in points.dimensions if each.name == "epochs"), None)
    if settings.algorithm == "grid" and not points.is_finite:
        raise ConfigError("A grid search needs lists, or ranges of whole numbers.", "Use lists, or another algorithm.")
    if settings.algorithm == "hyperband" and epochs is not None:
        points, base = points.drop_dimension("epochs"), config.from_flat({"epochs": max(_whole(epochs))}, base)
    if epochs is not None and settings.epochs_scale < 1:
        scaled = [max(1, round(each * settings.epochs_scale)) for each in _whole(epochs)]
        if len(set(scaled)) < len(scaled):
            raise ConfigError(
                "With this epoch scale, different numbers of epochs become the same.", "Use a larger epoch scale."
            )
    return SearchSpec(base, points, settings)


def check_sweepable(points: Space, settings: SearchConfig) -> None:
    """Raise if W&B's sweeps do not support a search.

    Raises:
        ConfigError: they lack its algorithm, or conditions on its settings.
    """
    if settings.algorithm == "hyperband":
        raise ConfigError("W&B sweeps do not support Hyperband.", "Choose another algorithm.")
    if conditional := [dimension.name for dimension in points.dimensions if dimension.when]:
        raise ConfigError(
            f"'{conditional[0]}' has a condition, which W&B sweeps do not support.", "Remove its condition."
        )


def _whole(dimension: AnyDimension) -> list[int]:
    """Return the values of a dimension of whole numbers."""
    return [value for value in dimension.options() if isinstance(value, int)]


def save_merged_command(storage: TrialStorage, command: Order) -> SearchSpec:
    """Return the specification of `merge_command`, and store it."""
    spec = merge_command(storage, command)
    storage.set_attrs(**spec_to_attrs(spec))
    return spec


def merge_command(storage: TrialStorage, command: Order) -> SearchSpec:
    """Return the specification of a resumed search after the changes of a command.

    Raises:
        ConfigError, SearchError: the command contradicts the search as it was started.
    """
    spec = spec_from_attrs(storage)
    settings = config.validate(SearchConfig, {**spec.settings.model_dump(), **command.settings})
    if changed := [
        name for name, value in settings if name not in MUTABLE_SETTINGS and value != getattr(spec.settings, name)
    ]:
        _raise_mismatch(changed[0], getattr(spec.settings, changed[0]))
    if command.base is not None:
        _check_base(spec, command.base)
    spec = replace(spec, settings=settings)
    if command.space is not None and command.space != storage.attrs()["begun_with"]:
        return with_space(spec, command.space)
    return spec


def with_space(spec: SearchSpec, described: Mapping[str, Any]) -> SearchSpec:
    """Return the same specification over another space."""
    return replace(spec, space=make_spec(spec.base, described, spec.settings.model_dump()).space)


def _check_base(spec: SearchSpec, base: RunConfig) -> None:
    """Raise if a setting outside the space differs."""
    before, now = config.to_flat(spec.base), config.to_flat(base)
    free = {*spec.space.names, "seed", *({"epochs"} if spec.settings.algorithm == "hyperband" else ())}
    for name, value in before.items():
        if name not in free and now.get(name) != value:
            _raise_mismatch(name, value)


def _raise_mismatch(name: str, value: Any) -> None:
    advice = "Leave the option out to resume the search, or choose another name for a new one."
    raise SearchError(f"This search was started with {name} = {value}.", advice)


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
            run.write_json("config.json", settings.model_dump(mode="json"))
        # A different number of parallel trials does not make it a different trial.
        own = run.config.training.threads
        if run.config != config.from_flat({"threads": own}, settings):
            raise
        return run
