"""Training speed: Engram's study-ae with everything on, against plain `keras.Model.fit`, alternating in one run.

    python bench/train.py [--data SOURCE] [--rounds 24] [--images 240] [--backend tensorflow]

Both train the same model on the same arrays with the same batch size on the same backend, an epoch at a time in turns.
Engram's side emits events, makes previews, validates and writes checkpoints; its images/s are those of the training
part, as it reports them, and beside it those of the whole epoch. The baseline is the whole of `fit`, float32 arrays in
memory, no callbacks, no validation. Peak memory is each side's own, measured in a process that does only that side.
"""

import argparse
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from engine import backend, config, data, runs
from engine.job_context import UNATTENDED
from engine.messages import EpochEnded


class Shortened:
    """A split cut short."""

    def __init__(self, split, count):
        self.split, self.rows = split, np.arange(min(count, len(split)))

    def __len__(self):
        return len(self.rows)

    def read(self, which):
        return self.split.read(self.rows[which])


def engram_epochs(settings, images, folder):
    """Yield (images/s of the training part, images/s of the whole epoch), one epoch a step."""
    fitting = backend.import_on_backend("engine.training.trainer", settings.training)
    run = runs.create_run(settings, "bench", folder)
    work = fitting.Trainer(run, settings, images, run.append, UNATTENDED)
    work.start()
    while True:
        began = time.perf_counter()
        work.run_epoch()
        seconds = time.perf_counter() - began
        last = [event for event in run.events() if isinstance(event, EpochEnded)][-1]
        yield last.metrics["images_per_s"], len(images.train) / seconds


def plain_epochs(settings, images):
    """Yield images/s of plain `fit`, one epoch a step."""
    models = backend.import_on_backend("engine.models", settings.training)
    model = models.build_compiled(settings)
    arrays = images.train.read(slice(None))
    while True:
        began = time.perf_counter()
        model.fit(arrays, arrays, batch_size=settings.training.batch_size, epochs=1, verbose=0)
        yield (len(arrays) / (time.perf_counter() - began),)


def measure(options):
    settings = config.from_flat(
        {"source": options.data, "backend": options.backend, "epochs": 10_000}, config.preset("study-ae")
    )
    whole = data.load(config=settings.data)
    images = SimpleNamespace(
        train=Shortened(whole.train, options.images),
        validation=Shortened(whole.validation, 64),
        source=whole.source,
        fingerprint=whole.fingerprint,
    )
    with tempfile.TemporaryDirectory() as folder:
        sides = {"engram": engram_epochs(settings, images, folder), "plain": plain_epochs(settings, images)}
        sides = {name: side for name, side in sides.items() if options.side in (name, "both")}
        for side in sides.values():
            next(side)  # traces, allocates
        taken = {name: [] for name in sides}
        for _ in range(options.rounds):
            for name, side in sides.items():
                taken[name].append(next(side))
    return taken


def own_peak_mib():
    """Peak resident memory of this process since its start (ru_maxrss would count the parent it was forked from)."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peak_mib(options, side):
    """Peak resident memory of a process that does one side for one round."""
    command = [sys.executable, __file__, "--side", side, "--rounds", "1", "--data", options.data]
    command += ["--images", str(options.images), "--backend", options.backend]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(text.splitlines()[-1])["peak_mib"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="phantom")
    parser.add_argument("--rounds", type=int, default=24)
    parser.add_argument("--images", type=int, default=240)
    parser.add_argument("--backend", default="tensorflow")
    parser.add_argument("--side", choices=["both", "engram", "plain"], default="both", help="used for the memory")
    options = parser.parse_args()
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).resolve().parents[1]))
    taken = measure(options)
    if options.side != "both":
        print(json.dumps({"peak_mib": own_peak_mib()}))
        return
    ours = [row[0] for row in taken["engram"]]
    plain = [row[0] for row in taken["plain"]]
    ratios = sorted(a / b for a, b in zip(ours, plain, strict=True))
    for name, values in (("engram, training part", ours), ("engram, whole epoch", [row[1] for row in taken["engram"]])):
        print(f"{name:<24}{statistics.median(values):8.1f} images/s   ({min(values):.1f} to {max(values):.1f})")
    print(f"{'plain fit':<24}{statistics.median(plain):8.1f} images/s   ({min(plain):.1f} to {max(plain):.1f})")
    print(f"ratio, training part    {statistics.median(ratios):8.3f}            ({ratios[0]:.3f} to {ratios[-1]:.3f})")
    memory = {side: peak_mib(options, side) for side in ("engram", "plain")}
    print(f"peak memory             {memory['engram']:8.0f} MiB engram, {memory['plain']:.0f} MiB plain")


if __name__ == "__main__":
    main()
