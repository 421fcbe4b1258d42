"""The shapes in annotations are checked while tests run."""

import jaxtyping
import numpy as np
import pytest

from engine import metrics
from engine.analysis.matching import Matching
from engine.latent import interpolation, space
from tests import shapes

IMAGES = np.zeros((2, 8, 8, 1), np.float32)


@pytest.mark.parametrize(
    "call",
    [
        lambda: metrics.psnr_db(IMAGES[0, ..., 0], IMAGES[0, ..., 0]),
        lambda: metrics.mse(IMAGES, IMAGES, np.ones((2, 8, 9), np.bool_)),
        lambda: interpolation.linear(np.zeros(3, np.float32), np.zeros(4, np.float32), 2),
        lambda: Matching(np.zeros((2, 2), np.int64), np.zeros(3), np.zeros((1, 2))),
        lambda: space._sigmoid(np.zeros((2, 8, 8))),
    ],
    ids=["too few axes", "a length that does not fit", "two lengths of one axis", "fields of a dataclass", "a result"],
)
def test_array_of_another_shape_is_found(call):
    with pytest.raises(jaxtyping.TypeCheckError):
        call()


def test_array_of_another_type_is_found():
    with pytest.raises(jaxtyping.TypeCheckError):
        interpolation.linear(np.zeros(3), np.zeros(3), 2)


def test_function_without_shapes_is_left_as_it_is():
    assert not shapes.find_shapes(test_function_without_shapes_is_left_as_it_is)
    assert not hasattr(metrics.data_range, "__wrapped__")
