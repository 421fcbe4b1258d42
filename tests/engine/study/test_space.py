"""The space of the study, and the order in which it is tried."""

from collections import Counter

from engine.study import paper
from engine.study.space import trials, values, without


def test_space_of_the_study_has_81_points_of_which_its_best_is_one():
    for model in paper.MODELS:
        points = list(paper.claim(model).space.points())
        assert len(points) == 81
        best = paper.claim(model).best
        assert {
            "learning_rate": best.training.learning_rate,
            "epochs": best.training.epochs,
            "batch_size": best.training.batch_size,
            "latent": best.model.latent,
        } in points


def test_trials_never_repeat_and_a_longer_draw_begins_as_a_shorter_one():
    space = paper.claim("ae").space
    long = trials(space, 81, 3)
    assert max(Counter(map(str, long)).values()) == 1
    assert trials(space, 17, 3) == long[:17]
    assert trials(space, 17, 4) != long[:17]


def test_order_is_a_draw_that_does_not_begin_with_the_studys_best():
    best = {"learning_rate": 5e-4, "epochs": 40, "batch_size": 16, "latent": 512}
    firsts = [trials(paper.claim("ae").space, 1, seed)[0] for seed in range(50)]
    assert len(set(map(str, firsts))) > 20
    assert firsts[0] != best


def test_more_trials_than_points_are_all_points():
    assert len(trials(paper.claim("ae").space, 100, 0)) == 81


def test_settings_that_are_given_are_left_out_of_the_space():
    space = without(paper.claim("vae").space, {"epochs", "size"})
    assert list(values(space)) == ["learning_rate", "batch_size", "latent"]
    assert len(trials(space, 100, 0)) == 27
