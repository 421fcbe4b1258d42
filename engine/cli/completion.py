"""`completion`: scripts by which bash, zsh and fish complete commands, options, values and names of runs.

They are generated from the parser, and run no Python while the user types.
"""

import re
from argparse import SUPPRESS, Action, ArgumentParser, Namespace
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from engine import config
from engine.cli import parser
from engine.cli.commands import COMMANDS
from engine.cli.console import CommandResult

PROGRAMS: Final = "engram engram-engine"
RUN, SEARCH = "RUN", "SEARCH"
HOW_TO_USE: Final = """\
bash   engram completion bash > ~/.local/share/bash-completion/completions/engram
zsh    engram completion zsh > ~/.zfunc/_engram, with 'fpath+=~/.zfunc' before 'compinit' in ~/.zshrc
fish   engram completion fish > ~/.config/fish/completions/engram.fish

Open a new terminal afterwards."""


@dataclass(frozen=True)
class Option:
    """One option.

    Args:
        names: its spellings.
        text: what it does, in a few words.
        values: the values that it can have; empty if they are free or if it has none.
    """

    names: tuple[str, ...]
    text: str
    values: tuple[str, ...]
    takes_value: bool


@dataclass(frozen=True)
class CommandWords:
    """What can follow a command: its options, its actions, and the names that it takes."""

    text: str
    options: tuple[Option, ...]
    actions: tuple[str, ...]
    takes: str


def add_completion(command: ArgumentParser) -> None:
    """Add the options of `completion`."""
    command.add_argument("shell", choices=tuple(SCRIPTS), metavar="SHELL", help="bash, zsh or fish")
    command.epilog = "\n".join(f"  {line}" if line else "" for line in HOW_TO_USE.splitlines())


def run(options: Namespace) -> CommandResult:
    """Print the script of a shell."""
    script = SCRIPTS[options.shell](list_words())
    return CommandResult(script.rstrip("\n"), {"shell": options.shell, "script": script})


def list_words() -> dict[str, CommandWords]:
    """Return what can follow each command, from the parser."""
    _, commands = parser.build_parser(COMMANDS)
    found = {}
    for name, command in commands.items():
        metavars = [str(action.metavar) for action in command._actions if not action.option_strings]
        takes = RUN if "RUN" in metavars or name == "runs" else SEARCH if name == "trials" else ""
        actions = tuple(parser.list_nested(command))
        fixed = [list(action.choices) for action in command._actions if action.choices and not action.option_strings]
        values = actions or tuple(str(value) for choices in fixed for value in choices)
        shown = [action for action in command._actions if action.option_strings and action.help != SUPPRESS]
        found[name] = CommandWords(COMMANDS[name].summary, tuple(map(_describe, shown)), values, takes)
    return found


def _describe(action: Action) -> Option:
    text = re.split(r"[.;:(] |[.;:(]$", (action.help or "").replace("%%", "%"))[0].strip()
    values = (
        action.choices
        or getattr(action, "completions", ())
        or (str(action.metavar).split("|") if "|" in str(action.metavar) else ())
    )
    if action.dest == "preset":
        values = config.presets()
    return Option(tuple(action.option_strings), text, tuple(map(str, values)), action.nargs != 0)


# The folder of the runs, and the names in it, in the language of all three shells' `ls`.
_BASH_NAMES: Final = """\
_engram_names() {
    local root="${ENGRAM_RUNS:-$HOME/Engram/runs}" file
    for file in "$root"/$1; do
        [ -e "$file" ] && file="${file%/*}" && printf '%s\\n' "${file##*/}"
    done
}
"""
_FILES: Final = {RUN: "*/config.json", SEARCH: "_searches/*/ledger.sqlite"}


def write_bash(words: dict[str, CommandWords]) -> str:
    """Return the script of bash."""
    values = [
        f'        "{name} {spelling}") COMPREPLY=($(compgen -W "{" ".join(option.values)}" -- "$cur")); return ;;'
        for name, known in words.items()
        for option in known.options
        for spelling in option.names
        if option.values
    ]
    free = sorted(
        {name for known in words.values() for option in known.options if option.takes_value for name in option.names}
    )
    cases = []
    for name, known in words.items():
        spellings = " ".join(spelling for option in known.options for spelling in option.names)
        names = f' $(_engram_names "{_FILES[known.takes]}")' if known.takes else ""
        cases.append(f'        {name}) options="{spellings}"; names="{" ".join(known.actions)}{names}" ;;')
    return "\n".join(
        [
            "# bash completion for engram: engram completion bash",
            _BASH_NAMES + "_engram() {",
            '    local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"',
            '    local command="" options names word',
            '    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
            f'        case "$word" in {"|".join(words)}) command="$word"; break ;; esac',
            "    done",
            "    COMPREPLY=()",
            '    case "$command $prev" in',
            *values,
            "    esac",
            f'    case "$prev" in {"|".join(free)}) return ;; esac',
            '    case "$command" in',
            *cases,
            f'        *) options="--help --version --runs --json --quiet --verbose"; names="help {" ".join(words)}" ;;',
            "    esac",
            '    [[ "$cur" == -* ]] && names="$options"',
            '    COMPREPLY=($(compgen -W "$names" -- "$cur"))',
            "}",
            f"complete -o default -F _engram {PROGRAMS}",
            "",
        ]
    )


def write_zsh(words: dict[str, CommandWords]) -> str:
    """Return the script of zsh."""
    cases = []
    for name, known in words.items():
        options = _join(f"{spelling}:{option.text}" for option in known.options for spelling in option.names)
        values = [
            f"            {'|'.join(option.names)}) compadd -- {' '.join(option.values)}; return ;;"
            for option in known.options
            if option.values
        ]
        free = sorted(
            {name for option in known.options if option.takes_value and not option.values for name in option.names}
        )
        names = f"compadd -- $root/{_FILES[known.takes]}(N:h:t)" if known.takes else ":"
        actions = f"compadd -- {' '.join(known.actions)}" if known.actions else "_files"
        cases += [
            f"    {name})",
            '        case "$previous" in',
            *values,
            f"            {'|'.join(free)}) _files; return ;;",
            "        esac",
            f"        options=({options})",
            '        if [[ "$PREFIX" == -* ]]; then _describe -o option options; return; fi',
            f"        {names}; {actions} ;;",
        ]
    commands = _join(f"{name}:{known.text}" for name, known in words.items())
    return "\n".join(
        [
            f"#compdef {PROGRAMS}",
            "# zsh completion for engram: engram completion zsh",
            "_engram() {",
            '    local root="${ENGRAM_RUNS:-$HOME/Engram/runs}" previous="${words[CURRENT-1]}" command="" word',
            "    local -a options commands",
            '    for word in "${(@)words[2,CURRENT-1]}"; do',
            f'        case "$word" in {"|".join(words)}) command="$word"; break ;; esac',
            "    done",
            '    case "$command" in',
            f"    '') commands=({commands}); _describe command commands ;;",
            *cases,
            "    esac",
            "}",
            f'if [[ "$funcstack[1]" == _engram ]]; then _engram "$@"; else compdef _engram {PROGRAMS}; fi',
            "",
        ]
    )


def _join(entries: Iterable[str]) -> str:
    return " ".join(_quote(entry) for entry in entries)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "’") + "'"


def write_fish(words: dict[str, CommandWords]) -> str:
    """Return the script of fish."""
    lines = [
        "# fish completion for engram: engram completion fish",
        "function __engram_names",
        '    set -l root (test -n "$ENGRAM_RUNS"; and echo $ENGRAM_RUNS; or echo $HOME/Engram/runs)',
        "    for file in $root/$argv[1]/*/$argv[2]",
        "        basename (dirname $file)",
        "    end",
        "end",
    ]
    for program in PROGRAMS.split():
        start = f"complete -c {program}"
        for name, known in words.items():
            lines.append(f"{start} -n __fish_use_subcommand -f -a {name} -d {_quote(known.text)}")
            seen = f"{start} -n '__fish_seen_subcommand_from {name}'"
            if known.actions:
                lines.append(f"{seen} -f -a {_quote(' '.join(known.actions))}")
            if known.takes:
                folder, file = _FILES[known.takes].rsplit("*/", 1)
                lines.append(f"{seen} -a '(__engram_names \"./{folder.rstrip('/')}\" {file})'")
            for option in known.options:
                spelled = " ".join(
                    f"-l {each[2:]}" if each.startswith("--") else f"-s {each[1:]}" for each in option.names
                )
                values = f" -x -a {_quote(' '.join(option.values))}" if option.values else " -r" * option.takes_value
                lines.append(f"{seen} {spelled}{values} -d {_quote(option.text)}")
    return "\n".join([*lines, ""])


SCRIPTS: Final[dict[str, Callable[[dict[str, CommandWords]], str]]] = {
    "bash": write_bash,
    "zsh": write_zsh,
    "fish": write_fish,
}
