"""The fused step on PyTorch computes what Keras' own step computes."""

import json

import pytest

from engine import backend

pytestmark = pytest.mark.skipif("torch" not in backend.installed(), reason="needs PyTorch: pip install -e '.[torch]'")

COMPARE = """
import json, sys
from contextlib import nullcontext
import keras, numpy as np
from engine import config, models
from engine.models import torch_step, train_steps

rng = np.random.default_rng(0)
images = rng.random((20, 32, 32, 1)).astype("float32")
targets = 0.2 + images / 2
fused = train_steps.fused

def train(settings, step):
    keras.utils.set_random_seed(1)
    model = models.build_compiled(settings, steps_per_epoch=3)
    model.begin_epoch(0)
    train_steps.fused = fused if step == "fused" else lambda model: nullcontext()
    history = model.fit(images, targets, batch_size=8, shuffle=False, verbose=0).history
    variables = [*model.variables, *model.optimizer.variables]
    held = {f"{n} {v.path.split('/')[-1]}": keras.ops.convert_to_numpy(v) for n, v in enumerate(variables)}
    return history, held, keras.ops.convert_to_numpy(model.reconstruct(images)), torch_step.lower(model) is not None

found = []
for changes in json.loads(sys.argv[1]):
    settings = config.from_flat(changes)
    (losses, held, made, was_lowered), (wanted, kept, known, _) = (train(settings, step) for step in ("fused", "keras"))
    # Norms make the gradient of a bias before them zero but for rounding, which Adam scales up to a step.
    far = {
        name: float(np.abs(held[name] - kept[name]).max())
        for name in kept
        if "bias" not in name and "velocity" not in name and held[name].size
    }
    found.append({
        "lowered": was_lowered,
        "loss": max(abs(losses[name][-1] / wanted[name][-1] - 1) for name in wanted),
        "weights": max(far.values()),
        "images": float(np.abs(made - known).max()),
        "steps": int(max(held[name].max() for name in held if "iteration" in name)),
    })
train_steps.fused = fused
print(json.dumps(found))
"""
SMALL = {"size": 32, "filters": (4, 8), "latent": 3, "learning_rate": 1e-4, "epochs": 3}
CASES = [
    {"model": "ae"},
    {"model": "vae", "kernel_size": 5, "stride": 4},
    {"model": "residual-vae", "norm": "layer"},
    {"model": "skip-ae", "kernel_size": 4, "activation": "relu"},
    {"model": "unet", "residual": True, "depth": 2, "activation": "silu"},
    {"model": "residual-ae", "norm": "group", "activation": "gelu"},
    {"model": "ae", "clip_norm": 0.01, "weight_decay": 0.1, "ema": 0.9, "schedule": "cosine", "warm_up": 0.2},
]


def known_changes(case):
    from engine import config

    names = {spec.name for section in config.sections(case["model"]).values() for spec in config.list_fields(section)}
    return {name: value for name, value in {**SMALL, **case}.items() if name in names | {"model"}}


def test_losses_and_weights_equal_those_of_keras(run_on):
    for case, found in zip(
        CASES, json.loads(run_on("torch", COMPARE, json.dumps([*map(known_changes, CASES)]))), strict=True
    ):
        assert found["lowered"], case
        assert found["steps"] == 3, case
        assert found["loss"] < 1e-5, (case, found)
        assert found["weights"] < 2e-5, (case, found)
        assert found["images"] < 1e-3, (case, found)


def test_a_layer_that_is_not_known_falls_back_to_keras(run_on):
    (found,) = json.loads(run_on("torch", COMPARE, json.dumps([known_changes({"model": "ae", "kernel_size": 1})])))
    assert not found["lowered"]
    assert found["weights"] == 0
