"""What can be typed. Every setting becomes an option by itself, from its description in `engine.config`.

Nothing is decided here about a value: it goes as it was typed to `engine.config`, whose sentence says what is wrong.
"""

import argparse
import difflib
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from engine import __version__, config
from engine.config import FieldSpec, RunConfig, StudyConfig

PROGRAM = "python -m engine"
SPLITS = ("train", "validation", "test", "test_leaked", "test_clean")
SOURCE_HELP = "'phantom', a folder of images, or 'hf:ID' for a Hugging Face data set"

DESCRIPTION = """\
Engram's engine: train autoencoders on brain MRI, keep every run, measure it, put scans through it.
For research and teaching, not for diagnosis."""

EPILOG = f"""\
examples:
  {PROGRAM} train --data phantom --preset seed-ae --run first-ae
  {PROGRAM} train --data ~/scans --model vae --latent 256 --size 96 --epochs 20 --learning-rate 1e-3
  {PROGRAM} resume first-ae --epochs 60
  {PROGRAM} evaluate first-ae --json
  {PROGRAM} reconstruct first-ae head.dcm volume.nii.gz --slice 80 --out pictures
  {PROGRAM} demo

A run is a folder: settings, provenance, events, history, the best model, the last checkpoints, previews.
RUN is its name, or the path of its folder.

environment:
  ENGRAM_RUNS   folder of the runs; Engram/runs in your home folder where unset. --runs comes before it.
  ENGRAM_CACHE  folder of decoded images; the system's cache folder where unset.

exit status:
  0    done; also a training that was stopped (Ctrl-C or SIGTERM) and kept
  1    a fault of Engram's own
  2    something you can mend: one or two sentences on stderr say what; also backends that differ (parity)
  130  interrupted, with nothing to keep; 143 after a second SIGTERM"""

TRAIN_EPILOG = f"""\
Options you give come before those of --preset, which come before the defaults shown here.
Ctrl-C stops after the batch and keeps the model; `resume` goes on. A second Ctrl-C ends the process at once.

examples:
  {PROGRAM} train --preset seed-vae --data ~/brain-tumor-mri
  {PROGRAM} train --data hf:benschill/brain-tumor-collection --download --model ae --filters 32,64,128,256"""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal, within reason, with room for the options' names."""

    def __init__(self, prog: str) -> None:
        width = min(max(shutil.get_terminal_size().columns - 2, 60), 110)
        super().__init__(prog, max_help_position=32, width=width)


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are sentences."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Formatter, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and what to do; exit status 2."""
        self.exit(2, f"{message[0].upper()}{message[1:].rstrip('.')}. See {self.prog} --help.\n")

    def unknown(self, words: Sequence[str]) -> NoReturn:
        """Complain of words that mean nothing here, with the option that was perhaps meant."""
        word = words[0].split("=")[0]
        near = difflib.get_close_matches(word, self._option_string_actions, 1)
        self.error(f"there is no option {word}" + (f"; did you mean {near[0]}?" if near else ""))


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the words of a command line.

    Returns:
        The options; `module` names the module of `engine.cli` that carries them out, settings that were not given are
        absent.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser, commands = _build()
    if not words:
        parser.print_help(sys.stderr)
        parser.exit(2)
    options, unknown = parser.parse_known_args(words)
    if unknown:
        commands[options.command].unknown(unknown)
    return options


def _build() -> tuple[Parser, dict[str, Parser]]:
    parser = Parser(prog=PROGRAM, description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"Engram {__version__}")
    adders = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    commands: dict[str, Parser] = {}
    for name, (module, text, add) in COMMANDS.items():
        described = text[0].upper() + text[1:] + "."
        command = adders.add_parser(name, help=text, description=described, prog=f"{PROGRAM} {name}")
        command.set_defaults(module=module)
        add(command)
        shared = command.add_argument_group("everywhere")
        shared.add_argument("--runs", type=Path, metavar="DIR", help="folder of the runs (see ENGRAM_RUNS)")
        shared.add_argument("--json", action="store_true", help="print the result as JSON")
        commands[name] = command
    return parser, commands


def _add_train(command: Parser) -> None:
    command.epilog = TRAIN_EPILOG
    command.usage = f"{PROGRAM} train [--data SOURCE] [--preset NAME | --model NAME] [--run NAME] [SETTINGS]"
    command.add_argument("--run", metavar="NAME", help="name of the new run; 'ae-0001' and so on where none is given")
    titles = "; ".join(f"{name}: {title}" for name, title in config.presets().items())
    command.add_argument("--preset", metavar="NAME", help=f"settings to start from. {titles}")
    _add_settings(command)


def _add_resume(command: Parser) -> None:
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument(
        "--epochs", metavar="N", help="new goal, counted from the run's start; unchanged where not given"
    )


def _add_evaluate(command: Parser) -> None:
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("--data", metavar="SOURCE", help=f"{SOURCE_HELP}; the run's own where not given")
    command.add_argument("--split", choices=SPLITS, action="append", help="this split alone; may be given again")


def _add_parity(command: Parser) -> None:
    command.description = (
        "Put the same images through the same weights on TensorFlow, PyTorch and JAX, each in a process of its own, "
        "and compare every layer. Fails, naming the first layer that differs, where the largest difference between two "
        "backends reaches 1e-4, as a share of the layer's largest value where that is above 1."
    )
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("--data", metavar="SOURCE", help=f"{SOURCE_HELP}; the run's own where not given")
    command.add_argument(
        "--images", metavar="N", default="8", help="how many images of the test split, 1 to 64; default 8"
    )
    command.epilog = (
        "A backend that is not installed is named with the line that installs it; two are needed.\n"
        "The exit status is 0 when all installed backends agree on every layer, 2 when they do not."
    )


def _add_reconstruct(command: Parser) -> None:
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("images", metavar="IMAGE", nargs="+", help="a picture, a DICOM file or a NIfTI volume")
    command.add_argument(
        "--out", type=Path, metavar="DIR", required=True, help="folder for the pictures; made if missing"
    )
    command.add_argument(
        "--slice", type=int, metavar="N", help="slice of a volume, counted from 0; the middle one where not given"
    )


def _add_demo(command: Parser) -> None:
    command.description = (
        "Generate phantoms, train an AE and a VAE on them for a few epochs, and write a one-page HTML report with "
        "curves, reconstructions and numbers. Takes a few minutes on two cores."
    )
    command.usage = f"{PROGRAM} demo [--out DIR] [SETTINGS]"
    command.epilog = (
        "Every setting of `train` is taken here too, for both models; --data makes the study on your images."
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for the report; 'demo' beside the runs where not given"
    )
    _add_settings(command, models=False)


def _add_study(command: Parser) -> None:
    command.description = (
        "Do the seed study again: train its models (trials drawn from its search spaces, or with --quick its two "
        "best ones), measure them, and write Tables 1 to 4, Figures 5 to 13 and one self-contained page, with each "
        "number of the study beside ours. The same command goes on with a study that was stopped."
    )
    command.usage = f"{PROGRAM} study --data SOURCE --out DIR [--quick | --trials-ae N --trials-vae N] [SETTINGS]"
    command.epilog = (
        "Every setting of `train` is taken here too, for both models; one that is given is not searched. A study with "
        "other settings than the seed study's is shrunk, and its page says so:\n\n"
        f"  {PROGRAM} study --out small --quick --size 32 --filters 8,16 --latent 16 --epochs 3"
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", required=True, help="folder of the study: runs, tables, figures, page"
    )
    group = command.add_argument_group("study", _summary(StudyConfig))
    for spec in config.fields(StudyConfig):
        _add_option(group, spec)
    _add_settings(command, models=False)


COMMANDS = {
    "train": ("train", "train a model and keep it as a run", _add_train),
    "resume": ("resume", "go on with a run after a stop, a crash or a power cut", _add_resume),
    "runs": ("listing", "list the runs", lambda command: None),
    "evaluate": (
        "evaluate",
        "measure a run beside PCA, mean image and identity, on each split and on clean test images",
        _add_evaluate,
    ),
    "parity": ("parity", "compare a run's layers on TensorFlow, PyTorch and JAX", _add_parity),
    "reconstruct": ("reconstruct", "put scans through a run and write the pictures", _add_reconstruct),
    "study": ("study", "do the seed study again: its models, tables, figures, and one page", _add_study),
    "demo": ("demo", "make a small study on phantoms, with a report", _add_demo),
}


def _add_settings(command: Parser, models: bool = True) -> None:
    """Add an option for every setting, grouped by section."""
    for name, section in config.sections(RunConfig().model.model).items():
        if name == "model":
            _add_model(command.add_argument_group("model", "What is trained."), models)
            continue
        group = command.add_argument_group(name, _summary(section))
        for spec in config.fields(section):
            _add_option(group, spec, aliases=["--data"] if spec.name == "source" else [])


def _add_model(group: Any, models: bool) -> None:
    if models:
        titles = "; ".join(f"{name}: {config.model_title(name)}" for name in config.MODELS)
        group.add_argument(
            "--model", metavar="|".join(config.MODELS), default=argparse.SUPPRESS, help=f"{titles}. Default ae."
        )
    for spec, owners in _model_settings():
        _add_option(group, spec, note="" if len(owners) == len(config.MODELS) else f" Only for {', '.join(owners)}.")


def _model_settings() -> list[tuple[FieldSpec, list[str]]]:
    """Settings of all models, each with the models that have it."""
    owners: dict[str, tuple[FieldSpec, list[str]]] = {}
    for name, section in config.MODELS.items():
        for spec in config.fields(section):
            owners.setdefault(spec.name, (spec, []))[1].append(name)
    return list(owners.values())


def _summary(section: type[config.Section]) -> str:
    return (section.__doc__ or "").splitlines()[0]


def _add_option(group: Any, spec: FieldSpec, note: str = "", aliases: Sequence[str] = ()) -> None:
    given = {"dest": spec.name, "default": argparse.SUPPRESS, "help": _described(spec, note).replace("%", "%%")}
    if spec.kind == "bool":
        group.add_argument(spec.option, *aliases, action=argparse.BooleanOptionalAction, **given)
    else:
        group.add_argument(*aliases, spec.option, metavar=_metavar(spec), **given)


def _metavar(spec: FieldSpec) -> str:
    if spec.kind == "choice":
        return "|".join(spec.choices)
    return {"int": "N", "float": "X", "ints": "N,N,..."}.get(spec.kind, spec.name.upper())


def _described(spec: FieldSpec, note: str = "") -> str:
    """Title, text, range, unit and default of a setting."""
    limits = f"{_shown(spec.low)} to {_shown(spec.high)}" if spec.low is not None and spec.high is not None else ""
    span = " ".join(part for part in (limits, spec.unit) if part)
    return f"{spec.title}. {spec.text}{note} {span + '; default' if span else 'Default'} {_shown(spec.default)}."


def _shown(value: config.Setting) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return value if isinstance(value, str) else f"{value:.10g}"


def settings(options: argparse.Namespace) -> dict[str, Any]:
    """The settings among the options, as they were typed; whole numbers after commas as a list."""
    sections = [section for model in config.MODELS for section in config.sections(model).values()]
    kinds = {spec.name: spec.kind for section in sections for spec in config.fields(section)} | {"model": "choice"}
    given = {name: value for name, value in vars(options).items() if name in kinds}
    return {name: re.split(r"[,\s]+", value) if kinds[name] == "ints" else value for name, value in given.items()}


def run_config(options: argparse.Namespace, base: RunConfig | None = None) -> RunConfig:
    """The settings of a new run: the options given, over those of `base`.

    Raises:
        ConfigError: one of them is no good.
    """
    return config.build(settings(options), base)
