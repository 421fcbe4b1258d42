"""Python export of a search: a script that starts the same search, or resumes it, without the app."""

from pprint import pformat
from typing import Any

from engine.messages import Search
from gui.panels.search.snapshot import SearchSnapshot
from gui.python_export import WIDTH, join_script, non_default_settings

IMPORTS = ("from engine import config", "from engine.messages import Search", "from engine.search import job")
SHOWN = (
    "with search.open_storage() as storage:",
    "    for trial in storage.trials():",
    "        print(trial.number, trial.state, trial.score, trial.config, trial.reason)",
)


def command_for(found: SearchSnapshot) -> Search:
    """Return the command that reproduces a search in its present state."""
    plan = found.plan
    chosen = plan.settings.model_dump(mode="json", exclude_defaults=True)
    root = str(found.search.path.parent.parent)
    return Search(name=found.name, root=root, base=plan.base, space=plan.space.to_dict(), settings=chosen)


def search_script(order: Search) -> str:
    """Return a script that starts the search, or resumes the one of that name."""
    parts: dict[str, Any] = {"space": order.space, "settings": order.settings}
    base = non_default_settings(order.base) if order.base else "{}"
    return join_script(
        f"base = config.from_flat({base})",
        *(f"{name} = {pformat(value, width=WIDTH, sort_dicts=False)}" for name, value in parts.items()),
        f"order = Search(name={order.name!r}, root={order.root!r}, base=base, space=space, settings=settings)",
        "search = job.search(order)",
        *SHOWN,
        imports=IMPORTS,
    )
