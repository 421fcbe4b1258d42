"""Drafts of a search space: the text in the fields, and the space that it describes. Pure functions."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from engine import config
from engine.config import MODELS, FieldSpec, RunConfig
from engine.errors import ConfigError
from engine.search import space_file
from engine.search.space import Space
from gui.field_editors import FORMATTERS, PARSERS
from gui.formatting import MINUS

KINDS = {"list": "List", "range": "Range", "log": "Log range"}
LEFT_OUT = ("seed", "tracking")  # the search sets the seed; tracking changes no result
BOOLEANS = {"yes": True, "true": True, "no": False, "false": False}
NOTHING = "Add a setting to vary, or choose a preset."
ONE_EACH = "No setting varies. Enter more than one value for at least one setting."
NO_VALUES = "Enter the values to try, separated by commas."


@dataclass(frozen=True)
class DimensionDraft:
    """The typed text of one setting; `when` names the setting that it depends on, empty if it always applies."""

    name: str
    kind: str = "list"
    text: str = ""
    low: str = ""
    high: str = ""
    when: str = ""
    wanted: str = ""
    also: tuple[tuple[str, str], ...] = ()  # further conditions, from a space file


Drafts = tuple[DimensionDraft, ...]


@cache
def specs() -> dict[str, FieldSpec]:
    """Return every setting that can vary, of any model, by name."""
    about = "Model type to train. Losses of different model types are not comparable."
    spec = FieldSpec("model", "Model", about, "", "choice", "ae", None, None, False, False, choices=tuple(MODELS))
    found = {"model": spec}
    for model in MODELS:
        for section in config.sections(model).values():
            for spec in config.list_fields(section):
                if spec.kind != "text" and spec.name not in LEFT_OUT:
                    found.setdefault(spec.name, spec)
    return found


def drafts_from_space(described: Mapping[str, Any]) -> Drafts:
    """Convert a space, as in a space file, to drafts."""
    return tuple(_draft(name, value) for name, value in described.items())


def _draft(name: str, value: Any) -> DimensionDraft:
    given = value if isinstance(value, dict) else {"values": value}
    conditions = [(parent, _joined(parent, wanted)) for parent, wanted in given.get("when", {}).items()]
    more: dict[str, Any] = {}
    if conditions:
        more = {"when": conditions[0][0], "wanted": conditions[0][1], "also": tuple(conditions[1:])}
    if "values" in given:
        return DimensionDraft(name, "list", _joined(name, given["values"]), **more)
    kind = "log" if given.get("log", specs()[name].log) else "range"
    return DimensionDraft(name, kind, "", _written(name, given["low"]), _written(name, given["high"]), **more)


def restore_drafts(kept: Any) -> Drafts:
    """Restore the drafts of the last session; invalid ones are skipped."""
    fields, found = set(DimensionDraft.__dataclass_fields__), []
    for draft in kept if isinstance(kept, list) else []:
        if isinstance(draft, dict) and draft.get("name") in specs() and draft.get("kind") in KINDS:
            values = {name: value for name, value in draft.items() if name in fields and isinstance(value, str)}
            found.append(DimensionDraft(**values))  # type: ignore[arg-type]
    return tuple(found)


def default_draft(name: str, base: RunConfig) -> DimensionDraft:
    """Return the draft of a setting that is added: all its choices, else its present value."""
    spec = specs()[name]
    if spec.choices:
        return DimensionDraft(name, "list", ", ".join(spec.choices))
    if spec.kind == "bool":
        return DimensionDraft(name, "list", "yes, no")
    value = config.to_flat(base).get(name, spec.default)
    return DimensionDraft(name, "list", _written(name, value))


def parse_drafts(drafts: Drafts) -> dict[str, Any]:
    """Return the drafted space, as in a space file; unparsable values stay text, which the engine refuses."""
    return {draft.name: _meaning(draft) for draft in drafts}


def _meaning(draft: DimensionDraft) -> Any:
    conditions = [(draft.when, draft.wanted), *draft.also] if draft.when else []
    more = {"when": {name: _values(name, wanted) for name, wanted in conditions}} if conditions else {}
    if draft.kind == "list":
        values = _values(draft.name, draft.text)
        return {"values": values, **more} if more else values
    ends = {"low": _value(draft.name, draft.low), "high": _value(draft.name, draft.high)}
    return {**ends, "log": draft.kind == "log", **more}


def separate_fixed(drafts: Drafts) -> tuple[dict[str, Any], dict[str, Any]]:
    """Separate the settings that vary from the fixed ones: a list of one value fixes its setting."""
    described, fixed = parse_drafts(drafts), {}
    depended = {name for draft in drafts for name in (draft.when, *(name for name, _ in draft.also))}
    for draft in drafts:
        values = described[draft.name]
        if isinstance(values, list) and len(values) == 1 and draft.name not in depended:
            fixed[draft.name] = described.pop(draft.name)[0]
    return described, fixed


def resolve(drafts: Drafts, base: RunConfig) -> tuple[Space, RunConfig]:
    """Return the search space and the base configuration. Raises ConfigError."""
    described, fixed = separate_fixed(drafts)
    known = config.from_flat(fixed, base)
    return space_file.parse(described, known), known


def problems(drafts: Drafts, base: RunConfig) -> tuple[dict[str, str], str]:
    """Return the error of each setting by itself, and the error of all of them together."""
    alone = {draft.name: error for draft in drafts if (error := _empty(draft) or _draft_problem(draft, drafts, base))}
    if alone:
        return alone, ""
    return {}, _find_problem(drafts, base) if drafts else NOTHING


def _empty(draft: DimensionDraft) -> str:
    typed = draft.text.strip() if draft.kind == "list" else draft.low.strip() and draft.high.strip()
    return "" if typed else NO_VALUES if draft.kind == "list" else "Enter a minimum and a maximum."


def _draft_problem(draft: DimensionDraft, drafts: Drafts, base: RunConfig) -> str:
    """Return the error of a setting, parsed with the settings that its conditions, or its model, name."""
    wanted = {draft.when, "model", *(name for name, _ in draft.also)} - {"", draft.name}
    beside = (*(replace(each, when="") for each in drafts if each.name in wanted), draft)
    try:
        space_file.parse(parse_drafts(beside), base)
    except ConfigError as error:
        return str(error).replace(f" ({draft.name})", "")
    return ""


def _find_problem(drafts: Drafts, base: RunConfig) -> str:
    try:
        resolve(drafts, base)
    except ConfigError as error:
        if error.what == space_file.EMPTY:
            return ONE_EACH
        return str(error)
    return ""


def _values(name: str, text: str) -> list[Any]:
    between = ";" if name in specs() and specs()[name].kind == "ints" else ","
    return [_value(name, part) for part in text.split(between) if part.strip()]


def _value(name: str, text: str) -> Any:
    """Return a value in its setting's type, or as text if it cannot be parsed."""
    spec, plain = specs().get(name), text.strip().replace(MINUS, "-")
    if spec is None:
        return plain
    if spec.kind == "bool":
        return BOOLEANS.get(plain.casefold(), plain)
    found = PARSERS.get(spec.kind, str)(plain)
    return list(found) if isinstance(found, tuple) else found


def _joined(name: str, values: Any) -> str:
    given = values if isinstance(values, list | tuple) else [values]
    between = "; " if name in specs() and specs()[name].kind == "ints" else ", "
    return between.join(_written(name, value) for value in given)


def _written(name: str, value: Any) -> str:
    spec = specs().get(name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return FORMATTERS.get(spec.kind if spec else "", str)(value)


def as_json(described: Mapping[str, Any]) -> str:
    """Return the space in the format of a space file."""
    return json.dumps(described, indent=2)


def title(name: str) -> str:
    """Return a setting's name on screen."""
    return specs()[name].title if name in specs() else name


def addable(base: RunConfig, taken: Sequence[str], models: Sequence[str] = ()) -> list[FieldSpec]:
    """Return the settings that can be added: those that some model of the search has and that do not vary yet.

    `models` are as typed: what is no model is left out.
    """
    known = {
        field
        for model in [name for name in models if name in MODELS] or [base.model.model]
        for section in config.sections(model).values()
        for field in section.model_fields
    } | {"model"}
    return [spec for name, spec in specs().items() if name in known and name not in taken]
