import functools
import io

import numpy as np
import pytest
from PIL import Image

from engine.data.decoded_image import DecodedImage
from engine.data.phantom import phantom

SIDE = 128


def _jpeg(picture, quality):
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("L")


def _gray(picture, gamma=1.0, gain=1.0):
    values = (np.asarray(picture) / 255) ** gamma * gain
    return Image.fromarray(np.rint(values.clip(0, 1) * 255).astype(np.uint8))


def _resized(picture, width, height=None):
    shape = round(picture.width * width), round(picture.height * (height or width))
    return picture.resize(shape, Image.Resampling.BICUBIC)


FLIP, QUARTER = Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_90
CHANGES = {
    "jpeg 50": lambda picture: _jpeg(picture, 50),
    "jpeg 90": lambda picture: _jpeg(picture, 90),
    "half": lambda picture: _resized(picture, 0.5),
    "larger": lambda picture: _resized(picture, 1.5),
    "proportions": lambda picture: _resized(picture, 0.6, 0.8),
    "flip": lambda picture: picture.transpose(FLIP),
    "quarter turn": lambda picture: picture.transpose(QUARTER),
    "gamma 0.8": lambda picture: _gray(picture, 0.8),
    "gamma 1.25": lambda picture: _gray(picture, 1.25),
    "darker": lambda picture: _gray(picture, gain=0.8),
    "all": lambda picture: _jpeg(_gray(_resized(picture.transpose(FLIP).transpose(QUARTER), 0.6), 0.8), 50),
}


@pytest.fixture(scope="session")
def phantoms():
    """Gray phantoms as images of 8 bits, another for each number: `phantoms(3)`. They are drawn once."""

    @functools.cache
    def make(index, side=SIDE):
        return Image.fromarray(np.rint(np.asarray(phantom(side, 7, index).image) * 255).astype(np.uint8))

    return make


@pytest.fixture(scope="session")
def as_picture():
    """A Pillow image as a decoded one."""
    return lambda image: DecodedImage(np.asarray(image), 255.0)


@pytest.fixture(params=CHANGES)
def change(request):
    """Each way to change an image and leave it the same scan."""
    return CHANGES[request.param]


@pytest.fixture
def save(tmp_path):
    """Write an image below the folder `scans`: `save(picture, "train/a/1.png")`; return the folder."""

    def go(picture, name):
        file = tmp_path / "scans" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        picture.save(file)
        return tmp_path / "scans"

    return go
