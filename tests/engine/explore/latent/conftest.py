"""Tiny runs of every kind of latent space, and an explorer to ask about them."""

import pytest

from engine import config, training
from engine.explore.explorer import Explorer
from engine.messages import never
from tests.trained_runs import TINY

SMALL = {**TINY, "phantom_count": 60, "epochs": 1}


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A run of a model by its name, trained for one epoch on 60 phantoms, made once: `trained("vae")`."""
    root, made = tmp_path_factory.mktemp("latent-runs"), {}

    def of(model):
        if model not in made:
            sections = config.sections(model).values()
            known = {spec.name for section in sections for spec in config.fields(section)}
            settings = {name: value for name, value in SMALL.items() if name in known}
            made[model] = training.train(config.build({**settings, "model": model}), root=root)
        return made[model]

    return of


@pytest.fixture
def explorer(tmp_path):
    return Explorer(tmp_path, lambda event: None, never)


@pytest.fixture
def ask(explorer, trained):
    """Ask about a run: `ask(MapLatent, "vae", method="pca")` -> the answer."""

    def question(kind, model, **fields):
        run = trained(model)
        return explorer.answer(kind(number=1, panel="latent", run=str(run.path), data=run.config.data, **fields))

    return question
