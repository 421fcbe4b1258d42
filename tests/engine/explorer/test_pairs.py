"""Two layers compared, and a drawn lesion followed, as the window is told."""

import numpy as np
import pytest

from engine import data, evaluation, lesions, runs
from engine.analysis import detectability, layers
from engine.errors import ConfigError, RegionError
from engine.explorer.context import region_mask
from engine.messages import MatchChannels, RegionSpec, TraceLesion, never_stop, read_command

BOX = RegionSpec(kind="ellipse", points=((0.3, 0.35), (0.6, 0.6)))


def test_a_run_matched_with_itself_has_no_difference(ask, run, explorer):
    answer = ask(MatchChannels, runs=(str(run.path),) * 2, layers=("enc_act1",) * 2)
    assert answer.pairs == tuple((number, number) for number in range(4))
    assert answer.rms == (0.0,) * 4
    assert answer.activations.shape == (2, 16, 16, 4)


def test_channels_that_were_only_put_in_another_order_are_found_again(ask, run, tmp_path):
    order = [2, 0, 3, 1]
    model = evaluation.load_model(run)
    first = model.encoder.get_layer("enc_conv1")
    first.set_weights([weights[..., order] for weights in first.get_weights()])
    norm = model.encoder.get_layer("enc_norm1")
    norm.set_weights([weights[order] for weights in norm.get_weights()])
    other = runs.copy_run(run, "turned")
    model.save(other.model_path)
    answer = ask(MatchChannels, runs=(str(run.path), str(other.path)), layers=("enc_act1",) * 2)
    assert [order[second] for _, second in answer.pairs] == [0, 1, 2, 3]
    assert max(answer.rms) < 1e-6


def test_layers_of_other_sizes_cannot_be_matched(ask, run):
    with pytest.raises(ConfigError, match="cannot be matched"):
        ask(MatchChannels, runs=(str(run.path),) * 2, layers=("enc_act1", "enc_act2"))


def test_a_drawn_lesion_is_followed_to_the_output(ask, run, explorer):
    answer = ask(TraceLesion, region=BOX, channels=6)
    mask = region_mask(BOX, (32, 32))
    picture = data.load(config=run.config.data).test.read([2])[0, ..., 0]
    twin = lesions.inpaint(picture, mask, grain_seed=None)
    names = [layer.name for layer in answer.layers]
    assert names == ["enc_act1", "enc_act2", "enc_latent", "dec_dense", "dec_act1", "dec_output"]
    held = [layer.held_share for layer in answer.layers]
    assert held == sorted(held, reverse=True)
    assert 0 < held[-1] < held[0] <= 1
    assert answer.loses_most in names
    assert answer.pairs[0].lesion_px == lesions.area(mask)
    assert answer.picture_d_prime == pytest.approx(np.linalg.norm(picture - twin) / 0.05, rel=1e-5)


def test_the_layers_to_ask_can_be_named_and_keep_what_they_keep_among_all(ask):
    every = {each.name: each.held_share for each in ask(TraceLesion, region=BOX).layers}
    some = ask(TraceLesion, region=BOX, layers=("enc_latent", "dec_output")).layers
    assert [each.name for each in some] == ["enc_latent", "dec_output"]
    assert [each.held_share for each in some] == pytest.approx([every[each.name] for each in some], abs=0.02)
    assert some[0].lost_share == pytest.approx(1 - some[0].held_share, abs=1e-6)


def test_following_yields_and_continues_where_it_was(ask, explorer, monkeypatch):
    asked = []
    kept = detectability._LesionPath.compute_retained
    monkeypatch.setattr(
        detectability._LesionPath,
        "compute_retained",
        lambda self, names, most=None: (asked.append(names), kept(self, names, most))[1],
    )
    explorer.should_stop = lambda: len(asked) > 2
    assert ask(TraceLesion, region=BOX, channels=4) is None
    before = len(asked)
    explorer.should_stop = never_stop
    assert ask(TraceLesion, region=BOX, channels=4).layers
    assert len(set(asked)) == len(asked) > before > 2


def test_regions_are_masks_in_shares_of_the_image():
    assert np.array_equal(region_mask(BOX, (40, 20)), lesions.ellipse((40, 20), 6, 14, 6, 10))
    turned = RegionSpec(kind="rectangle", points=((0.5, 0.75), (0.25, 0.25)))
    assert np.array_equal(region_mask(turned, (8, 8)), lesions.rectangle((8, 8), 2, 2, 2, 4))
    corners = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    drawn = lesions.polygon((8, 8), [(x * 8, y * 8) for x, y in corners])
    assert np.array_equal(region_mask(RegionSpec(kind="polygon", points=corners), (8, 8)), drawn)


def test_unfit_regions_are_sentences(ask):
    with pytest.raises(RegionError, match="contains no pixel"):
        ask(TraceLesion, region=RegionSpec(kind="ellipse", points=((0.5, 0.5), (0.501, 0.501))))
    with pytest.raises(ConfigError, match="no layer 'none'"):
        ask(TraceLesion, region=BOX, layers=("none",))


def test_a_region_of_one_point_is_no_command(run):
    line = TraceLesion(number=1, panel="layers", run="a", data=run.config.data, region=BOX).to_json_line()
    assert read_command(line).region == BOX
    with pytest.raises(Exception, match="could not be read"):
        read_command(line.replace('"ellipse"', '"polygon"'))


def test_stages_of_the_tiny_run_are_in_order(run):
    known = layers.list_layers(evaluation.load_model(run))
    assert detectability.key_layers(known) == [
        "enc_act1",
        "enc_act2",
        "enc_latent",
        "dec_dense",
        "dec_act1",
        "dec_output",
    ]
