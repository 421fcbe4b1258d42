"""Parts of the documentation that are written from the code: a hook of mkdocs, also for the tests.

A page holds a line such as `<!-- generated: cli -->`; the site has the text in its place. Only the API imports Keras.
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

from pydantic import BaseModel  # noqa: E402

from engine import backend, cli, messages  # noqa: E402
from engine.cli import parser  # noqa: E402
from engine.cli.program import EXIT_STATUS  # noqa: E402
from engine.messages import Message  # noqa: E402
from scripts import settings_table  # noqa: E402

# A sentence in italics behind a mark is for readers of the file itself.
MARK = re.compile(r"<!-- (generated|include): ([\w./-]+) -->(?:\n\*[^\n]*\*)?")
# Written by scripts/run_docs.py.
JSON = ROOT / "build" / "docs" / "json.json"
WIDE = 96
# A type of arrays of engine.arrays, with the shape that the docstring tells better.
ARRAY = re.compile(
    r"(?:Annotated\[)?numpy\.ndarray\[tuple\[Any, \.\.\.\], numpy\.dtype\[numpy\.(\w+)(?:\[Any\])?\]\](?:, [^\]]*\])?"
)
LISTED = ("Args", "Raises")
SECTIONS = re.compile(r"^(Args|Returns|Raises|Example|Examples|Yields|Signals):(.*)$")


def on_config(config: Any) -> Any:
    """List every decision in the navigation; mkdocs calls this."""
    fill_decisions(config["nav"])
    return config


def fill_decisions(entries: list[Any]) -> None:
    """Put the pages of docs/decisions in the place of the empty list."""
    for entry in entries:
        for title, inner in entry.items() if isinstance(entry, dict) else ():
            if title == "Decisions":
                entry[title] = [f"decisions/{path.name}" for path in sorted((ROOT / "docs/decisions").glob("*.md"))]
            elif isinstance(inner, list):
                fill_decisions(inner)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Put the generated texts into a page; mkdocs calls this."""
    if page.file.src_uri == "reference/settings.md":
        return settings_table.page()
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
    """Return the help of the command line or of a command, as on a terminal of 96 columns."""
    out, before = io.StringIO(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "96"
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
    """Return the table of exit codes."""
    return table(("status", "meaning"), [(f"`{code}`", text) for code, text in EXIT_STATUS.items()])


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in lines
    )


def message_classes(is_event: bool) -> Iterator[type[Message]]:
    """Yield the commands and requests, or the events and replies, by name."""
    for name in sorted(vars(messages)):
        kind = getattr(messages, name)
        is_message = inspect.isclass(kind) and issubclass(kind, Message)
        if is_message and ("event" if is_event else "command") in kind.model_fields:
            yield kind


def describe_messages(is_event: bool) -> str:
    """Return a section for each message: its sentence, its name on the wire, its fields."""
    parts = []
    for kind in message_classes(is_event):
        wire = kind.model_fields["event" if is_event else "command"].default
        rows = [
            (
                f"`{name}`",
                f"`{type_text(field.annotation)}`",
                "required" if field.is_required() else default_text(field),
            )
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
    text = (
        annotation.__name__
        if inspect.isclass(annotation) and not getattr(annotation, "__args__", ())
        else str(annotation)
    )
    return re.sub(r"\b(?:[a-z_]+\.)+", "", text)


def default_text(field: Any) -> str:
    """Return the default of a field."""
    value = field.default_factory() if field.default_factory else field.default
    text = repr(value) if not isinstance(value, Message) else type(value).__name__
    return f"`{text}`" if len(text) < 60 else f"`{type(value).__name__}()`"


def api() -> str:
    """Return signature and docstring of every name that the page lists; this imports Keras."""
    backend.preload("engine.analysis.layers", "tensorflow")
    page = re.sub(r"```.*?```", "", (ROOT / "docs/reference/api.md").read_text("utf-8"), flags=re.DOTALL)
    return "\n".join(map(describe_name, dict.fromkeys(re.findall(r"`(engine\.[\w.]+)(?:\([^`]*\))?`", page))))


def describe_name(name: str) -> str:
    """Return the section of a public function, class or module."""
    module, _, last = name.rpartition(".")
    found = find(module, last)
    code = "" if inspect.ismodule(found) else f"```python\n{signature(last, found)}\n```\n"
    return "\n".join([f"### {name}\n", code, docstring(found), "", *describe_members(found)])


def find(module: str, name: str) -> Any:
    """Return an attribute of a module or class, or a module."""
    try:
        return getattr(importlib.import_module(module), name)
    except AttributeError:
        return importlib.import_module(f"{module}.{name}")
    except ModuleNotFoundError:
        return getattr(find(*module.rpartition(".")[::2]), name)


def describe_members(found: Any) -> Iterator[str]:
    """Yield the documented methods and properties of a class."""
    if not inspect.isclass(found) or issubclass(found, Exception):
        return
    rows = []
    for name, member in vars(found).items():
        target = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        if not name.startswith("_") and inspect.isfunction(target) and target.__doc__:
            shown = f"`{name}`" if isinstance(member, property) else f"`{name}()`"
            rows.append((shown, target.__doc__.strip().partition("\n")[0]))
    if rows:
        yield table(("member", "meaning"), rows) + "\n"


def signature(name: str, found: Any) -> str:
    """Return the signature of a function or class; that of a section of settings is the page on settings."""
    is_class = inspect.isclass(found)
    if is_class and issubclass(found, BaseModel | Exception):
        return f"class {name}"
    target = found.fget if isinstance(found, property) else found
    text = re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Z])", "", str(inspect.signature(target)))
    text = ARRAY.sub(r"ndarray[\1]", text)
    shown = f"{'class ' if is_class else ''}{name}{re.sub(r'<[^>]*>', '...', text)}".replace("'", "")
    return shown if len(shown) < WIDE else re.sub(r", (?=\w+: |\*)", ",\n    ", shown.replace("(", "(\n    ", 1))


def docstring(found: Any) -> str:
    """Return a docstring of Google's form as Markdown; its examples are indented, and so code already."""
    lines, section = [], ""
    for line in (inspect.getdoc(found) or "").splitlines():
        if match := SECTIONS.match(line):
            section = match[1]
            lines += ["", f"**{section}**{match[2]}", ""]
        elif section in LISTED and re.match(r" {4}\S", line):
            name, _, text = line.strip().partition(": ")
            lines.append(f"- `{name}`: {text}")
        elif section in LISTED:
            lines.append("  " + line.strip())
        else:
            lines.append(line if not section or section.startswith("Example") else line.strip())
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
    "exit-codes": exit_codes,
    "commands": lambda: describe_messages(is_event=False),
    "events": lambda: describe_messages(is_event=True),
    "api": api,
    "json": json_outputs,
}
