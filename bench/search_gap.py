"""Time between two trials of a search, with and without a process in reserve.

    python bench/search_gap.py [--trials 6] [--epochs 8]

From the end of a trial's training to the first moment of the next one's, by the clocks of the runs' own records; on
phantoms of 32 x 32. Also the time of the whole search, since the process in reserve takes its share of the processor
while it imports.
"""

import argparse
import itertools
import statistics
import tempfile
import time

from engine import backend, config
from engine.messages import JobEnded, JobStarted, Search
from engine.runs import Run
from engine.search import job

SMALL = {
    "source": "phantom",
    "phantom_count": 240,
    "size": 32,
    "filters": (16, 32),
    "latent": 64,
    "batch_size": 16,
}
SPACE = {"learning_rate": {"low": 1e-5, "high": 1e-2, "log": True}}


def measure(trials: int, epochs: int, spare: bool) -> tuple[list[float], float]:
    """Seconds between trials, and of the whole search."""
    settings = {"trials": trials, "algorithm": "random", "spare": spare}
    with tempfile.TemporaryDirectory() as root:
        order = Search(
            name="gap", root=root, base=config.from_flat({**SMALL, "epochs": epochs}), space=SPACE, settings=settings
        )
        since = time.monotonic()
        found = job.search(order)
        took = time.monotonic() - since
        runs = [Run(found.root / found.run_name(number)) for number in range(1, trials + 1)]
        spans = [[event.time for event in run.events() if isinstance(event, JobStarted | JobEnded)] for run in runs]
    return [after[0] - before[-1] for before, after in itertools.pairwise(spans)], took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--epochs", type=int, default=8)
    options = parser.parse_args()
    backend.import_without_compute()
    middle: dict[bool, float] = {}
    for spare in (False, True):
        gaps, took = measure(options.trials, options.epochs, spare)
        middle[spare] = statistics.median(gaps)
        told = ", ".join(f"{gap:.1f}" for gap in gaps)
        print(f"{'with' if spare else 'without'} a process in reserve: {middle[spare]:.2f} s between trials ({told}); ")
        print(f"  the whole search {took:.0f} s", flush=True)
    print(f"ratio {middle[True] / middle[False]:.2f}")


if __name__ == "__main__":
    main()
