"""Rebuild the ready-made runs in resources/demo: an AE, a VAE and a denoiser. `make demo-run` calls this.

    python scripts/build_demo_run.py [NAME ...]

All are trained on phantoms. Needs half an hour of two cores. To be done again when the phantoms or the models change: a
test says so.
"""

import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from engine import config, data, demo_runs
from engine.cli.console import ConsoleProgress
from engine.runs import Run
from engine.training import job

SETTINGS = {"source": "phantom", "size": 96, "phantom_count": 2400, "learning_rate": 1e-3}
RUNS = {
    "demo-ae": {"model": "ae", "filters": (24, 48, 24), "latent": 128, "epochs": 40},
    "demo-vae": {"model": "vae", "filters": (24, 48, 24), "latent": 48, "epochs": 30},
    # Contrast and brightness vary more than those of the phantoms, since it is used on real images too.
    "demo-denoiser": {
        "model": "unet", "filters": (16, 32, 64), "residual": True, "norm": "none", "epochs": 44, "batch_size": 8,
        "noise": "gaussian-or-rician", "noise_high": 0.15, "flip": 0.5, "gamma": 0.4, "gain": 0.3, "rotation": 15,
        "zoom": 0.15, "schedule": "cosine", "warm_up": 0.02, "clip_norm": 1.0, "ema": 0.999,
    },
}  # fmt: skip
PREVIEWS = (1, 2, 3, 5, 8, 12, 20, 30, 40, 44)
LIMIT_BYTES = 9 * 2**20


def main() -> None:
    """Train the named models, or all, in a folder for the time being, and pack them."""
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:] or RUNS:
            settings = config.from_flat({**SETTINGS, **RUNS[name]})
            meter = ConsoleProgress(sys.stderr, settings.model.loss_unit)
            run = job.train(settings, run=name, root=folder, emit=meter)
            name_originals(demo_runs.pack(run, demo_runs.PACKED / run.name, PREVIEWS))
    size = sum(file.stat().st_size for file in Path(demo_runs.PACKED).rglob("*") if file.is_file())
    print(f"{demo_runs.PACKED}: {size / 2**20:.1f} MB")
    if size > LIMIT_BYTES:
        sys.exit(f"That is more than the {LIMIT_BYTES / 2**20:.0f} MB it may take: keep fewer previews or filters.")


def name_originals(run: Run) -> None:
    """Write down which phantoms the previews show, so that a test can make them again."""
    split = data.load(config=run.config.data).validation
    images = np.round(split.read()[..., 0] * 255).astype(np.uint8)
    names = [
        split.names[int(np.flatnonzero((images == original).all(axis=(1, 2)))[0])]
        for original in np.load(run.previews / "originals.npy")
    ]
    (run.previews / "names.json").write_text(json.dumps(names, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
