import numpy as np
import pytest
from PIL import Image

from engine.data.audit.appearance import SIDE, normalize_appearance, standardize
from engine.data.decoded_image import DecodedImage


def alike(one, other):
    pair = standardize(np.stack([one.thumbnail, other.thumbnail]))
    return float((pair[0] * pair[1]).mean())


def test_a_thumbnail_is_square_whatever_the_image(phantoms, as_picture):
    seen = normalize_appearance(as_picture(phantoms(0).resize((300, 170))))
    assert seen.thumbnail.shape == (SIDE, SIDE)
    assert seen.thumbnail.dtype == np.uint16
    assert abs(seen.thumbnail.mean() / 65_535 - 0.15) < 0.02


@pytest.mark.parametrize("gamma", [0.6, 0.8, 1.25, 1.6])
def test_gamma_is_taken_back_and_told(phantoms, as_picture, gamma):
    original = phantoms(1)
    copy = Image.fromarray(np.rint(255 * (np.asarray(original) / 255) ** gamma).astype(np.uint8))
    seen, again = normalize_appearance(as_picture(original)), normalize_appearance(as_picture(copy))
    assert alike(seen, again) > 0.998
    assert seen.exponent / again.exponent == pytest.approx(gamma, rel=0.06)


def test_depth_does_not_matter(phantoms):
    gray = np.asarray(phantoms(2))
    deep, unit = DecodedImage(gray.astype(np.uint16) * 257, 65_535.0), DecodedImage(gray.astype(np.float32) / 255, 1.0)
    for other in (deep, unit):
        assert alike(normalize_appearance(DecodedImage(gray, 255.0)), normalize_appearance(other)) > 0.9999


def test_a_huge_image_is_made_smaller_first(phantoms, as_picture):
    large = phantoms(3).resize((4000, 3000), Image.Resampling.BICUBIC)
    assert alike(normalize_appearance(as_picture(phantoms(3))), normalize_appearance(as_picture(large))) > 0.999


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_image_of_one_gray_has_no_look(value):
    assert normalize_appearance(DecodedImage(np.full((40, 40), value, np.uint8), 255.0)) is None


def test_other_phantoms_look_otherwise(phantoms, as_picture):
    looks = [normalize_appearance(as_picture(phantoms(index))) for index in range(12)]
    assert max(alike(looks[i], looks[j]) for i in range(12) for j in range(i)) < 0.97


def test_standardized_thumbnails_have_mean_0_and_deviation_1(phantoms, as_picture):
    images = standardize(np.stack([normalize_appearance(as_picture(phantoms(index))).thumbnail for index in range(3)]))
    assert images.dtype == np.float32
    np.testing.assert_allclose(images.mean((1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(images.std((1, 2)), 1, atol=1e-4)
