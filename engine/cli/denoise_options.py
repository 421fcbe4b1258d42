"""What can be typed after `denoise` and `denoise-curve`."""

import argparse
from pathlib import Path
from typing import Any

from engine import config
from engine.cli.setting_options import PROGRAM, add_option, summary
from engine.config import DenoiseConfig

BASELINE_NAMES = "none, gaussian, median, nlm, tv, wavelet, pca, bm3d"
AGAINST_HELP = f"""baselines to set beside, after commas, or 'all': {BASELINE_NAMES}; each tells the noise from the \
picture. BM3D needs its own package: pip install bm3d"""

DENOISE_EPILOG = f"""\
The region is in pixels of the picture as the run sees it (written as original.png), from its upper left corner:
x,y,width,height is the ellipse in that box; also rectangle:x,y,width,height and polygon:x,y,x,y,x,y.
Retention is the lesion's contrast afterwards over that on the clean scan; see docs/denoising.md.

examples:
  {PROGRAM} denoise RUN head.png --noise rician --sigma 0.06 --roi 40,52,18,14 --against nlm,tv --out pictures
  {PROGRAM} denoise RUN volume.nii.gz --slice 80 --sigma 0.1 --against all --out pictures --json"""

CURVE_EPILOG = f"""\
Break-even is the noise under which the model's picture is further from the clean scan than the noisy scan itself.
BOXES is a CSV file with file, x_center, y_center, width, height (fractions of the picture), perhaps split and class.
Test scans that are not in train are measured where --split says nothing else.

examples:
  {PROGRAM} denoise-curve RUN RUN --data SOURCE --boxes boxes.csv --against nlm,bm3d --out curves
  {PROGRAM} denoise-curve RUN --data SOURCE --sigmas 0,10/255,15/255,25/255 --split validation --scans 40 --json"""


def add_denoise(command: argparse.ArgumentParser) -> None:
    """The options of `denoise`."""
    command.epilog = DENOISE_EPILOG
    command.usage = f"{PROGRAM} denoise RUN IMAGE --out DIR [--noise KIND] [--sigma S] [--roi REGION] [--against NAMES]"
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument("image", metavar="IMAGE", help="a clean picture, DICOM file or NIfTI volume")
    command.add_argument(
        "--out", type=Path, metavar="DIR", required=True, help="folder for the pictures; made if missing"
    )
    command.add_argument(
        "--slice", type=int, metavar="N", help="slice of a volume, counted from 0; the middle one where not given"
    )
    command.add_argument(
        "--roi", metavar="REGION", default="", help="the lesion, such as 40,52,18,14 (x,y,width,height)"
    )
    _add_shared(command, ())


def add_denoise_curve(command: argparse.ArgumentParser) -> None:
    """The options of `denoise-curve`."""
    command.epilog = CURVE_EPILOG
    command.usage = f"{PROGRAM} denoise-curve RUN... [--data SOURCE] [--boxes FILE] [--sigmas S,S,...] [--out DIR]"
    command.add_argument("names", metavar="RUN", nargs="+", help="names or folders of runs")
    command.add_argument("--data", metavar="SOURCE", help="clean images; those of the first run where not given")
    command.add_argument("--boxes", type=Path, metavar="FILE", help="table of lesions, to measure retention")
    command.add_argument(
        "--sigmas",
        metavar="S,S,...",
        help="levels of the noise; also as 25/255. Default 0, 5, 10, 15, 25, 35 and 50 of 255",
    )
    parts = ("train", "validation", "test", "test_leaked", "test_clean")
    command.add_argument("--split", choices=parts, default="test_clean", help="which scans; default test_clean")
    command.add_argument(
        "--scans", metavar="N", default="0", help="so many scans at most, spread evenly over the split; default all"
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="also write curves.pdf, curves.png and curves.csv there"
    )
    _add_shared(command, ("sigma",))


def _add_shared(command: Any, without: tuple[str, ...]) -> None:
    command.add_argument("--against", metavar="NAMES", default="", help=AGAINST_HELP)
    group = command.add_argument_group("noise", summary(DenoiseConfig))
    for spec in config.fields(DenoiseConfig):
        if spec.name not in without:
            add_option(group, spec)


def denoise_config(options: argparse.Namespace) -> DenoiseConfig:
    """The settings of the noise among the options.

    Raises:
        ConfigError: one of them is no good.
    """
    given = {name: value for name, value in vars(options).items() if name in DenoiseConfig.model_fields}
    return config.validated(DenoiseConfig, given)
