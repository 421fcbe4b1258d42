"""Parser of the command line. Every setting becomes an option automatically: see `engine.cli.config_options`.

It checks no values: `engine.config` receives them as given and raises the error. Only the options of the command that
is given are built, so that nothing else is imported.
"""

import argparse
import importlib
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from engine import __version__
from engine.cli import mistakes
from engine.cli.commands import COMMANDS
from engine.cli.program import EXIT_STATUS, PROGRAM
from engine.figures import DISCLAIMER
from engine.formatting import make_printable

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
    """Argument parser whose errors are sentences.

    Attributes:
        typed: the whole command line.
        examples: command lines, one of which is shown if something is missing.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Formatter, **kwargs)
        self.typed, self.examples = list[str](), tuple[str, ...]()

    def error(self, message: str) -> NoReturn:
        """Print an error with advice, and exit with status 2."""
        self._refuse_single_hyphen()
        sentence = mistakes.rephrase(message) + self._explain_missing(message)
        sentence = f"{sentence[0].upper()}{sentence[1:]}" if sentence[0] != "-" else sentence
        shown = make_printable(sentence.rstrip("."))
        self.exit(2, f"{shown}{'' if shown.endswith('?') else '.'} See {self.prog} --help.\n")

    def fail_unknown(self, unknown: Sequence[str]) -> NoReturn:
        """Report the first argument that the command does not have, with the closest one that it has."""
        self._refuse_single_hyphen()
        word = unknown[0].split("=")[0]
        if not word.startswith("-"):
            self.error(f"unexpected argument '{word}'" + self._explain_word(word))
        self.error(f"there is no option {word}" + mistakes.suggest_option(word, self._list_options()))

    def _list_options(self) -> list[str]:
        return [name for name, one in self._option_string_actions.items() if one.help != argparse.SUPPRESS]

    def _refuse_single_hyphen(self) -> None:
        """Fail if a long option was typed with one hyphen, which argparse takes for several short ones."""
        names = [word.split("=")[0] for word in self.typed if re.match("-[A-Za-z]{2}", word)]
        if wrong := next((name for name in names if f"-{name}" in self._option_string_actions), None):
            self.exit(2, f"There is no option {wrong}. Did you mean -{wrong}? See {self.prog} --help.\n")

    def _explain_missing(self, message: str) -> str:
        """Return an example if a word is missing, and how a negative value is written, as the end of a sentence."""
        if "are required" in message and self.examples:
            return f", as in: {PROGRAM} {self.examples[0]}"
        if found := re.search(r"argument (\S+): expected", message):
            for name, value in zip(self.typed, self.typed[1:], strict=False):
                if name in found[1].split("/") and re.match(r"-[\d.]", value):
                    return f"; one that begins with a hyphen is written {name}={value}"
        return ""

    def _explain_word(self, word: str) -> str:
        """Return why a word may stand where no word is expected: after a switch or a list, or as a source."""
        before = self.typed[self.typed.index(word) - 1] if word in self.typed[1:] else ""
        switch = self._option_string_actions.get(before)
        if switch is not None and switch.nargs == 0:
            return f": {before} takes no value"
        if before.endswith(","):
            return f". Did you mean {before}{word}, without a space?"
        is_source = word == "phantom" or word.startswith("hf:") or Path(word).exists()
        return f". Did you mean --data {word}?" if is_source and "--data" in self._option_string_actions else ""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a value that is no choice, with the closest one."""
        if action.choices is None or value in action.choices:
            return
        names = [str(choice) for choice in action.choices]
        if isinstance(action, argparse._SubParsersAction):
            near = mistakes.suggest_command(str(value), names)
            self.error(f"there is no command '{value}'" + (near or f". Commands: {', '.join(names)}"))
        name = "/".join(action.option_strings) or action.metavar or action.dest
        near = mistakes.suggest(str(value), names)
        if isinstance(action, argparse._AppendAction) and {*str(value).split(",")} <= {*names}:
            near = f". Did you mean {' '.join(f'{name} {part}' for part in str(value).split(','))}?"
        self.error(f"{name} must be one of {', '.join(names)}; '{value}' was given" + near)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse a command line.

    Returns:
        The options; `module` and `function` name the function in `engine.cli` that runs the command. Settings that were
        not given are absent.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["help"]:
        words = [*(word for word in words if word != "help"), "--help"]
    elif words[1:] == ["help"] and words[0] in COMMANDS:
        words[1] = "--help"
    if words == ["version"]:
        words = ["--version"]
    if not words:
        sys.stdout.write(describe_commands())
        sys.exit(0)
    parser, commands = build_parser([name for name in COMMANDS if name in words], words)
    _refuse_mistakes(words, parser, commands)
    options, unknown = parser.parse_known_args(words)
    if unknown:
        commands[options.command].fail_unknown(unknown)
    return options


def _refuse_mistakes(words: Sequence[str], parser: Parser, commands: Mapping[str, Parser]) -> None:
    """Report what no parser can: it would take the words apart wrongly."""
    if sentence := mistakes.find_mistake(words):
        parser.error(sentence)
    if option := mistakes.find_option_before(words):
        chosen = next((commands[word] for word in words if word in COMMANDS), parser)
        if chosen is not parser and option not in chosen._option_string_actions:
            chosen.fail_unknown([option])
        parser.error(mistakes.explain_option_before(option, words))


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


def build_parser(names: Iterable[str], typed: Iterable[str] = ()) -> tuple[Parser, dict[str, Parser]]:
    """Return the parser, and that of each command; only the named commands have their options.

    Args:
        names: names of commands.
        typed: the command line, which errors explain.
    """
    parser = Parser(prog=PROGRAM, description=DESCRIPTION, epilog=f"first steps:{_lines(FIRST_STEPS)}\n{EPILOG}")
    parser.typed, parser.examples = [*typed], FIRST_STEPS
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
            own = f"{each.prog} ".removeprefix(f"{PROGRAM} ")
            each.typed, each.examples = parser.typed, tuple(line for line in known.examples if line.startswith(own))
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
