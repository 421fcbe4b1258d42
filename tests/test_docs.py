"""What the documents say is there, parses and links; `make docs` also runs the commands and the Python blocks."""

import ast
import importlib.util
import re
import runpy
import shlex
from functools import cache

import pytest
import yaml

from engine.cli import parser
from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
READ = [*PAGES, *sorted(ROOT.glob("*.md")), *sorted((ROOT / ".github").rglob("*.md"))]
PROMISES = "".join((DOCS / "development" / f"{name}.md").read_text("utf-8") for name in ("testing", "reliability"))
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)(?:::([\w.]+))?`", PROMISES)))
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")
MARK = re.compile(r"<!-- (generated|include): ([\w./-]+) -->")
ENGINES = (["engram"], ["python", "-m", "engine"])
# Other programs that a page may tell the reader to type, by their first word.
OTHERS = {"make", "python", "python3", "py", "pip", "source", "wandb", "git", "cd", "engram-engine"}


def is_there(file, name):
    """Return whether a test file exists and defines a test or class; a name that ends in dots is a beginning."""
    path = ROOT / file
    if not path.is_file():
        return False
    word = name.split(".")[-1] if not name.endswith("...") else name.removesuffix("...")
    end = r"\w*" if name.endswith("...") else ""
    return not name or re.search(rf"\b(def|class) {word}{end}\b", path.read_text("utf-8")) is not None


def test_promises_name_tests():
    assert len(NAMED) > 150


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_each_named_test_is_there(file, name):
    assert is_there(file, name)


@pytest.mark.parametrize("missing", [("tests/nowhere.py", ""), ("tests/test_docs.py", "test_nothing")])
def test_what_is_not_there_is_noticed(missing):
    assert not is_there(*missing)


def test_drawing_of_the_rooms_is_what_the_imports_say():
    drawing = runpy.run_path(str(ROOT / "scripts" / "draw_rooms.py"))
    assert drawing["PICTURE"].read_text("utf-8") == drawing["draw"]()


# Blocks


def blocks(page, *kinds):
    """The blocks of a page: (line, text)."""
    text = page.read_text("utf-8")
    found = [(text.count("\n", 0, each.start()) + 1, each[2], each[3]) for each in BLOCK.finditer(text)]
    return [(line, body) for line, kind, body in found if kind in kinds]


def commands(page):
    """The commands of a page: (line, text), without comments; in a console block those behind `$`."""
    for line, body in blocks(page, "sh", "console"):
        for number, text in enumerate(body.replace("\\\n", " ").split("\n"), line + 1):
            if text.strip().startswith("$ ") or (text.strip() and (line, body) in blocks(page, "sh")):
                yield number, text.strip().removeprefix("$ ")


def test_every_command_is_in_a_block():
    loose = [BLOCK.sub("", page.read_text("utf-8")) for page in READ]
    assert not [
        line for text in loose for line in re.findall(r"^ {4,}(?:python -m engine|engram) .*", text, re.MULTILINE)
    ]


def problem_with(command):
    """Return what is wrong with a command, as the program itself would say it; empty if nothing is."""
    words = shlex.split(command, comments=True)
    words = words[: next((at for at, word in enumerate(words) if word in (">", "||", "&&", "|")), None)]
    for start in ENGINES:
        if words[: len(start)] == start:
            try:
                parser.parse(words[len(start) :])
            except SystemExit as error:
                return "" if not error.code else f"exit status {error.code}"
            return ""
    if not words or words[0].startswith(".venv"):
        return ""
    if words[0] not in OTHERS:
        return f"unknown program {words[0]}"
    if words[0] == "make":
        return "" if re.search(rf"^{words[1]}:", MAKEFILE, re.MULTILINE) else f"no target {words[1]}"
    scripts = [word for word in words[1:2] if word.endswith(".py")]
    return "".join(f"no file {script}" for script in scripts if not (ROOT / script).is_file())


MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


@pytest.mark.parametrize("page", READ, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_is_one(page, capsys):
    wrong = {f"{line}: {text}": found for line, text in commands(page) if (found := problem_with(text))}
    assert not wrong, capsys.readouterr().err


@pytest.mark.parametrize("page", READ, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_within_sentences_are_there(page):
    """Their first two words; what follows may be cut short there."""
    text = BLOCK.sub("", page.read_text("utf-8"))
    assert not {name for name in re.findall(r"`make ([a-z-]+)", text) if problem_with(f"make {name}")}
    named = re.findall(r"`(?:python -m engine|engram) ([a-z][a-z-]*)\b", text)
    assert set(named) <= {*parser.COMMANDS, "help"}


@pytest.mark.parametrize(
    "command",
    [
        "engram trian",
        "python -m engine train --epoch 3",
        "engram runs shwo",
        "make nothing",
        "python scripts/no.py",
        "rm x",
    ],
)
def test_wrong_commands_are_noticed(command):
    assert problem_with(command)


def test_commands_are_found():
    assert sum(len(list(commands(page))) for page in READ) > 80


@pytest.mark.parametrize("page", READ, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_blocks_import_what_there_is(page):
    """`make docs` runs them; here their names are looked up in the sources, without an import."""
    for line, body in blocks(page, "python"):
        for node in ast.walk(ast.parse(body)):
            if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "engine":
                for name in node.names:
                    assert defines(node.module, name.name), f"{page.name}:{line}: {node.module} has no {name.name}"


@cache
def defines(module, name):
    """Return whether a module of the project has a name, or a module of that name."""
    path = ROOT.joinpath(*module.split("."))
    if path.joinpath(name).is_dir() or path.joinpath(f"{name}.py").is_file():
        return True
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return re.search(rf"\b{name}\b", source.read_text("utf-8")) is not None


def test_a_name_that_is_not_there_is_noticed():
    assert not defines("engine.data", "open_volume")


# Links and the site


def anchors(path):
    """The anchors of a page, by the rule of mkdocs."""
    text = BLOCK.sub("", path.read_text("utf-8"))
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    plain = [re.sub(r"[^\w\s-]", "", re.sub(r"[`*]|\]\([^)]*\)|\[", "", head)).strip().lower() for head in heads]
    return {re.sub(r"[-\s]+", "-", head) for head in plain}


def broken_links(page):
    """The links of a page within the project that lead nowhere."""
    found = []
    for link in LINK.findall(BLOCK.sub("", page.read_text("utf-8"))):
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        if re.match(r"[a-z]+:", link):
            continue
        if not path.exists() or (anchor and path.suffix == ".md" and anchor not in anchors(path)):
            found.append(link)
    return found


@pytest.mark.parametrize("page", READ, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    assert not broken_links(page)


def test_links_that_lead_nowhere_are_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One\n[a](no.md) [b](#two) [c](#one) [d](https://example.org)\n", "utf-8")
    assert broken_links(page) == ["no.md", "#two"]


class Loader(yaml.SafeLoader):
    """A loader to which the tags of mkdocs are nothing."""


Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda loader, suffix, node: suffix)


def pages_of(entry):
    """The pages of an entry of the navigation."""
    if isinstance(entry, str):
        return [entry]
    return [page for each in (entry.values() if isinstance(entry, dict) else entry) for page in pages_of(each)]


def test_every_page_is_in_the_navigation_once(generator):
    site = yaml.load((ROOT / "mkdocs.yml").read_text("utf-8"), Loader)
    generator.fill_decisions(site["nav"])
    assert sorted(pages_of(site["nav"])) == sorted(path.relative_to(DOCS).as_posix() for path in PAGES)


def test_site_loads_nothing_from_the_net():
    site = yaml.load((ROOT / "mkdocs.yml").read_text("utf-8"), Loader)
    assert site["theme"]["font"] is False
    assert not {"extra_javascript", "repo_url"} & set(site)
    assert all((DOCS / path).is_file() for path in site["extra_css"])


# What is written from the code


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("docs_pages", ROOT / "scripts" / "docs_pages.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_marks_are_known(generator):
    marks = [mark for page in PAGES for mark in MARK.findall(page.read_text("utf-8"))]
    assert len(marks) >= 8
    assert {name for kind, name in marks if kind == "generated"} <= set(generator.GENERATED)
    assert all((ROOT / name).is_file() for kind, name in marks if kind == "include")


def test_reference_has_every_command_event_and_exit_code(generator):
    text = generator.commands()
    assert all(f"## {name}\n" in text for name in parser.COMMANDS)
    assert "--learning-rate" in text
    assert {"`0`", "`2`", "`5`", "`130`"} <= set(re.findall(r"^\| (`\d+`)", generator.exit_codes(), re.MULTILINE))
    assert "### EpochEnded\n\n`epoch-ended`" in generator.describe_messages(is_event=True)
    assert "### Train\n\n`train`" in generator.describe_messages(is_event=False)


def test_reference_has_signatures_and_docstrings(generator):
    text = generator.describe_name("engine.resume")
    assert text.startswith("### engine.resume\n\n```python\nresume(\n    run: Run | str,")
    assert "- `emit`: called with each event as it happens." in text
    assert "| `previews` | Return the folder" in generator.describe_name("engine.runs.Run")


def test_site_builds_without_warnings(tmp_path):
    build = pytest.importorskip(
        "mkdocs.commands.build", reason="needs mkdocs: pip install -e '.[docs]' -c constraints.txt"
    )
    pytest.importorskip("material", reason="needs mkdocs-material: pip install -e '.[docs]' -c constraints.txt")
    from mkdocs.config import load_config

    build.build(load_config(str(ROOT / "mkdocs.yml"), site_dir=str(tmp_path / "site"), strict=True))
    assert "phantom-seed" in (tmp_path / "site/reference/cli.html").read_text("utf-8")
    assert not re.search(
        r'(?:src|href)="https?://(?!squidfunk|www\.mkdocs)', (tmp_path / "site/index.html").read_text("utf-8")
    )
