"""What the optimizer is asked for is what it does."""

import math

import keras
import numpy as np
import pytest

from engine import config, models
from engine.models import optimizer


def rates(course, steps):
    return [float(course(step)) for step in range(steps)]


def test_the_rate_rises_straight_and_falls_along_half_a_cosine():
    found = rates(optimizer.WarmupSchedule(0.1, steps=20, rising=4, cosine=True), 20)
    assert found[:4] == pytest.approx([0.025, 0.05, 0.075, 0.1])
    wanted = [0.05 * (1 + math.cos(math.pi * step / 16)) for step in range(16)]
    assert found[4:] == pytest.approx(wanted, rel=1e-5)


def test_a_constant_rate_rises_and_stays():
    assert rates(optimizer.WarmupSchedule(0.2, 10, 2, cosine=False), 4) == pytest.approx([0.1, 0.2, 0.2, 0.2])


def test_plain_settings_make_the_plain_optimizer(tiny):
    plain = models.build_compiled(tiny()).optimizer
    assert (plain.weight_decay, plain.global_clipnorm, plain.use_ema) == (None, None, False)
    assert float(plain.learning_rate) == pytest.approx(1e-3)


def test_the_rate_follows_the_steps_taken(tiny, blobs):
    model = models.build_compiled(tiny(schedule="cosine", warm_up=0.5, epochs=2), steps_per_epoch=2)
    seen = [float(model.optimizer.learning_rate)]
    for _ in range(3):
        model.fit(blobs(4), blobs(4), batch_size=4, verbose=0)
        seen.append(float(model.optimizer.learning_rate))
    assert seen == pytest.approx([5e-4, 1e-3, 1e-3, 5e-4])


def test_decay_leaves_biases_and_scales_alone(tiny, blobs):
    model = models.build_compiled(tiny(weight_decay=0.5))
    for variable in model.trainable_variables:
        assert model.optimizer._use_weight_decay(variable) == (len(variable.shape) > 1), variable.path


def test_the_averaged_weights_are_the_moving_average_of_what_training_saw(tiny, blobs):
    model = models.build_compiled(tiny(ema=0.15))
    assert all(map(np.array_equal, models.evaluation_weights(model), model.get_weights()))  # no step yet, no average
    seen = []
    for _ in range(3):
        model.fit(blobs(4), blobs(4), batch_size=4, verbose=0)
        seen.append(keras.ops.convert_to_numpy(model.trainable_variables[0]))
    wanted = 0.15 * (0.1 * seen[0] + 0.9 * seen[1]) + 0.85 * seen[2]  # momentum 0, then 1/10, then not 2/11
    at = next(i for i, weight in enumerate(model.weights) if weight is model.trainable_variables[0])
    assert models.evaluation_weights(model)[at] == pytest.approx(wanted, abs=1e-7)
    assert np.array_equal(keras.ops.convert_to_numpy(model.trainable_variables[0]), seen[-1])


def test_gradients_are_clipped_to_one_norm_together(tiny):
    made = optimizer.build(config.from_flat({"clip_norm": 2.0}).training, 1)
    assert made.global_clipnorm == 2.0
