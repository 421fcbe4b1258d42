"""The options of the commands that look into layers: `activations`, `channels` and `lesion-layers`."""

from argparse import SUPPRESS, ArgumentParser, _ArgumentGroup
from pathlib import Path

PHANTOMS = 20


def add_activations(command: ArgumentParser) -> None:
    """What `activations` takes."""
    command.description = (
        "Save the feature maps (activations) of a model's layers: for each image an overview of all layers, and "
        "for each layer a mosaic of all channels with its color scale. --json lists each layer's type, shape, "
        "kernel, stride, inputs and receptive field."
    )
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("images", metavar="IMAGE", nargs="+", help="image, DICOM file or NIfTI volume")
    command.add_argument(
        "--layer",
        metavar="NAME",
        action="append",
        help="only this layer (repeatable); 'all', the default, draws every layer",
    )
    command.add_argument("--out", type=Path, metavar="DIR", required=True, help="output folder (created if needed)")
    command.add_argument(
        "--slice", type=int, metavar="N", help="slice of a volume, counted from 0 (default: the middle slice)"
    )
    command.add_argument("--arrays", action="store_true", help="also save the activations as .npy files")


def add_channels(command: ArgumentParser) -> None:
    """What `channels` takes."""
    command.description = (
        "Measure the mean, SD, energy and fraction of zeros of every channel over the images of a split, and "
        "find dead channels (constant over all images). With --layer, list one layer channel by channel and "
        "draw, for its first few channels, the top-activating images, activation maximization, saliency, and the "
        "matching channels of another model."
    )
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("--data", metavar="SOURCE", help="dataset (default: the run's own)")
    command.add_argument(
        "--split", choices=("train", "validation", "test"), default="validation", help="default validation"
    )
    command.add_argument(
        "--layer", metavar="NAME", help="only this layer, channel by channel (default: all layers in one table)"
    )
    command.add_argument(
        "--sort",
        choices=("energy", "mean", "spread", "zeros", "channel"),
        default="energy",
        help="sort the channels by this, largest first, dead channels last; default energy",
    )
    command.add_argument(
        "--top", metavar="N", default="8", help="number of channels to draw, in sorted order; default 8"
    )
    _add_pictures(command.add_argument_group("images of a layer's channels, in --out"))


def _add_pictures(group: _ArgumentGroup) -> None:
    group.add_argument("--out", type=Path, metavar="DIR", help="output folder (created if needed)")
    group.add_argument(
        "--favorites",
        dest="favourites",
        metavar="N",
        help="the N top-activating images of each channel, and where in them",
    )
    group.add_argument("--favourites", default=SUPPRESS, help=SUPPRESS)
    group.add_argument(
        "--preferred",
        action="store_true",
        help="activation maximization: an input that maximizes each channel, by gradient ascent",
    )
    group.add_argument("--saliency", metavar="IMAGE", help="saliency: which pixels of this image change each channel")
    group.add_argument(
        "--slice", type=int, metavar="N", help="slice of that image if it is a volume (default: the middle slice)"
    )
    group.add_argument(
        "--match",
        metavar="RUN2",
        help="match the channels with those of another run; with --out, also as an image",
    )
    group.add_argument("--match-layer", metavar="NAME", help="layer of RUN2 to match against (default: same name)")


def add_lesion_layers(command: ArgumentParser) -> None:
    """What `lesion-layers` takes."""
    command.description = (
        "Measure how detectable lesions are for an ideal observer (detectability index d′) in the image, after "
        "each layer and in the output, and find the layer with the largest loss. The pairs are phantoms with and "
        "without a lesion, or images with annotated boxes and the same images with the lesion filled in."
    )
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("--pairs", metavar="N", default=str(PHANTOMS), help=f"number of pairs; default {PHANTOMS}")
    command.add_argument(
        "--boxes",
        type=Path,
        metavar="FILE",
        help="CSV table of boxes: use images with annotated lesions instead of phantoms",
    )
    command.add_argument("--data", metavar="SOURCE", help="with --boxes: dataset (default: the run's own)")
    command.add_argument(
        "--split",
        choices=("train", "validation", "test"),
        default="validation",
        help="with --boxes: which images; default validation",
    )
    command.add_argument(
        "--observer-noise",
        dest="noise",
        metavar="X",
        default="0.05",
        help="SD of the white image noise assumed by the observer, 0–1 scale; default 0.05",
    )
    command.add_argument("--noise", default=SUPPRESS, help=SUPPRESS)
    command.add_argument(
        "--places",
        metavar="N",
        default="2",
        help="number of points between healthy and lesion at which d′ is computed; default 2",
    )
    command.add_argument(
        "--observer-channels",
        dest="channels",
        metavar="N",
        default="16",
        help="maximum number of observer channels (directions), not network channels; default 16",
    )
    command.add_argument("--channels", default=SUPPRESS, help=SUPPRESS)
    command.add_argument(
        "--layers",
        metavar="WHICH",
        default="all",
        help=(
            "layers to include: 'all', 'stages' (the last layer of each resolution), or names separated by "
            "commas; default all"
        ),
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="output folder for a figure of d′ by layer (created if needed)"
    )
