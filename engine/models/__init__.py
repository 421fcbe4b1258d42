"""The models of Engram. `BUILDERS` is their only list: name -> build(config), which returns an uncompiled model.

Every model is a `Reconstructor`; one with a latent code also has `encode(images)`.
"""

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from engine.archives import DAMAGE
from engine.backend import choose_precision, set_keras_conventions
from engine.config import RunConfig
from engine.errors import RunDamaged
from engine.models import autoencoder, optimizer, residual, residual_variational, skip_autoencoder, unet, variational
from engine.models.optimizer import evaluation_weights
from engine.models.weights_file import check_weights
from engine.runs import Run

__all__ = ["BUILDERS", "build", "build_compiled", "evaluation_weights", "load"]

BUILDERS: dict[str, Callable[[RunConfig], Any]] = {
    "ae": autoencoder.build,
    "vae": variational.build,
    "residual-vae": residual_variational.build,
    "skip-ae": skip_autoencoder.build,
    "unet": unet.build,
    "residual-ae": residual.build,
}

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def build(config: RunConfig) -> Any:
    """Build the model of a config; its weights depend on the global seed.

    Returns:
        A Keras model whose weights exist, not yet compiled.
    """
    set_keras_conventions()
    return BUILDERS[config.model.model](config)


def build_compiled(config: RunConfig, steps_per_epoch: int = 1) -> Any:
    """Build and compile a model: Adam, the model's own loss, optimizer state included, in the configured precision.

    Args:
        config: the settings.
        steps_per_epoch: batches per epoch, for a learning-rate schedule.

    Returns:
        The compiled model.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(_POLICIES[choose_precision(config.training)[0]])
    try:
        model = build(config)
    finally:
        keras.config.set_dtype_policy(before)
    model.compile(optimizer.build(config.training, steps_per_epoch), loss=model.training_loss)
    model.optimizer.exclude_from_weight_decay([v for v in model.trainable_variables if len(v.shape) < 2])
    model.optimizer.build(model.trainable_variables)
    return model


def load(run: Run) -> Any:
    """Load the best model of a run: the architecture from its config, only the weights from its file.

    The architecture is never read from the file, and its content is checked first: see `engine.models.weights_file`.

    Raises:
        RunDamaged: the run has no model yet, its file is damaged or does not fit the config.
    """
    if not run.model_path.is_file():
        raise RunDamaged.without_model(run.name)
    model = build(run.config)
    try:
        check_weights(run.model_path, [tuple(variable.shape) for variable in model.variables])
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras only warns about weights that it did not load
            model.load_weights(run.model_path)
    except (*DAMAGE, UserWarning) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200].rstrip(".")
        raise RunDamaged(f"The model of run '{run.name}' cannot be read: {reason}.", "Train the run again.") from None
    if not all(np.isfinite(keras.ops.convert_to_numpy(weight)).all() for weight in model.weights):
        raise RunDamaged(f"The model of run '{run.name}' has weights that are no numbers.", "Train the run again.")
    return model
