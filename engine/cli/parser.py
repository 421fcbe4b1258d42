"""What can be typed. Every setting becomes an option by itself: see `engine.cli.setting_options`.

Nothing is decided here about a value: it goes as it was typed to `engine.config`, whose sentence says what is wrong.
"""

import argparse
import difflib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from engine import __version__, config
from engine.cli.denoise_options import add_denoise, add_denoise_curve
from engine.cli.latent_options import add_latent, add_sample
from engine.cli.layer_options import add_activations, add_channels, add_lesion_layers
from engine.cli.search_options import add_search, add_trials
from engine.cli.setting_options import PROGRAM as PROGRAM
from engine.cli.setting_options import add_option, add_settings, summary
from engine.cli.setting_options import run_config as run_config
from engine.cli.setting_options import settings as settings
from engine.config import DataConfig, StudyConfig

SPLITS = ("train", "validation", "test", "test_leaked", "test_clean")
AUDIT_SETTINGS = ("size", "validation_share", "split_seed", "phantom_count", "phantom_seed", "download", "revision")
SOURCE_HELP = "'phantom', a folder of images, or 'hf:ID' for a Hugging Face data set"

DESCRIPTION = """\
Engram's engine: train autoencoders on brain MRI, keep every run, measure it, put scans through it.
For research and teaching, not for diagnosis."""

EPILOG = f"""\
examples:
  {PROGRAM} train --data phantom --preset seed-ae --run first-ae
  {PROGRAM} train --data ~/scans --model vae --latent 256 --size 96 --epochs 20 --learning-rate 1e-3
  {PROGRAM} audit ~/scans
  {PROGRAM} resume first-ae --epochs 60
  {PROGRAM} evaluate first-ae --json
  {PROGRAM} reconstruct first-ae head.dcm volume.nii.gz --slice 80 --out pictures
  {PROGRAM} denoise first-ae head.dcm --sigma 0.1 --against nlm,tv --out pictures
  {PROGRAM} search --preset seed-ae --data ~/scans --trials 17 --name ae
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
    add_settings(command)


def _add_resume(command: Parser) -> None:
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument(
        "--epochs",
        metavar="N",
        help="new goal, counted from the run's start; unchanged where not given. A cosine schedule or a warm-up is "
        "then that of a run of N epochs: the learning rate goes on where such a run would be",
    )
    backends = next(spec for spec in config.fields(config.TrainingConfig) if spec.name == "backend")
    command.add_argument(
        "--backend",
        metavar="|".join(backends.choices),
        help="go on with this framework: same weights and optimiser, not the same bits; as before where not given",
    )


def _add_evaluate(command: Parser) -> None:
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("--data", metavar="SOURCE", help=f"{SOURCE_HELP}; the run's own where not given")
    command.add_argument("--split", choices=SPLITS, action="append", help="this split alone; may be given again")


def _add_audit(command: Parser) -> None:
    command.description = (
        "Find the scans that are the same, within and across splits, by their decoded gray pixels at full size, and "
        "those that are nearly the same: resized, recompressed, flipped, turned, brighter or darker. What is held out "
        "of train for validation counts as train. The result is kept, so the second time takes a moment."
    )
    command.usage = f"{PROGRAM} audit SOURCE [--json] [SETTINGS]"
    command.add_argument("source", metavar="SOURCE", help=SOURCE_HELP)
    group = command.add_argument_group("data", summary(DataConfig))
    for spec in config.fields(DataConfig):
        if spec.name in AUDIT_SETTINGS:
            add_option(group, spec)


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
    add_settings(command, models=False)


def _add_study(command: Parser) -> None:
    command.description = (
        "Do the seed study again: search its spaces for models (or train, with --quick, its two "
        "best ones), measure them, and write Tables 1 to 4, Figures 5 to 13 and one self-contained page, with each "
        "number of the study beside ours. The same command goes on with a study that was stopped."
    )
    command.usage = f"{PROGRAM} study --data SOURCE --out DIR [--quick | --trials-ae N --trials-vae N] [SETTINGS]"
    command.epilog = (
        "Every setting of `train` is taken here too, for both models; one that is given is not searched. The searches "
        "are called ae and vae; those that `search --name ae --runs DIR/runs` has begun are taken over. A study with "
        "other settings than the seed study's is shrunk, and its page says so:\n\n"
        f"  {PROGRAM} study --out small --quick --size 32 --filters 8,16 --latent 16 --epochs 3"
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", required=True, help="folder of the study: runs, tables, figures, page"
    )
    group = command.add_argument_group("study", summary(StudyConfig))
    for spec in config.fields(StudyConfig):
        add_option(group, spec)
    add_settings(command, models=False)


COMMANDS = {
    "train": ("train", "train a model and keep it as a run", _add_train),
    "resume": ("resume", "go on with a run after a stop, a crash or a power cut", _add_resume),
    "search": ("search", "search for good settings, every trial a run; go on after a stop or a crash", add_search),
    "trials": ("trials", "list the trials of a search, or tell it what to do while it runs", add_trials),
    "runs": ("listing", "list the runs", lambda command: None),
    "evaluate": (
        "evaluate",
        "measure a run beside PCA, mean image and identity, on each split and on clean test images",
        _add_evaluate,
    ),
    "audit": ("audit", "find scans that are the same in train and in test, pixel for pixel or nearly", _add_audit),
    "parity": ("parity", "compare a run's layers on TensorFlow, PyTorch and JAX", _add_parity),
    "reconstruct": ("reconstruct", "put scans through a run and write the pictures", _add_reconstruct),
    "denoise": ("denoise", "put noise on a scan, and it through a run and baselines: pictures, numbers", add_denoise),
    "denoise-curve": (
        "denoise_curve",
        "runs and baselines over more and more noise: does it help at all, and what is left of lesions",
        add_denoise_curve,
    ),
    "activations": ("activations", "draw what the layers of a run make of scans", add_activations),
    "channels": (
        "channels",
        "what a run's channels do over many scans, what they like, and which are those of another run",
        add_channels,
    ),
    "lesion-layers": (
        "lesion_layers",
        "ask where lesions go: how detectable they are at each layer, and which layer loses most",
        add_lesion_layers,
    ),
    "latent": ("latent", "look into the latent space of a run: maps, copies, ways between scans, spread", add_latent),
    "sample": ("sample", "draw pictures from a run, each with its nearest training scan", add_sample),
    "study": ("study", "do the seed study again: its models, tables, figures, and one page", _add_study),
    "demo": ("demo", "make a small study on phantoms, with a report", _add_demo),
}
