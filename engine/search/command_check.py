"""Check commands to a search before they are written into its database. Imports no framework."""

from typing import Any

from engine import config
from engine.config import SearchConfig
from engine.errors import ConfigError
from engine.search import folder
from engine.search.storage import TrialStorage


def submit_checked(storage: TrialStorage, verb: str, content: Any) -> None:
    """Check a command and queue it for the search, so that an error reaches the sender and not the searching process.

    Raises:
        ConfigError: the values or the space are not valid.
    """
    spec = folder.spec_from_attrs(storage)
    if verb == "enqueue":
        if not content:
            raise ConfigError("No values given.", 'Example: {"latent": 256}')
        config.from_flat(content, spec.base)
    elif verb == "space":
        folder.with_space(spec, content)
    elif verb == "trials":
        config.validate(SearchConfig, {"trials": content})
    storage.push_command(verb, content)
