"""Parser of space files, whose every error names the field, and the spaces of the presets.

A space file is JSON, from a field to its values:

    {"learning_rate": {"low": 1e-4, "high": 1e-2, "log": true},
     "batch_size": [16, 32, 64],
     "model": ["ae", "vae"],
     "beta": {"low": 0.1, "high": 10, "log": true, "when": {"model": ["vae"]}},
     "filters": [[32, 64, 128], [16, 32, 64, 128]]}

`when` limits a field to some values of another. A field that only some of the models in the space have is limited to
those models automatically.
"""

import difflib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from engine import config
from engine.config import RESOURCES, FieldSpec, RunConfig, Section
from engine.errors import ConfigError, SourceNotFound
from engine.run_damage import read_record
from engine.search.space import AnyDimension, Categorical, Conditions, Numeric, Space

EMPTY = "The search space is empty."
EXAMPLE = 'Use a list, such as [256, 512], or {"low": 256, "high": 1024}.'
KINDS = {"ints": "a list of whole numbers", "int": "a whole number", "float": "a number", "bool": "true or false"}
FORMS: tuple[set[str], ...] = ({"values", "when"}, {"low", "high", "log", "when"})


def parse(described: Mapping[str, Any], base: RunConfig) -> Space:
    """Parse the content of a space file.

    Args:
        described: field -> list, or `{"low", "high", "log"}`, or `{"values"}`; with `"when"` if it is conditional.
        base: the settings that do not vary; they define the model and so the fields.

    Returns:
        The space.

    Raises:
        ConfigError: an unknown field, a value out of the field's range, a condition that cannot be met.
    """
    if not described:
        raise ConfigError(EMPTY, EXAMPLE)
    models = _models(described, base)
    made = {name: _dimension(name, _unfolded(name, value), models) for name, value in described.items()}
    for dimension in made.values():
        _check_conditions(dimension, made)
    return Space(tuple(_sort_by_dependency(made)))


def load_space(path: Path | str, base: RunConfig) -> Space:
    """Load a space file.

    Raises:
        ConfigError: it cannot be read, or its content is not valid (see `parse`).
        SourceNotFound: there is no such file.
    """
    try:
        described = json.loads(read_record(Path(path)))
    except FileNotFoundError:
        raise SourceNotFound(f"The space file {path} does not exist.", "Give a JSON file.") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"The space file {path} is not JSON in line {error.lineno}.", "Correct it.") from None
    except (OSError, ValueError, RecursionError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or error
        raise ConfigError(f"The space file {path} cannot be read ({reason}).", "Use a JSON file.") from None
    if not isinstance(described, dict):
        raise ConfigError(f"The space file {path} must map settings to values.", 'Example: {"latent": [256, 512]}.')
    return parse(described, base)


def presets() -> dict[str, Mapping[str, Any]]:
    """Return the spaces of the presets that have one, as in a space file."""
    contents = {
        file.stem: json.loads(file.read_text("utf-8")) for file in sorted((RESOURCES / "presets").glob("*.json"))
    }
    return {name: content["space"] for name, content in contents.items() if "space" in content}


def preset(name: str) -> tuple[RunConfig, Space]:
    """Return the settings and the space of a preset.

    Those of 'study-ae' and 'study-vae' are Tables 1 and 2 of the reference study.

    Raises:
        ConfigError: there is no such preset, or it has no space.
    """
    base = config.preset(name)
    name, found = config.current_preset(name), presets()
    if name not in found:
        raise ConfigError(f"The preset '{name}' has no search space.", f"Choose one of: {', '.join(found)}.")
    return base, parse(found[name], base)


def _models(described: Mapping[str, Any], base: RunConfig) -> list[str]:
    """Return the models in the space."""
    if "model" not in described:
        return [base.model.model]
    names = _unfolded("model", described["model"]).get("values", ())
    if not names:
        raise ConfigError("'model' needs a list of models.", 'Example: ["ae", "vae"].')
    if unknown := [name for name in names if not isinstance(name, str) or name not in config.MODELS]:
        raise ConfigError(f"There is no model '{unknown[0]}'.", f"Choose one of: {', '.join(sorted(config.MODELS))}.")
    return list(names)


def _unfolded(name: str, value: Any) -> dict[str, Any]:
    """Return the long form of an entry."""
    if isinstance(value, list | tuple):
        return {"values": value}
    is_clear = isinstance(value, dict) and isinstance(value.get("values", []), list | tuple)
    if is_clear and any(set(value) <= form and set(value) & form - {"when", "log"} for form in FORMS):
        return dict(value)
    raise ConfigError(f"The values of '{name}' are not valid.", EXAMPLE)


def _dimension(name: str, described: Mapping[str, Any], models: Sequence[str]) -> AnyDimension:
    if name == "model":
        return Categorical("model", tuple(dict.fromkeys(models)))
    owners = _models_with(name, models)
    when = _conditions(described.get("when", {}), owners, models)
    section = next(iter(owners.values()))
    spec = next(spec for spec in config.list_fields(section) if spec.name == name)
    if "values" in described:
        values = [_checked(spec, section, value) for value in described["values"]]
        if not values:
            raise ConfigError(f"The list of values of '{name}' is empty.", EXAMPLE)
        return Categorical(name, tuple(dict.fromkeys(values)), when=when)
    return _range(spec, section, described, when)


def _models_with(name: str, models: Sequence[str]) -> dict[str, type[Section]]:
    """Return the section that has a field, for each model that has the field."""
    found = {
        model: section
        for model in models
        for section in config.sections(model).values()
        if name in section.model_fields
    }
    if found:
        return found
    every = {field for model in models for section in config.sections(model).values() for field in section.model_fields}
    near = difflib.get_close_matches(name, every, 1)
    advice = f"Did you mean '{near[0]}'?" if near else "See `train --help` for the settings, with _ for -."
    raise ConfigError(f"There is no setting '{name}' for the model '{models[0]}'.", advice)


def _conditions(given: Any, owners: Mapping[str, Any], models: Sequence[str]) -> Conditions:
    if not isinstance(given, dict):
        raise ConfigError("'when' must map a setting to the values it must have.", 'Example: {"model": ["vae"]}.')
    when = {name: tuple(wanted) if isinstance(wanted, list) else (wanted,) for name, wanted in given.items()}
    if len(owners) < len(models):
        when.setdefault("model", tuple(owners))
    return when


def _checked(spec: FieldSpec, section: type[Section], value: Any) -> Any:
    """Validate a value, and return it as the config holds it."""
    whole = isinstance(value, float) and spec.kind == "int" and value.is_integer()
    try:
        return _validator(section, spec.name).validate_python(int(value) if whole else value)
    except ValidationError:
        limits = ", ".join(spec.choices) or spec.range_text or KINDS.get(spec.kind, "text")
        raise ConfigError(
            f"{spec.title} ({spec.name}) cannot be {value!r} in the search space.", f"It must be {limits}."
        ) from None


@cache
def _validator(section: type[Section], name: str) -> TypeAdapter[Any]:
    """Return the validator of a single field; creating it takes far longer than calling it."""
    info = section.model_fields[name]
    field: Any = Annotated[info.annotation, info]
    return TypeAdapter(field)


def _range(spec: FieldSpec, section: type[Section], described: Mapping[str, Any], when: Conditions) -> Numeric:
    if spec.kind not in {"int", "float"}:
        raise ConfigError(f"'{spec.name}' is not numeric, so it cannot have a range.", "Use a list of values.")
    if missing := {"low", "high"} - set(described):
        raise ConfigError(f"The range of '{spec.name}' has no '{min(missing)}'.", EXAMPLE)
    low, high = (_checked(spec, section, described[side]) for side in ("low", "high"))
    log = described.get("log", spec.log)
    if not isinstance(log, bool):
        raise ConfigError(f"'log' of '{spec.name}' must be true or false.", EXAMPLE)
    if not low < high or not math.isfinite(high - low):
        raise ConfigError(f"The range of '{spec.name}' goes from {low} to {high}.", "'low' must be below 'high'.")
    if log and low <= 0:
        raise ConfigError(
            f"The range of '{spec.name}' starts at {low} and is logarithmic.", "A logarithmic range must start above 0."
        )
    return Numeric(spec.name, low, high, log, spec.kind == "int", when=when)


def _check_conditions(dimension: AnyDimension, made: Mapping[str, AnyDimension]) -> None:
    for name, wanted in dimension.when.items():
        parent = made.get(name)
        if not isinstance(parent, Categorical) or name == dimension.name:
            advice = f"Add a list for '{name}', or remove the condition."
            raise ConfigError(f"'{dimension.name}' depends on '{name}', which has no list in the search space.", advice)
        if strange := [value for value in wanted if value not in parent.values]:
            raise ConfigError(
                f"'{dimension.name}' depends on {name} = {strange[0]!r}, which is not in the search space."
            )


def _sort_by_dependency(made: Mapping[str, AnyDimension]) -> Iterable[AnyDimension]:
    """Yield parents before children, otherwise in the order written."""
    left, placed = dict(made), set[str]()
    while left:
        ready = [name for name, dimension in left.items() if set(dimension.when) <= placed]
        if not ready:
            raise ConfigError(
                f"The conditions of {' and '.join(sorted(left))} depend on each other.", "Remove one of them."
            )
        yield left.pop(ready[0])
        placed.add(ready[0])
