"""Every setting of Engram, described once: title, unit, range, help.

The form in the window, the options of the command line, config.json and the table in the docs are all made from here.
A run's settings are a `RunConfig`: one frozen, validated section each for data, model and training.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.errors import ConfigError

RESOURCES = Path(__file__).resolve().parent.parent / "resources"
Setting = int | float | bool | str | tuple[int, ...]


def setting(default: Any, title: str, text: str, unit: str = "", **limits: Any) -> Any:
    """Describe one config field.

    Args:
        default: its value when nothing is said.
        title: its name on screen.
        text: one sentence of help.
        unit: unit of the value, empty when plain.
        limits: `ge`, `le` (inclusive range), `log=True` (spans decades), `advanced=True` (folded away in a form).
    """
    extra = {"unit": unit, "log": limits.pop("log", False), "advanced": limits.pop("advanced", False)}
    return Field(default, title=title, description=text, json_schema_extra=extra, **limits)


class Section(BaseModel):
    """One frozen group of settings; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DataConfig(Section):
    """Where the images come from and how they are prepared."""

    source: str = setting("phantom", "Source", "'phantom', a folder of images, or 'hf:ID' for a Hugging Face data set.")
    size: int = setting(128, "Size", "Side of the square images the models see.", "px", ge=32, le=512)
    fit: Literal["letterbox", "squash"] = setting(
        "letterbox", "Fit", "Letterbox keeps the proportions and pads with black; squash stretches, as the study did."
    )
    normalisation: Literal["none", "percentile", "z-score"] = setting(
        "none",
        "Intensity",
        "None keeps the file's gray values; percentile maps 0.1-99.9 % to [0, 1]; z-score maps "
        "mean ± 3 standard deviations of the head to [0, 1].",
    )
    validation_share: float = setting(
        0.1, "Validation share", "Share of the training images held out to choose by.", ge=0.02, le=0.5
    )
    split_seed: int = setting(
        0, "Split seed", "Seed of the split into train and validation.", ge=0, le=2**31 - 1, advanced=True
    )
    phantom_count: int = setting(
        600, "Phantoms", "Number of phantom slices to make; the last sixth of them are the test set.", ge=24, le=100_000
    )
    phantom_seed: int = setting(0, "Phantom seed", "Seed of the phantom generator.", ge=0, le=2**31 - 1, advanced=True)
    download: bool = setting(
        False,
        "Allow download",
        "Let the Hugging Face library fetch a data set that is not on this machine yet.",
        advanced=True,
    )
    revision: str = setting("main", "Revision", "Revision of the Hugging Face data set.", advanced=True)


class ModelConfig(Section):
    """Settings that every model has; `loss_unit` is the unit of the loss it is trained on, empty when plain."""

    loss_unit: ClassVar[str] = ""
    latent: int = setting(512, "Latent size", "How many numbers the encoder may keep of an image.", ge=1, le=16384)
    filters: tuple[int, ...] = setting(
        (32, 64, 128, 256, 512),
        "Filters",
        "Filters of each encoder layer; the decoder mirrors them.",
        min_length=1,
        max_length=8,
        advanced=True,
    )
    kernel_size: int = setting(3, "Kernel size", "Side of every convolution kernel.", "px", ge=1, le=11, advanced=True)
    leaky_slope: float = setting(
        0.2, "Leaky ReLU slope", "Slope of the activation for negative values.", ge=0.0, le=1.0, advanced=True
    )

    @model_validator(mode="after")
    def _filters_are_sane(self) -> "ModelConfig":
        if any(not 1 <= count <= 4096 for count in self.filters):
            raise ValueError("Filters must each be between 1 and 4096")
        return self


class AutoencoderConfig(ModelConfig):
    """The study's autoencoder: five strided convolutions, a dense latent, five transposed ones; MSE."""

    model: Literal["ae"] = setting("ae", "Model", "Autoencoder")


class VariationalConfig(ModelConfig):
    """The study's variational autoencoder: the same stacks, reparameterised; binary cross-entropy + KL."""

    loss_unit: ClassVar[str] = "nats"
    model: Literal["vae"] = setting("vae", "Model", "Variational autoencoder")
    beta: float = setting(1.0, "KL weight β", "Weight of the KL term; 1 is the evidence lower bound.", ge=0.0, le=100.0)


AnyModel = Annotated[AutoencoderConfig | VariationalConfig, Field(discriminator="model")]
MODELS: dict[str, type[ModelConfig]] = {"ae": AutoencoderConfig, "vae": VariationalConfig}


class TrainingConfig(Section):
    """How the weights are found."""

    epochs: int = setting(40, "Epochs", "Passes over the training images.", ge=1, le=10_000)
    batch_size: int = setting(16, "Batch size", "Images per step.", "images", ge=1, le=1024)
    learning_rate: float = setting(5e-4, "Learning rate", "Step size of the Adam optimiser.", ge=1e-7, le=1.0, log=True)
    seed: int = setting(
        0, "Seed", "Seed of the weights, of the order of images and of the sampling.", ge=0, le=2**31 - 1
    )
    backend: Literal["tensorflow", "torch", "jax"] = setting(
        "tensorflow", "Backend", "Framework that Keras computes with."
    )
    deterministic: bool = setting(
        True, "Deterministic", "Same settings, same bits: operations without a fixed order are replaced.", advanced=True
    )
    threads: int = setting(0, "Threads", "Processor threads to compute with; 0 takes all.", ge=0, le=512, advanced=True)


class RunConfig(Section):
    """Everything that makes a run what it is."""

    data: DataConfig = DataConfig()
    model: AnyModel = AutoencoderConfig()
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="after")
    def _size_can_be_halved(self) -> "RunConfig":
        step = 2 ** len(self.model.filters)
        if self.data.size % step:
            below, above = self.data.size // step * step, -(-self.data.size // step) * step
            near = f"{below} or {above}" if below >= 32 else str(above)
            raise ValueError(f"Size {self.data.size} cannot be halved {len(self.model.filters)} times; use {near}")
        return self


@dataclass(frozen=True)
class FieldSpec:
    """What a form or a command line needs to know of one field."""

    name: str
    title: str
    text: str
    unit: str
    kind: Literal["int", "float", "bool", "choice", "text", "ints"]
    default: Setting
    low: float | None
    high: float | None
    log: bool
    advanced: bool
    choices: tuple[str, ...] = ()

    @property
    def option(self) -> str:
        """The field's option on the command line."""
        return "--" + self.name.replace("_", "-")

    @property
    def limits(self) -> str:
        """The range in words, such as 'from 1 to 16384'; empty when there is none."""
        if self.low is None or self.high is None:
            return ""
        low, high = (str(int(limit)) if float(limit).is_integer() else f"{limit:g}" for limit in (self.low, self.high))
        return f"from {low} to {high}"


def fields(section: type[Section]) -> list[FieldSpec]:
    """Describe the fields of a section, in the order they are written (the model's own name is left out)."""
    return [_spec(name, info) for name, info in section.model_fields.items() if name != "model"]


def _spec(name: str, info: Any) -> FieldSpec:
    limits = {key: getattr(item, key) for item in info.metadata for key in ("ge", "le") if hasattr(item, key)}
    extra = info.json_schema_extra
    return FieldSpec(
        name=name,
        title=info.title,
        text=info.description,
        unit=extra["unit"],
        kind=_kind(info.annotation),
        default=info.default,
        low=limits.get("ge"),
        high=limits.get("le"),
        log=extra["log"],
        advanced=extra["advanced"],
        choices=_choices(info.annotation),
    )


def _kind(annotation: Any) -> Any:
    if get_origin(annotation) is Literal:
        return "choice"
    if get_origin(annotation) is tuple:
        return "ints"
    return {bool: "bool", int: "int", float: "float", str: "text"}[annotation]


def _choices(annotation: Any) -> tuple[str, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def model_title(name: str) -> str:
    """Name of a model on screen, such as 'Variational autoencoder' for 'vae'."""
    return str(MODELS[name].model_fields["model"].description)


def build(values: Mapping[str, Any], base: RunConfig | None = None) -> RunConfig:
    """Make a validated config from flat settings.

    Args:
        values: field name -> value, for any section; `model` names the model.
        base: what the other settings are taken from; defaults where None. When `model` differs from the base's, only
            the settings that both models have are kept.

    Returns:
        The config.

    Raises:
        ConfigError: an unknown name, a value out of range, settings that do not fit each other.
    """
    base = base or RunConfig()
    name = str(values.get("model", base.model.model))
    if name not in MODELS:
        raise ConfigError(f"There is no model '{name}'.", f"Choose one of: {', '.join(sorted(MODELS))}.")
    sections: dict[str, tuple[type[Section], Section]] = {
        "data": (DataConfig, base.data),
        "model": (MODELS[name], base.model),
        "training": (TrainingConfig, base.training),
    }
    known = {field for kind, _ in sections.values() for field in kind.model_fields}
    if unknown := sorted(set(values) - known):
        raise ConfigError(f"There is no setting '{unknown[0]}' for the model '{name}'.", "See --help for the settings.")
    merged = {
        part: {
            field: values.get(field, getattr(old, field, kind.model_fields[field].default))
            for field in kind.model_fields
        }
        for part, (kind, old) in sections.items()
    }
    return parse(merged)


def parse(nested: Mapping[str, Any]) -> RunConfig:
    """Validate nested settings, such as the content of config.json.

    Raises:
        ConfigError: with one sentence per setting that is wrong.
    """
    try:
        return RunConfig.model_validate(nested)
    except ValidationError as error:
        raise ConfigError(" ".join(_sentence(item) for item in error.errors())) from None


def _sentence(item: Any) -> str:
    if item["type"] == "value_error":
        return str(item["ctx"]["error"]) + "."
    kinds: tuple[type[Section], ...] = (DataConfig, TrainingConfig, *MODELS.values())
    owner = {field: kind for kind in kinds for field in kind.model_fields}
    name = next((str(part) for part in reversed(item["loc"]) if part in owner), str(item["loc"][-1]))
    if item["type"] == "extra_forbidden" or name not in owner:
        return f"There is no setting '{item['loc'][-1]}'."
    spec = _spec(name, owner[name].model_fields[name])
    return f"{spec.title} ({spec.option}) must be {_wanted(spec)}; {item['input']!r} was given."


def _wanted(spec: FieldSpec) -> str:
    if spec.choices:
        return "one of " + ", ".join(spec.choices)
    noun = {"int": "a whole number", "float": "a number", "bool": "yes or no", "ints": "whole numbers"}.get(
        spec.kind, "text"
    )
    return f"{noun} {spec.limits}".strip()


def flat(config: RunConfig) -> dict[str, Any]:
    """The settings of a config as one flat mapping, the counterpart of `build`."""
    return {**config.data.model_dump(), **config.model.model_dump(), **config.training.model_dump()}


def presets() -> dict[str, str]:
    """Names and titles of the presets in `resources/presets`."""
    files = sorted((RESOURCES / "presets").glob("*.json"))
    return {file.stem: json.loads(file.read_text(encoding="utf-8"))["title"] for file in files}


def preset(name: str) -> RunConfig:
    """The config of a preset.

    Raises:
        ConfigError: there is no preset of that name.
    """
    if name not in presets():
        raise ConfigError(f"There is no preset '{name}'.", f"Choose one of: {', '.join(presets())}.")
    text = (RESOURCES / "presets" / f"{name}.json").read_text(encoding="utf-8")
    return parse(json.loads(text)["config"])
