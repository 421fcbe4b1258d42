"""Parts of the documentation that are written from the code: a hook of mkdocs, also for the tests.

A page holds a line such as `<!-- generated: cli -->`; the site has the text in its place. Nothing here imports Keras.
"""

import contextlib
import importlib
import inspect
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from engine import cli, messages  # noqa: E402
from engine.cli import parser  # noqa: E402
from engine.messages import Event, Message  # noqa: E402
from scripts import settings_table  # noqa: E402

MARK = re.compile(r"<!-- (generated|include): ([\w./-]+) -->")
# Written by scripts/run_docs.py.
JSON = ROOT / "build" / "docs" / "json.json"
API = (
    *("engine", "engine.config", "engine.data", "engine.data.phantom", "engine.runs", "engine.metrics", "engine.noise"),
    *("engine.lesions", "engine.denoising.baselines", "engine.job_context", "engine.errors"),
)
SECTIONS = re.compile(r"^(Args|Returns|Raises|Example|Examples|Yields|Signals):(.*)$")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Put the generated texts into a page; mkdocs calls this."""
    return MARK.sub(lambda match: fill(*match.groups()), markdown)


def fill(kind: str, name: str) -> str:
    """Return the text for a mark: a generated part, or a file of the project."""
    return GENERATED[name]() if kind == "generated" else include(name)


def include(name: str) -> str:
    """Return a file of the project; its links to pages become those of a page one folder below docs."""
    text = (ROOT / name).read_text("utf-8")
    text = text if name.endswith(".md") else f"```text\n{text.strip()}\n```"
    text = text.replace("](docs/", "](../").removeprefix("# " + text.partition("\n")[0].removeprefix("# ")).lstrip()
    return re.sub(r"\]\((CHANGELOG|CONTRIBUTING|SECURITY)\.md", lambda match: f"]({match[1].lower()}.md", text)


def help_of(*words: str) -> str:
    """Return the help of the command line or of a command, as on a terminal of 100 columns."""
    out, before = io.StringIO(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"
    try:
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            cli.main([*words, "--help"])
    finally:
        os.environ.pop("COLUMNS") if before is None else os.environ.update(COLUMNS=before)
    return out.getvalue().strip()


def commands() -> str:
    """Return the help of every command."""
    parts = [f"```text\n{help_of()}\n```\n"]
    parts += [f"## {name}\n\n```text\n{help_of(name)}\n```\n" for name in parser.COMMANDS]
    return "\n".join(parts)


def exit_codes() -> str:
    """Return the table of exit codes, as the help states them."""
    block = help_of().partition("exit status:\n")[2].partition("\n\n")[0]
    rows: list[list[str]] = []
    for line in block.splitlines():
        match = re.match(r" {1,4}(\d+) +(.*)", line)
        if match:
            rows.append([match[1], match[2]])
        elif rows:
            rows[-1][1] += " " + line.strip()
    return table(("status", "meaning"), [(f"`{code}`", text) for code, text in rows])


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in lines)


def message_classes(is_event: bool) -> Iterator[type[Message]]:
    """Yield the commands and requests, or the events and replies, by name."""
    for name in sorted(vars(messages)):
        kind = getattr(messages, name)
        if inspect.isclass(kind) and issubclass(kind, Message) and kind not in (Message, Event):
            if ("event" if is_event else "command") in kind.model_fields:
                yield kind


def describe_messages(is_event: bool) -> str:
    """Return a section for each message: its sentence, its name on the wire, its fields."""
    parts = []
    for kind in message_classes(is_event):
        wire = kind.model_fields["event" if is_event else "command"].default
        rows = [
            (f"`{name}`", f"`{type_text(field.annotation)}`", "required" if field.is_required() else default_text(field))
            for name, field in kind.model_fields.items()
            if name not in ("event", "command", "time", "sequence")
        ]
        doc = inspect.getdoc(kind) or ""
        parts.append(f"### {kind.__name__}\n\n`{wire}` · {doc}\n")
        if rows:
            parts.append(table(("field", "type", "default"), rows) + "\n")
    return "\n".join(parts)


def type_text(annotation: Any) -> str:
    """Return a type as short text."""
    text = annotation.__name__ if inspect.isclass(annotation) and not getattr(annotation, "__args__", ()) else str(annotation)
    return re.sub(r"\b(?:[a-z_]+\.)+", "", text)


def default_text(field: Any) -> str:
    """Return the default of a field."""
    value = field.default_factory() if field.default_factory else field.default
    text = repr(value) if not isinstance(value, Message) else type(value).__name__
    return f"`{text}`" if len(text) < 60 else f"`{type(value).__name__}()`"


def api() -> str:
    """Return every public name of the modules for scripts, with signature and docstring."""
    return "\n".join(part for name in API for part in describe_module(name))


def describe_module(name: str) -> Iterator[str]:
    """Yield the parts of a module's section."""
    module = importlib.import_module(name)
    yield f"## {name}\n\n{docstring(module)}\n"
    names = getattr(module, "__all__", None) or [key for key in vars(module) if not key.startswith("_")]
    for key in names:
        found = getattr(module, key)
        is_own = getattr(found, "__module__", "").startswith(name)
        if (inspect.isfunction(found) or inspect.isclass(found)) and is_own:
            yield f"### {name.removeprefix('engine.')}.{key}\n\n```python\n{signature(key, found)}\n```\n\n{docstring(found)}\n"
            yield from describe_members(found)


def describe_members(found: Any) -> Iterator[str]:
    """Yield the documented methods and properties of a class."""
    if not inspect.isclass(found) or issubclass(found, Exception):
        return
    rows = []
    for name, member in vars(found).items():
        target = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if not name.startswith("_") and inspect.isfunction(target) and target.__doc__:
            rows.append((f"`{name}`" if isinstance(member, property) else f"`{name}()`", target.__doc__.strip().partition("\n")[0]))
    if rows:
        yield table(("member", "meaning"), rows) + "\n"


def signature(name: str, found: Any) -> str:
    """Return the signature of a function or class, one parameter a line where it is long."""
    try:
        text = re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", str(inspect.signature(found)))
    except ValueError:
        text = "(...)"
    text = re.sub(r"<[^>]*>", "...", text).replace("'", "")
    return f"{'class ' if inspect.isclass(found) else ''}{name}{text}"


def docstring(found: Any) -> str:
    """Return a docstring of Google's form as Markdown."""
    lines, section = [], ""
    for line in (inspect.getdoc(found) or "").splitlines():
        match = SECTIONS.match(line)
        if match:
            section = match[1]
            lines += ["", f"**{section}**{':' + match[2] if match[2] else ''}", ""]
        elif section in ("Args", "Raises") and re.match(r" {4}\S", line):
            name, _, text = line.strip().partition(": ")
            lines.append(f"- `{name}`: {text}")
        elif section.startswith("Example") or not section:
            lines.append(line if not section or not line.strip() else "    " + line.strip() if line.strip().startswith((">>>", "...")) else "    " + line.strip())
        else:
            lines.append("  " + line.strip() if section in ("Args", "Raises") else line.strip())
    return "\n".join(lines)


def json_outputs() -> str:
    """Return the keys that every `--json` printed when the documentation's commands last ran."""
    if not JSON.is_file():
        return "This part is written by `make docs`, which runs every command."
    parts = []
    for name, (words, content) in json.loads(JSON.read_text("utf-8")).items():
        rows = [(f"`{key}`", kind, f"`{example}`" if example else "") for key, (kind, example) in content.items()]
        parts.append(f"## {name}\n\n`{words}`\n\n{table(('key', 'type', 'example'), rows)}\n")
    return "\n".join(parts)


GENERATED: dict[str, Callable[[], str]] = {
    "cli": commands,
    "settings": settings_table.page,
    "exit-codes": exit_codes,
    "commands": lambda: describe_messages(is_event=False),
    "events": lambda: describe_messages(is_event=True),
    "api": api,
    "json": json_outputs,
}
