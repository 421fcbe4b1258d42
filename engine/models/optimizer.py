"""Adam with optional learning-rate schedule, gradient clipping, decoupled weight decay and averaged weights.

The learning rate is a pure function of the number of steps, which a checkpoint stores, so that a resumed run is
bit-identical to an uninterrupted one.
"""

import math
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from engine.config import TrainingConfig


@keras.saving.register_keras_serializable("engram", name="Course")  # the name in saved models
class WarmupSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Learning-rate schedule: linear warm-up from zero, then constant or a half cosine down to zero.

    Loshchilov, Hutter: SGDR: stochastic gradient descent with warm restarts. arXiv:1608.03983 (2016), without restarts.

    Args:
        rate: highest learning rate.
        steps: steps of the whole run.
        rising: steps of the warm-up.
        cosine: whether it decays after the warm-up.
    """

    def __init__(self, rate: float, steps: int, rising: int, cosine: bool) -> None:
        super().__init__()
        self.rate, self.steps, self.rising, self.cosine = rate, steps, rising, cosine

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step, counted from 0, float32."""
        step = ops.cast(step, "float32")
        rise = ops.minimum((step + 1.0) / max(self.rising, 1), 1.0)
        done = ops.clip((step - self.rising) / max(self.steps - self.rising, 1), 0.0, 1.0)
        fall = 0.5 * (1.0 + ops.cos(math.pi * done)) if self.cosine else 1.0
        return self.rate * rise * fall

    def get_config(self) -> dict[str, Any]:
        """Return the arguments from which Keras rebuilds the schedule."""
        return {"rate": self.rate, "steps": self.steps, "rising": self.rising, "cosine": self.cosine}


def build(training: TrainingConfig, steps_per_epoch: int) -> Any:
    """Build the optimizer of a run.

    Args:
        training: learning rate, schedule, warm-up, clip norm, weight decay, averaging, epochs.
        steps_per_epoch: batches per epoch.

    Returns:
        A Keras Adam; with `weight_decay` its decay is decoupled (AdamW: Loshchilov, Hutter, arXiv:1711.05101).
    """
    rate: Any = training.learning_rate
    if training.schedule == "cosine" or training.warm_up:
        steps = training.epochs * steps_per_epoch
        rate = WarmupSchedule(rate, steps, round(training.warm_up * steps), training.schedule == "cosine")
    made = keras.optimizers.Adam(
        rate,
        weight_decay=training.weight_decay or None,
        global_clipnorm=training.clip_norm or None,
        use_ema=training.ema > 0.0,
        ema_momentum=training.ema or 0.99,
    )
    if training.ema:
        made.finalize_variable_values = _no_finalize  # else every `fit` ends by replacing the weights with the averages
        made._update_model_variables_moving_average = _WeightEMA(made, training.ema)
    if keras.backend.backend() == "tensorflow":
        made.update_step = _FusedUpdate(made)
    return made


def _no_finalize(variables: Any) -> None:
    pass


class _FusedUpdate:
    """Keras' step of Adam on TensorFlow in one pass over each weight, in place of eight; the formula is the same."""

    def __init__(self, optimizer: Any) -> None:
        self.optimizer = optimizer

    def __call__(self, gradient: Any, variable: Any, rate: Any) -> None:
        import tensorflow

        adam, at = self.optimizer, self.optimizer._get_variable_index(variable)
        step = ops.cast(adam.iterations + 1, variable.dtype)
        tensorflow.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=adam._momentums[at].value.handle,
            v=adam._velocities[at].value.handle,
            beta1_power=ops.power(ops.cast(adam.beta_1, variable.dtype), step),
            beta2_power=ops.power(ops.cast(adam.beta_2, variable.dtype), step),
            lr=ops.cast(rate, variable.dtype),
            beta1=adam.beta_1,
            beta2=adam.beta_2,
            epsilon=adam.epsilon,
            grad=ops.cast(gradient, variable.dtype),
        )


class _WeightEMA:
    """Update of the averages of the weights after a step, with a momentum that forgets the start quickly.

    The momentum at step t is min(momentum, t / (t + 9)), in place of Keras' constant one, with which a third of the
    average would still be the untrained weights after a thousand steps at 0.999.
    """

    def __init__(self, optimizer: Any, momentum: float) -> None:
        self.optimizer, self.momentum = optimizer, momentum

    def __call__(self, weights: Any) -> None:
        step = ops.cast(self.optimizer.iterations, "float32")
        momentum = ops.minimum(self.momentum, step / (step + 9.0))
        for weight, average in zip(weights, self.optimizer._model_variables_moving_average, strict=True):
            average.assign(momentum * average + (1.0 - momentum) * ops.cast(weight, average.dtype))


def evaluation_weights(model: Any) -> list[NDArray[Any]]:
    """Return the weights to validate and save: the averaged ones if averaging is on, else the trained ones.

    Returns:
        Arrays in the order of `model.weights`. Statistics of batch normalization, averages themselves, are the model's.
    """
    optimiser = model.optimizer
    averages: dict[int, Any] = {}
    if optimiser.use_ema and int(optimiser.iterations):
        moving = optimiser._model_variables_moving_average
        averages = {id(v): average for v, average in zip(model.trainable_variables, moving, strict=True)}
    return [np.asarray(ops.convert_to_numpy(averages.get(id(v), v))) for v in model.weights]
