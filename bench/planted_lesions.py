"""Where each method loses lesions: planted ones of known size, contrast and shape, in healthy slices with noise.

    python bench/planted_lesions.py DATA [RUN ...] [--scans 60] [--size 128] [--runs FOLDER]

A disc or a ring is added to a healthy image (the class no_tumor of the test set) well inside the head, then noise. The
same noise is added to the image without it, and both go through the method. What is retained is the difference of the
two outputs over that of the two inputs without noise, averaged over the lesion: 100% is all of it. So neither the
tissue around nor the noise counts as lesion. A lesion is called lost where less than half is retained.

The demo denoiser, trained on phantoms, and the filters are always measured; runs of the same size are added.
"""

import argparse
import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from engine import demo_runs, metrics, noise, runs
from engine.config import DataConfig
from engine.data import load
from engine.denoising import baselines, methods

Images = NDArray[np.float32]
DIAMETERS_PX, CONTRASTS, SHAPES = (4, 8, 16), (0.05, 0.1, 0.2), ("disc", "ring")
NOISES = (("gaussian", 10 / 255), ("gaussian", 25 / 255), ("rician", 25 / 255))
FILTERS = ("median", "nlm", "tv", "wavelet")
RING_SHARE = 0.35  # width of a ring's wall, as a share of its radius
LOST_BELOW = 0.5
EDGE_PX = 4  # distance of a lesion from the edge of the head, beyond its radius


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("run", nargs="*")
    parser.add_argument("--runs")
    parser.add_argument("--scans", type=int, default=60)
    parser.add_argument("--size", type=int, default=96)
    options = parser.parse_args()
    healthy = load_healthy(options.data, options.size, options.scans)
    denoisers = {name: baselines.get_denoiser(name) for name in FILTERS}
    with tempfile.TemporaryDirectory() as folder:
        for run in [*find_demo(folder, options.size), *(runs.open_run(name, options.runs) for name in options.run)]:
            denoisers[run.name] = methods.from_run(run).denoise
    print(f"{len(healthy)} healthy slices of {options.size} px, retained in % (lost of {len(healthy)})")
    print(f"{'shape':<6}{'px':>4}{'contrast':>10}  {'noise':<14}" + "".join(f"{name:>18}" for name in denoisers))
    for lesion in plant_all(healthy):
        for kind, level in NOISES:
            kept = [measure(denoise, healthy, lesion, (kind, level)) for denoise in denoisers.values()]
            cells = "".join(f"{f'{np.mean(each):.0%} ({np.sum(each < LOST_BELOW)})':>18}" for each in kept)
            print(
                f"{lesion.shape:<6}{lesion.diameter:>4}{lesion.contrast:>10}  {kind} {level * 255:<4.0f}{cells}",
                flush=True,
            )


@dataclass(frozen=True, eq=False)
class PlantedLesions:
    """One lesion in each of the healthy images: these with it, and how much of each pixel it covers."""

    shape: str
    diameter: int
    contrast: float
    images: Images
    covers: NDArray[np.float64]


def find_demo(folder: str, size: int) -> list[runs.Run]:
    """Return the demo denoiser, if it has the size."""
    return [run for run in demo_runs.install(folder) if "denoiser" in run.name and run.config.data.size == size]


def load_healthy(source: str, size: int, count: int) -> Images:
    """Return healthy test images whose head is large enough for the largest lesion."""
    dataset = load(source, DataConfig(size=size))
    images = dataset.test.read(np.flatnonzero(dataset.test.labels == dataset.classes.index("no_tumor")))
    roomy = [np.any(find_room(head, max(DIAMETERS_PX))) for head in metrics.head_mask(images)]
    return images[np.asarray(roomy)][:count]


def find_room(head: NDArray[np.bool_], diameter: int) -> NDArray[np.bool_]:
    """Return the pixels of a head at which a lesion can be centered."""
    return ndimage.distance_transform_edt(head) > diameter / 2 + EDGE_PX


def plant_all(healthy: Images) -> Iterator[PlantedLesions]:
    """Yield the lesions of each shape, size and contrast, in the same places."""
    centers = [draw_center(head, row) for row, head in enumerate(metrics.head_mask(healthy))]
    for shape, diameter in itertools.product(SHAPES, DIAMETERS_PX):
        covers = np.stack([cover(healthy.shape[1], center, diameter, shape) for center in centers])
        for contrast in CONTRASTS:
            brightest = np.max(healthy[..., 0] * (covers > 0), axis=(1, 2), keepdims=True)
            # A lesion is dark where a bright one would be clipped.
            change = covers * np.where(brightest + contrast <= 1, contrast, -contrast)
            planted = np.clip(healthy + change[..., np.newaxis], 0, 1).astype(np.float32)
            yield PlantedLesions(shape, diameter, contrast, planted, covers)


def draw_center(head: NDArray[np.bool_], row: int) -> tuple[int, int]:
    """Return a place that has room for the largest lesion, the same for each image whatever the lesion."""
    places = np.argwhere(find_room(head, max(DIAMETERS_PX)))
    return tuple(places[np.random.default_rng(row).integers(len(places))])


def cover(size: int, center: Sequence[int], diameter: int, shape: str) -> NDArray[np.float64]:
    """Return how much of each pixel the lesion covers, with an edge of one pixel."""
    down, across = np.indices((size, size))
    distance = np.hypot(down - center[0], across - center[1])
    full = np.clip(diameter / 2 - distance + 0.5, 0, 1)
    if shape == "disc":
        return full
    return full - np.clip(diameter / 2 * (1 - RING_SHARE) - distance + 0.5, 0, 1)


def measure(
    denoise: Callable[[Images], Images], healthy: Images, lesion: PlantedLesions, noise_of: tuple[str, float]
) -> NDArray[np.float64]:
    """Return the share of each lesion that is retained, (images,)."""
    outputs = [denoise(add_noise(images, *noise_of))[..., 0].astype(np.float64) for images in (lesion.images, healthy)]
    after = ((outputs[0] - outputs[1]) * lesion.covers).sum((1, 2))
    before = ((lesion.images - healthy)[..., 0] * lesion.covers).sum((1, 2))
    return after / before


def add_noise(images: Images, kind: str, level: float) -> Images:
    """Add noise to each image from a seed of its own."""
    return np.concatenate([noise.add_noise(images[i : i + 1], kind, level, i) for i in range(len(images))])


if __name__ == "__main__":
    main()
