"""What a unit can see, told from kernels and strides, against what it is seen to depend on."""

import dataclasses

import keras
import numpy as np
import pytest

from engine import models
from engine.analysis import activations, layers, receptive_fields

SIDE = 32
BOUNDING = {"AddedToInput", "Bounded"}  # where intensities are cut off a change may not show


def changes(model, names, draws=3):
    """For each layer which rows, and which columns, of pixels change which of units: (side, units) bool each."""
    rng = np.random.default_rng(1)
    found = {}
    for _ in range(draws):
        base = rng.random((1, SIDE, SIDE, 1)).astype(np.float32)
        changed = np.repeat(base, 2 * SIDE + 1, axis=0)
        for place in range(SIDE):
            changed[1 + place, place] = rng.random((SIDE, 1))
            changed[1 + SIDE + place, :, place] = rng.random((SIDE, 1))
        for name, array in activations.compute(model, changed, names).items():
            grid = array if array.ndim == 4 else array[:, None, None]
            moved = np.abs(grid[1:] - grid[:1]) > 1e-5 * np.abs(grid).max()
            rows, columns = moved[:SIDE].any(axis=(2, 3)), moved[SIDE:].any(axis=(1, 3))
            before = found.get(name, (False, False))
            found[name] = before[0] | rows, before[1] | columns
    return found


def expected(spans):
    pixels = np.arange(SIDE)[:, None]
    return (pixels >= spans[:, 0]) & (pixels <= spans[:, 1])


def hull(seen):
    """The first and last row of pixels that changed each unit."""
    return [(np.flatnonzero(column)[0], np.flatnonzero(column)[-1]) if column.any() else None for column in seen.T]


MODELS = [
    ("ae", {}),
    ("ae", {"stride": 2, "kernel_size": 5, "norm": "none"}),
    ("ae", {"norm": "group"}),
    ("ae", {"kernel_size": 4, "stride": 4, "depth": 2}),
    ("vae", {"norm": "layer"}),
    ("vae", {"activation": "relu"}),
    ("unet", {"residual": True}),
    ("unet", {"residual": False, "depth": 2}),
    ("skip-ae", {}),
    ("residual-ae", {}),
    ("residual-vae", {}),
]


@pytest.mark.parametrize(("name", "settings"), MODELS, ids=lambda part: str(part))
def test_fields_hold_all_that_a_unit_depends_on_and_no_more(tiny, shaken, name, settings):
    model = shaken(models.build(tiny(model=name, **settings)))
    listed = [layer for layer in layers.list_layers(model) if layer.kind != "Subspace" or len(layer.shape) == 1]
    seen = changes(model, [layer.name for layer in listed])
    for layer in listed:
        assert layer.field.known, layer.name
        for spans, moved in zip((layer.field.rows, layer.field.columns), seen[layer.name], strict=True):
            assert not (moved & ~expected(spans)).any(), f"{layer.name} depends on more than its field"
            if layer.kind not in BOUNDING:
                wanted = [tuple(span) if span[0] <= span[1] else None for span in spans]
                assert hull(moved) == wanted, f"{layer.name} depends on less than its field"


def test_numbers_of_a_known_stack(tiny):
    found = {layer.name: layer for layer in layers.list_layers(models.build(tiny(filters=(4, 4, 4), latent=4)))}
    sizes = [found[f"enc_conv{number}"].field.size for number in (1, 2, 3)]
    assert sizes == [(3, 3), (7, 7), (15, 15)]
    assert [found[f"enc_conv{number}"].field.step for number in (1, 2, 3)] == [(2, 2), (4, 4), (8, 8)]
    first = found["enc_conv1"]
    assert (first.kernel, first.stride, first.receives) == ((3, 3), (2, 2), ("images",))
    assert found["enc_norm1"].receives == ("enc_conv1",)
    assert (found["enc_norm1"].kernel, found["enc_norm1"].stride) == ((), ())
    assert first.field.box(1, 2) == (4, 2, 3, 3)
    assert first.field.center(1, 2) == (5.5, 3.5)
    assert found["enc_act1"].field.box(1, 2) == first.field.box(1, 2)
    assert found["enc_latent"].field.box() == (0, 0, SIDE, SIDE)
    assert found["enc_latent"].field.center() == (SIDE / 2, SIDE / 2)
    assert found["dec_output"].field.size == (SIDE, SIDE)


def test_skips_widen_a_field_to_all_ways(tiny):
    found = {
        layer.name: layer for layer in layers.list_layers(models.build(tiny(model="unet", filters=(4, 8), depth=1)))
    }
    joined = found["dec_skip1"]
    assert set(joined.receives) == {"enc_act1", "dec_up1"}
    assert joined.field.size == found["dec_up1"].field.size > found["enc_act1"].field.size


def test_normalization_sees_its_whole_layer_where_it_takes_its_numbers_from_the_image(tiny):
    for norm, whole in (("batch", False), ("group", True), ("layer", True)):
        found = {layer.name: layer for layer in layers.list_layers(models.build(tiny(norm=norm)))}
        assert (found["enc_norm1"].field.size == (SIDE, SIDE)) is whole, norm


def test_unknown_kind_is_said_to_be_unknown_and_taken_for_the_whole_image():
    class Strange:
        pass

    image = receptive_fields.image_field(8, 8)
    field = receptive_fields.layer_field(Strange(), [image], (8, 8, 1), image)
    assert not field.known
    assert field.box(3, 3) == (0, 0, 8, 8)
    assert not receptive_fields.layer_field(keras.layers.ReLU(), [field], (8, 8, 1), image).known


def test_what_kernels_leave_out_sees_nothing():
    layer = keras.layers.Conv2DTranspose(1, 1, 2, padding="same")
    image = receptive_fields.image_field(4, 4)
    field = receptive_fields.layer_field(layer, [image], (8, 8, 1), image)
    assert field.box(2, 2) == (1, 1, 1, 1)
    assert field.rows[1, 0] > field.rows[1, 1]


def test_copies_in_another_precision_are_known_again(tiny):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        found = layers.list_layers(models.build(tiny()))
    finally:
        keras.config.set_dtype_policy(before)
    plain = layers.list_layers(models.build(tiny()))
    assert [layer.receives for layer in found] == [layer.receives for layer in plain]
    assert found == [dataclasses.replace(layer) for layer in plain]


def test_names_around_a_non_linearity(tiny):
    known = layers.list_layers(models.build(tiny()))
    for name in ("enc_conv1", "enc_norm1", "enc_act1"):
        assert layers.nonlinearity_pair(known, name) == ("enc_norm1", "enc_act1")
    assert layers.nonlinearity_pair(known, "dec_conv2") == ("dec_conv2", "dec_output")
    bare = layers.list_layers(models.build(tiny(norm="none")))
    assert layers.nonlinearity_pair(bare, "enc_act1") == ("enc_conv1", "enc_act1")
    with pytest.raises(layers.ConfigError, match="Layer 'enc_latent' has no activation function"):
        layers.nonlinearity_pair(known, "enc_latent")
    with pytest.raises(layers.ConfigError, match="no layer 'enc_conv9'"):
        layers.nonlinearity_pair(known, "enc_conv9")
