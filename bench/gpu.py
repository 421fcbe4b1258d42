"""What a graphics card has to show, in about ten minutes; says so where there is none.

    python bench/gpu.py [--data SOURCE] [--rounds 5] [--images 1024]

The tables of `bench/train.py` at batch 16, 64 and 256 on PyTorch: plain Keras, plain PyTorch, Engram, in float32 and
bfloat16. Then the loss of three epochs on the card beside the same three on the CPU, and two trainings at once on one
card.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import train

LOSSES = """
import sys, tempfile
from engine import config, train
settings = config.from_flat({"source": sys.argv[1], "backend": "torch", "epochs": 3}, config.preset("study-ae"))
run = train(settings, root=tempfile.mkdtemp())
print("=", *(f"{row['loss']:.6f}" for row in run.history()))
"""


def find_card():
    """Return the name of the card that PyTorch sees; None if there is none."""
    if importlib.util.find_spec("torch") is None:
        return None
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None


def compare_losses(source):
    """Print the losses of three epochs on the card and on the CPU."""
    for name, changes in (("card", {}), ("CPU", {"CUDA_VISIBLE_DEVICES": ""})):
        environment = {**os.environ, **changes, "PYTHONPATH": str(train.ROOT)}
        command = [sys.executable, "-c", LOSSES, source]
        printed = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
        print(f"losses on the {name:<6}{printed[printed.index('=') :].strip()[2:]}", flush=True)


def train_two(options):
    """Print images/s of two trainings at once."""
    sides, speeds = [train.Side("torch", options, 64) for _ in range(2)], [0.0, 0.0]

    def work(place):
        for _ in range(3):
            speeds[place] = sides[place].ask("Engram, torch, float32")[0]

    threads = [threading.Thread(target=work, args=(place,)) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for side in sides:
        side.close()
    print(f"two trainings at once, batch 64: {speeds[0]:.0f} and {speeds[1]:.0f} images/s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="phantom")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=1024)
    options = parser.parse_args()
    card = find_card()
    if card is None:
        print("There is no graphics card that PyTorch can use here. Run this on a machine with one.")
        return
    print(card, flush=True)
    settings = {"threads": 0, "clock": "wall", "memory": False, "compiled": False, "backends": ["torch"]}
    for name, value in settings.items():
        setattr(options, name, value)
    for batch in (16, 64, 256):
        train.report(options, batch, train.measure(options, batch))
    compare_losses(options.data)
    train_two(options)


if __name__ == "__main__":
    main()
