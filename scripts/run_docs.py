"""Run the commands and the Python blocks of README and documentation, on phantoms, in one process and one folder.

    python scripts/run_docs.py                 run everything; fail where the output is not what the page shows
    python scripts/run_docs.py --write         put what came out into the pages
    python scripts/run_docs.py first-run       only these pages

Blocks of `console`, `python` and `sh` are run. Those of `sh` get files and runs for their placeholders
(scripts/docs_examples.py); left out are commands that need a cluster, a display or hours, and docs/results, which
records what was run on the real images. Numbers and times are not compared: they differ between machines. The keys of
every `--json` go to build/docs/json.json, from which reference/json.md is written.
"""

import argparse
import contextlib
import io
import json
import os
import re
import runpy
import shlex
import shutil
import sys
import time
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from engine import cli  # noqa: E402
from scripts import docs_examples  # noqa: E402

README = ROOT / "README.md"
DOCS, WORK = ROOT / "docs", ROOT / "build" / "docs" / "work"
# Tutorials first, in their order: the other pages use their runs.
TUTORIALS = [DOCS / "tutorials" / f"{name}.md" for name in ("first-run", "leaking", "lesion", "latent", "script")]
BLOCK = re.compile(r"```(console|python|text|sh)\n(.*?)```", re.DOTALL)
NUMBER = re.compile(r"[−-]?\d[\d.,]*(?:e[−-]?\d+)?(?: (?:s|min|h|ms)\b)?")
# A run or a search that a command or a Python block makes.
NAME = re.compile(r'(?:--run |--name |run="|Search\(name=")([\w-]+)')
LONG, LONG_TEXT = 4, 70
# The commands and the Python blocks that were run.
RAN: list[str] = []


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("pages", nargs="*", help="names of pages without .md")
    options.add_argument("--write", action="store_true", help="put what came out into the pages")
    options.add_argument("--keep", action="store_true", help="keep the folder of the last call, with its runs")
    chosen = options.parse_args()
    prepare(chosen.keep)
    # The examples of the page on the API run in the tests.
    pages = [*TUTORIALS, README, *sorted(set(DOCS.rglob("*.md")) - {*TUTORIALS, DOCS / "reference" / "api.md"})]
    wrong = [
        line for page in pages if not chosen.pages or page.stem in chosen.pages for line in run(page, chosen.write)
    ]
    if not chosen.pages or "json" in chosen.pages:
        wrong += collect_json()
    sys.stderr.write("".join(f"{line}\n" for line in wrong))
    print(f"{len(RAN)} commands and Python blocks in {time.process_time():.0f} s of CPU", file=sys.stderr)
    return 1 if wrong else 0


def prepare(keep: bool) -> None:
    """Make the folder in which everything runs, with nothing of the user's."""
    if not keep:
        shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True, exist_ok=True)
    runs, cache = WORK / "Engram" / "runs", WORK / ".cache"
    os.environ |= {
        "ENGRAM_RUNS": str(runs),
        "ENGRAM_CACHE": str(cache),
        "MPLBACKEND": "agg",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    os.environ["PYTHONPATH"] = str(ROOT)
    os.chdir(WORK)
    if keep and Path("source").is_dir():
        return
    docs_examples.write_files()


def forget(text: str) -> None:
    """Delete the runs and searches that a text makes, which an earlier call with --keep may have left."""
    root = Path(os.environ["ENGRAM_RUNS"])
    for name in NAME.findall(text):
        for folder in [root / name, root / "_searches" / name, *root.glob(f"{name}-0*")]:
            shutil.rmtree(folder, ignore_errors=True)


def run(page: Path, write: bool) -> list[str]:
    """Run the blocks of a page; return what is wrong."""
    text, began = page.read_text("utf-8"), (time.monotonic(), time.process_time())
    forget(text)
    blocks, names = [block for block in BLOCK.finditer(text)], {"__name__": "docs"}
    made: list[tuple[re.Match[str], str]] = []
    wrong = []
    for block, following in zip(blocks, [*blocks[1:], None], strict=False):
        try:
            if block[1] == "console":
                made.append((block, run_console(block[2])))
            elif block[1] == "sh" and "results" not in page.parts:
                run_shell(block[2])
            elif block[1] == "python":
                printed = run_python(block[2], names)
                if following and following[1] == "text" and not text[block.end() : following.start()].strip():
                    made.append((following, printed))
        except (Exception, SystemExit) as error:  # noqa: BLE001 a page's own code may fail in any way
            place = f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, block.start()) + 1}"
            wrong.append(f"{place}: {error!r}\n{traceback.format_exc(limit=-4)}")
    if any(block[1] != "text" for block in blocks):
        took, cpu = time.monotonic() - began[0], time.process_time() - began[1]
        print(f"{page.relative_to(ROOT)}: {took:.0f} s, {cpu:.0f} s of CPU", file=sys.stderr)
    if not write:
        return wrong + [line for block, new in made for line in differences(page, block, new)]
    for block, new in reversed(made):
        text = text[: block.start(2)] + new + text[block.end(2) :]
    page.write_text(text, "utf-8")
    return wrong


def run_console(body: str) -> str:
    """Run the commands of a block, each on one line behind `$`; return the block with what came out."""
    commands = [line[2:] for line in body.split("\n") if line.startswith("$ ")]
    return "".join(f"$ {command}\n{tidy(run_command(command))}" for command in commands)


def run_shell(body: str) -> None:
    """Run the commands of Engram in a block, with files and runs for their placeholders.

    The runs are made by the first such block: the tutorials before it list only their own.
    """
    for words in docs_examples.RUNS:
        if not all((Path(os.environ["ENGRAM_RUNS"]) / name).is_dir() for name in NAME.findall(words)):
            run_command(f"engram {words}")
    for line in body.replace("\\\n", " ").splitlines():
        if words := docs_examples.fill_in(line):
            run_command(shlex.join(words))


def run_command(command: str) -> str:
    """Run one command in this process; return all that it printed."""
    words, out = shlex.split(command), io.StringIO()
    RAN.append(command)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        status = run_engram(words[1:]) if words[0] == "engram" else run_script(words)
    if status:
        raise RuntimeError(f"`{command}` ended with {status}:\n{out.getvalue()}")
    return out.getvalue()


def run_engram(words: list[str]) -> int:
    """Run a command of Engram."""
    try:
        return cli.main(words)
    except SystemExit as ended:  # of --help and --version
        return int(ended.code or 0)


def run_script(words: list[str]) -> int:
    """Run a Python script of the project: `python scripts/name.py ARGUMENTS`."""
    before, sys.argv = sys.argv, words[1:]
    try:
        runpy.run_path(str(ROOT / words[1]), run_name="__main__")
    finally:
        sys.argv = before
    return 0


def run_python(body: str, names: dict[str, Any]) -> str:
    """Run a Python block; return what it printed. The blocks of a page share their names."""
    out = io.StringIO()
    RAN.append(body)
    with contextlib.redirect_stdout(out):
        exec(compile(body, "block", "exec"), names)
    return tidy(out.getvalue())


def tidy(text: str) -> str:
    """Return an output as a page shows it: a home folder of nobody, few of many epochs."""
    lines = text.replace(str(WORK), "/home/you").rstrip().split("\n") if text.strip() else []
    epochs = [number for number, line in enumerate(lines) if line.startswith("epoch ")]
    if len(epochs) > LONG:
        lines[epochs[1] : epochs[-1]] = ["..."]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def differences(page: Path, block: re.Match[str], made: str) -> list[str]:
    """Return a sentence if a page shows another output than this one."""
    if plain(block[2]) == plain(made):
        return []
    line = block.string.count("\n", 0, block.start()) + 1
    return [f"{page.relative_to(ROOT)}:{line}: the output has changed (--write puts it in):\n{made}"]


def plain(text: str) -> list[str]:
    """Return the words of an output, without numbers, spaces and epochs."""
    lines = [line for line in text.split("\n") if not line.startswith("epoch ")]
    return [" ".join(NUMBER.sub("#", line).split()) for line in lines]


def collect_json() -> list[str]:
    """Run every command with --json on what the tutorials left; write the keys of each."""
    found, wrong = {}, []
    forget(" ".join(JSON_COMMANDS))
    for words in JSON_COMMANDS:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            try:
                run_engram([*shlex.split(words), "--json"])
                found[words.split()[0]] = f"{words} --json", flatten(json.loads(out.getvalue()))
            except (Exception, SystemExit) as error:  # noqa: BLE001 reported below
                wrong.append(f"{words} --json: {error!r}")
    (ROOT / "build" / "docs" / "json.json").write_text(json.dumps(found, indent=1), "utf-8")
    return wrong


def flatten(content: Any, path: str = "") -> dict[str, tuple[str, str]]:
    """Return the type and an example for each key; of a list, and of keys that are data, of the first entry."""
    found = {}
    if isinstance(content, dict) and content:
        is_data = len(content) > 1 and len({describe_shape(value) for value in content.values()}) == 1
        is_data = is_data and isinstance(next(iter(content.values())), dict)
        if is_data:
            found[f"{path}.NAME".lstrip(".")] = "object", ", ".join([*list(content)[:4], *["..."][: len(content) - 4]])
        for key in list(content)[:1] if is_data else content:
            found |= {**flatten(content[key], f"{path}.{'NAME' if is_data else key}".lstrip(".")), **found}
        return found
    if isinstance(content, list) and content and isinstance(content[0], dict | list):
        return {f"{path}[]": ("array", "")} | flatten(content[0], f"{path}[]")
    text = json.dumps(content, ensure_ascii=False).replace(str(WORK), "/home/you")
    return {path: (KINDS[type(content)], text if len(text) < LONG_TEXT else f"{text[:LONG_TEXT]} ...")}


def describe_shape(value: Any) -> Any:
    """Return the keys of an object, or the type of anything else."""
    return tuple(sorted(value)) if isinstance(value, dict) else type(value).__name__


KINDS = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
KINDS[type(None)] = "null"
TINY = "--data phantom --size 32 --phantom-count 48 --epochs 1 --filters 8,8"
JSON_COMMANDS = (
    f"train {TINY} --model ae --latent 4 --run tiny",
    "resume tiny --epochs 2",
    "runs",
    "evaluate first-vae --split test",
    "audit leaky",
    "reconstruct first-ae heads/images/head-0.png --out pictures --arrays",
    "denoise first-ae heads/images/head-0.png --sigma 0.1 --roi 41,24,8,10 --against tv --out denoised",
    "denoise-curve first-ae --data heads --split train --sigmas 0,0.1 --against tv",
    "activations first-ae heads/images/head-0.png --out maps",
    "channels first-ae --layer enc_act1",
    "lesion-layers first-ae --pairs 2 --layers stages",
    "latent first-vae --out latent",
    "sample first-vae --n 4 --out samples",
    "report first-ae --out report.html",
    f"search {TINY} --model ae --space space.json --trials 1 --name s",
    "trials s",
    f"study {TINY} --quick --out study",
    f"demo {TINY} --latent 4 --out demo",
)

if __name__ == "__main__":
    sys.exit(main())
