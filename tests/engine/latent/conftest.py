"""Tiny runs of every kind of latent space, and an explorer to ask about them."""

import pytest

from engine.explorer.explorer import Explorer
from engine.messages import never_stop


@pytest.fixture(scope="module")
def run_of(trained, tmp_path_factory):
    """Return a model's run, trained for one epoch on 60 phantoms and copied once for a file: `run_of("vae")`."""
    root, copied = tmp_path_factory.mktemp("latent-runs"), {}

    def of(model):
        if model not in copied:
            copied[model] = trained(model, phantom_count=60, epochs=1, at=root / model)
        return copied[model]

    return of


@pytest.fixture
def explorer(tmp_path):
    return Explorer(tmp_path, lambda event: None, never_stop)


@pytest.fixture
def ask(explorer, run_of):
    """Ask about a run: `ask(EmbedLatents, "vae", method="pca")` -> the answer."""

    def question(kind, model, **fields):
        run = run_of(model)
        return explorer.answer(kind(number=1, panel="latent", run=str(run.path), data=run.config.data, **fields))

    return question
