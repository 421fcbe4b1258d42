"""Rebuild the ready-made runs in resources/demo: an AE and a VAE, trained on phantoms. `make demo-run` calls this.

Needs some ten minutes of two cores. To be done again when the phantoms or the models change. It stays under 8 MB.
"""

import sys
import tempfile
from pathlib import Path

from engine import config, demo, training
from engine.cli.meter import Meter

SETTINGS = {
    "source": "phantom",
    "size": 96,
    "phantom_count": 2400,
    "filters": (16, 32, 64, 96, 96),
    "latent": 128,
    "learning_rate": 1e-3,
}
MODELS = {"ae": {"epochs": 40}, "vae": {"epochs": 30}}
PREVIEWS = (1, 2, 3, 5, 8, 12, 16, 20, 25, 30, 35, 40)
LIMIT_BYTES = 8 * 2**20


def main() -> None:
    """Train both models in a folder for the time being, and pack them."""
    with tempfile.TemporaryDirectory() as folder:
        for model, own in MODELS.items():
            settings = config.build({"model": model, **SETTINGS, **own})
            meter = Meter(sys.stderr, settings.model.loss_unit)
            run = training.train(settings, run=f"demo-{model}", root=folder, emit=meter)
            demo.pack(run, demo.PACKED / run.name, PREVIEWS)
    size = sum(file.stat().st_size for file in Path(demo.PACKED).rglob("*") if file.is_file())
    print(f"{demo.PACKED}: {size / 2**20:.1f} MB")
    if size > LIMIT_BYTES:
        sys.exit(f"That is more than the {LIMIT_BYTES / 2**20:.0f} MB it may take: keep fewer previews or filters.")


if __name__ == "__main__":
    main()
