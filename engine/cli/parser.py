"""Parser of the command line. Every setting becomes an option automatically: see `engine.cli.config_options`.

It checks no values: `engine.config` receives them as given and raises the error. Only the options of the command that
is given are built, so that nothing else is imported.
"""

import argparse
import difflib
import importlib
import re
import shutil
import sys
import textwrap
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from engine import __version__
from engine.cli.commands import COMMANDS
from engine.cli.program import EXIT_STATUS, PROGRAM
from engine.figures import DISCLAIMER
from engine.formatting import make_printable

SIMILARITY = 0.7
DESCRIPTION = f"""\
Train, inspect and stress-test autoencoders on brain MRI slices.
{DISCLAIMER}"""
FIRST_STEPS = ("train --data phantom --preset study-ae --run first-ae", "evaluate first-ae", "app", "demo")
EPILOG = """\
A run is a folder: settings, provenance, events, history, best model, last checkpoints, previews. RUN is its name or
the path of its folder.

environment:
  ENGRAM_RUNS   folder of the runs (default: Engram/runs in your home folder); --runs overrides it
  ENGRAM_CACHE  folder of cached images (default: the system's cache folder)

exit status:
""" + "".join(f"  {code:<4} {meaning}\n" for code, meaning in EXIT_STATUS.items())


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help formatter as wide as the terminal, within limits, with room for the options' names."""

    def __init__(self, prog: str) -> None:
        width = find_width()
        super().__init__(prog, max_help_position=min(32, width // 2), width=width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Wrap paragraphs and rows of tables; an example, which begins with the program, stays on its line."""
        filled, paragraph = list[str](), list[str]()
        for line in [*text.splitlines(), ""]:
            if line and not line.startswith(" "):
                paragraph.append(line)
                continue
            filled += textwrap.wrap(" ".join(paragraph), width, break_on_hyphens=False)
            row = re.match(r" +\S+ {2,}", line)
            filled += textwrap.wrap(line, width, subsequent_indent=" " * row.end()) if row else [line]
            paragraph = []
        return "\n".join(indent + line for line in filled[:-1])


def find_width() -> int:
    """Return the columns of a line: those of the terminal, 80 without one, at most 110."""
    return min(max(shutil.get_terminal_size().columns - 2, 30), 110)


class Parser(argparse.ArgumentParser):
    """Argument parser whose errors are sentences."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Formatter, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Print an error with advice, and exit with status 2."""
        sentence = f"{message[0].upper()}{message[1:]}".rstrip(".")
        self.exit(2, make_printable(f"{sentence}{'' if sentence.endswith('?') else '.'} See {self.prog} --help.\n"))

    def fail_unknown(self, unknown: Sequence[str], typed: Sequence[str]) -> NoReturn:
        """Report the first argument that the command does not have, with the closest one that it has."""
        word = unknown[0].split("=")[0]
        if not word.startswith("-"):
            self.error(f"unexpected argument '{word}'" + self._explain_word(word, typed))
        shown = [name for name, one in self._option_string_actions.items() if one.help != argparse.SUPPRESS]
        self.error(f"there is no option {word}" + suggest(word, shown, "{}"))

    def _explain_word(self, word: str, typed: Sequence[str]) -> str:
        """Return why a word may stand where no word is expected: after a switch, or as a source without --data."""
        before = typed[typed.index(word) - 1] if word in typed[1:] else ""
        switch = self._option_string_actions.get(before)
        if switch is not None and switch.nargs == 0:
            return f": {before} takes no value"
        is_source = word == "phantom" or word.startswith("hf:") or Path(word).exists()
        return f". Did you mean --data {word}?" if is_source and "--data" in self._option_string_actions else ""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a value that is no choice, with the closest one."""
        if action.choices is None or value in action.choices:
            return
        names = [str(choice) for choice in action.choices]
        near = suggest(str(value), names)
        if isinstance(action, argparse._SubParsersAction):
            self.error(f"there is no command '{value}'" + (near or f". Commands: {', '.join(names)}"))
        name = "/".join(action.option_strings) or action.metavar or action.dest
        self.error(f"{name} must be one of {', '.join(names)}; '{value}' was given" + near)


def suggest(word: str, names: Collection[str], form: str = "'{}'") -> str:
    """Return a question for the name closest to a word, as the end of a sentence; empty if none is close.

    Example:
        >>> suggest("trian", ["train", "trials"])
        ". Did you mean 'train'?"
    """
    near = difflib.get_close_matches(word, names, 1, SIMILARITY)
    return f". Did you mean {form.format(near[0])}?" if near else ""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse a command line.

    Returns:
        The options; `module` and `function` name the function in `engine.cli` that runs the command. Settings that were
        not given are absent.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["help"]:
        words = [*(word for word in words if word != "help"), "--help"]
    if words == ["version"]:
        words = ["--version"]
    if not words:
        sys.stdout.write(describe_commands())
        sys.exit(0)
    parser, commands = build_parser([name for name in COMMANDS if name in words])
    options, unknown = parser.parse_known_args(words)
    if unknown:
        commands[options.command].fail_unknown(unknown, words)
    return options


def describe_commands() -> str:
    """Return the short help: the commands, and how to learn more."""
    width, indent = find_width(), " " * 17
    rows = [
        textwrap.fill(f"  {name:<14} {command.summary}", width, subsequent_indent=indent)
        for name, command in COMMANDS.items()
    ]
    about = [textwrap.fill(line, width) for line in DESCRIPTION.splitlines()]
    learn = [f"First steps:{_lines(FIRST_STEPS)}", f"Help: {PROGRAM} help [COMMAND]\n"]
    return "\n".join([*about, "", *rows, "", *learn])


def build_parser(names: Iterable[str]) -> tuple[Parser, dict[str, Parser]]:
    """Return the parser, and that of each command; only the named commands have their options."""
    parser = Parser(prog=PROGRAM, description=DESCRIPTION, epilog=f"first steps:{_lines(FIRST_STEPS)}\n{EPILOG}")
    parser.add_argument("-V", "--version", action="version", version=f"Engram {__version__}")
    _add_common(parser)
    parser.set_defaults(runs=None, json=False, verbosity="normal")
    adders = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    commands, wanted = {}, set(names)
    for name, known in COMMANDS.items():
        command = adders.add_parser(name, help=known.summary, description=known.details, prog=f"{PROGRAM} {name}")
        commands[name] = command
        if name not in wanted:
            continue
        module, _, function = (known.run or name.replace("-", "_")).partition(".")
        command.set_defaults(module=module, function=function or "run")
        where, _, adder = known.options.partition(".")
        getattr(importlib.import_module(f"engine.cli.{where}"), adder)(command)
        for each in [command, *list_nested(command).values()]:
            _add_common(each)
        command.epilog = "\n\n".join(filter(None, [command.epilog, f"examples:{_lines(known.examples)}".rstrip()]))
    return parser, commands


def list_nested(command: argparse.ArgumentParser) -> dict[str, Any]:
    """Return the parsers of a command's actions, such as those of `runs show`."""
    nested = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
    return dict(nested[0].choices) if nested else {}


def _lines(examples: Iterable[str]) -> str:
    return "".join(f"\n  {PROGRAM} {example}" for example in examples) + "\n"


def _add_common(command: Parser) -> None:
    """Add the options of all commands, which may also stand before the command."""
    shared = command.add_argument_group("common options")
    give: dict[str, Any] = {"default": argparse.SUPPRESS}
    shared.add_argument("--runs", type=Path, metavar="DIR", help="folder of the runs (see ENGRAM_RUNS)", **give)
    shared.add_argument("--json", action="store_true", help="print the result as JSON", **give)
    level: dict[str, Any] = {"action": "store_const", "dest": "verbosity", **give}
    shared.add_argument("-q", "--quiet", const="quiet", help="no progress, only warnings and errors", **level)
    shared.add_argument("-v", "--verbose", const="verbose", help="also versions, times and tracebacks", **level)
