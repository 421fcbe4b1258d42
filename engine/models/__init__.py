"""The models of Engram. `BUILDERS` is the only list of them: name -> build(config), which returns a compiled model.

Every model has `encode(images)` and `reconstruct(images)` beside what Keras gives it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.config import RunConfig
from engine.models import autoencoder, variational

BUILDERS: dict[str, Callable[[RunConfig], Any]] = {"ae": autoencoder.build, "vae": variational.build}


def build(config: RunConfig) -> Any:
    """Build and compile the model that a config names; its weights follow the global seed.

    Returns:
        A compiled Keras model whose weights and optimiser state exist.
    """
    model = BUILDERS[config.model.model](config)
    model(np.zeros((1, config.data.size, config.data.size, 1), "float32"))
    model.optimizer.build(model.trainable_variables)
    return model
