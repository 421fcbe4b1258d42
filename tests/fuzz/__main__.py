"""Feed mutated files to every reader: no crash, no bare error, no 2 seconds, no gigabyte.

    python -m tests.fuzz --inputs 4000
    python -m tests.fuzz --inputs 20000 --target dicom --seed 7

Each reader runs in processes of its own, which are limited and may die. An input depends on the seed and its number
alone. The input of a finding is saved in the temporary folder.
"""

import argparse
import sys

from tests.fuzz.runner import fuzz
from tests.fuzz.targets import TARGETS


def main() -> int:
    """Print one line for each target, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=4000, help="inputs for each target")
    parser.add_argument("--target", choices=TARGETS, help="one target; all if left out")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    names = [name for name in TARGETS if options.target in (None, name)]
    reports = {}
    for name in names:
        report = reports[name] = fuzz(name, TARGETS[name], options.inputs, options.seed)
        speed = report.inputs / max(report.seconds, 1e-9)
        numbers = f"{report.inputs:,} inputs, {report.refused:,} refused, {len(report.findings)} findings"
        print(f"{name}: {numbers}, slowest {report.slowest_s:.2f} s, {speed:.0f} a second", flush=True)
    findings = sum(len(report.findings) for report in reports.values())
    print(f"{len(names)} readers, {sum(report.inputs for report in reports.values()):,} inputs, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
