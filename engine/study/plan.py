"""Which runs a study needs: the study's two best ones, or trials drawn from its search spaces."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import config
from engine.config import RunConfig, StudyConfig
from engine.errors import ConfigError
from engine.study import paper
from engine.study.space import Point, trials, without

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Planned:
    """A run to be trained.

    Args:
        name: its name.
        config: its settings.
        is_trial: whether it was drawn from a search space.
    """

    name: str
    config: RunConfig
    is_trial: bool

    @property
    def model(self) -> str:
        """'ae' or 'vae'."""
        return self.config.model.model

    @property
    def point(self) -> Point:
        """Its values of the settings that the study searched."""
        return point_of(self.config)


def plan(chosen: StudyConfig, settings: Settings) -> list[Planned]:
    """List the runs of a study.

    Args:
        chosen: how much is done.
        settings: flat settings that go over those of every run, the source among them.

    Returns:
        The autoencoders, then the variational ones. A setting that is given is not searched.

    Raises:
        ConfigError: a setting that neither model has, or that is no good.
    """
    settings = _absolute(settings)
    known = set().union(*(config.flat(paper.claim(model).best) for model in paper.MODELS))
    if unknown := sorted(settings.keys() - known):
        raise ConfigError(f"Neither model of the study has a setting '{unknown[0]}'.", "Leave it out.")
    return [each for model in paper.MODELS for each in _runs(model, chosen, settings)]


def point_of(settings: RunConfig) -> Point:
    """The values of the settings that the study searched."""
    flat = config.flat(settings)
    return {name: flat[name] for name in paper.claim(settings.model.model).space.names}


def _runs(model: str, chosen: StudyConfig, settings: Settings) -> list[Planned]:
    claim = paper.claim(model)
    base = _over(claim.best, settings)
    if chosen.quick:
        return [Planned(claim.preset, base, is_trial=False)]
    count, shift = (chosen.trials_ae, 0) if model == "ae" else (chosen.trials_vae, 1)
    points = trials(without(claim.space, settings.keys()), count, chosen.trials_seed + shift)
    return [
        Planned(f"{model}-trial-{number:02d}", config.build(point, base), is_trial=True)
        for number, point in enumerate(points, 1)
    ]


def _over(base: RunConfig, settings: Settings) -> RunConfig:
    known = config.flat(base)
    return config.build({name: value for name, value in settings.items() if name in known}, base)


def _absolute(settings: Settings) -> Settings:
    """The runs are trained elsewhere and compared later: a folder is named in full."""
    source = str(settings.get("source", "phantom"))
    if source == "phantom" or source.startswith("hf:"):
        return settings
    return {**settings, "source": str(Path(source).expanduser().resolve())}
