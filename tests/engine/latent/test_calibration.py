"""Intervals of a model that knows its noise are right, and one that is too sure or too shy is told so."""

import json

import numpy as np
import pytest

from engine.job_context import run_steps
from engine.latent import calibration
from engine.latent.calibration import CoverageCounter, IntervalScale, Spread
from engine.latent.space import Codes


def counted(promised, true=0.05):
    rng = np.random.default_rng(0)
    counting = CoverageCounter()
    for _ in range(5):
        mean = rng.random((4, 32, 32, 1)).astype(np.float32)
        images = (mean + rng.normal(0, true, mean.shape)).astype(np.float32)
        counting.add(images, Spread(mean, np.full_like(mean, promised)))
    return counting.get_result()


def test_known_gaussian_is_calibrated():
    found = counted(0.05)
    assert found.coverage == pytest.approx(found.levels, abs=0.015)
    assert found.error < 0.01
    assert found.spread == pytest.approx(found.rms_error, rel=0.02)
    assert found.summary().startswith("Calibrated")
    assert found.pixels == 5 * 4 * 32 * 32


def test_spread_that_is_a_tenth_of_the_error_is_far_too_narrow():
    found = counted(0.005)
    assert found.coverage[found.levels.index(0.9)] == pytest.approx(0.13, abs=0.02)  # erf(1.645 / 10 / sqrt 2)
    assert "Overconfident" in found.summary()
    assert "10.1× the posterior SD" in found.summary()


def test_spread_that_is_too_wide_is_reported_too():
    assert "Underconfident" in counted(0.5).summary()


def test_spread_of_a_linear_decoder_is_that_of_its_latent():
    """x = 0.5 + w z: the deviation of decoded samples is |w| times that of z."""

    class Space:
        def need_posterior(self, wanted, instead):
            pass

        def decode(self, latents):
            weights = np.array([[0.1, 0.0], [0.2, 0.0]], np.float32)
            return (0.5 + latents @ weights.T).reshape(len(latents), 1, 2, 1)

    codes = Codes(np.array([[1.0, 0.0]], np.float32), np.log(np.array([[0.25, 1.0]], np.float32)))
    found = calibration.spread(Space(), codes, samples=4000)
    assert found.mean.ravel() == pytest.approx([0.6, 0.7], abs=0.01)
    assert found.deviation.ravel() == pytest.approx([0.05, 0.1], rel=0.05)


REACH = np.linspace(0.02, 0.1, 32, dtype=np.float32)[:, None]


class Split:
    """Images whose errors are uniform, larger from column to column: twenty patients of two images."""

    groups = tuple(f"p{number // 2}" for number in range(40))

    def read(self, rows):
        [row] = rows
        return (0.5 + np.random.default_rng(row).uniform(-1, 1, (1, 32, 32, 1)) * REACH).astype(np.float32)


def test_calibrated_intervals_hold_on_patients_that_were_not_used_for_them():
    made = Spread(np.full((1, 32, 32, 1), 0.5, np.float32), np.full((1, 32, 32, 1), 0.01, np.float32))
    found = run_steps(calibration.measure(lambda row, images: made, Split(), range(40)))
    assert found.plain.get_result().coverage[8] < 0.5
    result = found.calibrated.get_result()
    assert result.coverage == pytest.approx(result.levels, abs=0.015)
    assert found.interval[0] < result.coverage[8] < found.interval[1]
    assert found.scale.half_width(made.deviation).mean(axis=(0, 1)) == pytest.approx(0.9 * REACH, rel=0.1)
    known = IntervalScale.from_json(json.loads(json.dumps(found.scale.to_json())))
    assert known.half_width(made.deviation) == pytest.approx(found.scale.half_width(made.deviation), rel=1e-2)
    assert IntervalScale.from_json({"factors": []}) is None
    again = run_steps(calibration.measure(lambda row, images: made, Split(), range(20), known))
    assert again.scale is known
