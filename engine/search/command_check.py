"""What may be wished of a search, checked before it is written into its ledger. Takes no framework."""

from typing import Any

from engine import config
from engine.config import SearchConfig
from engine.errors import ConfigError
from engine.search import folder
from engine.search.storage import TrialStorage


def submit_checked(storage: TrialStorage, verb: str, content: Any) -> None:
    """Wish something of a search, if it makes sense; said at once, not by the process that searches.

    Raises:
        ConfigError: values or a space that cannot be.
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
