"""A space small enough to use up, and a score without training."""

import math
from dataclasses import replace

import pytest

from engine import backend, config
from engine.search import space
from engine.search.hyperband import WAIT
from engine.search.ledger import Trial


@pytest.fixture
def study():
    """The base settings and the space of the study's first table."""
    return space.preset("seed-ae")


def loss(values):
    """A smooth made-up loss with its minimum inside the study's space: 5e-4, 40 epochs, batches of 16, latent 1024."""
    return (
        0.1
        + abs(math.log10(values.get("learning_rate", 5e-4) / 5e-4))
        + 4 / values.get("epochs", 40)
        + values.get("batch_size", 16) / 64
        + abs(values.get("latent", 1024) - 1024) / 2048
    )


@pytest.fixture(scope="session")
def oracles():
    """The module `engine.search.oracle`, imported on the backend that the other tests of this process use."""
    return backend.load("engine.search.oracle", config.TrainingConfig())


@pytest.fixture
def play(oracles):
    """Ask and tell an oracle until it has no more, or `count` trials are over: the trials as the ledger has them.

    `fails(number)` says which trials fail; `again` makes the oracle anew from the trials before each question.
    """

    def go(searched, algorithm="bayesian", count=100, seed=0, fails=lambda number: False, again=False):
        base, points = searched
        oracle, rows = oracles.Oracle(points, base, algorithm, seed), []
        while len(rows) < count:
            if again:
                oracle = oracles.rebuilt(oracles.Oracle(points, base, algorithm, seed), rows)
                for row in rows:
                    oracle.tell(row)
            proposal = oracle.ask()
            if proposal is None:
                break
            assert proposal is not WAIT
            row = Trial(len(rows) + 1, space.key(proposal.values, base), proposal.values, place=proposal.place)
            oracle.confirm(row)
            failed = fails(row.number)
            score = None if failed else loss(row.config)
            rows.append(replace(row, state="failed" if failed else "finished", score=score))
            oracle.tell(rows[-1])
        return rows

    return go
