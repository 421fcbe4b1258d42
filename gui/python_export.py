"""Python scripts that repeat the user's actions without the app."""

from pprint import pformat
from typing import Any

from engine import config as settings
from engine.config import DataConfig, RunConfig

WIDTH = 100


def non_default_settings(config: RunConfig) -> str:
    """Return the settings that differ from the defaults of their model, as Python."""
    model = config.model.model
    plain = settings.to_flat(settings.from_flat({"model": model}))
    values: dict[str, Any] = {"model": model} if model != RunConfig().model.model else {}
    values |= {name: value for name, value in settings.to_flat(config).items() if value != plain[name]}
    return pformat(values, width=WIDTH, sort_dicts=False)


def changed_data(config: DataConfig) -> str:
    """Return a DataConfig as Python, with the fields that differ from the defaults."""
    plain = DataConfig().model_dump()
    values = [f"{name}={value!r}" for name, value in config.model_dump().items() if value != plain[name]]
    return f"engine.config.DataConfig({', '.join(values)})"


def join_script(*lines: str, imports: tuple[str, ...] = ("import engine",)) -> str:
    """Return lines as a script."""
    return "\n".join([*imports, "", *lines, ""])
