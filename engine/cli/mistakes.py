"""Sentences on words that cannot be parsed: what is wrong, and what the user probably meant."""

import re
from collections.abc import Collection, Sequence
from typing import Final

from engine.cli.commands import COMMANDS
from engine.cli.program import PROGRAM
from engine.formatting import find_similar

# Commands by the words of other programs.
SYNONYMS: Final = {
    **dict.fromkeys(("ls", "list", "show", "rename", "rm", "remove", "delete"), "runs"),
    **dict.fromkeys(("gui", "open", "start", "window"), "app"),
    **dict.fromkeys(("test", "metrics", "score", "validate"), "evaluate"),
    **dict.fromkeys(("predict", "infer", "encode", "decode"), "reconstruct"),
    **dict.fromkeys(("fit", "continue", "tune"), "train") | {"continue": "resume", "tune": "search"},
    **dict.fromkeys(("?", "/?", "-?", "man", "info"), "help"),
    **dict.fromkeys(("generate", "draw"), "sample"),
}
ACTIONS: Final = {**dict.fromkeys(("rm", "remove"), "delete"), "mv": "rename", "info": "show"}
LISTED: Final = f". {PROGRAM} runs alone lists the runs"
VERSION: Final = ("-V", "--version")
GLOBAL: Final = ("--runs", "--json", "--quiet", "--verbose", "--help", "--version")
# A dash of a text editor instead of two hyphens, in front of a name.
TYPESET_DASH: Final = re.compile(r"[\u2010-\u2015\u2212-]*[\u2010-\u2015\u2212][\u2010-\u2015\u2212-]*(?=[^\W\d])")
# What argparse says, and what we say, with the first of an option's names.
SENTENCES: Final = (
    (r"the following arguments are required: ([^,]+)", "{0} is missing"),
    (r"the following arguments are required: (.+)", "{0} are missing"),
    (r"argument ([^/:]+)\S*: expected (?:one|at least one) argument", "{0} needs a value"),
    (r"argument (-h)/--help: ignored explicit argument '(.*)'", "there is no option {0}{1}. Did you mean --help?"),
    (r"argument ([^/:]+)\S*: ignored explicit argument (.*)", "{0} takes no value; {1} was given"),
    (r"argument ([^/:]+)\S*: invalid int value: (.*)", "{0} must be a whole number; {1} was given"),
    (r"argument ([^/:]+)\S*: not allowed with argument ([^/:]+)\S*", "{1} and {0} exclude each other"),
)


def rephrase(message: str) -> str:
    """Return an error of argparse as a sentence for users.

    Examples:
        >>> rephrase("argument --data/--source: expected one argument")
        '--data needs a value'
        >>> rephrase("argument --slice: invalid int value: 'x'")
        "--slice must be a whole number; 'x' was given"
    """
    for pattern, sentence in SENTENCES:
        if found := re.fullmatch(pattern, message):
            return sentence.format(*(group.replace(", ", " and ") for group in found.groups()))
    return message


def suggest(word: str, names: Collection[str], form: str = "'{}'") -> str:
    """Return a question for the name closest to a word, as the end of a sentence; empty if none is close.

    Example:
        >>> suggest("trian", ["train", "trials"])
        ". Did you mean 'train'?"
    """
    near = find_similar(word, names)
    return f". Did you mean {form.format(near)}?" if near else ""


def suggest_command(word: str, names: Collection[str]) -> str:
    """Return a question for the command that a word stands for in other programs, or is closest to."""
    typed, is_action = word.casefold(), not {*COMMANDS} <= {*names}
    meant = (ACTIONS if is_action else SYNONYMS).get(typed)
    if is_action and typed in ("ls", "list"):
        return LISTED
    return f". Did you mean '{meant}'?" if meant else suggest(word, names)


def suggest_option(word: str, names: Collection[str]) -> str:
    """Return a question for the option that a word is closest to, or whose initials it is.

    Example:
        >>> suggest_option("--lr", ["--latent", "--learning-rate"])
        '. Did you mean --learning-rate?'
    """
    initials = {"--" + "".join(part[0] for part in name.strip("-").split("-")): name for name in names}
    return suggest(word, names, "{}") or (f". Did you mean {initials[word]}?" if word in initials else "")


def find_mistake(words: Sequence[str]) -> str:
    """Return a sentence on words that cannot be right, whatever the command; empty if there are none."""
    for word in words:
        if TYPESET_DASH.match(word):
            plain = TYPESET_DASH.sub("--", word).split("=")[0]
            return f"'{word}' begins with a dash of a text editor. Did you mean {plain}?"
    if words[0] in COMMANDS and (version := next((word for word in words if word in VERSION), None)):
        return f"{version} stands without a command: {PROGRAM} {version}"
    return ""


def find_option_before(words: Sequence[str]) -> str:
    """Return the option of a command that stands before any command; empty if there is none."""
    known = {*GLOBAL, *VERSION, "-h", "-q", "-v", "--"}
    leading = iter(words)
    for word in leading:
        if not word.startswith("-"):
            return ""
        name = word.split("=")[0]
        if name == "--runs" and name == word:
            next(leading, None)
        if name not in known and not re.fullmatch("-[qvhV]+", name):
            return name
    return ""


def explain_option_before(option: str, words: Sequence[str]) -> str:
    """Return a sentence on an option that stands before the command, or without one."""
    command = next((word for word in words if word in COMMANDS), None)
    if command:
        return f"{option} stands before the command. Write it after: {PROGRAM} {command} {option}"
    plain = option.lstrip("-")
    meant = plain if plain in {*COMMANDS, "help"} else SYNONYMS.get(plain)
    near = f". Did you mean {PROGRAM} {meant}?" if meant else suggest_option(option, GLOBAL)
    return f"there is no option {option}{near}" if near else f"there is no command before {option}"
