"""Run the commands and the Python blocks of the documentation, on phantoms, in one process and one folder.

    python scripts/run_docs.py                 run everything; fail where the output is not what the page shows
    python scripts/run_docs.py --write         put what came out into the pages
    python scripts/run_docs.py first-run       only these pages

Numbers and times are not compared: they differ between machines. The keys of every `--json` go to build/docs/json.json,
from which reference/json.md is written.
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
DOCS, WORK = ROOT / "docs", ROOT / "build" / "docs" / "work"
# Tutorials first, in their order: the other pages use their runs.
TUTORIALS = [DOCS / "tutorials" / f"{name}.md" for name in ("first-run", "leaking", "lesion", "latent", "script")]
BLOCK = re.compile(r"```(console|python|text)\n(.*?)```", re.DOTALL)
NUMBER = re.compile(r"[−-]?\d[\d.,]*(?:e[−-]?\d+)?(?: (?:s|min|h|ms)\b)?")
PROGRAMS = (["engram"], ["python", "-m", "engine"])
LONG = 4


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("pages", nargs="*", help="names of pages without .md")
    options.add_argument("--write", action="store_true", help="put what came out into the pages")
    options.add_argument("--keep", action="store_true", help="keep the folder of the last call, with its runs")
    chosen = options.parse_args()
    prepare(chosen.keep)
    pages = [*TUTORIALS, *sorted(set(DOCS.rglob("*.md")) - set(TUTORIALS))]
    wrong = [line for page in pages if not chosen.pages or page.stem in chosen.pages for line in run(page, chosen.write)]
    if not chosen.pages or "json" in chosen.pages:
        wrong += collect_json()
    sys.stderr.write("".join(f"{line}\n" for line in wrong))
    return 1 if wrong else 0


def prepare(keep: bool) -> None:
    """Make the folder in which everything runs, with nothing of the user's."""
    if not keep:
        shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True, exist_ok=True)
    runs, cache = WORK / "Engram" / "runs", WORK / ".cache"
    os.environ |= {"ENGRAM_RUNS": str(runs), "ENGRAM_CACHE": str(cache), "MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3"}
    os.environ["PYTHONPATH"] = str(ROOT)
    os.chdir(WORK)
    # What the how-to guides open.
    sys.argv = ["sample_volumes.py", "case", "1"]
    runpy.run_path(str(ROOT / "scripts" / "sample_volumes.py"), run_name="__main__")
    shutil.copy(next(WORK.glob("case/*/*_t1.nii.gz")), "scan.nii.gz")
    Path("space.json").write_text('{"latent": [4]}', "utf-8")


def run(page: Path, write: bool) -> list[str]:
    """Run the blocks of a page; return what is wrong."""
    text, wrong, names = page.read_text("utf-8"), [], {"__name__": "docs"}
    blocks, began = list(BLOCK.finditer(text)), time.monotonic()
    pieces, at = [], 0
    for number, block in enumerate(blocks):
        kind, body = block.groups()
        follows = blocks[number + 1] if number + 1 < len(blocks) else None
        line = text.count("\n", 0, block.start()) + 1
        try:
            if kind == "console":
                made = run_console(body)
                wrong += [] if write else differences(page, line, body, made)
                pieces += [text[at : block.start(2)], made]
                at = block.end(2)
            elif kind == "python":
                made = run_python(body, names)
                if follows and follows[1] == "text" and not text[block.end() : follows.start()].strip():
                    wrong += [] if write else differences(page, line, follows[2], made)
                    pieces += [text[at : follows.start(2)], made]
                    at = follows.end(2)
        except (Exception, SystemExit) as error:
            wrong.append(f"{page.name}:{line}: {error!r}\n{traceback.format_exc(limit=-4)}")
    if write and pieces:
        page.write_text("".join([*pieces, text[at:]]), "utf-8")
    if any(block[1] != "text" for block in blocks):
        print(f"{page.relative_to(DOCS)}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    return wrong


def run_console(body: str) -> str:
    """Run the commands of a block; return the block with what came out."""
    lines = body.replace("\\\n", "\\\0").split("\n")
    commands = [line.replace("\\\0", "\\\n") for line in lines if line.startswith("$ ")]
    return "".join(f"{command}\n{tidy(run_command(command[2:].replace(chr(92) + chr(10), ' ')))}" for command in commands)


def run_command(command: str) -> str:
    """Run one command in this process; return all that it printed."""
    from engine import cli

    words, out = shlex.split(command), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        for program in PROGRAMS:
            if words[: len(program)] == program:
                if "train" in words and "--run" in words:
                    # What an earlier call with --keep left.
                    shutil.rmtree(Path(os.environ["ENGRAM_RUNS"], words[words.index("--run") + 1]), ignore_errors=True)
                status = cli.main(words[len(program) :])
                if status not in (0, 2) or (status == 2 and "# fails" not in command):
                    raise RuntimeError(f"`{command}` ended with {status}:\n{out.getvalue()}")
                break
        else:
            if words[0] != "python":
                raise RuntimeError(f"`{command}` is no command that can be run here.")
            before, sys.argv = sys.argv, words[1:]
            try:
                runpy.run_path(str(ROOT / words[1]), run_name="__main__")
            finally:
                sys.argv = before
    return out.getvalue()


def run_python(body: str, names: dict[str, Any]) -> str:
    """Run a Python block; return what it printed. The blocks of a page share their names."""
    out = io.StringIO()
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


def differences(page: Path, line: int, shown: str, made: str) -> list[str]:
    """Return a sentence if a page shows another output than this one."""
    if plain(shown) == plain(made):
        return []
    return [f"{page.relative_to(ROOT)}:{line}: the output has changed (--write puts it in):\n{made}"]


def plain(text: str) -> list[str]:
    """Return the words of an output, without numbers, spaces and epochs."""
    lines = [line for line in text.split("\n") if not line.startswith("epoch ")]
    return [" ".join(NUMBER.sub("#", line).split()) for line in lines]


def collect_json() -> list[str]:
    """Run every command with --json on what the tutorials left; write the keys of each."""
    from engine import cli

    found, wrong = {}, []
    for name, words in JSON_COMMANDS.items():
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
            try:
                cli.main([*shlex.split(words), "--json"])
                found[name] = f"{words} --json", flatten(json.loads(out.getvalue()))
            except (Exception, SystemExit) as error:
                wrong.append(f"{words} --json: {error!r}")
    target = ROOT / "build" / "docs" / "json.json"
    target.write_text(json.dumps(found, indent=1), "utf-8")
    return wrong


def flatten(content: Any, path: str = "") -> dict[str, tuple[str, str]]:
    """Return the type and an example for each key; a list shows its first entry, names of runs and files one of them."""
    if isinstance(content, dict) and content:
        keys = list(content)
        # Keys that are data, such as layers or methods: the first stands for all.
        first = keys[:1] if len(keys) > 1 and len({shape(value) for value in content.values()}) == 1 and isinstance(content[keys[0]], dict) else keys
        inner = {} if first == keys else {f"{path}.NAME": ("object", f"{', '.join(keys[:4])}{', ...' if len(keys) > 4 else ''}")}
        for key in first:
            name = key if first == keys else "NAME"
            inner |= {k: v for k, v in flatten(content[key], f"{path}.{name}".lstrip(".")).items() if k not in inner}
        return inner
    if isinstance(content, list) and content and isinstance(content[0], (dict, list)):
        return {f"{path}[]": ("array", "")} | flatten(content[0], f"{path}[]")
    kinds = {bool: "boolean", int: "number", float: "number", str: "string", type(None): "null", list: "array", dict: "object"}
    text = json.dumps(content, ensure_ascii=False).replace(str(WORK), "/home/you")
    return {path or "(whole)": (kinds[type(content)], text if len(text) < 70 else text[:66] + " ...")}


def shape(value: Any) -> Any:
    """Return the keys of an object, or the type of anything else."""
    return tuple(sorted(value)) if isinstance(value, dict) else type(value).__name__


JSON_COMMANDS = {
    "train": "train --data phantom --size 32 --phantom-count 48 --model ae --latent 4 --filters 8,8 --epochs 1 --run tiny",
    "resume": "resume tiny --epochs 2",
    "runs": "runs",
    "evaluate": "evaluate first-vae --split test",
    "audit": "audit leaky",
    "reconstruct": "reconstruct first-ae heads/images/head-0.png --out pictures --arrays",
    "denoise": "denoise first-ae heads/images/head-0.png --sigma 0.1 --roi 41,24,8,10 --against tv --out denoised",
    "denoise-curve": "denoise-curve first-ae --data heads --split test --sigmas 0,0.1 --against tv",
    "activations": "activations first-ae heads/images/head-0.png --out maps",
    "channels": "channels first-ae --layer enc_act1",
    "lesion-layers": "lesion-layers first-ae --pairs 2 --layers stages",
    "latent": "latent first-vae --out latent",
    "sample": "sample first-vae --n 4 --out samples",
    "parity": "parity tiny --images 1",
    "search": "search --data phantom --size 32 --phantom-count 48 --model ae --filters 8,8 --epochs 1 --space space.json --trials 1 --name s",
    "trials": "trials s",
    "study": "study --data phantom --quick --out study --size 32 --phantom-count 48 --epochs 1 --filters 8,8",
    "demo": "demo --size 32 --phantom-count 48 --epochs 1 --filters 8,8 --latent 4",
}

if __name__ == "__main__":
    sys.exit(main())
