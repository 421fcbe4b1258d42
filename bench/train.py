"""Training speed of the reference study's autoencoder: Engram with everything on, and every plain way to train it.

    python bench/train.py [--data SOURCE] [--rounds 8] [--images 240] [--batch 16 32 64] [--backends torch tensorflow]

One table, medians and the spread from the lowest to the highest, and ratios to the baselines of the same backend. The
rows take turns, an epoch each, so that a busy machine slows all alike. Each backend has a process of its own; while
one trains, the others wait. Plain rows are float32 arrays in memory without callbacks, validation or checkpoints.
Engram's rows emit events, make previews, validate and write checkpoints: first the images/s of the training part, as it
reports them, then of the whole epoch, with a tenth as many validation images.

    --clock cpu   counts processor seconds in place of the clock's: what a busy machine shows best, with --threads 1
    --memory      also the peak memory of each row, in a process that does nothing else
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
PLAIN = {
    "eager": (),
    "fused Adam": ("fused",),
    "fused, channels-last": ("fused", "channels-last"),
    "fused, channels-last, bfloat16": ("fused", "channels-last", "bfloat16"),
    "compiled": ("fused", "channels-last", "compiled"),
    "compiled, bfloat16": ("fused", "channels-last", "compiled", "bfloat16"),
}
PLAIN_KERAS = {"torch": ("",), "jax": ("",), "tensorflow": ("", "bfloat16", "XLA")}
# What Engram is measured against, by backend and precision.
BASELINES = {
    ("torch", "float32"): "plain PyTorch, fused, channels-last",
    ("torch", "bfloat16"): "plain PyTorch, fused, channels-last, bfloat16",
}


class Shortened:
    """A split cut short."""

    def __init__(self, split, count):
        self.split, self.rows = split, np.arange(min(count, len(split)))

    def __len__(self):
        return len(self.rows)

    def read(self, which=slice(None)):
        return self.split.read(self.rows[which])


def row_names(backend, options):
    """Return the rows of a backend, baselines first."""
    plain = [f"plain PyTorch, {name}" for name in PLAIN] if backend == "torch" else []
    kept = [name for name in plain if options.compiled or "compiled" not in name]
    precisions = ("float32",) if backend == "jax" else ("float32", "bfloat16")
    keras_rows = [", ".join(filter(None, (f"plain Keras fit, {backend}", how))) for how in PLAIN_KERAS[backend]]
    return [*keras_rows, *kept, *(f"Engram, {backend}, {each}" for each in precisions)]


def engram_epochs(settings, images, clock):
    """Yield (images/s of the training part, images/s of the whole epoch), one epoch a step."""
    from engine import runs
    from engine.job_context import UNATTENDED
    from engine.messages import EpochEnded
    from engine.training import callbacks, trainer

    callbacks.time = SimpleNamespace(perf_counter=clock)
    with tempfile.TemporaryDirectory() as folder:
        run = runs.create_run(settings, "bench", folder)
        work = trainer.Trainer(run, settings, images, run.append, UNATTENDED)
        work.start()
        while True:
            began = clock()
            work.run_epoch()
            seconds = clock() - began
            last = [event for event in run.events() if isinstance(event, EpochEnded)][-1]
            yield last.metrics["images_per_s"], len(images.train) / seconds


def plain_epochs(settings, images, clock, how):
    """Yield images/s of Keras' own `fit`, with Keras' own step, one epoch a step; plain, in bfloat16, or with XLA."""
    import keras

    from engine import models

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if how == "bfloat16" else "float32")
    built = models.build(settings)
    model = keras.Model(built.encoder.input, built.decoder(built.encoder.output))
    keras.config.set_dtype_policy(before)
    # Keras itself compiles with XLA only where there is a GPU.
    with_xla = {"jit_compile": True} if how == "XLA" else {}
    model.compile(keras.optimizers.Adam(settings.training.learning_rate), loss="mse", **with_xla)
    arrays = images.train.read()
    while True:
        began = clock()
        model.fit(arrays, arrays, batch_size=settings.training.batch_size, epochs=1, verbose=0)
        yield (len(arrays) / (clock() - began),)


def torch_epochs(settings, images, clock, options):
    """Yield images/s of plain PyTorch, one epoch a step; a plain program asks for no determinism."""
    import torch

    from bench import plain_torch

    arrays = images.train.read()
    side = plain_torch.epochs(arrays, settings.training.batch_size, options)
    while True:
        asked = torch.are_deterministic_algorithms_enabled()
        torch.use_deterministic_algorithms(False)
        began = clock()
        next(side)
        seconds = clock() - began
        torch.use_deterministic_algorithms(asked, warn_only=True)
        yield (len(arrays) / seconds,)


def start_row(name, backend_name, options):
    """Return the generator of a row."""
    from engine import backend, config, data

    changes = {"source": options.data, "backend": backend_name, "epochs": 10_000, "batch_size": options.batch[0]}
    changes |= {"threads": options.threads, "precision": "bfloat16" if name.endswith("bfloat16") else "float32"}
    settings = config.from_flat(changes, config.preset("study-ae"))
    backend.configure(settings.training)
    whole = data.load(config=settings.data)
    images = Parts(whole, options.images)
    clock = time.process_time if options.clock == "cpu" else time.perf_counter
    if name.startswith("Engram"):
        return engram_epochs(settings, images, clock)
    if name.startswith("plain Keras"):
        return plain_epochs(settings, images, clock, name.split(", ", 2)[2] if name.count(", ") == 2 else "")
    return torch_epochs(settings, images, clock, PLAIN[name.removeprefix("plain PyTorch, ")])


class Parts:
    """A dataset cut short: as many training images as asked for, a tenth as many for validation."""

    def __init__(self, whole, count):
        self._whole = whole
        self.train, self.validation = Shortened(whole.train, count), Shortened(whole.validation, max(8, count // 10))

    def __getattr__(self, name):
        return getattr(self._whole, name)


def serve(options):
    """Train an epoch of the row that each line of input names, and print its images/s."""
    rows = {}
    for line in sys.stdin:
        name = line.rstrip("\n")
        if name not in rows:
            rows[name] = start_row(name, options.serve, options)
        print("=" + json.dumps([*next(rows[name]), own_peak_mib()]), flush=True)


def own_peak_mib():
    """Return the peak resident memory of this process since its start (ru_maxrss would count its parent)."""
    status = Path("/proc/self/status")
    return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) / 1024 if status.exists() else float("nan")


class Side:
    """A process that trains the rows of one backend."""

    def __init__(self, backend, options, batch):
        command = [sys.executable, __file__, "--serve", backend, "--data", options.data, "--batch", str(batch)]
        command += ["--images", str(options.images), "--threads", str(options.threads), "--clock", options.clock]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        if options.threads:
            environment["OMP_NUM_THREADS"] = str(options.threads)
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, env=environment
        )

    def ask(self, name):
        """Return images/s of the training part, of the whole epoch where there is one, and the peak memory in MiB."""
        self.process.stdin.write(f"{name}\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith("="):
                return json.loads(line[1:])
        raise SystemExit(f"{name} ended without a result; run `{' '.join(self.process.args)}` to see why.")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def measure(options, batch):
    """Return images/s by row, one list per round."""
    sides = {name: Side(name, options, batch) for name in options.backends}
    rows = {row: backend for backend in sides for row in row_names(backend, options)}
    for row, backend in rows.items():
        print(f"Starting {row}.", file=sys.stderr, flush=True)
        sides[backend].ask(row)  # traces, allocates, compiles
    taken = {row: [] for row in rows}
    for _ in range(options.rounds):
        for row, backend in rows.items():
            taken[row].append(sides[backend].ask(row)[:-1])
    for side in sides.values():
        side.close()
    return taken


def measure_memory(options, batch, row, backend):
    """Return the peak memory of a process that does one row for two epochs."""
    side = Side(backend, options, batch)
    side.ask(row)
    peak = side.ask(row)[-1]
    side.close()
    return peak


def report(options, batch, taken):
    """Print the table of one batch size."""
    print(f"\nBatch {batch}: images/s, medians of {options.rounds} epochs of {options.images} images ({options.clock})")
    print(f"{'':<50}{'training':>9}{'spread':>16}{'epoch':>8}{'ratio':>7}{'MiB':>7}")
    for row, values in taken.items():
        speeds = [value[0] for value in values]
        backend = next(name for name in options.backends if row in row_names(name, options))
        known = BASELINES.get((backend, row.split(", ")[-1]), f"plain Keras fit, {backend}")
        ratio = statistics.median(ours[0] / plain[0] for ours, plain in zip(values, taken[known], strict=True))
        epoch = f"{statistics.median(value[1] for value in values):8.1f}" if len(values[0]) > 1 else " " * 8
        spread = f"{min(speeds):.1f} to {max(speeds):.1f}"
        compared = f"{ratio:7.2f}" if row.startswith("Engram") else " " * 7
        peak = f"{measure_memory(options, batch, row, backend):7.0f}" if options.memory else ""
        print(f"{row:<50}{statistics.median(speeds):9.1f}{spread:>16}{epoch}{compared}{peak}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="phantom")
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--images", type=int, default=240)
    parser.add_argument("--batch", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--backends", nargs="+", help="default: those that are installed")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    parser.add_argument("--compiled", action="store_true", help="also torch.compile, which needs a C++ compiler")
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if options.serve:
        serve(options)
        return
    from engine import backend

    options.backends = options.backends or backend.installed()
    for batch in options.batch:
        report(options, batch, measure(options, batch))


if __name__ == "__main__":
    main()
