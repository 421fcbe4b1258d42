"""Tiny runs of every kind of latent space, and an explorer to ask about them."""

import numpy as np
import pytest

from engine.explorer.explorer import Explorer
from engine.messages import Response, never_stop, read_event


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
def deliver(explorer):
    """Deliver a reply as the app receives it: in a line, with its arrays in files, validated again."""

    def carry(request, reply):
        line = Response(number=1, panel="latent", content=reply.to_content(explorer.save_array)).to_json_line()
        return type(request).reply_type.from_content(read_event(line).content, np.load)

    return carry


@pytest.fixture
def ask(explorer, run_of, deliver):
    """Send a request about a run: `ask(EmbedLatents, "vae", method="pca")` -> the delivered reply, None if stopped."""

    def question(kind, model, **fields):
        run = run_of(model)
        request = kind(number=1, panel="latent", run=str(run.path), data=run.config.data, **fields)
        reply = explorer.answer(request)
        return None if reply is None else deliver(request, reply)

    return question
