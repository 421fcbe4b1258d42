"""Every reply about layers crosses the seam: to JSON and array files, and back to an equal model."""

import numpy as np
import pytest

from engine.messages import (
    ComputeActivations,
    ComputeChannelStatistics,
    ComputeSaliency,
    ListLayers,
    MatchChannels,
    MaximizeActivation,
    ReadKernels,
    RegionSpec,
    Response,
    TopActivations,
    TraceLesion,
    read_event,
)
from gui.explorer_client import read_reply

pytestmark = pytest.mark.usefixtures("loaded_once")

BOX = RegionSpec(kind="ellipse", points=((0.3, 0.35), (0.6, 0.6)))
CASES = [
    (ListLayers, {}, 0),
    (ComputeActivations, {"layer": "enc_act1"}, 2),
    (ComputeChannelStatistics, {}, 0),
    (TopActivations, {"layer": "enc_act2", "channel": 3, "count": 2}, 0),
    (MaximizeActivation, {"layer": "enc_act2", "channel": 3}, 1),
    (ComputeSaliency, {"layer": "enc_act2", "channel": 1, "unit": (3, 4)}, 2),
    (ReadKernels, {"layer": "enc_conv2"}, 1),
    (ReadKernels, {"layer": "enc_act2"}, 0),
    (MatchChannels, {"layers": ("enc_act1", "enc_act1")}, 1),
    (TraceLesion, {"region": BOX, "channels": 2, "layers": ("enc_latent", "dec_output")}, 0),
]


@pytest.mark.parametrize(("kind", "fields", "files"), CASES, ids=lambda case: getattr(case, "__name__", ""))
def test_reply_crosses_the_seam(ask, run, explorer, kind, fields, files):
    if kind is MatchChannels:
        fields = fields | {"runs": (str(run.path),) * 2}
    reply = ask(kind, **fields)
    assert not list(explorer.scratch.glob("*.npy"))
    line = Response(number=1, panel="layers", content=reply.to_content(explorer.save_array)).to_json_line()
    assert len(list(explorer.scratch.glob("*.npy"))) == files
    read = read_reply(kind.reply_type, read_event(line).content, explorer.scratch)
    for name, value in reply:
        if isinstance(value, np.ndarray):
            assert np.array_equal(getattr(read, name), value), name
        else:
            assert repr(getattr(read, name)) == repr(value), name  # a ratio may be nan
