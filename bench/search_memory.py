"""Memory of a search over many trials: its own resident set after each, without those of the trials.

    python bench/search_memory.py [--trials 80]

The trials are as small as they get (phantoms of 32 x 32, one epoch); what is measured is whether anything of a trial
stays behind in the program.
"""

import argparse
import os
import tempfile
from pathlib import Path

from engine import backend, config
from engine.messages import Search, TrialEnded
from engine.search import job

TINY = {
    "source": "phantom",
    "phantom_count": 36,
    "size": 32,
    "filters": (4, 8),
    "latent": 8,
    "epochs": 1,
    "batch_size": 8,
}
SPACE = {"learning_rate": {"low": 1e-5, "high": 1e-2, "log": True}, "latent": {"low": 4, "high": 64}}
FIRST = 5


def resident_mb() -> float:
    """Resident set of this process in MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=80)
    count = parser.parse_args().trials
    backend.import_without_compute()
    measured: dict[int, float] = {}

    def hear(event) -> None:
        if isinstance(event, TrialEnded):
            measured[event.number] = resident_mb()
            print(f"trial {event.number:3d}  {measured[event.number]:7.1f} MB", flush=True)

    with tempfile.TemporaryDirectory() as root:
        order = Search(name="memory", root=root, base=config.from_flat(TINY), space=SPACE, settings={"trials": count})
        job.search(order, emit=hear)
    first, last = measured[min(FIRST, count)], measured[count]
    print(f"after trial {count} {100 * (last / first - 1):+.1f} % of that after trial {min(FIRST, count)}")


if __name__ == "__main__":
    main()
