import numpy as np
import pytest
from skimage import metrics as skimage_metrics

from engine import metrics
from engine.errors import DataError
from tests.engine.metrics.conftest import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_equal_to_scikit_image(pair, kind):
    originals, noisy = pair(kind)
    span = metrics.data_range(originals)
    for index in range(len(originals)):
        a, b = originals[index, ..., 0], noisy[index, ..., 0]
        assert metrics.mse(originals, noisy)[index] == pytest.approx(skimage_metrics.mean_squared_error(a, b), rel=1e-6)
        wanted = skimage_metrics.peak_signal_noise_ratio(a, b, data_range=span)
        assert metrics.psnr_db(originals, noisy)[index] == pytest.approx(wanted, abs=1e-6)
        wanted = np.abs(a.astype(float) - b.astype(float)).mean()
        assert metrics.mae(originals, noisy)[index] == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize(("kind", "span"), [("uint8", 255), ("uint16", 65535), ("float32", 1), ("float64", 1)])
def test_range_is_that_of_the_type(pair, kind, span):
    assert metrics.data_range(pair(kind)[0]) == span


def test_strange_types_and_unlike_pairs_are_sentences(pair):
    with pytest.raises(DataError, match="int32 have no fixed intensity range"):
        metrics.data_range(np.zeros((1, 4, 4), np.int32))
    with pytest.raises(DataError, match="uint8 and float32 have different ranges"):
        metrics.mse(pair("uint8")[0], pair("float32")[1])
    with pytest.raises(DataError, match="cannot be compared"):
        metrics.mse(np.zeros((1, 4, 4)), np.zeros((1, 4, 5)))


def test_equal_images_are_infinitely_close(pair):
    originals, _ = pair("float32")
    assert np.all(np.isposinf(metrics.psnr_db(originals, originals)))


def test_mask_counts_only_its_pixels(pair):
    originals, noisy = pair("float64")
    mask = np.random.default_rng(3).random(originals.shape[:3]) > 0.5
    mask[1] = False
    for measure, error in ((metrics.mse, np.square), (metrics.mae, np.abs)):
        found = measure(originals, noisy, mask)
        assert found[0] == pytest.approx(error(originals[0, ..., 0] - noisy[0, ..., 0])[mask[0]].mean())
        assert np.isnan(found[1])
    assert metrics.psnr_db(originals, noisy, mask)[0] == pytest.approx(
        -10 * np.log10(metrics.mse(originals, noisy, mask)[0])
    )
