"""Parsers of numbers on the command line."""

from engine.errors import ConfigError


def whole_number(typed: str, option: str, least: int, most: int) -> int:
    """Parse a whole number within a range.

    Raises:
        ConfigError: the text is not such a number.
    """
    if not typed.isdecimal() or not least <= int(typed) <= most:
        raise ConfigError(f"{option} must be a whole number from {least} to {most:,}; '{typed}' was given.")
    return int(typed)
