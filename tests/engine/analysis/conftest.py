"""Models whose every weight says something, for those who ask what depends on what."""

import numpy as np
import pytest


@pytest.fixture
def shaken():
    """Give every weight of a model a random value, so that nothing starts at zero: `shaken(model)` -> the model."""

    def shake(model, seed=0):
        rng = np.random.default_rng(seed)
        for variable in model.variables:
            values = np.asarray(variable)
            if not np.issubdtype(values.dtype, np.floating):
                continue
            fan = max(1, int(np.prod(values.shape[:-1]))) if values.ndim > 1 else 1
            drawn = rng.standard_normal(values.shape) * np.sqrt(2 / fan) * (1.0 if values.ndim > 1 else 0.2)
            positive = "variance" in variable.path or "gamma" in variable.path
            variable.assign(1 + np.abs(drawn) if positive else drawn)
        return model

    return shake
