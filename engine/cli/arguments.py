"""Numbers as they were typed."""

from engine.errors import ConfigError


def whole_number(typed: str, option: str, least: int, most: int) -> int:
    """A whole number within a range.

    Raises:
        ConfigError: it is none.
    """
    if not typed.isdecimal() or not least <= int(typed) <= most:
        raise ConfigError(f"{option} must be a whole number from {least} to {most:,}; '{typed}' was given.")
    return int(typed)
