"""Write docs/reference/settings.md, the table of every setting, from engine/config; --check only compares."""

import sys
from pathlib import Path

from engine import config
from engine.config import FieldSpec, SearchConfig

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "settings.md"
HEAD = """\
# Settings

Every setting of a run: a field in the app, an option of `engram train`, an entry of the run's
`config.json`. Written by `scripts/settings_table.py` from `engine/config`; do not edit it by hand.
"""
COLUMNS = "| option | title | meaning | values | default |\n| --- | --- | --- | --- | --- |\n"


def page() -> str:
    """Return the whole page."""
    parts = [HEAD]
    for part, section in config.sections("ae").items():
        if part == "model":
            for name, own in config.MODELS.items():
                parts += [f"\n## Model: {config.model_title(name).lower()} (`--model {name}`)\n\n", table(own)]
        else:
            parts += [f"\n## {part.capitalize()}\n\n", table(section)]
    parts += ["\n## Search (`engram search`)\n\n", table(SearchConfig)]
    parts += ["\n## Study (`engram study`)\n\n", table(config.StudyConfig)]
    parts += ["\n## Denoising (`engram denoise`)\n\n", table(config.DenoiseConfig)]
    return "".join(parts)


def table(section: type[config.Section]) -> str:
    """Return a table with one row for each field."""
    return COLUMNS + "".join(
        f"| `{spec.option}` | {spec.title} | {spec.help} | {values(spec)} | {default(spec)} |\n"
        for spec in config.list_fields(section)
    )


def values(spec: FieldSpec) -> str:
    """Return the allowed values of a field."""
    if spec.choices:
        return ", ".join(spec.choices)
    if spec.low is None or spec.high is None:
        return {"bool": "yes, no", "ints": "whole numbers"}.get(spec.kind, "text")
    return f"{spec.low:,.10g} to {spec.high:,.10g} {spec.unit}".rstrip()


def default(spec: FieldSpec) -> str:
    """Return the default of a field as text."""
    if isinstance(spec.default, bool):
        return "yes" if spec.default else "no"
    return ", ".join(map(str, spec.default)) if isinstance(spec.default, tuple) else shown(spec.default)


def shown(value: object) -> str:
    """Return a number with commas from 1,000 on, or text as it is."""
    return f"{value:,}" if isinstance(value, int) else f"{value}"


if __name__ == "__main__":
    if "--check" not in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.exit(f"{PAGE.name} is out of date. Run: python scripts/settings_table.py")
