"""Model files that are damaged or made to do harm: refused with a sentence, before their arrays are read."""

import io
import zipfile

import h5py
import keras
import numpy as np
import pytest

from engine import models, runs
from engine.errors import RunDamaged

WEIGHTS = "model.weights.h5"


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A run with a model that was never trained, and its model file's content."""
    from tests.trained_runs import tiny_config

    run = runs.create_run(tiny_config(), "one", tmp_path_factory.mktemp("runs"))
    models.build(run.config).save(run.model_path)
    return run, run.model_path.read_bytes()


@pytest.fixture
def run(saved):
    run, content = saved
    run.model_path.write_bytes(content)
    return run


def rewrite(run, change):
    """Change the HDF5 file inside a run's model file with `change(file)`."""
    with zipfile.ZipFile(run.model_path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    content = io.BytesIO(members[WEIGHTS])
    with h5py.File(content, "r+") as file:
        change(file)
    members[WEIGHTS] = content.getvalue()
    with zipfile.ZipFile(run.model_path, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)


def test_a_packed_file_that_declares_less_than_it_holds_is_refused_before_it_is_unpacked(run, monkeypatch):
    with zipfile.ZipFile(run.model_path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(run.model_path, "w", zipfile.ZIP_LZMA) as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    monkeypatch.setattr(zipfile.ZipFile, "open", None)
    with pytest.raises(RunDamaged, match="it is packed"):
        models.load(run)


def first_array(file):
    found = []
    file.visititems(lambda name, entry: found.append(name) if isinstance(entry, h5py.Dataset) else None)
    return found[0]


def replace_array(file, **words):
    name = first_array(file)
    shape, content = file[name].shape, file[name][()]
    del file[name]
    file.create_dataset(name, **{"data": content, "shape": shape, **words})


def test_a_whole_file_is_loaded(run):
    assert models.load(run).count_params() > 0
    rewrite(run, lambda file: None)
    assert models.load(run).count_params() > 0


@pytest.mark.parametrize("place", [0.3, 0.5, 0.7, 0.9])
def test_a_flipped_bit_is_a_sentence(run, place):
    content = bytearray(run.model_path.read_bytes())
    content[int(len(content) * place)] ^= 1
    run.model_path.write_bytes(content)
    with pytest.raises(RunDamaged, match="The model of run 'one' cannot be read"):
        models.load(run)


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive"])
def test_what_is_no_archive_is_a_sentence(run, content):
    run.model_path.write_bytes(content)
    with pytest.raises(RunDamaged, match="cannot be read"):
        models.load(run)


HARMFUL = {
    "larger": lambda file: replace_array(file, data=None, shape=(2**16, 2**16), dtype="f4"),
    "packed": lambda file: replace_array(file, chunks=True, compression="gzip"),
    "elsewhere": lambda file: replace_array(file, data=None, dtype="f4", external=[("/etc/hostname", 0, 2**40)]),
    "text": lambda file: replace_array(file, data=None, dtype=h5py.string_dtype()),
    "one more": lambda file: file.create_dataset("more", shape=(2**20,), dtype="f4"),
}


@pytest.mark.parametrize("change", HARMFUL.values(), ids=HARMFUL)
def test_a_harmful_array_is_refused_before_keras_reads_it(run, change, monkeypatch):
    def read(*_, **__):
        pytest.fail("Keras read the file")

    rewrite(run, change)
    monkeypatch.setattr(keras.Model, "load_weights", read)
    with pytest.raises(RunDamaged, match="cannot be read: it contains"):
        models.load(run)


def test_weights_that_are_no_numbers_are_a_sentence(run):
    def poison(file):
        file[first_array(file)][...] = np.nan

    rewrite(run, poison)
    with pytest.raises(RunDamaged, match="weights that are no numbers"):
        models.load(run)
