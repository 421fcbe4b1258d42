"""Options of the commands that analyze models: denoising, latent space and layers."""

import argparse
from argparse import SUPPRESS, ArgumentParser, _ArgumentGroup
from pathlib import Path
from typing import Any

from engine import config
from engine.cli.config_options import add_mask_label, add_option, summary
from engine.cli.program import PROGRAM
from engine.config import DenoiseConfig
from engine.errors import ConfigError

BASELINE_NAMES = "none, gaussian, median, nlm, tv, wavelet, pca, bm3d"
AGAINST_HELP = f"""comma-separated baselines to compare with, or 'all': {BASELINE_NAMES}. Each estimates the noise \
level from the image. BM3D needs its own package: pip install bm3d"""

RECONSTRUCT_EPILOG = """\
Give --out, --volume-out or both. --slice counts the slices in the acquisition plane. --volume-out processes the
slices of the plane that RUN was trained on; in the acquisition plane if it was not trained on volumes.
A DICOM series is read as one volume. Names, dates and identifiers of the input are not copied, unless
a DICOM series is written with --keep-patient-data."""

DENOISE_EPILOG = """\
The region is in pixels of the image as the model sees it (saved as original.png), from its upper left corner:
x,y,width,height is the ellipse in that box; also rectangle:x,y,width,height and polygon:x,y,x,y,x,y.
--sigma is a number from 0 to 1, such as 0.1, or a fraction such as 25/255.
Lesion contrast retained: contrast after denoising ÷ contrast in the noise-free image (docs/explanation/denoising.md).
Give --out, --volume-out or both. --volume-out writes the output of RUN; with --noise none (or --sigma 0) no noise is
added before. --noise none is for an image that is noisy already: it measures the noise and what each method removed."""

CURVE_EPILOG = """\
Break-even: the noise level below which the model's output is farther from the noise-free image than the noisy
image itself (by MSE).
--boxes FILE: CSV with columns file, x_center, y_center, width, height (0–1, relative to the image) and optionally
split, class; or a folder of YOLO files, or a COCO file (.json). Default: masks or such files beside the images.
Default: deduplicated test images (--split test_clean)."""
PHANTOMS = 20
VOLUME_HELP = "volume of a file of several, counted from 1 (default: the first; all stacks of a DICOM file)"


def add_denoise(command: argparse.ArgumentParser) -> None:
    """Add the options of `denoise`."""
    command.epilog = DENOISE_EPILOG
    command.usage = (
        f"{PROGRAM} denoise RUN IMAGE [--out DIR] [--volume-out FILE] [--noise KIND] [--sigma S] [--roi REGION] "
        "[--against NAMES] [--interval]"
    )
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument(
        "image",
        metavar="IMAGE",
        help="noise-free image (or a noisy one, with --noise none), DICOM file, NIfTI volume, or folder with DICOM "
        "series; FILE#81: slice 81 of a dataset",
    )
    command.add_argument(
        "--slice", type=int, metavar="N", help="slice of a volume, counted from 0 (default: the middle slice)"
    )
    command.add_argument("--volume", type=int, metavar="N", help=VOLUME_HELP)
    command.add_argument(
        "--roi", metavar="REGION", default="", help="lesion region, such as 40,52,18,14 (x,y,width,height)"
    )
    command.add_argument(
        "--interval",
        action="store_true",
        help="also save the map of the calibrated 90%% interval (± at each pixel) of the result of RUN; it is "
        "calibrated on validation images of RUN with this noise, once for each level",
    )
    add_series(command)
    add_outputs(command)
    _add_shared(command, ())


def add_series(command: argparse.ArgumentParser) -> None:
    """Add the option for one of the series of a folder."""
    command.add_argument(
        "--series",
        metavar="TEXT",
        default="",
        help="DICOM series of a folder, disc or zip archive that has several: its number, description, UID or modality",
    )


def add_outputs(command: argparse.ArgumentParser) -> None:
    """Add the options that say what `reconstruct` and `denoise` write."""
    command.add_argument("--out", type=Path, metavar="DIR", help="output folder for images (created if needed)")
    command.add_argument(
        "--bits",
        type=int,
        choices=(8, 16),
        help="also save plain grayscale PNG files of this depth, without title, in the size that the model sees",
    )
    command.add_argument(
        "--arrays", action="store_true", help="also save the images as .npy files (float32, intensities 0 to 1)"
    )
    command.add_argument(
        "--volume-out",
        type=Path,
        metavar="PATH",
        help="process all slices of a volume and write a NIfTI volume (.nii.gz or .nii) or a DICOM series (a new "
        "folder) with the voxels, the orientation and the intensities of the input",
    )
    command.add_argument(
        "--volume-format",
        choices=("nifti", "dicom"),
        default="nifti",
        help="format of the volume; dicom: a derived series, for a DICOM source (needs the extra 'dicom')",
    )
    command.add_argument(
        "--keep-patient-data",
        action="store_true",
        help="keep the name, identifiers, dates and study of the patient in a DICOM series (default: removed)",
    )


def add_denoise_curve(command: argparse.ArgumentParser) -> None:
    """Add the options of `denoise-curve`."""
    command.epilog = CURVE_EPILOG
    command.usage = f"{PROGRAM} denoise-curve RUN... [--data SOURCE] [--boxes FILE] [--sigmas S,S,...] [--out DIR]"
    command.add_argument("names", metavar="RUN", nargs="+", help="names or folders of runs")
    command.add_argument("--data", metavar="SOURCE", help="noise-free images (default: those of the first run)")
    command.add_argument(
        "--boxes", type=Path, metavar="FILE", help="table of lesion boxes, to measure the lesion contrast retained"
    )
    add_mask_label(command)
    command.add_argument(
        "--sigmas",
        metavar="S,S,...",
        help="noise levels on the 0–1 scale, also as 25/255; default 0, 5, 10, 15, 25, 35 and 50 of 255",
    )
    parts = ("train", "validation", "test", "test_leaked", "test_clean", "test_unseen")
    command.add_argument(
        "--split",
        choices=parts,
        default="test_clean",
        help="which images; default test_clean (deduplicated test images)",
    )
    command.add_argument(
        "--scans",
        metavar="N",
        default="0",
        help="maximum number of images, evenly spaced over the split (default: all)",
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="also write curves.pdf, curves.png and curves.csv to this folder"
    )
    _add_shared(command, ("sigma",))


def _add_shared(command: Any, without: tuple[str, ...]) -> None:
    command.add_argument("--against", metavar="NAMES", default="", help=AGAINST_HELP)
    group = command.add_argument_group("noise", summary(DenoiseConfig))
    for spec in config.list_fields(DenoiseConfig):
        if spec.name not in without:
            add_option(group, spec)


def denoise_config(options: argparse.Namespace) -> DenoiseConfig:
    """Return the noise settings among the options.

    Raises:
        ConfigError: the value of an option is not valid.
    """
    given = {name: value for name, value in vars(options).items() if name in DenoiseConfig.model_fields}
    if "/" in given.get("sigma", ""):
        given["sigma"] = parse_level(given["sigma"], "--sigma")
    return config.validate(DenoiseConfig, given)


def parse_level(text: str, option: str) -> float:
    """Parse a noise level such as '0.04' or '10/255'.

    Raises:
        ConfigError: it is not a number.
    """
    above, slash, below = text.partition("/")
    try:
        return float(above) / (float(below) if slash else 1.0)
    except (ValueError, ZeroDivisionError):
        what = f"'{text.strip()}' is not a valid noise level for {option}."
        raise ConfigError(what, "Use, for example, 0.04 or 10/255.") from None


def add_latent(command: ArgumentParser) -> None:
    """Add the options of `latent`."""
    command.description = (
        "Analyze the latent space of a model: a map of all images by class, split, leak and error; the "
        "information in each latent dimension, and which are inactive (collapsed); the training images nearest "
        "to each test image, and which test images are near copies; interpolations between images and class "
        "means; and, for a variational model, the posterior SD and whether it predicts the reconstruction error. "
        "A U-Net or a model with skip connections is mapped by its deepest features."
    )
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("--data", metavar="SOURCE", help="'phantom', a folder, or 'hf:ID' (default: the run's own)")
    command.add_argument("--out", type=Path, metavar="DIR", required=True, help="output folder (created if needed)")
    command.add_argument(
        "--method",
        choices=("pca", "tsne", "umap"),
        default="pca",
        help="embedding for the map; default pca. t-SNE and UMAP start from 50 principal components",
    )
    _add_seed(command)


def add_sample(command: ArgumentParser) -> None:
    """Add the options of `sample`."""
    command.description = (
        "Generate images from a model: from the prior of a variational model, or from a Gaussian mixture fitted "
        "to the latent codes of the training images, with the number of components chosen on the validation "
        "images. Each image is shown with its nearest training image and marked if it is a near copy (possible "
        "memorization)."
    )
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("--n", metavar="N", default="16", dest="count", help="number of images, 1 to 256; default 16")
    command.add_argument("--out", type=Path, metavar="DIR", required=True, help="output folder (created if needed)")
    command.add_argument(
        "--from",
        choices=("prior", "mixture"),
        dest="drawn_from",
        help="distribution of the latent codes; default: the prior of a variational model, else the mixture",
    )
    command.add_argument(
        "--data",
        metavar="SOURCE",
        help="dataset used to fit the mixture and to search for near copies (default: the run's own)",
    )
    _add_seed(command)


def _add_seed(command: ArgumentParser) -> None:
    command.add_argument("--seed", metavar="N", default="0", help="random seed; default 0")


def add_activations(command: ArgumentParser) -> None:
    """Add the options of `activations`."""
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
    """Add the options of `channels`."""
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
    """Add the options of `lesion-layers`."""
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
        help="table of boxes, as for denoise-curve: use images with annotated lesions instead of phantoms",
    )
    add_mask_label(command)
    command.add_argument("--data", metavar="SOURCE", help="with boxes or masks: dataset (default: the run's own)")
    command.add_argument(
        "--split",
        choices=("train", "validation", "test"),
        default="validation",
        help="with --boxes: which images; default validation",
    )
    _add_observer(command)
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


def _add_observer(command: ArgumentParser) -> None:
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
