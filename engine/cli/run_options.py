"""Options of the commands that take a trained run or a source of images, and those of `runs` and `report`."""

from argparse import ArgumentParser
from pathlib import Path

from engine import config
from engine.cli.analysis_options import AGAINST_HELP, RECONSTRUCT_EPILOG, VOLUME_HELP, add_outputs, add_series
from engine.cli.config_options import add_option, summary
from engine.cli.program import PROGRAM
from engine.config import DataConfig, DenoiseConfig

SPLITS = ("train", "validation", "test", "test_leaked", "test_clean", "test_unseen")
AUDIT_SETTINGS = (
    *("size", "validation_share", "split_seed", "phantom_count", "phantom_seed", "download", "revision"),
    *("split_by", "test_patients", "fold", "groups", "group_pattern", "group_by", "folders_are"),
    *("plane", "slices", "slice_step", "series", "mask_label"),
)
RUN_ACTIONS = {
    "show": "show the settings, the results and the files of a run",
    "rename": "give a run another name",
    "delete": "delete runs with their models (asks first; see --yes)",
}
SOURCE_HELP = "'phantom' (generated images), a folder or zip archive of images, or 'hf:ID' for a Hugging Face dataset"


def add_runs(command: ArgumentParser) -> None:
    """Add the options and the actions of `runs`."""
    command.description = "List the runs of a folder, oldest first; or show, rename or delete some of them."
    actions = command.add_subparsers(title="actions", dest="action", metavar="ACTION")
    for name, text in RUN_ACTIONS.items():
        action = actions.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        if name == "delete":
            action.add_argument("names", nargs="+", metavar="RUN", help="names or folders of runs")
            action.add_argument("--yes", action="store_true", help="delete without a question")
        else:
            action.add_argument("run", metavar="RUN", help="name or folder of the run")
        if name == "rename":
            action.add_argument("new", metavar="NAME", help="the new name")


def add_evaluate(command: ArgumentParser) -> None:
    """Add the options of `evaluate`."""
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("--data", metavar="SOURCE", help=f"{SOURCE_HELP} (default: the run's own)")
    command.add_argument("--split", choices=SPLITS, action="append", help="evaluate only this split (repeatable)")


def add_audit(command: ArgumentParser) -> None:
    """Add the options of `audit`."""
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


def add_parity(command: ArgumentParser) -> None:
    """Add the options of `parity`."""
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
        "0 if all installed backends agree on every layer, 4 if they do not."
    )


def add_reconstruct(command: ArgumentParser) -> None:
    """Add the options of `reconstruct`."""
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


def add_report(command: ArgumentParser) -> None:
    """Add the options of `report`."""
    command.usage = f"{PROGRAM} report RUN... --out FILE [--image IMAGE --roi REGION ...]"
    command.usage += f"\n       {PROGRAM} report --search NAME --out FILE"
    command.add_argument("names", metavar="RUN", nargs="*", help="names or folders of runs")
    command.add_argument("--search", metavar="NAME", default="", help="report on this search instead")
    command.add_argument(
        "--out", type=Path, metavar="FILE", required=True, help="file of the report, which ends with .html or .pdf"
    )
    case = command.add_argument_group("one image", "Report on one image that the first run denoises.")
    case.add_argument("--image", metavar="IMAGE", default="", help="image, DICOM file, NIfTI volume, or DICOM folder")
    case.add_argument("--slice", type=int, metavar="N", help="slice of a volume, counted from 0 (default: the middle)")
    case.add_argument("--volume", type=int, metavar="N", help=VOLUME_HELP)
    case.add_argument("--roi", metavar="REGION", default="", help="lesion region, such as 40,52,18,14")
    case.add_argument("--against", metavar="NAMES", default="", help=AGAINST_HELP)
    group = command.add_argument_group("noise", summary(DenoiseConfig))
    for spec in config.list_fields(DenoiseConfig):
        add_option(group, spec)
