"""Time to quality: seconds from the start of a training to the reference study's training loss, for each preset.

    python bench/time_to_quality.py DATA [--presets study-ae fast-512 study-vae fast-vae] [--threads 2] [--backend NAME]

The figures are the reference study's MSE of 0.003926, and 6,388 nats per image for its VAE, both with 512 latent
dimensions. Each preset trains in a process of its own, as the command `engram train` does. The clock starts before the
process does and stops at the end of the first epoch whose mean training loss is at most the figure. "Start-up" is the
part until the model is built: importing the backend, reading the images from their cache. Processor seconds hold on a
busy machine, the clock's do not. The last columns divide the seconds by those of the first preset with the same figure:
all of them, and those after the start-up.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from engine import config, data

ROOT = Path(__file__).resolve().parents[1]
FIGURES = {"": 0.003926, "nats": 6388.0}
WIDTH = 15
PRESETS = ("study-ae", "fast-512", "study-vae", "fast-vae")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--presets", nargs="+", default=PRESETS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--backend", default="tensorflow")
    options = parser.parse_args()
    columns = ("preset", "figure", "epoch", "loss", "wall s", "CPU s", "start-up wall", "CPU", "sooner wall", "CPU")
    print("".join(f"{name:>{WIDTH}}" for name in (*columns, "after start-up", "CPU")))
    references = {}
    for preset in options.presets:
        settings = config.preset(preset)
        data.load(config=settings.data.model_copy(update={"source": options.data}))
        figure = FIGURES[settings.model.loss_unit]
        epoch, loss, start, end = measure(preset, figure, options)
        first_start, first_end = references.setdefault(figure, (start, end))
        ratios = [before / now for before, now in zip(first_end, end, strict=True)]
        ratios += [
            (before - up) / (now - begun)
            for before, up, now, begun in zip(first_end, first_start, end, start, strict=True)
        ]
        cells = [preset, f"{figure:g}", epoch, f"{loss:.6g}", *(f"{value:.1f}" for value in (*end, *start, *ratios))]
        print("".join(f"{cell:>{WIDTH}}" for cell in cells), flush=True)


def measure(preset, figure, options):
    """Return epoch and loss when a training first reaches a loss; (wall, CPU) seconds of its start-up, and in all."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["train", "--preset", preset, "--data", options.data, "--run", "timed", "--runs", folder]
        words += ["--threads", str(options.threads), "--backend", options.backend]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        began = time.perf_counter()
        child = subprocess.Popen([sys.executable, "-m", "engine", *words], env=environment, stdout=sys.stderr)
        for event in follow(Path(folder, "timed", "events.jsonl"), child):
            seconds = (time.perf_counter() - began, read_processor_seconds(child.pid))
            if "train_images" in event:
                start = seconds
            elif event["metrics"]["loss"] <= figure:
                child.kill()
                child.wait()
                return event["epoch"], event["metrics"]["loss"], start, seconds
    sys.exit(f"{preset} never reached {figure:g}.")


def follow(path, child):
    """Yield the events of a training that starts or ends epochs as they happen."""
    seen = 0
    while child.poll() is None:
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        for line in (line for line in lines[seen:] if line.endswith("\n")):
            seen += 1
            event = json.loads(line)
            if "train_images" in event or "batch_losses" in event:
                yield event
        time.sleep(0.05)


def read_processor_seconds(number):
    """Return the processor seconds that a running process has used (Linux)."""
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
