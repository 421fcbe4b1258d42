"""The options of the commands that look into layers: `activations`, `channels` and `lesion-layers`."""

from argparse import ArgumentParser, _ArgumentGroup
from pathlib import Path

PHANTOMS = 20


def add_activations(command: ArgumentParser) -> None:
    """What `activations` takes."""
    command.description = (
        "Put scans through a run and draw what its layers make of them: an overview of all layers for each scan, and a "
        "mosaic of all channels with its scale for each layer. --json tells of every layer its kind, shape, kernel, "
        "stride, what it is given, and which pixels its units see."
    )
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("images", metavar="IMAGE", nargs="+", help="a picture, a DICOM file or a NIfTI volume")
    command.add_argument(
        "--layer",
        metavar="NAME",
        action="append",
        help="this layer alone; may be given again. 'all', the default, draws every layer",
    )
    command.add_argument("--out", type=Path, metavar="DIR", required=True, help="folder for the files; made if missing")
    command.add_argument(
        "--slice", type=int, metavar="N", help="slice of a volume, counted from 0; the middle one where not given"
    )
    command.add_argument("--arrays", action="store_true", help="write the activations themselves too, as .npy files")


def add_channels(command: ArgumentParser) -> None:
    """What `channels` takes."""
    command.description = (
        "Gather mean, spread, energy and share of zeros of every channel over a split of scans, and name those that "
        "are dead, with one value everywhere in every scan. With --layer, one layer channel by channel; for its first "
        "few channels in that order the scans they like most, the input they like best, the pixels they answer to, and "
        "their partners in another run."
    )
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("--data", metavar="SOURCE", help="where the scans are; the run's own if not given")
    command.add_argument(
        "--split", choices=("train", "validation", "test"), default="validation", help="default validation"
    )
    command.add_argument(
        "--layer", metavar="NAME", help="this layer alone, channel by channel; all in a table if not given"
    )
    command.add_argument(
        "--sort",
        choices=("energy", "mean", "spread", "zeros", "channel"),
        default="energy",
        help="order of the channels, the largest first; dead ones last; default energy",
    )
    command.add_argument(
        "--top", metavar="N", default="8", help="how many channels, in that order, are drawn; default 8"
    )
    _add_pictures(command.add_argument_group("pictures of a layer's channels, in --out"))


def _add_pictures(group: _ArgumentGroup) -> None:
    group.add_argument("--out", type=Path, metavar="DIR", help="folder for the pictures; made if missing")
    group.add_argument("--favourites", metavar="N", help="the N scans, and the places in them, that excite each most")
    group.add_argument("--preferred", action="store_true", help="the input that each likes best, by gradient ascent")
    group.add_argument("--saliency", metavar="IMAGE", help="which pixels of this scan each answers to")
    group.add_argument(
        "--slice", type=int, metavar="N", help="slice of that scan, if it is a volume; else the middle one"
    )
    group.add_argument(
        "--match",
        metavar="RUN2",
        help="pair the channels with those of another run; a picture too where --out is given",
    )
    group.add_argument("--match-layer", metavar="NAME", help="of the other run; the same name if not given")


def add_lesion_layers(command: ArgumentParser) -> None:
    """What `lesion-layers` takes."""
    command.description = (
        "Ask where lesions go: how well an ideal observer of each layer could still tell a picture from its twin "
        "without the lesion (d'), from the picture to the output, and which layer loses most. The pairs are phantoms "
        "and their healthy twins, or scans with boxes and the same with the box filled in from what is round it."
    )
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("--pairs", metavar="N", default=str(PHANTOMS), help=f"how many; default {PHANTOMS}")
    command.add_argument(
        "--boxes",
        type=Path,
        metavar="FILE",
        help="table of boxes (CSV): ask about scans of the run instead of phantoms",
    )
    command.add_argument(
        "--data", metavar="SOURCE", help="with --boxes: where the scans are; the run's own if not given"
    )
    command.add_argument(
        "--split",
        choices=("train", "validation", "test"),
        default="validation",
        help="with --boxes: which scans; default validation",
    )
    command.add_argument("--noise", metavar="X", default="0.05", help="of the observer, gray values; default 0.05")
    command.add_argument("--places", metavar="N", default="2", help="points between healthy and lesion; default 2")
    command.add_argument("--channels", metavar="N", default="16", help="most that an observer uses; default 16")
    command.add_argument(
        "--layers",
        metavar="WHICH",
        default="all",
        help="layers to ask: 'all', 'stages' (the last of each size on the way), or names with commas; default all",
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for a figure of d' layer by layer; made if missing"
    )
