"""The models of Engram. `BUILDERS` is the only list of them: name -> build(config), which returns a compiled model.

Every model is a `Reconstructor`; one with a latent has `encode(images)` too.
"""

import warnings
import zipfile
from collections.abc import Callable
from typing import Any

from engine.backend import set_keras_conventions
from engine.config import RunConfig
from engine.errors import RunDamaged
from engine.models import autoencoder, optimizer, residual, residual_variational, skip_autoencoder, unet, variational
from engine.models.optimizer import evaluation_weights
from engine.runs import Run

__all__ = ["BUILDERS", "build", "build_compiled", "evaluation_weights", "load"]

MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}
BUILDERS: dict[str, Callable[[RunConfig], Any]] = {
    "ae": autoencoder.build,
    "vae": variational.build,
    "residual-vae": residual_variational.build,
    "skip-ae": skip_autoencoder.build,
    "unet": unet.build,
    "residual-ae": residual.build,
}


def build(config: RunConfig) -> Any:
    """Build the model that a config names; its weights follow the global seed.

    Returns:
        A Keras model whose weights exist, not yet compiled.
    """
    set_keras_conventions()
    return BUILDERS[config.model.model](config)


def build_compiled(config: RunConfig, steps_per_epoch: int = 1) -> Any:
    """Build a model and make it ready to train: Adam, the model's own loss, optimiser state included.

    Args:
        config: the settings.
        steps_per_epoch: batches of an epoch, for a learning rate that has a course.

    Returns:
        The compiled model.
    """
    model = build(config)
    model.compile(optimizer.build(config.training, steps_per_epoch), loss=model.training_loss)
    model.optimizer.exclude_from_weight_decay([v for v in model.trainable_variables if len(v.shape) < 2])
    model.optimizer.build(model.trainable_variables)
    return model


def load(run: Run) -> Any:
    """Load the best model of a run: our architecture from its config, only the weights from its file.

    A file is never trusted with the architecture: what it may hold is checked first (members, sizes, packing ratio).

    Raises:
        RunDamaged: the run has no model yet, or its file does not fit the config.
    """
    if not run.model_path.is_file():
        raise RunDamaged.without_model(run.name)
    model = build(run.config)
    _check_archive(run, model.count_params())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras only warns where it leaves weights as they were
            model.load_weights(run.model_path)
    except (OSError, ValueError, KeyError, RuntimeError, UserWarning) as error:
        reason = str(error).strip().splitlines()[0][:200]
        raise RunDamaged(f"The model of run '{run.name}' cannot be read: {reason}", "Train the run again.") from None
    return model


def _check_archive(run: Run, parameters: int) -> None:
    limit = 16 * 2**20 + 8 * parameters
    try:
        with zipfile.ZipFile(run.model_path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            names = {member.filename for member in archive.infolist()}
    except (OSError, zipfile.BadZipFile):
        raise RunDamaged(f"The model file of run '{run.name}' is not a Keras file.", "Train the run again.") from None
    if unpacked > limit or not names <= MEMBERS:
        raise RunDamaged(
            f"The model file of run '{run.name}' contains objects that are not part of Engram.",
            "It was not opened, for safety. Train the run again.",
        )
