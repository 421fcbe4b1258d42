from importlib.util import find_spec

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from engine import metrics
from engine.errors import DataError
from engine.metrics.ssim import WEIGHTS
from tests.engine.metrics.conftest import KINDS

OPTIONS = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}


@pytest.mark.parametrize("kind", KINDS)
def test_equal_to_scikit_image(pair, kind):
    originals, noisy = pair(kind)
    mask = np.random.default_rng(4).random(originals.shape[:3]) > 0.7
    found, inside = metrics.ssim(originals, noisy), metrics.ssim(originals, noisy, mask)
    for index in range(len(originals)):
        a, b = originals[index, ..., 0], noisy[index, ..., 0]
        wanted, whole = structural_similarity(a, b, data_range=metrics.data_range(a), full=True, **OPTIONS)
        assert found[index] == pytest.approx(wanted, abs=1e-6)
        assert inside[index] == pytest.approx(whole[mask[index]].mean(), abs=1e-6)


def test_equal_images_are_alike_at_every_scale(pair):
    originals, _ = pair("float32")
    assert metrics.ssim(originals, originals) == pytest.approx(1)
    assert metrics.ms_ssim(originals, originals) == pytest.approx(1)


def test_as_many_scales_as_the_window_fits():
    found = [metrics.scales((side, side)) for side in (10, 11, 21, 22, 32, 128, 175, 176, 512)]
    assert found == [0, 1, 1, 2, 2, 4, 4, 5, 5]


@pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow, which has it too, is not installed")
@pytest.mark.parametrize(("kind", "side"), [("float32", 176), ("float32", 128), ("uint8", 176), ("uint16", 64)])
def test_multi_scale_equals_tensorflow(pair, kind, side):
    import tensorflow

    originals, noisy = pair(kind, side)
    count = metrics.scales((side, side))
    weights = np.array(WEIGHTS[:count]) / sum(WEIGHTS[:count])
    span = metrics.data_range(originals)
    first, second = (tensorflow.constant(images.astype(np.float32)) for images in (originals, noisy))
    wanted = tensorflow.image.ssim_multiscale(first, second, max_val=span, power_factors=tuple(weights))
    assert metrics.ms_ssim(originals, noisy) == pytest.approx(wanted.numpy(), abs=2e-4)


def test_structure_turned_around_is_zero_not_a_complex_number():
    rng = np.random.default_rng(5)
    images = rng.random((1, 32, 32))
    assert metrics.ms_ssim(images, 1 - images) == pytest.approx(0)


def test_image_smaller_than_the_window_is_a_sentence():
    with pytest.raises(DataError, match="10 x 12 px are smaller than the SSIM window"):
        metrics.ssim(np.zeros((1, 10, 12)), np.zeros((1, 10, 12)))
