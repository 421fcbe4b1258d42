"""Command-line options for every setting, from its description in `engine.config`, and their conversion to settings."""

import argparse
import re
from collections.abc import Sequence
from typing import Any

from engine import config
from engine.config import FieldSpec, RunConfig
from engine.errors import ConfigError

METAVAR_LETTERS = 60


def add_settings(command: argparse.ArgumentParser, models: bool = True, without: Sequence[str] = ()) -> None:
    """Add an option for every setting, grouped by section."""
    for name, section in config.sections(RunConfig().model.model).items():
        if name == "model":
            _add_model(command.add_argument_group("model", "Architecture and loss."), models)
            continue
        group = command.add_argument_group(name, summary(section))
        for spec in config.list_fields(section):
            if spec.name not in without:
                add_option(group, spec, aliases=["--data"] if spec.name == "source" else [])


def _add_model(group: Any, models: bool) -> None:
    if models:
        titles = "; ".join(f"{name}: {config.model_title(name)}" for name in config.MODELS)
        group.add_argument(
            "--model", metavar="|".join(config.MODELS), default=argparse.SUPPRESS, help=f"{titles}. Default ae."
        )
    for spec, owners in model_settings():
        note = "" if len(owners) == len(config.MODELS) else f" Only for {', '.join(owners)}."
        add_option(group, spec, note, otherwise=_per_model_defaults(spec, owners))


def model_settings() -> list[tuple[FieldSpec, list[str]]]:
    """Return the settings of all models, each with the models that have it."""
    owners: dict[str, tuple[FieldSpec, list[str]]] = {}
    for name, section in config.MODELS.items():
        for spec in config.list_fields(section):
            owners.setdefault(spec.name, (spec, []))[1].append(name)
    return list(owners.values())


def _per_model_defaults(spec: FieldSpec, owners: Sequence[str]) -> str:
    """Describe a setting in the models whose help or default differs from the first one's."""
    texts: dict[str, list[str]] = {}
    for name in owners:
        own = next(each for each in config.list_fields(config.MODELS[name]) if each.name == spec.name)
        text = f"{own.help} " if own.help != spec.help else ""
        if text or own.default != spec.default:
            texts.setdefault(f"{text}Default {_shown(own.default)}.", []).append(name)
    return "".join(f" {', '.join(names)}: {text}" for text, names in texts.items())


def summary(section: type[config.Section]) -> str:
    """Return the one-line description of a section."""
    return (section.__doc__ or "").splitlines()[0]


def add_option(group: Any, spec: FieldSpec, note: str = "", aliases: Sequence[str] = (), otherwise: str = "") -> None:
    """Add the option of one setting; `otherwise` describes the differences between models."""
    text = (_describe_field(spec, note) + otherwise).replace("%", "%%")
    given = {"dest": spec.name, "default": argparse.SUPPRESS, "help": text}
    kind = {"action": argparse.BooleanOptionalAction} if spec.kind == "bool" else {"metavar": _metavar(spec)}
    added = group.add_argument(*aliases, spec.option, **kind, **given)
    added.completions = spec.choices
    if spec.aliases:
        group.add_argument(*spec.aliases, **kind, **given | {"help": argparse.SUPPRESS})


def _metavar(spec: FieldSpec) -> str:
    if spec.kind == "choice" and not _has_many_choices(spec):
        return "|".join(spec.choices)
    return {"int": "N", "float": "X", "ints": "N,N,..."}.get(spec.kind, spec.name.upper())


def _has_many_choices(spec: FieldSpec) -> bool:
    """Return whether the choices do not fit beside the option and stand in its text."""
    return len("|".join(spec.choices)) > METAVAR_LETTERS


def _describe_field(spec: FieldSpec, note: str = "") -> str:
    """Format title, text, range, unit and default of a setting."""
    limits = f"{_shown(spec.low)} to {_shown(spec.high)}" if spec.low is not None and spec.high is not None else ""
    span = " ".join(part for part in (limits, spec.unit) if part)
    listed = f" One of {', '.join(spec.choices)}." if _has_many_choices(spec) else ""
    return (
        f"{spec.title}. {spec.help}{note}{listed} {span + '; default' if span else 'Default'} {_shown(spec.default)}."
    )


def _shown(value: config.Setting) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return (value or "empty") if isinstance(value, str) else f"{value:,.10g}"


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings among the options, as given; whole numbers separated by commas as a list."""
    sections = [section for model in config.MODELS for section in config.sections(model).values()]
    kinds = {spec.name: spec.kind for section in sections for spec in config.list_fields(section)} | {"model": "choice"}
    # A stored path must be found from another folder too.
    given = config.resolve_paths({name: value for name, value in vars(options).items() if name in kinds})
    return {name: re.split(r"[,\s]+", value) if kinds[name] == "ints" else value for name, value in given.items()}


def run_config(options: argparse.Namespace, base: RunConfig | None = None) -> RunConfig:
    """Return the settings of a new run: the given options over those of `base`.

    Raises:
        ConfigError: the value of an option is not valid.
    """
    return config.from_flat(settings(options), base)


def whole_number(typed: str, option: str, least: int, most: int) -> int:
    """Parse a whole number within a range.

    Raises:
        ConfigError: the text is not such a number.
    """
    if not typed.isdecimal() or not least <= int(typed) <= most:
        raise ConfigError(f"{option} must be a whole number from {least} to {most:,}; '{typed}' was given.")
    return int(typed)


def add_mask_label(command: argparse.ArgumentParser) -> None:
    """Add the option for the lesions in masks."""
    command.add_argument(
        "--mask-label",
        metavar="N",
        help="without --boxes: pixel value of the lesion in masks beside the images (default: all but the background)",
    )


def mask_label(options: argparse.Namespace) -> int | None:
    """Return the pixel value of the lesion in masks; None for all but the background.

    Raises:
        ConfigError: it is not such a value.
    """
    typed = options.mask_label
    return None if typed is None else whole_number(typed, "--mask-label", 0, 65_535)
