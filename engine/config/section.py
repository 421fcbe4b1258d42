"""A setting: one field of a frozen section, and its description."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.errors import ConfigError
from engine.formatting import find_similar

MAX_LETTERS = 100  # of a wrong value in an error
Setting = int | float | bool | str | tuple[int, ...]


def setting(default: Any, title: str, text: str, unit: str = "", **limits: Any) -> Any:
    """Define one config field.

    Args:
        default: its default value.
        title: its name on screen.
        text: help, one sentence.
        unit: unit of the value, empty if it has none.
        limits: `ge`, `le` (inclusive range), `log=True` (spans decades), `advanced=True` (collapsed in a form),
            `option="--name"` if the command line has its own word, `aliases=("--old",)` for what it also accepts.
    """
    extra = {"unit": unit, "log": limits.pop("log", False), "advanced": limits.pop("advanced", False)}
    extra |= {"option": limits.pop("option", ""), "aliases": limits.pop("aliases", ())}
    return Field(default, title=title, description=text, json_schema_extra=extra, **limits)


class Section(BaseModel):
    """A frozen group of settings; unknown names are refused."""

    group: ClassVar[str] = "More settings"  # title of the collapsed part of a form with the advanced fields

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


@dataclass(frozen=True)
class FieldSpec:
    """Description of one field for a form or a command line."""

    name: str
    title: str
    help: str
    unit: str
    kind: Literal["int", "float", "bool", "choice", "text", "ints"]
    default: Setting
    low: float | None
    high: float | None
    log: bool
    advanced: bool
    group: str = ""
    choices: tuple[str, ...] = ()
    own_option: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def option(self) -> str:
        """Return the field's option on the command line."""
        return self.own_option or "--" + self.name.replace("_", "-")

    @property
    def range_text(self) -> str:
        """Return the range in words, such as 'from 1 to 16,384'; empty if there is none."""
        if self.low is None or self.high is None:
            return ""
        low, high = (
            f"{int(limit):,}" if float(limit).is_integer() else f"{limit:g}" for limit in (self.low, self.high)
        )
        return f"from {low} to {high}"

    @property
    def constraint(self) -> str:
        """Return what a value must be, in words, such as 'a whole number from 1 to 16,384'."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        nouns = {"int": "a whole number", "float": "a number", "bool": "yes or no", "ints": "whole numbers"}
        return f"{nouns.get(self.kind, 'text')} {self.range_text}".strip()


def list_fields(section: type[Section]) -> list[FieldSpec]:
    """Describe the fields of a section, in the order of their definition (without the model's own name)."""
    return [describe(name, info, section.group) for name, info in section.model_fields.items() if name != "model"]


def describe(name: str, info: Any, group: str = "") -> FieldSpec:
    """Describe one field from its name, its pydantic field info, and the title of its section's group."""
    limits = {key: getattr(item, key) for item in info.metadata for key in ("ge", "le") if hasattr(item, key)}
    extra = info.json_schema_extra
    return FieldSpec(
        name=name,
        title=info.title,
        help=info.description,
        unit=extra["unit"],
        kind=_kind(info.annotation),
        default=info.default,
        low=limits.get("ge"),
        high=limits.get("le"),
        log=extra["log"],
        advanced=extra["advanced"],
        group=group if extra["advanced"] else "",
        choices=_choices(info.annotation),
        own_option=extra["option"],
        aliases=extra["aliases"],
    )


S = TypeVar("S", bound=BaseModel)


def validate(wanted: type[S], values: Mapping[str, Any], sections: Iterable[type[Section]] = ()) -> S:
    """Validate settings, flat or nested.

    Args:
        wanted: a section, or a config made of sections.
        values: its fields.
        sections: the sections whose settings the error sentences name; the section itself if empty.

    Returns:
        The section or config.

    Raises:
        ConfigError: with one sentence per setting that is wrong.
    """
    try:
        return wanted.model_validate(dict(values))
    except ValidationError as error:
        owners = {name: kind for kind in sections or (wanted,) for name in kind.model_fields}
        # A value of the wrong kind may break the limits of a setting too: one sentence is enough.
        said: dict[Any, str] = {}
        for item in error.errors():
            place = next((part for part in reversed(item["loc"]) if part in owners), str(item))
            said.setdefault(place, _sentence(item, owners))
        raise ConfigError(" ".join(said.values())) from None


def _sentence(item: Any, owners: Mapping[str, type[BaseModel]]) -> str:
    if item["type"] == "value_error":
        return str(item["ctx"]["error"]) + "."
    if not item["loc"]:
        # The name of a section holds half a character, so it cannot be quoted either.
        return f"The settings cannot be read: {item['msg']}."
    name = next((str(part) for part in reversed(item["loc"]) if part in owners), str(item["loc"][-1]))
    if item["type"] == "extra_forbidden" or name not in owners:
        return f"There is no setting '{item['loc'][-1]}'."
    spec = describe(name, owners[name].model_fields[name])
    given = item["input"]
    shown = f"{given:.4g}" if isinstance(given, float) else repr(given)
    shown = f"'{','.join(map(str, given))}'" if isinstance(given, list | tuple) else shown
    shown = shown if len(shown) <= MAX_LETTERS else f"{shown[:MAX_LETTERS]}…"
    near = find_similar(str(given)[:MAX_LETTERS], spec.choices)
    question = f" Did you mean '{near}'?" if near else ""
    return f"{spec.title} ({spec.option}) must be {spec.constraint}; {shown} was given.{question}"


def _kind(annotation: Any) -> Any:
    if get_origin(annotation) is Literal:
        return "choice"
    if get_origin(annotation) is tuple:
        return "ints"
    return {bool: "bool", int: "int", float: "float", str: "text"}[annotation]


def _choices(annotation: Any) -> tuple[str, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()
