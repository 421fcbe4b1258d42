import hashlib
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, binary_fill_holes, distance_transform_edt

from engine.data import phantom as package
from engine.data.phantom import CLASSES, PLANES, find_label, phantom, phantoms
from engine.errors import ConfigError

TUMOURS = ("glioma_tumor", "meningioma_tumor", "pituitary_tumor")
COUNT = 30

# Measured on every fourth real training scan of a class with tumors (T1 after contrast; 620 scans, bilinear squash to
# 128 x 128): the lowest and the highest of the three classes' medians.
REAL = {"mean": (0.138, 0.195), "background": (0.314, 0.488), "bright": (0.581, 0.678), "brain": (0.267, 0.314)}
TOLERANCE = 0.15  # of the measured value, to both sides


@pytest.fixture(scope="module")
def made():
    return {label: [phantom(128, 7, index, label) for index in range(COUNT)] for label in CLASSES}


def bits(one):
    """Everything a phantom holds, as a hash."""
    arrays = (one.image, one.healthy, one.mask, one.oedema)
    return hashlib.sha256(b"".join(a.tobytes() for a in arrays) + f"{one.plane} {one.label}".encode()).hexdigest()


def head_of(one):
    """The pixels of the head, sinuses and airways filled."""
    return binary_fill_holes(binary_dilation(one.healthy > 0.12, iterations=3))


def test_same_arguments_give_same_bits_in_any_order():
    first = bits(phantom(64, 3, 5))
    forwards = [bits(one) for one in phantoms(64, 3, 8)]
    backwards = [bits(phantom(64, 3, index)) for index in reversed(range(8))]
    assert forwards == backwards[::-1]
    assert forwards[5] == first


def test_another_process_makes_the_same_bits():
    code = (
        "import hashlib; from engine.data.phantom import phantoms; h = hashlib.sha256()\n"
        "for one in phantoms(48, 11, 8): h.update(one.image.tobytes() + one.mask.tobytes())\n"
        "print(h.hexdigest())"
    )
    here = hashlib.sha256()
    for one in phantoms(48, 11, 8):
        here.update(one.image.tobytes() + one.mask.tobytes())
    environment = {**os.environ, "PYTHONHASHSEED": "4", "PYTHONPATH": os.pathsep.join(sys.path)}
    there = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here.hexdigest()


def test_seeds_and_indices_make_different_heads():
    assert len({phantom(64, seed, index).image.tobytes() for seed in range(4) for index in range(5)}) == 20


@pytest.mark.parametrize("size", [32, 128, 512])
@pytest.mark.parametrize("label", CLASSES)
def test_shapes_types_and_range(size, label):
    one = phantom(size, 1, 2, label)
    assert one.image.shape == one.healthy.shape == one.mask.shape == one.oedema.shape == (size, size)
    assert one.image.dtype == one.healthy.dtype == np.float32
    assert one.mask.dtype == one.oedema.dtype == bool
    for image in (one.image, one.healthy):
        assert 0 <= image.min() < 0.02
        assert 0.3 < image.max() <= 1
        np.testing.assert_array_equal(np.rint(image * 255).astype(np.uint8) / np.float32(255), image)
    assert (one.label, one.seed, one.index) == (label, 1, 2)
    assert one.plane in PLANES


@pytest.mark.parametrize("size", [32, 128])
def test_tumors_have_masks_inside_the_head(size):
    for label in TUMOURS:
        for index in range(12):
            one = phantom(size, 5, index, label)
            assert one.mask.any()
            assert one.mask.mean() < 0.12
            assert not (one.mask & ~head_of(one)).any()
            assert not (one.mask & one.oedema).any()


def test_only_gliomas_have_oedema(made):
    swollen = {label: sum(one.oedema.any() for one in ones) for label, ones in made.items()}
    assert swollen.pop("glioma_tumor") > 0.6 * COUNT
    assert not any(swollen.values())


def test_no_tumor_is_its_own_twin(made):
    for one in made["no_tumor"]:
        assert not one.mask.any()
        assert not one.oedema.any()
        np.testing.assert_array_equal(one.image, one.healthy)


def test_twin_differs_only_around_the_lesion(made):
    for label in TUMOURS:
        for one in made[label]:
            changed = one.image != one.healthy
            lesion = one.mask | one.oedema
            away = distance_transform_edt(~lesion)
            assert (changed & one.mask).sum() > 0.8 * one.mask.sum()
            assert not changed[away > 0.24 * 128].any()  # mass effect ends within about 6 cm
            assert changed.mean() < 0.4


def test_a_head_keeps_its_twin_under_another_class():
    for index in range(4):
        twins = {phantom(64, 2, index, label, "axial").healthy.tobytes() for label in CLASSES[:3]}
        assert len(twins) == 1


def test_meningiomas_sit_on_the_dura_and_shine(monkeypatch):
    depths = []
    grow = package.add_lesion
    monkeypatch.setattr(package, "add_lesion", lambda head, *rest: depths.append(head.depth) or grow(head, *rest))
    for index in range(COUNT):
        one = phantom(128, 7, index, "meningioma_tumor")
        depth = depths.pop()  # mm inside the inner table of the skull
        assert -1.0 < depth[one.mask].min() < 2.5
        around = binary_dilation(one.mask, iterations=8) & ~binary_dilation(one.mask, iterations=3) & (depth > 4)
        assert np.median(one.image[one.mask]) > 1.3 * np.median(one.image[around])


def test_pituitary_tumors_lie_in_the_midline(made):
    sideways = {}
    for label in ("pituitary_tumor", "glioma_tumor"):
        ones = [one for one in made[label] if one.plane != "sagittal"]
        rows = [np.abs(np.nonzero(o.mask)[1].mean() - np.nonzero(head_of(o))[1].mean()) / 128 for o in ones]
        sideways[label] = np.array(rows)
    assert sideways["pituitary_tumor"].max() < 0.07
    assert np.median(sideways["glioma_tumor"]) > 0.07


def test_pituitary_tumors_are_shown_where_the_sella_is():
    planes = Counter(phantom(32, 0, index, "pituitary_tumor").plane for index in range(60))
    assert planes["axial"] < planes["coronal"]
    assert planes["axial"] < planes["sagittal"]
    assert planes["axial"] > 0


def test_gliomas_are_bright_rings_around_dark_cores(made):
    for one in made["glioma_tumor"]:
        inside = distance_transform_edt(one.mask)
        rim, core = one.image[(inside > 0) & (inside <= 2.5)], one.image[inside > 0.75 * inside.max()]
        if inside.max() > 5:
            assert rim.mean() > 1.2 * core.mean()


def test_planes_differ_and_so_do_the_heads_of_one_plane():
    count = 20
    heads = [phantom(64, 9, index, "no_tumor", plane) for plane in PLANES for index in range(count)]
    assert [one.plane for one in heads] == [plane for plane in PLANES for _ in range(count)]
    images = np.stack([one.healthy.ravel() for one in heads])
    alike = np.corrcoef(images)
    recognised = 0
    for k, plane in enumerate(np.repeat(range(3), count)):
        others = np.delete(alike[k], k), np.delete(np.repeat(range(3), count), k)
        recognised += int(plane == np.argmax([others[0][others[1] == p].mean() for p in range(3)]))
    assert recognised > 0.7 * len(heads)
    assert np.max(alike - np.eye(len(heads))) < 0.93  # no two subjects alike


def test_statistics_are_those_of_real_images(made):
    images = np.stack([one.image for label in TUMOURS for one in made[label]])
    measured = {
        "mean": images.mean(axis=(1, 2)),
        "background": (images < 0.05).mean(axis=(1, 2)),
        "bright": np.quantile(images, 0.99, axis=(1, 2)),
        "brain": np.median(images[:, 44:84, 44:84], axis=(1, 2)),
    }
    for name, (low, high) in REAL.items():
        assert low * (1 - TOLERANCE) <= np.median(measured[name]) <= high * (1 + TOLERANCE), name


def test_every_round_of_four_holds_each_class_once():
    labels = [one.label for one in phantoms(32, 4, 40)]
    assert all(sorted(labels[k : k + 4]) == list(CLASSES) for k in range(0, 40, 4))
    assert labels == [find_label(4, index) for index in range(40)]
    assert labels != [find_label(5, index) for index in range(40)]
    assert len({tuple(labels[k : k + 4]) for k in range(0, 40, 4)}) > 1


def test_size_changes_the_sampling_and_not_the_head():
    for index in range(4):
        fine, coarse = phantom(256, 6, index), phantom(64, 6, index)
        shrunk = fine.image.reshape(64, 4, 64, 4).mean(axis=(1, 3))
        assert np.corrcoef(shrunk.ravel(), coarse.image.ravel())[0, 1] > 0.97


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((16, 0, 0), "16 pixels"),
        ((513, 0, 0), "513 pixels"),
        ((64, -1, 0), "seed -1"),
        ((64, 0, -2), "index -2"),
        ((64, 0, 0, "tumor"), "class 'tumor'"),
        ((64, 0, 0, None, "oblique"), "plane 'oblique'"),
    ],
)
def test_impossible_phantoms_are_refused(arguments, words):
    with pytest.raises(ConfigError, match=words) as caught:
        phantom(*arguments)
    assert caught.value.advice.startswith("Choose")


def test_a_bad_collection_is_refused_before_the_first_slice():
    with pytest.raises(ConfigError, match="8 pixels"):
        phantoms(8, 0, 3)
