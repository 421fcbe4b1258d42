"""What is said about a layer that a model does not have."""

import pytest

from engine.analysis import MAX_LISTED, make_unknown_layer_error

DEEP = [f"enc{stage}_{kind}" for stage in range(40) for kind in ("conv", "norm", "act")]


def test_few_layers_are_all_told():
    error = make_unknown_layer_error("nothing", DEEP[:MAX_LISTED])
    assert error.what == "The model has no layer 'nothing'."
    assert error.advice == f"Its layers: {', '.join(DEEP[:MAX_LISTED])}."


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("enc7_cov", "Closest of its 120 layers: enc7_conv"),
        ("?", "None of its 120 layers (enc0_conv to enc39_act)"),
    ],
)
def test_of_many_layers_those_that_come_near_are_reported(name, told):
    error = make_unknown_layer_error(name, DEEP)
    assert error.advice.startswith(told)
    assert len(str(error)) < 200
