"""Collapsed and dead latent dimensions are named, and the others are in order."""

import numpy as np

from engine.latent import dimensions
from engine.latent.space import Codes


def posterior(active, collapsed):
    """Codes of which the last `collapsed` numbers are the prior whatever the image."""
    rng = np.random.default_rng(0)
    means = rng.standard_normal((500, active + collapsed)).astype(np.float32) * np.linspace(2, 1, active + collapsed)
    log_vars = np.full_like(means, -2.0)
    means[:, active:], log_vars[:, active:] = 0.001, 0.0
    return Codes(means.astype(np.float32), log_vars.astype(np.float32))


def test_numbers_of_a_variational_model_are_in_order_of_their_nats():
    found = dimensions.dimension_statistics(posterior(5, 0))
    assert found.order.tolist() == [0, 1, 2, 3, 4]
    assert found.measure == "KL, nats"
    assert found.sentence() is None
    assert found.count_for_half == 2


def test_collapsed_numbers_are_named_and_counted():
    found = dimensions.dimension_statistics(posterior(3, 13))
    assert found.active.sum() == 3
    assert "collapse: 13 of 16 latent dimensions (81%) are inactive" in found.sentence()
    assert "3 are active" in found.sentence()


def test_full_collapse_says_what_to_do():
    found = dimensions.dimension_statistics(posterior(0, 4))
    assert "no latent dimension of 4" in found.sentence()
    assert "Lower β (--beta)" in found.sentence()


def test_dead_numbers_of_an_autoencoder_are_named():
    means = np.random.default_rng(1).standard_normal((500, 6)).astype(np.float32)
    means[:, 2], means[:, 4] = 7.0, means[:, 4] * 5
    found = dimensions.dimension_statistics(Codes(means, None))
    assert found.order[0] == 4
    assert found.order[-1] == 2
    assert found.sentence() == "1 of 6 latent dimensions is inactive (constant over all images)."
    assert (found.low < found.mean)[0]
    assert (found.mean < found.high)[0]
