"""How many pixels of unseen patients lie in the calibrated 90% intervals of denoised images.

    python bench/denoised_intervals.py RUN --sigmas 10/255,25/255 [--noise gaussian] [--runs FOLDER]

The intervals are fitted to 64 validation images of the run and checked on all its test images of unseen patients
(`train --test-patients`), with noise of another seed.
"""

import argparse
from collections.abc import Sequence

import numpy as np

from engine import evaluation, metrics, noise, runs
from engine.cli.denoise_curve import sigmas
from engine.evaluation.evaluator import bootstrap_interval
from engine.job_context import run_steps
from engine.latent import denoised_intervals
from engine.latent.calibration import SHOWN_LEVEL
from engine.latent.denoised_intervals import DenoisedIntervals, IntervalSubject, NoiseLevel

SEED = 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run")
    parser.add_argument("--sigmas", default="10/255,25/255")
    parser.add_argument("--noise", default="gaussian")
    parser.add_argument("--runs")
    options = parser.parse_args()
    run = runs.open_run(options.run, options.runs)
    subject = IntervalSubject(run, evaluation.load_model(run), evaluation.load_dataset(run))
    for sigma in sigmas(options.sigmas):
        level = NoiseLevel(options.noise, sigma)
        found = run_steps(denoised_intervals.fit(subject.model, subject.images.validation, subject.rows(), level))
        print(f"{run.name}, σ = {255 * sigma:.0f}/255, validation: {describe(found.coverage, found.interval)}")
        print(check(subject, found), flush=True)


def check(subject: IntervalSubject, found: DenoisedIntervals) -> str:
    """Describe the coverage of intervals on the test images of unseen patients."""
    test, rows = subject.images.test, np.flatnonzero(subject.images.unseen)
    shares, widths, parts, errors = [], [], [], []
    for row in rows:
        clean = test.read([row])
        noisy = noise.add_noise(clean, found.noise.kind, found.noise.level, SEED + row)
        made = denoised_intervals.predict_denoised(subject.model, noisy)
        half = found.scale.half_width(made.deviation, SHOWN_LEVEL)
        held, head = np.abs(clean - made.mean) <= half, metrics.head_mask(clean[..., 0])[..., None]
        shares.append(held.mean())
        widths.append(half.mean())
        parts.append((held[head].mean(), held[~head].mean()))
        errors.append(np.square(clean - made.mean).mean())
    interval = bootstrap_interval(np.array(shares), [test.groups[row] for row in rows])
    inside, outside = np.mean(parts, axis=0)
    return (
        f"  {len(rows)} test images: {describe(float(np.mean(shares)), interval)}; {inside:.1%} inside the head, "
        f"{outside:.1%} outside; worst 5% of images below {np.quantile(shares, 0.05):.1%}; mean half-width "
        f"{np.mean(widths):.4f}, RMS error {np.sqrt(np.mean(errors)):.4f}"
    )


def describe(share: float, interval: Sequence[float] | None) -> str:
    low, high = interval or (np.nan, np.nan)
    return f"{share:.1%} (95% CI over patients {low:.1%} to {high:.1%})"


if __name__ == "__main__":
    main()
