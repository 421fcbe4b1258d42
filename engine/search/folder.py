"""The folder of a search, `_searches/NAME` beside its runs: its ledger, its lock, the words of a trial that died.

A run's name never begins with '_', so the folder is in no run's way. Takes no framework.
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
from engine.runs import NAME, Run
from engine.search import space
from engine.search.dimensions import AnyDimension
from engine.search.ledger import FILE, Ledger
from engine.search.space import Space

HOME = "_searches"
CHANGEABLE = ("trials", "parallel", "early_stopping", "cluster", "spare")


@dataclass(frozen=True)
class Plan:
    """What is searched, and how.

    Args:
        base: the settings that do not vary.
        space: those that do.
        settings: how it looks for them.
    """

    base: RunConfig
    space: Space
    settings: SearchConfig

    def trial(self, values: Mapping[str, Any]) -> RunConfig:
        """The settings of a trial's run.

        Raises:
            ConfigError: the values do not go together.
        """
        built = config.build(values, self.base)
        epochs = max(1, round(built.training.epochs * self.settings.epochs_scale))
        shared: dict[str, Any] = {}
        is_here = self.settings.cluster in ("", "local")
        if is_here and self.settings.parallel > 1 and not built.training.threads:
            shared["threads"] = max(1, (os.cpu_count() or 1) // self.settings.parallel)
        return config.build({"epochs": epochs, **shared}, built)


@dataclass(frozen=True)
class Search:
    """One search; its runs lie in `root`."""

    path: Path

    @property
    def name(self) -> str:
        """The search's name, which is its folder's."""
        return self.path.name

    @property
    def root(self) -> Path:
        """Folder of the runs."""
        return self.path.parent.parent

    def ledger(self) -> Ledger:
        """Open the ledger.

        Raises:
            SearchDamaged: it cannot be read.
        """
        return Ledger(self.path / FILE)

    def run_name(self, number: int) -> str:
        """Name of a trial's run."""
        return f"{self.name}-{number:04d}"

    def is_busy(self) -> bool:
        """Whether a living process searches."""
        return runs.is_held(self.path)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the search; the system lets go of it when the process dies.

        Raises:
            SearchBusy: another process searches.
        """
        advice = f"List its trials with: trials {self.name}. Stop it there first: trials {self.name} --stop."
        with runs.hold(self.path, SearchBusy(f"Search '{self.name}' is running in another process.", advice)):
            yield


def open(name: str, root: Path | str | None = None) -> Search:
    """Open a search by its name.

    Raises:
        SearchNotFound: there is none.
    """
    home = Path(root or runs.default_root()) / HOME
    if NAME.fullmatch(name) and (home / name / FILE).is_file():
        return Search((home / name).resolve())
    known = ", ".join(each.name for each in find_all(root)) or "none yet"
    raise SearchNotFound(f"There is no search '{name}' in {home.parent}.", f"Searches there: {known}.")


def find_all(root: Path | str | None = None) -> list[Search]:
    """All searches of a folder of runs, by name."""
    home = Path(root or runs.default_root()) / HOME
    return [Search(path.parent.resolve()) for path in sorted(home.glob(f"*/{FILE}"))]


def prepare(order: Order) -> Search:
    """Make the folder that a command asks for, or open the one there is.

    Raises:
        ConfigError: there is nothing to search, or the settings do not go together.
        SearchError: the name is no good, its runs' names are taken, or another process is making it.
        TrackingError: it needs W&B's server, and W&B is not logged in here.
        DataError: its images cannot be opened: every trial would fail.
    """
    home = Path(order.root or runs.default_root()) / HOME
    if not NAME.fullmatch(order.name):
        raise SearchError(f"'{order.name}' is not a valid search name.", "Use letters, digits, '.', '_' and '-'.")
    if (home / order.name / FILE).is_file():
        check_source(order)
        return Search((home / order.name).resolve())
    search = Search(home.resolve() / order.name)
    if order.base is None or order.space is None:
        raise SearchNotFound(f"There is no search '{order.name}' to resume.", "Add --preset or --space to start one.")
    plan = settled(order.base, order.space, order.settings)
    tracking.check(plan.base)
    check_source(order)
    if plan.settings.tuner == "wandb":
        tracking.check_sweep()
    if taken := sorted(search.root.glob(f"{search.name}-[0-9][0-9][0-9][0-9]*")):
        raise RunExists(f"There is already a run '{taken[0].name}'.", "Choose another name for the search.")
    search.path.mkdir(parents=True, exist_ok=True)
    with search.lock():
        if not (search.path / FILE).exists():
            _begin(search, plan)
    return search


def check_source(order: Order) -> None:
    """Check the images of a search, where its trials see what this process sees and all have the same.

    Raises:
        DataError: they cannot be opened, or there are none.
    """
    try:
        plan = planned(order)
    except SearchNotFound:
        return  # `prepare` says what to give
    is_here = order.settings.get("cluster", plan.settings.cluster) in ("", "local")
    if is_here and "source" not in plan.space.names:
        loading.check_source(plan.base.data)


def _begin(search: Search, plan: Plan) -> None:
    """Put a ledger with its plan in the folder, whole or not at all: whoever finds one can read it."""
    staged = search.path / f"{FILE}.new"
    staged.unlink(missing_ok=True)
    with Ledger(staged) as ledger:
        ledger.state(begun_with=plan.space.described(), **facts(plan))
    os.replace(staged, search.path / FILE)


def planned(order: Order) -> Plan:
    """The plan that a command asks for, or that the search of its name has; nothing is written.

    Raises:
        ConfigError, SearchNotFound: as `prepare`.
    """
    if order.base is not None and order.space is not None:
        return settled(order.base, order.space, order.settings)
    with open(order.name, order.root).ledger() as ledger:
        return plan_of(ledger)


def facts(plan: Plan) -> dict[str, Any]:
    """A plan as the ledger keeps it."""
    return {
        "base": plan.base.model_dump(mode="json"),
        "space": plan.space.described(),
        "settings": plan.settings.model_dump(mode="json"),
    }


def plan_of(ledger: Ledger) -> Plan:
    """The plan that a ledger keeps."""
    kept = ledger.facts()
    base = config.parse(kept["base"])
    return Plan(base, space.parse(kept["space"], base), SearchConfig.model_validate(kept["settings"]))


def settled(base: RunConfig, described: Mapping[str, Any], given: Mapping[str, Any]) -> Plan:
    """A plan whose parts go together.

    Raises:
        ConfigError: they do not.
    """
    settings = config.validated(SearchConfig, given)
    points = space.parse(described, base)
    base = config.build({"seed": settings.seed}, base)
    if settings.tuner == "wandb":
        check_sweepable(points, settings)
        if settings.parallel > 1:
            raise ConfigError("A W&B sweep proposes one trial at a time.", "Set --parallel to 1.")
    epochs = next((each for each in points.dimensions if each.name == "epochs"), None)
    if settings.algorithm == "grid" and not points.is_finite:
        raise ConfigError("A grid search needs lists, or ranges of whole numbers.", "Use lists, or another algorithm.")
    if settings.algorithm == "hyperband" and epochs is not None:
        points, base = points.without("epochs"), config.build({"epochs": max(_whole(epochs))}, base)
    if epochs is not None and settings.epochs_scale < 1:
        scaled = [max(1, round(each * settings.epochs_scale)) for each in _whole(epochs)]
        if len(set(scaled)) < len(scaled):
            raise ConfigError(
                "With this epoch scale, different numbers of epochs become the same.", "Use a larger epoch scale."
            )
    return Plan(base, points, settings)


def check_sweepable(points: Space, settings: SearchConfig) -> None:
    """Refuse what W&B's sweeps have not.

    Raises:
        ConfigError: the algorithm, or a setting that is conditional.
    """
    if settings.algorithm == "hyperband":
        raise ConfigError("W&B sweeps do not support Hyperband.", "Choose another algorithm.")
    if conditional := [dimension.name for dimension in points.dimensions if dimension.when]:
        raise ConfigError(
            f"'{conditional[0]}' has a condition, which W&B sweeps do not support.", "Remove its condition."
        )


def _whole(dimension: AnyDimension) -> list[int]:
    """The values of a dimension of whole numbers."""
    return [value for value in dimension.options() if isinstance(value, int)]


def updated(ledger: Ledger, order: Order) -> Plan:
    """The plan as `revised`, written down."""
    plan = revised(ledger, order)
    ledger.state(**facts(plan))
    return plan


def revised(ledger: Ledger, order: Order) -> Plan:
    """The plan of a search that is gone on with, after what the command changes.

    Raises:
        ConfigError, SearchError: the command wants something else than the search was begun with.
    """
    plan = plan_of(ledger)
    settings = config.validated(SearchConfig, {**plan.settings.model_dump(), **order.settings})
    if changed := [
        name for name, value in settings if name not in CHANGEABLE and value != getattr(plan.settings, name)
    ]:
        _refuse(changed[0], getattr(plan.settings, changed[0]))
    if order.base is not None:
        _check_base(plan, order.base)
    plan = replace(plan, settings=settings)
    if order.space is not None and order.space != ledger.facts()["begun_with"]:
        return extended(plan, order.space)
    return plan


def extended(plan: Plan, described: Mapping[str, Any]) -> Plan:
    """The same plan over another space."""
    return replace(plan, space=settled(plan.base, described, plan.settings.model_dump()).space)


def _check_base(plan: Plan, base: RunConfig) -> None:
    """Settings that the space varies may differ."""
    before, now = config.flat(plan.base), config.flat(base)
    free = {*plan.space.names, "seed", *({"epochs"} if plan.settings.algorithm == "hyperband" else ())}
    for name, value in before.items():
        if name not in free and now.get(name) != value:
            _refuse(name, value)


def _refuse(name: str, value: Any) -> None:
    advice = "Leave the option out to resume the search, or choose another name for a new one."
    raise SearchError(f"This search was started with {name} = {value}.", advice)


def run_of(search: Search, number: int, settings: RunConfig) -> Run:
    """The run folder of a trial: a new one, or the one that a crash left, whole or not.

    Raises:
        RunExists: something else lies there.
    """
    try:
        return runs.create(settings, search.run_name(number), search.root)
    except RunExists:
        run = Run(search.root / search.run_name(number))
        if not (run.path / "config.json").exists():
            run.write_json("config.json", settings.model_dump(mode="json"))
        own = run.config.training.threads  # another number of trials side by side is no other trial
        if run.config != config.build({"threads": own}, settings):
            raise
        return run
