"""All settings of a run, built from flat settings, from nested ones, or from a preset."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import model_validator

from engine.config.data import AugmentationConfig, DataConfig, NoiseConfig, expand_paths, shorten_paths
from engine.config.models import MODELS, AnyModel, AutoencoderConfig, model_title
from engine.config.section import Section, list_fields, validate
from engine.config.training import TrainingConfig
from engine.errors import ConfigError
from engine.formatting import suggest

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
# Former names of presets, which scripts and saved settings still use.
PRESET_ALIASES: Final = {"seed-ae": "study-ae", "seed-vae": "study-vae"}
# Settings that change how long a run takes, but not what a step costs.
FREE_SETTINGS: Final = frozenset(
    {"epochs", "seed", "learning_rate", "schedule", "warm_up", "tracking", "beta", "kl_warm_up"}
)


class RunConfig(Section):
    """All settings of a run."""

    data: DataConfig = DataConfig()
    model: AnyModel = AutoencoderConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    noise: NoiseConfig = NoiseConfig()
    training: TrainingConfig = TrainingConfig()

    @property
    def warning(self) -> str:
        """Return a warning to show with the results of such a run; empty for most."""
        if self.model.latent_size is not None or self.noise.noise != "none":
            return ""
        return (
            f"The {model_title(self.model.model)} has no bottleneck: without noise it learns to copy its input, "
            "so a low error does not show that it has learned anything. Choose a noise type under Denoising "
            "(--noise)."
        )

    @model_validator(mode="after")
    def _size_fits_the_model(self) -> "RunConfig":
        size, step = self.data.size, self.model.size_multiple
        if size % step:
            below, above = size // step * step, -(-size // step) * step
            near = f"{below} or {above}" if below >= 32 else str(above)
            halved = step.bit_count() == 1
            fault = f"cannot be halved {step.bit_length() - 1} times" if halved else f"is not a multiple of {step}"
            raise ValueError(f"Size {size} {fault}; use {near}")
        return self


def sections(model: str) -> dict[str, type[Section]]:
    """Return the sections of a run of that model, by name, in display order.

    Example:
        >>> list(sections("ae"))
        ['data', 'model', 'augmentation', 'noise', 'training']
    """
    found: dict[str, type[Section]] = {}
    for name, info in RunConfig.model_fields.items():
        found[name] = MODELS[model] if name == "model" else info.annotation  # type: ignore[assignment]
    return found


def from_flat(values: Mapping[str, Any], base: RunConfig | None = None) -> RunConfig:
    """Build a validated config from flat settings.

    Args:
        values: field name -> value, for any section; `model` names the model.
        base: config that supplies the other settings; defaults if None. When `model` differs from the base's, only
            the settings that both models have are kept, and those at their default get the new model's default.

    Returns:
        The config.

    Raises:
        ConfigError: a name is unknown, a value is out of range, or settings do not fit each other.

    Example:
        >>> config = from_flat({"model": "vae", "latent": 16, "epochs": 3})
        >>> config.model.model, config.model.latent, config.training.epochs
        ('vae', 16, 3)
        >>> from_flat({"batch_size": 32}, base=config).model.latent
        16
    """
    base = base or RunConfig()
    name = str(values.get("model", base.model.model))
    if name not in MODELS:
        raise ConfigError(f"There is no model '{name}'.", suggest(name, sorted(MODELS), "Choose one of"))
    kinds = sections(name)
    known = {field for kind in kinds.values() for field in kind.model_fields}
    if unknown := sorted(set(values) - known):
        raise ConfigError(f"There is no setting '{unknown[0]}' for the model '{name}'.", _advise_on(unknown[0]))
    merged = {
        part: {
            field: values.get(field, _inherit_default(getattr(base, part), kind, field)) for field in kind.model_fields
        }
        for part, kind in kinds.items()
    }
    return from_nested(merged)


def _advise_on(field: str) -> str:
    owners = [model for model, kind in MODELS.items() if field in kind.model_fields]
    return f"It is for: {', '.join(owners)}." if owners else "See --help for the settings."


def _inherit_default(old: Section, kind: type[Section], field: str) -> Any:
    """Return the value that a field of a section of that kind takes from an old section."""
    default, before = kind.model_fields[field].default, type(old).model_fields.get(field)
    if before is None or (type(old) is not kind and getattr(old, field) == before.default):
        return default
    return getattr(old, field)


def from_nested(nested: Mapping[str, Any]) -> RunConfig:
    """Validate nested settings, such as the content of config.json.

    Raises:
        ConfigError: with one sentence per setting that is wrong.

    Example:
        >>> from_nested({"model": {"model": "ae", "latent": 8}}).model.latent
        8
    """
    return validate(RunConfig, nested, [kind for model in MODELS for kind in sections(model).values()])


def from_record(nested: Mapping[str, Any]) -> RunConfig:
    """Validate the settings of a recorded run or search; those from before patients were known split by image.

    Raises:
        ConfigError: as `from_nested`.
    """
    data = nested.get("data", {})
    if isinstance(data, Mapping):
        nested = {**nested, "data": {"split_by": "image", **expand_paths(data)}}
    return from_nested(nested)


def to_record(config: RunConfig) -> dict[str, Any]:
    """Return the settings of a run for its record, the inverse of `from_record`."""
    content = config.model_dump(mode="json")
    return {**content, "data": shorten_paths(content["data"])}


def is_continuation(before: RunConfig, wanted: RunConfig) -> bool:
    """Return whether wanted settings are those of an earlier record, which may lack the split by patient."""
    if (before.data.split_by, wanted.data.split_by) == ("image", "auto"):
        wanted = from_flat({"split_by": "image"}, wanted)
    return before == wanted


def to_flat(config: RunConfig) -> dict[str, Any]:
    """Return the settings of a config as one flat mapping, the inverse of `from_flat`.

    Example:
        >>> flat = to_flat(from_flat({"latent": 16}))
        >>> flat["latent"], flat["batch_size"]
        (16, 16)
    """
    nested = config.model_dump()
    return {name: value for part in nested.values() for name, value in part.items()}


def cost_settings(config: RunConfig) -> dict[str, Any]:
    """Return the settings that decide what a step costs, sorted by name: of the data the size alone.

    Example:
        >>> cost_settings(RunConfig())["batch_size"]
        16
    """
    flat = {name: value for name, value in to_flat(config).items() if name not in FREE_SETTINGS}
    named = {name: value for name, value in flat.items() if name not in type(config.data).model_fields}
    return dict(sorted({**named, "size": config.data.size}.items()))


def presets() -> dict[str, str]:
    """Return names and titles of the presets in `resources/presets`.

    Example:
        >>> presets()["quick"]
        'Quick look: small autoencoder, 400 phantoms'
    """
    files = sorted((RESOURCES / "presets").glob("*.json"))
    return {file.stem: json.loads(file.read_text(encoding="utf-8"))["title"] for file in files}


def current_preset(name: str) -> str:
    """Return the present name of a preset, given that or a former one.

    Example:
        >>> current_preset("seed-ae")
        'study-ae'
    """
    return PRESET_ALIASES.get(name, name)


def option_name(field: str) -> str:
    """Return the command-line option of a setting of any section, such as '--intensity' for 'normalisation'.

    Example:
        >>> option_name("normalisation"), option_name("batch_size")
        ('--intensity', '--batch-size')
    """
    specs = (spec for model in MODELS for kind in sections(model).values() for spec in list_fields(kind))
    return next((spec.option for spec in specs if spec.name == field), "--" + field.replace("_", "-"))


def preset(name: str) -> RunConfig:
    """Return the config of a preset, by its present or a former name.

    Raises:
        ConfigError: there is no preset of that name.

    Example:
        >>> preset("study-vae").model.model, preset("seed-vae") == preset("study-vae")
        ('vae', True)
    """
    name = current_preset(name)
    if name not in presets():
        raise ConfigError(f"There is no preset '{name}'.", suggest(name, presets(), "Choose one of"))
    text = (RESOURCES / "presets" / f"{name}.json").read_text(encoding="utf-8")
    return from_nested(json.loads(text)["config"])
