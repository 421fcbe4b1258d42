"""How many unusual images the reconstruction error, the latent distance, and both catch at 5% false alarms.

    python bench/out_of_distribution.py RUN [--runs FOLDER]

Thresholds come from the run's validation images (`engine.latent.distribution`). If the run was trained with
--test-patients, the false alarms on its test set are those on unseen patients.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pydicom.data
import skimage.data
from numpy.typing import NDArray
from pydicom.errors import InvalidDicomError
from skimage.color import rgb2gray
from skimage.transform import resize

from engine import data, evaluation, noise, runs
from engine.data.phantom import phantom
from engine.errors import EngramError
from engine.evaluation.evaluator import bootstrap_interval
from engine.latent.distribution import FALSE_ALARMS, DistributionReference
from engine.latent.latent_data import LatentData
from engine.runs import Run

Images = NDArray[np.float32]
PHOTOGRAPHS = ("astronaut", "camera", "cat", "coffee", "coins", "moon", "page", "rocket", "text", "brick", "grass")
COUNT = 300
UNSEEN = "test, unseen patients"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("--runs")
    options = parser.parse_args()
    run = runs.open_run(options.run, options.runs)
    latent = LatentData(run, evaluation.load_model(run), evaluation.load_dataset(run))
    known = DistributionReference(latent)
    print(f"{run.name}: {len(known.errors)} validation images of {known.patients} patients")
    print(f"{'images':<28}{'n':>5}{'error ÷ median':>16}{'by error':>10}{'by latent':>11}{'by both':>9}")
    for title, images in make_groups(run, latent.images):
        errors, distances = known.measure(images)
        flags = known.p_values(errors, distances) <= FALSE_ALARMS
        alone = [exceeds(errors, known.errors).mean(), exceeds(distances, known.distances).mean(), flags.mean()]
        shown = "".join(f"{share:>10.1%}" for share in alone)
        interval = ""
        if title == UNSEEN:
            groups = [latent.images.test.groups[row] for row in np.flatnonzero(latent.images.unseen)]
            low, high = bootstrap_interval(flags.astype(np.float64), groups) or (np.nan, np.nan)
            interval = f"  95% CI over patients {low:.1%} to {high:.1%}"
        print(
            f"{title:<28}{len(images):>5}{np.median(errors) / np.median(known.errors):>16.2f}{shown}{interval}",
            flush=True,
        )


def exceeds(values: NDArray[np.float64], usual: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which values are above the threshold that a share of the usual values exceeds."""
    return np.asarray(values > np.quantile(usual, 1 - FALSE_ALARMS, method="higher"))


def sample(split: data.Split, count: int = COUNT, rows: NDArray[np.int64] | None = None) -> Images:
    """Return at most so many images of a split, evenly spaced."""
    rows = np.arange(len(split)) if rows is None else rows
    return split.read(rows[np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(np.int64))])


def make_groups(run: Run, images: data.Dataset) -> Iterator[tuple[str, Images]]:
    """Yield the images of each kind."""
    side, known = run.config.data.size, sample(images.test)
    yield "validation images", images.validation.read()
    if images.unseen.any():
        yield UNSEEN, images.test.read(np.flatnonzero(images.unseen))
    else:
        yield "test, deduplicated", images.test.read(np.flatnonzero(~images.leaked))
    yield "phantoms", np.stack([phantom(side, 7, index).image for index in range(200)])[..., None].astype(np.float32)
    yield "mirrored (left-right)", known[:, :, ::-1]
    yield "upside down", known[:, ::-1]
    yield "rotated by 90°", np.rot90(known, axes=(1, 2))
    yield "inverted intensities", 1 - known
    for sigma in (0.05, 0.1):
        yield f"Gaussian noise, σ {sigma:g}", noise.add_noise(known, "gaussian", sigma, 0)
    yield "photographs (patches)", photographs(side)
    yield "CT slices (pydicom)", ct_slices(run)
    yield "other MRI (pydicom, nibabel)", other_contrasts(run)


def photographs(side: int) -> Images:
    """Return non-overlapping patches of the photographs that scikit-image ships."""
    found = []
    for name in PHOTOGRAPHS:
        try:
            photograph = getattr(skimage.data, name)()
        except Exception:  # noqa: BLE001 - not shipped, and there is no network
            continue
        gray = rgb2gray(photograph[..., :3]) if photograph.ndim == 3 else photograph / 255
        edge = min(*gray.shape, 256)
        for top in range(0, gray.shape[0] - edge + 1, edge):
            for left in range(0, gray.shape[1] - edge + 1, edge):
                found.append(resize(gray[top : top + edge, left : left + edge], (side, side), anti_aliasing=True))
    return np.stack(found)[..., None].astype(np.float32)


def other_contrasts(run: Run) -> Images:
    """Return slices of the MRI volumes that pydicom and nibabel ship, prepared for the run."""
    folder = Path(nibabel.__file__).parent / "tests/data"
    found = []
    for path in (
        pydicom.data.get_testdata_file("MR_small.dcm"),
        folder / "anatomical.nii",
        folder / "example4d.nii.gz",
    ):
        scan = data.open_scan(str(path))
        for index in range(len(scan)):
            if not scan.is_blank(index):
                found.append(data.prepare(scan, run.config.data, index))
    return np.stack(found)[..., None].astype(np.float32)


def ct_slices(run: Run) -> Images:
    """Return the CT slices that pydicom ships, prepared for the run, and each turned to four sides."""
    found = []
    for path in sorted(Path(pydicom.data.__file__).parent.glob("test_files/**/*.dcm")):
        try:
            if pydicom.dcmread(path, stop_before_pixels=True).get("Modality") == "CT":
                found.append(data.prepare(data.open_scan(str(path)), run.config.data, 0))
        except (EngramError, InvalidDicomError):
            continue
    slices = np.stack(found)[..., None]
    return np.concatenate([np.rot90(slices, turns, axes=(1, 2)) for turns in range(4)]).astype(np.float32)


if __name__ == "__main__":
    main()
