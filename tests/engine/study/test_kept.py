"""Numbers that are not measured twice."""

from engine.study.kept import Kept, fingerprint, of_model


def test_numbers_are_there_again_under_the_same_fingerprint_alone(tmp_path):
    mark = fingerprint("splits", [1, 2])
    Kept(tmp_path / "measured.json").keep("ae", mark, {"mse": 0.25})
    again = Kept(tmp_path / "measured.json")
    assert again.get("ae", mark) == {"mse": 0.25}
    assert again.get("ae", fingerprint("splits", [1, 3])) is None
    assert again.get("vae", mark) is None


def test_file_that_cannot_be_read_holds_nothing(tmp_path):
    path = tmp_path / "measured.json"
    for text in ("{", "[1]", '{"ae": 3}'):
        path.write_text(text)
        assert Kept(path).get("ae", "x") is None


def test_other_weights_or_settings_are_another_model(write_run):
    run = write_run("a", [1.0])
    before = of_model(run)
    assert of_model(run) == before
    run.model_path.write_bytes(b"others")
    assert of_model(run) != before
    assert of_model(write_run("b", [1.0])) == before
    assert of_model(write_run("c", [1.0], latent=16)) != before
