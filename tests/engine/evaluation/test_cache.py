"""The numbers that the window shows: measured on the test images, kept in the run, giving way to other questions."""

import dataclasses
import json
import os

import numpy as np
import pytest

from engine import data, evaluation
from engine.evaluation import cache, references, scoring
from engine.explorer.explorer import Explorer
from engine.job_context import Cancelled, JobContext
from engine.messages import EvaluateRun, PerImageErrors, Reconstruct, never_stop


@pytest.fixture(scope="module")
def run(trained, tmp_path_factory):
    """Return a copy of a tiny run: what is measured is kept in it."""
    return trained(epochs=1, at=tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture(scope="module")
def images(run):
    return data.load(config=run.config.data)


@pytest.fixture
def explorer(tmp_path):
    return Explorer(tmp_path, lambda event: None, never_stop)


def asked(name, run):
    return EvaluateRun(number=1, panel="compare-measure", run=name, data=run.config.data)


def test_run_is_measured_as_evaluate_does(explorer, run):
    answer = explorer.answer(asked(str(run.path), run))
    wanted = evaluation.evaluate(run, splits=["test", "test_clean"])["splits"]
    assert answer.model_dump(mode="json") == {"run": str(run.path), "splits": wanted}


def test_numbers_are_found_once_for_the_same_images_and_the_same_model(explorer, run, monkeypatch):
    first = explorer.answer(asked(str(run.path), run))
    with monkeypatch.context() as patched:
        patched.setattr(scoring, "score", None)
        assert explorer.answer(asked(str(run.path), run)) == first
    stamp = run.model_path.stat()
    retrained = evaluation.load_model(run)
    retrained.set_weights([1.01 * weights for weights in retrained.get_weights()])
    retrained.save(run.model_path)
    os.utime(run.model_path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))  # within one tick of the clock
    measured = []
    score = scoring.score
    monkeypatch.setattr(scoring, "score", lambda *words, **more: (measured.append(1), score(*words, **more))[1])
    assert explorer.answer(asked(str(run.path), run)) != first
    assert measured


def test_damaged_numbers_are_found_anew_and_old_ones_go(run, images, monkeypatch):
    (run.path / cache.FILE).write_text("{", encoding="utf-8")
    assert cache.read_cached(run, images) is None
    monkeypatch.setattr(cache, "KEPT", 2)
    model = evaluation.load_model(run)
    for number in range(3):
        cache.evaluate_run_cached(run, model, dataclasses.replace(images, fingerprint=str(number)))
    kept = [cache.read_cached(run, dataclasses.replace(images, fingerprint=str(number))) for number in range(3)]
    assert [numbers is None for numbers in kept] == [True, False, False]


def test_numbers_of_an_unknown_form_are_found_anew(explorer, run, images):
    request = asked(str(run.path), run)
    wanted = explorer.answer(request)
    for strange in ({"test": 5}, {"test": {"n": 6, "mse": 0.1}}):
        path = run.path / cache.FILE
        path.write_text(json.dumps(dict.fromkeys(json.loads(path.read_text()), strange)))
        assert explorer.answer(request) == wanted


def test_stopped_measuring_is_no_answer_and_keeps_nothing(run, tmp_path):
    (run.path / cache.FILE).unlink(missing_ok=True)
    explorer = Explorer(tmp_path, lambda event: None, lambda: True)
    assert explorer.answer(asked("pca:4", run)) is None
    images, stopped = data.load(config=run.config.data), JobContext(lambda: True)
    with pytest.raises(Cancelled):
        cache.evaluate_run_cached(run, evaluation.load_model(run), images, stopped)
    assert not (run.path / cache.FILE).exists()


def test_baseline_stands_in_the_place_of_a_run(explorer, run, images):
    made = references.fit_pca(images.train, 4)
    wanted = made.predict_on_batch(images.test.read([0, 2]))
    question = Reconstruct(
        number=1, panel="compare", runs=("pca:4", str(run.path)), data=run.config.data, split="test", indices=(0, 2)
    )
    answer = explorer.answer(question).runs
    assert answer["pca:4"].images == pytest.approx(wanted[..., 0], abs=1e-5)
    ranking = PerImageErrors(number=2, panel="rank", run="pca:4", data=run.config.data, split="test")
    ranked = explorer.answer(ranking).mse
    assert ranked[0] == pytest.approx(np.mean((wanted[0] - images.test.read([0])) ** 2), rel=1e-4)
    measured = explorer.answer(asked("pca:4", run)).splits["test"].mse
    assert measured == pytest.approx(np.mean(ranked), rel=1e-5)
    worst = explorer.answer(asked("pca:0", run)).splits["test"].mse
    assert worst > measured
