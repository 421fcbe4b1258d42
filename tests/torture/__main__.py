"""Treat trainings, searches and studies roughly, and count what was lost.

python -m tests.torture power --cuts 17     power cuts, on ext4, xfs and btrfs (Linux, root)
python -m tests.torture kill --cuts 6       kill -9 of a training at random moments
python -m tests.torture soak --minutes 20   random jobs, some of them killed
python -m tests.torture network -n 2        the suite without a network; further words are for pytest
python -m tests.torture events --count 10000 --seed 1   random events on the window while jobs run
"""

import argparse
import sys

from tests.torture import cuts, events, failures, network, operations, soak
from tests.torture.common import Tally

FILESYSTEMS = ["ext4", "xfs", "btrfs"]


def main() -> int:
    """Run one mode."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = ("power", "kill", "disk", "limits", "search", "study", "soak", "network", "events")
    parser.add_argument("mode", choices=modes)
    parser.add_argument("--filesystem", choices=FILESYSTEMS, help="of power cuts; all three if left out")
    parser.add_argument("--cuts", type=int, default=6, help="of each file system; states of a search or a study")
    parser.add_argument("--part", default="1/1", metavar="K/N", help="of the states of a search or a study")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--count", type=int, default=2000, help="of events")
    parser.add_argument("--seed", type=int, default=0)
    options, words = parser.parse_known_args()
    if words and options.mode != "network":
        parser.error(f"unrecognized arguments: {' '.join(words)}")
    return make(options, words).close()


def make(options: argparse.Namespace, words: list[str]) -> Tally:
    """Run a mode; words are for pytest."""
    if options.mode == "network":
        return network.run(words)
    if options.mode == "soak":
        return soak.run(options.minutes, options.seed)
    if options.mode == "events":
        return events.run(options.count, options.seed)
    if options.mode in ("disk", "limits"):
        return failures.run(options.mode)
    if options.mode in operations.JOBS:
        return operations.run(options.mode, options.cuts, *map(int, options.part.split("/")))
    return cuts.run(
        options.mode, [options.filesystem] if options.filesystem else FILESYSTEMS, options.cuts, options.seed
    )


if __name__ == "__main__":
    sys.exit(main())
