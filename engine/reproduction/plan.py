"""Plan of a study: its two best configurations, or a search over each of its two spaces."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import config
from engine.config import RunConfig, StudyConfig
from engine.errors import ConfigError
from engine.messages import Search as Order
from engine.reproduction import published

Settings = Mapping[str, Any]


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
    return {model: _order(model, base, settings, counts[model], root) for model, base in base_configs(settings).items()}


def _order(model: str, base: RunConfig, settings: Settings, count: int, root: Path) -> Order:
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
