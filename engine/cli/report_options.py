"""Options of `report`."""

from argparse import ArgumentParser
from pathlib import Path

from engine import config
from engine.cli.analysis_options import AGAINST_HELP, VOLUME_HELP
from engine.cli.config_options import add_option, summary
from engine.cli.program import PROGRAM
from engine.config import DenoiseConfig


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
