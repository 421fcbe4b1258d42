"""Parser of the command line. Every setting becomes an option automatically: see `engine.cli.config_options`.

It checks no values: `engine.config` receives them as given and raises the error.
"""

import argparse
import difflib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from engine import __version__, config
from engine.cli.analysis_options import (
    RECONSTRUCT_EPILOG,
    VOLUME_HELP,
    add_activations,
    add_channels,
    add_denoise,
    add_denoise_curve,
    add_latent,
    add_lesion_layers,
    add_outputs,
    add_sample,
    add_series,
)
from engine.cli.config_options import PROGRAM as PROGRAM
from engine.cli.config_options import add_option, summary
from engine.cli.config_options import run_config as run_config
from engine.cli.config_options import settings as settings
from engine.cli.job_options import add_demo, add_resume, add_search, add_study, add_train, add_trials
from engine.config import DataConfig
from engine.figures import DISCLAIMER

SPLITS = ("train", "validation", "test", "test_leaked", "test_clean", "test_unseen")
AUDIT_SETTINGS = (
    *("size", "validation_share", "split_seed", "phantom_count", "phantom_seed", "download", "revision"),
    *("split_by", "groups", "group_pattern", "group_by", "folders_are"),
    *("plane", "slices", "slice_step", "series"),
)
SOURCE_HELP = "'phantom' (generated images), a folder or zip archive of images, or 'hf:ID' for a Hugging Face dataset"

DESCRIPTION = f"""\
Train, inspect and stress-test autoencoders on brain MRI slices.
{DISCLAIMER}"""

EPILOG = f"""\
examples:
  {PROGRAM} train --data phantom --preset study-ae --run first-ae
  {PROGRAM} train --data ~/scans --model vae --latent 256 --size 96 --epochs 20 --learning-rate 1e-3
  {PROGRAM} audit ~/scans
  {PROGRAM} resume first-ae --epochs 60
  {PROGRAM} evaluate first-ae --json
  {PROGRAM} reconstruct first-ae head.dcm volume.nii.gz --slice 80 --out pictures
  {PROGRAM} reconstruct first-ae volume.nii.gz --volume-out reconstructed.nii.gz
  {PROGRAM} denoise first-ae head.dcm --sigma 0.1 --against nlm,tv --out pictures
  {PROGRAM} search --preset study-ae --data ~/scans --trials 17 --name ae
  {PROGRAM} demo

A run is a folder: settings, provenance, events, history, best model, last checkpoints, previews.
RUN is its name or the path of its folder.

environment:
  ENGRAM_RUNS   folder of the runs (default: Engram/runs in your home folder); --runs overrides it
  ENGRAM_CACHE  folder of cached images (default: the system's cache folder)

exit status:
  0    done; also a run that was stopped (Ctrl-C or SIGTERM) and saved
  1    internal error (please report it)
  2    usage or input error (message on stderr); also: the backends differ (parity)
  130  interrupted, nothing saved; 143 after a second SIGTERM"""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help formatter as wide as the terminal, within limits, with room for the options' names."""

    def __init__(self, prog: str) -> None:
        width = min(max(shutil.get_terminal_size().columns - 2, 60), 110)
        super().__init__(prog, max_help_position=32, width=width)


class Parser(argparse.ArgumentParser):
    """Argument parser whose errors are sentences."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_abbrev=False, formatter_class=_Formatter, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Print an error with advice, and exit with status 2."""
        self.exit(2, f"{message[0].upper()}{message[1:].rstrip('.')}. See {self.prog} --help.\n")

    def fail_unknown(self, words: Sequence[str]) -> NoReturn:
        """Report unknown arguments, with the closest option as a suggestion."""
        word = words[0].split("=")[0]
        if word in self._option_string_actions:
            self.error(f"option {word} must come after the command: {self.prog} {word}")
        shown = [name for name, one in self._option_string_actions.items() if one.help != argparse.SUPPRESS]
        near = difflib.get_close_matches(word, shown, 1)
        self.error(f"there is no option {word}" + (f" (did you mean {near[0]}?)" if near else ""))


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse a command line.

    Returns:
        The options; `module` and `function` name the function in `engine.cli` that runs the command. Settings that were
        not given are absent.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser, commands = _build()
    if not words:
        parser.print_help(sys.stderr)
        parser.exit(2)
    options, unknown = parser.parse_known_args(words)
    if unknown:
        commands[options.command].fail_unknown(unknown)
    return options


def _build() -> tuple[Parser, dict[str, Parser]]:
    parser = Parser(prog=PROGRAM, description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"Engram {__version__}")
    adders = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    commands: dict[str, Parser] = {}
    for name, (target, text, add) in COMMANDS.items():
        described = text[0].upper() + text[1:] + "."
        command = adders.add_parser(name, help=text, description=described, prog=f"{PROGRAM} {name}")
        module, _, function = target.partition(".")
        command.set_defaults(module=module, function=function or "run")
        add(command)
        shared = command.add_argument_group("common options")
        shared.add_argument("--runs", type=Path, metavar="DIR", help="folder of the runs (see ENGRAM_RUNS)")
        shared.add_argument("--json", action="store_true", help="print the result as JSON")
        commands[name] = command
    return parser, commands


def _add_evaluate(command: Parser) -> None:
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("--data", metavar="SOURCE", help=f"{SOURCE_HELP} (default: the run's own)")
    command.add_argument("--split", choices=SPLITS, action="append", help="evaluate only this split (repeatable)")


def _add_audit(command: Parser) -> None:
    command.description = (
        "Find duplicate images within and across splits (identical decoded pixels at full resolution) and "
        "near-duplicates: resized, recompressed, flipped, rotated, brighter or darker copies. Validation images "
        "are held out of the training images; both count as training here. The result is cached, so a second "
        "audit is quick."
    )
    command.usage = f"{PROGRAM} audit SOURCE [--json] [SETTINGS]"
    command.add_argument("source", metavar="SOURCE", help=SOURCE_HELP)
    group = command.add_argument_group("data", summary(DataConfig))
    for spec in config.list_fields(DataConfig):
        if spec.name in AUDIT_SETTINGS:
            add_option(group, spec)


def _add_parity(command: Parser) -> None:
    command.description = (
        "Run the same images through the same weights on TensorFlow, PyTorch and JAX, each in its own process, "
        "and compare every layer. Fails and names the first layer that differs if the largest difference between "
        "two backends reaches 1e-4, relative to the layer's largest value where that is above 1."
    )
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("--data", metavar="SOURCE", help=f"{SOURCE_HELP} (default: the run's own)")
    command.add_argument("--images", metavar="N", default="8", help="number of test images, 1 to 64; default 8")
    command.epilog = (
        "Needs at least two installed backends; for a missing one, the install command is printed.\nExit status: "
        "0 if all installed backends agree on every layer, 2 if they do not."
    )


def _add_reconstruct(command: Parser) -> None:
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument(
        "images",
        metavar="IMAGE",
        nargs="+",
        help="image, DICOM file, NIfTI volume, or folder with DICOM series; FILE#81: slice 81 of a dataset",
    )
    command.epilog = RECONSTRUCT_EPILOG
    command.add_argument(
        "--slice", type=int, metavar="N", help="slice of a volume, counted from 0 (default: the middle slice)"
    )
    command.add_argument("--volume", type=int, metavar="N", help=VOLUME_HELP)
    add_series(command)
    add_outputs(command)


COMMANDS = {
    "train": ("train", "train a model and save it as a run", add_train),
    "resume": ("train.resume", "resume a stopped or crashed run, or extend it (--epochs)", add_resume),
    "search": ("search", "search for settings, each trial saved as a run; resumes after a stop or crash", add_search),
    "trials": ("trials", "list the trials of a search, or control it while it runs", add_trials),
    "runs": ("runs", "list the runs", lambda command: None),
    "evaluate": (
        "evaluate",
        "evaluate a model against baselines (PCA, mean image, unprocessed input) on each split, with leaked test "
        "images separated",
        _add_evaluate,
    ),
    "audit": ("audit", "find duplicates and near-duplicates between training and test images", _add_audit),
    "parity": ("parity", "compare a model's layers on TensorFlow, PyTorch and JAX", _add_parity),
    "reconstruct": (
        "reconstruct",
        "reconstruct images or volumes with a trained model and save them as PNG or NIfTI",
        _add_reconstruct,
    ),
    "denoise": (
        "denoise",
        "add noise to an image, denoise it with a model and baseline filters, and compare (images, PSNR, SSIM, "
        "lesion contrast)",
        add_denoise,
    ),
    "denoise-curve": (
        "denoise_curve",
        "measure denoising over a range of noise levels: PSNR, SSIM, break-even, lesion contrast retained",
        add_denoise_curve,
    ),
    "activations": ("activations", "save feature maps (activations) of a model's layers", add_activations),
    "channels": (
        "channels",
        "channel statistics, top-activating images, activation maximization, saliency, and matching with another model",
        add_channels,
    ),
    "lesion-layers": (
        "lesion_layers",
        "measure lesion detectability (d′) layer by layer",
        add_lesion_layers,
    ),
    "latent": (
        "latent",
        "analyze the latent space: PCA, t-SNE or UMAP map, near copies, interpolation, posterior uncertainty",
        add_latent,
    ),
    "sample": ("sample", "generate images from a model, each with its nearest training image", add_sample),
    "study": ("study", "reproduce the reference study: models, tables, figures, HTML page", add_study),
    "demo": ("demo", "train two small models on phantoms and write an HTML report", add_demo),
}
