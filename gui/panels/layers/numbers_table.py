"""The numbers of all channels of a layer as a table for a file."""

import csv
import io

from gui.panel import DISCLAIMER
from gui.panels.layers.channel_order import Numbers

COLUMNS = ("mean", "spread", "energy", "zeros", "lowest", "highest", "dead")


def table_text(numbers: Numbers, about: str) -> str:
    """Return comma-separated values, every number in full, what they are above."""
    out = io.StringIO()
    out.write(f"# {about}\n# Engram · {DISCLAIMER}\n")
    writer = csv.writer(out, lineterminator="\n")
    known = [name for name in COLUMNS if name in numbers]
    writer.writerow(["channel", *known])
    count = len(numbers[known[0]]) if known else 0
    for channel in range(count):
        writer.writerow([channel, *(numbers[name][channel].item() for name in known)])
    return out.getvalue()
