"""A tiny run of each kind of model, and an explorer that answers about them."""

import pytest

from engine.explorer.explorer import Explorer
from engine.messages import never_stop


@pytest.fixture(scope="package")
def run(trained):
    """A tiny autoencoder, trained for one epoch on phantoms."""
    return trained(epochs=1)


@pytest.fixture
def events():
    return []


@pytest.fixture
def explorer(tmp_path, events):
    return Explorer(tmp_path, events.append, never_stop)


@pytest.fixture
def ask(run, explorer):
    """`ask(Activate, layer="enc_act1")` -> the answer about the tiny run and two of its test scans."""

    def go(kind, **fields):
        known = {
            "number": 1,
            "panel": "layers",
            "run": str(run.path),
            "data": run.config.data,
            "split": "test",
            "indices": (2, 0),
        }
        return explorer.answer(kind(**{**{name: known[name] for name in known if name in kind.model_fields}, **fields}))

    go.run = run
    return go
