import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest

from engine import config, models
from engine.errors import RunDamaged
from engine.training import checkpoints
from engine.training.checkpoints import TrainingState


@pytest.fixture
def model(tiny):
    keras.utils.set_random_seed(3)
    model = models.build_compiled(tiny(model="vae"))
    images = np.random.default_rng(0).random((8, 32, 32, 1)).astype(np.float32)
    model.fit(images, images, batch_size=4, verbose=0)
    return model


def contents(model):
    return [keras.ops.convert_to_numpy(variable) for variable in (*model.variables, *model.optimizer.variables)]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(contents(first), contents(second), strict=True))


def test_everything_comes_back_seeds_and_optimizer_included(model, tiny, tmp_path):
    state = TrainingState(epoch=4, best_epoch=3, best_loss=0.25, conditions={"threads": 2})
    checkpoints.save(tmp_path, model, state)
    other = models.build_compiled(tiny(model="vae"))
    assert not same(model, other)
    assert checkpoints.load(tmp_path, other) == state
    assert same(model, other)
    assert any("seed" in variable.path for variable in other.variables)
    assert int(keras.ops.convert_to_numpy(other.optimizer.iterations)) == 2


def test_without_a_checkpoint_training_starts_at_zero(model, tmp_path):
    assert checkpoints.load(tmp_path, model) == TrainingState()


def test_the_last_two_are_kept(model, tmp_path):
    for epoch in range(1, 5):
        checkpoints.save(tmp_path, model, TrainingState(epoch=epoch))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch-00003", "epoch-00004"]


@pytest.mark.parametrize("name", ["variables.npz", "state.json"])
def test_a_damaged_checkpoint_yields_to_the_one_before(model, tmp_path, name):
    for epoch in (1, 2):
        checkpoints.save(tmp_path, model, TrainingState(epoch=epoch))
    damaged = tmp_path / "epoch-00002" / name
    damaged.write_bytes(damaged.read_bytes()[: damaged.stat().st_size // 2])
    assert checkpoints.load(tmp_path, model).epoch == 1
    shutil.rmtree(tmp_path / "epoch-00001")
    with pytest.raises(RunDamaged, match="No checkpoint"):
        checkpoints.load(tmp_path, model)


def test_a_half_written_one_is_never_seen(model, tmp_path, monkeypatch):
    checkpoints.save(tmp_path, model, TrainingState(epoch=1))

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints.os, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        checkpoints.save(tmp_path, model, TrainingState(epoch=2))
    assert checkpoints.load(tmp_path, model).epoch == 1
    monkeypatch.undo()
    checkpoints.save(tmp_path, model, TrainingState(epoch=2))
    assert checkpoints.load(tmp_path, model).epoch == 2


def test_a_checkpoint_of_another_model_is_refused_and_nothing_is_assigned(model, tiny, tmp_path):
    checkpoints.save(tmp_path, model, TrainingState(epoch=1))
    other = models.build_compiled(config.from_flat({"latent": 5}, tiny(model="vae")))
    before = contents(other)
    with pytest.raises(RunDamaged):
        checkpoints.load(tmp_path, other)
    assert all(np.array_equal(a, b) for a, b in zip(before, contents(other), strict=True))


def test_no_state_is_lost_between_json_and_back(model, tmp_path):
    state = TrainingState(epoch=1, best_loss=0.1 + 0.2)
    checkpoints.save(tmp_path, model, state)
    assert checkpoints.load(tmp_path, model) == state
    assert replace(state, epoch=2) != state
