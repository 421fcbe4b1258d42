"""Options of `denoise` and `denoise-curve`."""

import argparse
from pathlib import Path
from typing import Any

from engine import config
from engine.cli.config_options import PROGRAM, add_option, summary
from engine.config import DenoiseConfig

BASELINE_NAMES = "none, gaussian, median, nlm, tv, wavelet, pca, bm3d"
AGAINST_HELP = f"""comma-separated baselines to compare with, or 'all': {BASELINE_NAMES}. Each estimates the noise \
level from the image. BM3D needs its own package: pip install bm3d"""

DENOISE_EPILOG = f"""\
The region is in pixels of the image as the model sees it (saved as original.png), from its upper left corner:
x,y,width,height is the ellipse in that box; also rectangle:x,y,width,height and polygon:x,y,x,y,x,y.
Lesion contrast retained: contrast after denoising ÷ contrast in the noise-free image; see docs/denoising.md.

examples:
  {PROGRAM} denoise RUN head.png --noise rician --sigma 0.06 --roi 40,52,18,14 --against nlm,tv --out denoised
  {PROGRAM} denoise RUN volume.nii.gz --slice 80 --sigma 0.1 --against all --out denoised --json"""

CURVE_EPILOG = f"""\
Break-even: the noise level below which the model's output is farther from the noise-free image than the noisy
image itself (by MSE).
--boxes FILE: CSV with columns file, x_center, y_center, width, height (0–1, relative to the image) and optionally
split, class.
Default: deduplicated test images (--split test_clean).

examples:
  {PROGRAM} denoise-curve RUN RUN --data SOURCE --boxes boxes.csv --against nlm,bm3d --out curves
  {PROGRAM} denoise-curve RUN --data SOURCE --sigmas 0,10/255,15/255,25/255 --split validation --scans 40 --json"""


def add_denoise(command: argparse.ArgumentParser) -> None:
    """Add the options of `denoise`."""
    command.epilog = DENOISE_EPILOG
    command.usage = f"{PROGRAM} denoise RUN IMAGE --out DIR [--noise KIND] [--sigma S] [--roi REGION] [--against NAMES]"
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("image", metavar="IMAGE", help="noise-free image, DICOM file or NIfTI volume")
    command.add_argument("--out", type=Path, metavar="DIR", required=True, help="output folder (created if needed)")
    command.add_argument(
        "--slice", type=int, metavar="N", help="slice of a volume, counted from 0 (default: the middle slice)"
    )
    command.add_argument(
        "--roi", metavar="REGION", default="", help="lesion region, such as 40,52,18,14 (x,y,width,height)"
    )
    _add_shared(command, ())


def add_denoise_curve(command: argparse.ArgumentParser) -> None:
    """Add the options of `denoise-curve`."""
    command.epilog = CURVE_EPILOG
    command.usage = f"{PROGRAM} denoise-curve RUN... [--data SOURCE] [--boxes FILE] [--sigmas S,S,...] [--out DIR]"
    command.add_argument("names", metavar="RUN", nargs="+", help="names or folders of runs")
    command.add_argument("--data", metavar="SOURCE", help="noise-free images (default: those of the first run)")
    command.add_argument(
        "--boxes", type=Path, metavar="FILE", help="CSV table of lesion boxes, to measure the lesion contrast retained"
    )
    command.add_argument(
        "--sigmas",
        metavar="S,S,...",
        help="noise levels on the 0–1 scale, also as 25/255; default 0, 5, 10, 15, 25, 35 and 50 of 255",
    )
    parts = ("train", "validation", "test", "test_leaked", "test_clean")
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
    return config.validate(DenoiseConfig, given)
