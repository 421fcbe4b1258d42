"""A script that computes the same activations without the window."""

from gui.panels.layers.network import INPUT
from gui.panels.layers.state import LayersState
from gui.python_export import changed_data, join_script

IMPORTS = (
    "import engine",
    "from engine import evaluation",
    "from engine.analysis import activations, channel_statistics",
)


def layers_script(choice: LayersState) -> str:
    """Return a script that puts the scans through the run and prints the channel's numbers; empty without a scan."""
    scan = choice.scan
    if scan is None or not choice.run:
        return ""
    layer, channel = choice.layer, max(choice.channel, 0)
    lines = [
        f"data = {changed_data(scan.data)}",
        f"model = evaluation.load_model(engine.runs.open_run({choice.run!r}))",
    ]
    if scan.opened is not None:
        lines += [
            f"scan = engine.data.open_scan({scan.opened.path!r})",
            f"images = engine.data.prepare(scan, data, {scan.opened.slice})[None, ..., None]",
        ]
    else:
        places = [each.index for each in choice.scans if each.opened is None and each.split == scan.split]
        lines += [f"images = engine.data.load(config=data).splits[{scan.split!r}].read({places})"]
    if layer == INPUT:
        return join_script(*lines, "print(images.shape, images.mean())", imports=IMPORTS[:2])
    return join_script(
        *lines,
        f"seen = activations.compute(model, images, [{layer!r}])[{layer!r}]  # (images, height, width, channels)",
        f"channel = seen[..., {channel}]",
        "print(channel.shape, channel.min(), channel.mean(), channel.max())",
        f"print(channel_statistics.statistics(model, images, [{layer!r}])[{layer!r}].energy)",
        imports=IMPORTS,
    )
