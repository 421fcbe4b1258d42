"""Numbers of scores: means, intervals, and what is not there."""

import numpy as np
import pytest
from scipy import stats

from engine.cli import run_options
from engine.evaluation import evaluator


def test_interval_is_the_one_of_students_t():
    values = np.random.default_rng(0).normal(3, 2, 20)
    low, high = stats.t.interval(0.95, 19, values.mean(), stats.sem(values))
    assert evaluator.confidence_interval(values) == pytest.approx([low, high])


def test_interval_holds_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(1)
    found = [evaluator.confidence_interval(rng.normal(0, 1, 10)) for _ in range(2000)]
    assert np.mean([low <= 0 <= high for low, high in found]) == pytest.approx(0.95, abs=0.02)


def test_no_interval_without_two_finite_values():
    assert evaluator.confidence_interval(np.array([1.0])) is None
    assert evaluator.confidence_interval(np.array([1.0, np.inf])) is None


def test_mean_that_is_not_finite_is_none():
    assert evaluator.mean(np.array([1.0, np.inf])) is None
    assert evaluator.mean(np.array([])) is None
    assert evaluator.mean(None) is None
    assert evaluator.mean(np.array([1.0, 2.0])) == 1.5


def test_command_line_offers_all_parts():
    assert run_options.SPLITS == evaluator.SUBSETS
