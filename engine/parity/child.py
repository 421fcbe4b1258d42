"""Process that computes on one backend: `python -m engine.parity.child BACKEND RUN IMAGES TARGET`.

It loads the run's model on the backend, processes the images, and saves every layer's activations in the folder TARGET.
An error is the last line of stderr.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine import backend, runs
from engine.config import TrainingConfig
from engine.errors import EngramError

REFUSED = 2


def main(arguments: Sequence[str]) -> int:
    """Record one backend; the exit status is 2 after an error that the user can fix."""
    name, path, images, target = arguments
    try:
        run = runs.open_run(path)
        settings = TrainingConfig.model_validate({"backend": name, "threads": run.config.training.threads})
        backend.import_on_backend("engine.parity.recording", settings).record(run, np.load(images), Path(target))
    except EngramError as error:
        sys.stderr.write(f"\n{error}\n")
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
