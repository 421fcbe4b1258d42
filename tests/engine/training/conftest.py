"""Epochs that take no time, for tests of what a training does beside computing."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from engine import models
from engine.evaluation import scoring
from engine.training import trainer

LOSSES = (0.5, 0.3, 0.4)


class Fitted:
    """What the training loop returns of one epoch."""

    def __init__(self, epoch: int) -> None:
        self.history = {"loss": [LOSSES[epoch] - 0.1]}


def fit(model, batches, *, initial_epoch, **_):
    """Change every weight, as a function of its value and the epoch alone, in place of a training."""
    for variable in [*model.trainable_variables, *model.optimizer.variables]:
        value = keras.ops.convert_to_numpy(variable)
        variable.assign((value * 3 + initial_epoch + 1) % 7 if value.dtype.kind == "f" else value + 1)
    model.epoch = initial_epoch
    return Fitted(initial_epoch)


class BuiltOnce:
    """A function that builds a model, at its first call; later calls give that model back with its first values."""

    def __init__(self, build) -> None:
        self._build, self._model, self._values = build, None, []

    def __call__(self, *settings):
        """Return the model."""
        if self._model is None:
            self._model = self._build(*settings)
            self._values = [keras.ops.convert_to_numpy(each) for each in self._list_variables()]
        for variable, value in zip(self._list_variables(), self._values, strict=True):
            variable.assign(value)
        return self._model

    def _list_variables(self) -> list:
        return [*self._model.variables, *getattr(getattr(self._model, "optimizer", None), "variables", ())]


@pytest.fixture(scope="module")
def quick_epochs():
    """Replace what takes long, to build a model and to compute an epoch, by what does not; the files are as ever."""
    with pytest.MonkeyPatch.context() as patch:
        built = {name: BuiltOnce(getattr(models, name)) for name in ("build", "build_compiled")}
        patch.setattr(trainer, "models", SimpleNamespace(**{**vars(models), **built}))
        patch.setattr(keras.Model, "fit", fit)
        patch.setattr(scoring, "score", lambda model, *_: {"loss": np.array([LOSSES[model.epoch]])})
        patch.setattr(scoring, "reconstruct", lambda model, given: given)
        yield
