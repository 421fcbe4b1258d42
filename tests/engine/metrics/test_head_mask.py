import numpy as np
import pytest
from scipy.ndimage import label

from engine import config, data, metrics


@pytest.fixture
def disc():
    """A dark head with a bright rim and a black hole, on noise."""
    y, x = np.mgrid[:128, :128]
    radius = np.hypot(y - 64, x - 64)
    image = np.where(radius < 40, 0.35, 0.0) + np.where(np.abs(radius - 42) < 3, 0.9, 0.0)
    image[60:68, 60:68] = 0
    return np.clip(image + np.random.default_rng(0).normal(0, 0.02, image.shape), 0, 1), radius < 45


def overlap(first, second):
    return (first & second).sum() / (first | second).sum()


@pytest.mark.parametrize(("kind", "top"), [(np.float32, 1), (np.uint8, 255), (np.uint16, 65535)])
def test_head_is_one_region_without_holes(disc, kind, top):
    image, truth = disc
    mask = metrics.head_mask((image * top).astype(kind)[None, ..., None])
    assert mask.shape == (1, 128, 128)
    assert mask.dtype == np.bool_
    assert overlap(mask[0], truth) > 0.92
    assert label(mask[0])[1] == 1
    assert mask[0, 64, 64]


def test_drawn_frames_and_specks_are_left_out(disc):
    image, truth = disc
    image = image.copy()
    for edge in (image[:3], image[-3:], image[:, :3], image[:, -3:]):
        edge[:] = 1
    image[10:14, 10:30] = 1
    assert overlap(metrics.head_mask(image[None])[0], truth) > 0.92


def test_image_of_one_gray_has_no_head():
    assert not metrics.head_mask(np.full((2, 32, 32), 0.5, np.float32)).any()
    assert metrics.head_mask(np.zeros((0, 32, 32), np.float32)).shape == (0, 32, 32)


def test_head_of_phantoms_is_what_is_not_air():
    images = data.load(config=config.DataConfig(phantom_count=24, size=64)).train.read()
    masks = metrics.head_mask(images)
    assert np.all((masks.mean(axis=(1, 2)) > 0.2) & (masks.mean(axis=(1, 2)) < 0.95))
    light = images[..., 0]
    assert all(light[n][masks[n]].mean() > 3 * light[n][~masks[n]].mean() for n in range(len(masks)))


def test_heads_of_real_images_fill_the_image_and_are_brighter_than_the_rest(real_data):
    images = data.load(config=config.DataConfig(source=str(real_data / "Testing"), fit="squash"))
    scans = np.concatenate([split.read()[..., 0] for split in images.splits.values()])
    assert len(scans) > 150
    masks = metrics.head_mask(scans)
    shares = masks.mean(axis=(1, 2))
    assert np.percentile(shares, 1) > 0.25
    assert np.mean(shares > 0.95) < 0.05
    brighter = [
        scan[mask].mean() > 1.5 * scan[~mask].mean() for scan, mask in zip(scans, masks, strict=True) if not mask.all()
    ]
    assert np.mean(brighter) > 0.97
