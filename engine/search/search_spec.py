"""Specification of a search: its fixed settings, its space and its own settings. Imports no framework."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine import config
from engine.config import RunConfig, SearchConfig
from engine.errors import ConfigError, SearchDamaged, SearchError
from engine.messages import Search as Order
from engine.search import space_file
from engine.search.commands import AddTrial, ChangeTrialCount, QueuedCommand, ReplaceSpace
from engine.search.space import AnyDimension, Space
from engine.search.storage import SearchAttrs, TrialStorage
from engine.search.storage_check import WRONG_CONTENT

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


def make_spec(base: RunConfig, described: Mapping[str, Any], given: Mapping[str, Any]) -> SearchSpec:
    """Return a valid specification.

    Raises:
        ConfigError: its parts contradict each other.
    """
    settings = config.validate(SearchConfig, given)
    points = space_file.parse(described, base)
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


def with_space(spec: SearchSpec, described: Mapping[str, Any]) -> SearchSpec:
    """Return the same specification over another space."""
    return replace(spec, space=make_spec(spec.base, described, spec.settings.model_dump()).space)


def change_spec(spec: SearchSpec, command: ReplaceSpace | ChangeTrialCount) -> SearchSpec:
    """Return the specification after a command.

    Raises:
        ConfigError: the space or the number of trials is not valid.
    """
    if isinstance(command, ReplaceSpace):
        return with_space(spec, command.space)
    given = {**spec.settings.model_dump(), "trials": command.count}
    return replace(spec, settings=config.validate(SearchConfig, given))


def check_command(spec: SearchSpec, command: QueuedCommand) -> None:
    """Check a command, so that an error reaches its sender and not the process that searches.

    Raises:
        ConfigError: its values, space or number of trials is not valid.
    """
    if isinstance(command, ReplaceSpace | ChangeTrialCount):
        change_spec(spec, command)
    elif isinstance(command, AddTrial):
        if not command.values:
            raise ConfigError("No values given.", 'Example: {"latent": 256}')
        config.from_flat(command.values, spec.base)


def spec_to_attrs(spec: SearchSpec) -> SearchAttrs:
    """Return a specification as the database stores it."""
    return {
        "base": spec.base.model_dump(mode="json"),
        "space": spec.space.to_dict(),
        "settings": spec.settings.model_dump(mode="json"),
    }


def spec_from_attrs(storage: TrialStorage) -> SearchSpec:
    """Return the specification that a database stores.

    Raises:
        SearchDamaged: it stores none, or one that cannot be read.
    """
    kept = storage.attrs()
    try:
        base = config.from_record(kept["base"])
        return SearchSpec(base, space_file.parse(kept["space"], base), SearchConfig.model_validate(kept["settings"]))
    except WRONG_CONTENT:
        what = f"The search database {storage.path} has no readable specification."
        raise SearchDamaged(what, "Its runs are kept. Start a search under another name.") from None


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


def _check_base(spec: SearchSpec, base: RunConfig) -> None:
    """Raise if a setting outside the space differs."""
    before, now = config.to_flat(spec.base), config.to_flat(base)
    free = {*spec.space.names, "seed", *({"epochs"} if spec.settings.algorithm == "hyperband" else ())}
    if (before["split_by"], now["split_by"]) == ("image", "auto"):
        # A search from before patients were known goes on as it began.
        free.add("split_by")
    for name, value in before.items():
        if name not in free and now.get(name) != value:
            _raise_mismatch(name, value)


def _raise_mismatch(name: str, value: Any) -> None:
    advice = "Leave the option out to resume the search, or choose another name for a new one."
    raise SearchError(f"This search was started with {name} = {value}.", advice)
