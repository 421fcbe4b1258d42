"""What can be typed. Every setting becomes an option by itself: see `engine.cli.config_options`.

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
from engine.cli.config_options import PROGRAM as PROGRAM
from engine.cli.config_options import add_option, add_settings, summary
from engine.cli.config_options import run_config as run_config
from engine.cli.config_options import settings as settings
from engine.cli.denoise_options import add_denoise, add_denoise_curve
from engine.cli.latent_options import add_latent, add_sample
from engine.cli.layer_options import add_activations, add_channels, add_lesion_layers
from engine.cli.search_options import add_search, add_trials
from engine.config import DataConfig, StudyConfig
from engine.figures import DISCLAIMER

SPLITS = ("train", "validation", "test", "test_leaked", "test_clean")
AUDIT_SETTINGS = ("size", "validation_share", "split_seed", "phantom_count", "phantom_seed", "download", "revision")
SOURCE_HELP = "'phantom' (generated images), a folder of images, or 'hf:ID' for a Hugging Face dataset"

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

TRAIN_EPILOG = f"""\
Command-line options override --preset, which overrides the defaults.
Ctrl-C stops after the current batch and keeps the model; `resume` continues. Press it again to quit immediately.

examples:
  {PROGRAM} train --preset study-vae --data ~/brain-tumor-mri
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

    def fail_unknown(self, words: Sequence[str]) -> NoReturn:
        """Complain of words that mean nothing here, with the option that was perhaps meant."""
        word = words[0].split("=")[0]
        if word in self._option_string_actions:
            self.error(f"option {word} must come after the command: {self.prog} {word}")
        shown = [name for name, one in self._option_string_actions.items() if one.help != argparse.SUPPRESS]
        near = difflib.get_close_matches(word, shown, 1)
        self.error(f"there is no option {word}" + (f" (did you mean {near[0]}?)" if near else ""))


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
        commands[options.command].fail_unknown(unknown)
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
        shared = command.add_argument_group("common options")
        shared.add_argument("--runs", type=Path, metavar="DIR", help="folder of the runs (see ENGRAM_RUNS)")
        shared.add_argument("--json", action="store_true", help="print the result as JSON")
        commands[name] = command
    return parser, commands


def _add_train(command: Parser) -> None:
    command.epilog = TRAIN_EPILOG
    command.usage = f"{PROGRAM} train [--data SOURCE] [--preset NAME | --model NAME] [--run NAME] [SETTINGS]"
    command.add_argument("--run", metavar="NAME", help="name of the new run (default: automatic, such as ae-0001)")
    titles = "; ".join(f"{name}: {title}" for name, title in config.presets().items())
    command.add_argument("--preset", metavar="NAME", help=f"settings to start from. {titles}")
    add_settings(command)


def _add_resume(command: Parser) -> None:
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument(
        "--epochs",
        metavar="N",
        help=(
            "new total number of epochs (default: unchanged). With a cosine schedule or warm-up, the "
            "learning-rate schedule is recomputed for N epochs"
        ),
    )
    backends = next(spec for spec in config.list_fields(config.TrainingConfig) if spec.name == "backend")
    command.add_argument(
        "--backend",
        metavar="|".join(backends.choices),
        help=(
            "resume on this Keras backend, with the same weights and optimizer state; results will be close but "
            "not bit-identical (default: as before)"
        ),
    )


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
    command.add_argument("images", metavar="IMAGE", nargs="+", help="image, DICOM file or NIfTI volume")
    command.add_argument("--out", type=Path, metavar="DIR", required=True, help="output folder (created if needed)")
    command.add_argument(
        "--slice", type=int, metavar="N", help="slice of a volume, counted from 0 (default: the middle slice)"
    )


def _add_demo(command: Parser) -> None:
    command.description = (
        "Generate phantoms, train an AE and a VAE on them for a few epochs, and write a one-page HTML report "
        "with learning curves, reconstructions and metrics. Takes a few minutes on two CPU cores."
    )
    command.usage = f"{PROGRAM} demo [--out DIR] [SETTINGS]"
    command.epilog = (
        "All settings of `train` are available and apply to both models; --data runs the demo on your images."
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for the report (default: 'demo' next to the runs folder)"
    )
    add_settings(command, models=False)


def _add_study(command: Parser) -> None:
    command.description = (
        "Reproduce the reference study (a 2024 course report: AE and VAE on the Brain Tumor MRI images): search "
        "its spaces for models, or with --quick train only its two best configurations; evaluate them; and write "
        "Tables 1 to 4, Figures 5 to 13 and one self-contained HTML page that compares every published number "
        "with your result. Run the same command again to resume."
    )
    command.usage = f"{PROGRAM} study --data SOURCE --out DIR [--quick | --trials-ae N --trials-vae N] [SETTINGS]"
    command.epilog = (
        "All settings of `train` are available and apply to both models; a setting that you give is not "
        "searched. The searches are named ae and vae; those started with `search --name ae --runs DIR/runs` are "
        "continued. With settings other than the reference study's, the results are not comparable, and the page "
        f"says so:\n\n  {PROGRAM} study --out small --quick --size 32 --filters 8,16 --latent 16 --epochs 3"
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", required=True, help="folder of the study: runs, tables, figures, page"
    )
    group = command.add_argument_group("study", summary(StudyConfig))
    for spec in config.list_fields(StudyConfig):
        add_option(group, spec)
    add_settings(command, models=False)


COMMANDS = {
    "train": ("train", "train a model and save it as a run", _add_train),
    "resume": ("resume", "resume a stopped or crashed run, or extend it (--epochs)", _add_resume),
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
    "reconstruct": ("reconstruct", "reconstruct images with a trained model and save them as PNG", _add_reconstruct),
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
    "study": ("study", "reproduce the reference study: models, tables, figures, HTML page", _add_study),
    "demo": ("demo", "train two small models on phantoms and write an HTML report", _add_demo),
}
