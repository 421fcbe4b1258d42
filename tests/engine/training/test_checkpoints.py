import io
import json
import os
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from engine import archives, config, models
from engine.errors import RunDamaged
from engine.training import checkpoints
from engine.training.checkpoints import TrainingState
from tests.trained_runs import tiny_config


@pytest.fixture(scope="module")
def fitted():
    """A model that took two steps, and its values."""
    keras.utils.set_random_seed(3)
    model = models.build_compiled(tiny_config(model="vae"))
    images = np.random.default_rng(0).random((8, 32, 32, 1)).astype(np.float32)
    model.fit(images, images, batch_size=4, verbose=0)
    return model, contents(model)


@pytest.fixture
def model(fitted):
    """The model that took two steps, as it was then."""
    model, values = fitted
    for variable, value in zip((*model.variables, *model.optimizer.variables), values, strict=True):
        variable.assign(value)
    return model


@pytest.fixture(scope="module")
def built():
    """A model that was never trained, for what does not depend on its values."""
    return models.build_compiled(tiny_config(model="vae"))


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


def test_without_a_readable_checkpoint_the_run_is_damaged(built, tmp_path):
    checkpoints.save(tmp_path, built, TrainingState(epoch=1))
    (tmp_path / "epoch-00001" / "variables.npz").write_bytes(b"")
    with pytest.raises(RunDamaged, match="No checkpoint"):
        checkpoints.load(tmp_path, built)


@pytest.mark.parametrize("content", [None, b"", b"\0\0\0"])
def test_a_lost_state_is_rebuilt_from_the_name_and_the_history(built, tmp_path, content):
    for epoch in (2, 3):
        checkpoints.save(tmp_path, built, TrainingState(epoch=epoch, best_epoch=2, best_loss=0.2))
    lost = tmp_path / "epoch-00003" / "state.json"
    lost.unlink()
    if content is not None:
        lost.write_bytes(content)
    losses = [0.5, 0.2, 0.4, 0.1]
    history = [{"epoch": epoch, "val_loss": loss} for epoch, loss in enumerate(losses, 1)]
    assert checkpoints.load(tmp_path, built, history) == TrainingState(epoch=3, best_epoch=2, best_loss=0.2)
    assert checkpoints.load(tmp_path, built, history[1:]).epoch == 2
    shutil.rmtree(tmp_path / "epoch-00002")
    assert checkpoints.load(tmp_path, built) == TrainingState(epoch=3)


@pytest.mark.parametrize(
    "state",
    [
        {"epoch": "x"},
        {"epoch": None},
        {"epoch": -1},
        {"epoch": 7},
        {"epoch": 2, "best_loss": "x"},
        {"epoch": 2, "conditions": []},
        {"epoch": 2, "metrics": {"loss": "x"}},
        [],
        None,
    ],
)
def test_a_state_of_wrong_types_gives_way_to_the_one_before(built, tmp_path, state):
    for epoch in (1, 2):
        checkpoints.save(tmp_path, built, TrainingState(epoch=epoch))
    (tmp_path / "epoch-00002" / "state.json").write_text(json.dumps(state))
    assert checkpoints.load(tmp_path, built).epoch == 1


def test_a_deeply_nested_state_gives_way_to_the_one_before(built, tmp_path):
    for epoch in (1, 2):
        checkpoints.save(tmp_path, built, TrainingState(epoch=epoch))
    nested = '{"epoch": 2, "conditions": {"a": ' + "[" * 200_000 + "]" * 200_000 + "}}"
    (tmp_path / "epoch-00002" / "state.json").write_text(nested)
    assert checkpoints.load(tmp_path, built).epoch == 1


def damage_empty(path):
    path.write_bytes(b"")


def damage_method(path):
    """Set a compression method that no zip library knows, in the local and in the central header."""
    content = bytearray(path.read_bytes())
    central = content.index(b"PK\x01\x02")
    content[8:10] = content[central + 10 : central + 12] = (99).to_bytes(2, "little")
    path.write_bytes(content)


def damage_header(path):
    content = path.read_bytes()
    path.write_bytes(content.replace(b"{'descr'", b"{'desc(r", 1))


def damage_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def damage_bomb(path):
    """Declare 4 GB of zeros in a file of a few megabytes."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (2**30,)})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("arr_0.npy", "w") as member:
        member.write(header.getvalue())
        for _ in range(64):
            member.write(bytes(2**20))


@pytest.mark.parametrize("damage", [damage_empty, damage_method, damage_header, damage_bit, damage_bomb])
def test_damaged_variables_give_way_to_the_checkpoint_before(built, tmp_path, damage):
    for epoch in (1, 2):
        checkpoints.save(tmp_path, built, TrainingState(epoch=epoch))
    damage(tmp_path / "epoch-00002" / "variables.npz")
    assert checkpoints.load(tmp_path, built).epoch == 1


def test_an_array_of_another_shape_is_refused_before_it_is_read(built, tmp_path, monkeypatch):
    checkpoints.save(tmp_path, built, TrainingState(epoch=1))
    arrays = contents(built)
    arrays[-1] = np.zeros((2**11, 2**11), np.float32)
    with (tmp_path / "epoch-00001" / "variables.npz").open("wb") as file:
        archives.write_arrays(file, arrays)
    read = []
    monkeypatch.setattr(archives, "_read", lambda *words: read.append(words))
    with pytest.raises(RunDamaged):
        checkpoints.load(tmp_path, built)
    assert not read


def test_checkpoints_are_as_numpy_writes_them(built, tmp_path):
    checkpoints.save(tmp_path, built, TrainingState(epoch=1))
    path = tmp_path / "epoch-00001" / "variables.npz"
    written = np.load(path)
    assert all(np.array_equal(written[f"arr_{n}"], array) for n, array in enumerate(contents(built)))
    np.savez(path, *contents(built))
    assert checkpoints.load(tmp_path, built).epoch == 1


def test_a_half_written_one_is_never_seen(model, tmp_path, monkeypatch):
    checkpoints.save(tmp_path, model, TrainingState(epoch=1))

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", die)
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


def test_a_checkpoint_reaches_the_disk_in_order(built, tmp_path, monkeypatch):
    """Its files, then its folder, then its name; older ones are removed only then."""
    folder, calls = tmp_path / "checkpoint", []
    for epoch in (1, 2):
        checkpoints.save(folder, built, TrainingState(epoch=epoch))
    fsync, replace, rmtree = os.fsync, os.replace, shutil.rmtree

    def record_fsync(descriptor):
        calls.append(f"flush {Path(os.readlink(f'/proc/self/fd/{descriptor}')).name}")
        fsync(descriptor)

    def record_replace(source, target):
        calls.append(f"rename {source.name} {target.name}")
        replace(source, target)

    def record_rmtree(path, **words):
        calls.extend([f"remove {path.name}"] * path.exists())
        rmtree(path, **words)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("only Linux tells the path of a descriptor")
    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    monkeypatch.setattr(shutil, "rmtree", record_rmtree)
    checkpoints.save(folder, built, TrainingState(epoch=3))
    assert calls == [
        "flush variables.npz",
        "flush state.json",
        "flush new",
        "rename new epoch-00003",
        "flush checkpoint",
        "remove epoch-00001",
    ]


def test_a_state_without_end_gives_way_to_the_one_before(built, tmp_path):
    for epoch in (1, 2):
        checkpoints.save(tmp_path, built, TrainingState(epoch=epoch))
    os.truncate(tmp_path / "epoch-00002" / "state.json", 2**40)
    assert checkpoints.load(tmp_path, built).epoch == 1
