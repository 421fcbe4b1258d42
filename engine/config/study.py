"""How much of the seed study is done again."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from engine.config.section import Section, describe, setting
from engine.errors import ConfigError


class StudyConfig(Section):
    """How much of the seed study is done again."""

    quick: bool = setting(
        False, "Quick", "Train the study's best autoencoder and best variational autoencoder only; search nothing."
    )
    trials_ae: int = setting(
        17, "Autoencoders", "Autoencoders to try, drawn from the study's search space.", "trials", ge=1, le=81
    )
    trials_vae: int = setting(
        61, "Variational ones", "Variational autoencoders to try, drawn from the space.", "trials", ge=1, le=81
    )
    trials_seed: int = setting(
        0, "Seed of the draw", "Seed of the order in which the space is tried.", ge=0, le=2**31 - 1, advanced=True
    )


def parse_study(values: Mapping[str, Any]) -> StudyConfig:
    """Validate the settings of a study.

    Raises:
        ConfigError: with one sentence per setting that is wrong.
    """
    try:
        return StudyConfig.model_validate(values)
    except ValidationError as error:
        raise ConfigError(" ".join(_sentence(item) for item in error.errors())) from None


def _sentence(item: Any) -> str:
    name = str(item["loc"][-1])
    if name not in StudyConfig.model_fields:
        return f"There is no setting '{name}'."
    spec = describe(name, StudyConfig.model_fields[name])
    return f"{spec.title} ({spec.option}) must be {spec.wanted}; {item['input']!r} was given."
