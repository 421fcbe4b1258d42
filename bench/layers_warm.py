"""Time from the request for a layer to its activations on disk: the explorer, warm, beside the plain way.

    python bench/layers_warm.py RUN [--data SOURCE] [--scans 1] [--split validation] [--plain 12]

Goes through all layers from the input to the output as the Layers panel does with its arrows, on scans not looked at
before, then back. The plain way computes the one layer anew each time, as a script without the explorer would; it is
measured on some of the layers, in turn with the explorer, and the ratio is of these pairs. What the window adds to it,
from the key to the painted picture, `layers_switch.py` measures.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from live_window import ROOT, tell, tell_machine


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("run", type=Path, help="folder of a run")
    options.add_argument("--data", help="source of the scans; the run's own where not given")
    options.add_argument("--scans", type=int, default=1, help="scans looked at together")
    options.add_argument("--split", default="validation")
    options.add_argument("--plain", type=int, default=12, help="layers at which the plain way is timed")
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        measure(options.parse_args(), Path(folder))


def measure(chosen: argparse.Namespace, folder: Path) -> None:
    from engine import runs
    from engine.explorer.explorer import Explorer
    from engine.messages import ComputeActivations, ListLayers, discard_event, never_stop

    run = runs.open_run(chosen.run)
    config = run.config.data.model_copy(update={"source": chosen.data} if chosen.data else {})
    explorer = Explorer(folder, discard_event, never_stop)
    words = {"number": 1, "panel": "layers", "run": str(run.path)}
    names = [layer.name for layer in explorer.answer(ListLayers(**words)).layers]

    def ask(name: str, first: int) -> float:
        indices = tuple(range(first, first + chosen.scans))
        request = ComputeActivations(**words, data=config, split=chosen.split, indices=indices, layer=name)
        begun = time.perf_counter()
        explorer.answer(request).to_content(explorer.save_array)
        return (time.perf_counter() - begun) * 1e3

    ask(names[-1], 0)  # the frameworks' own first time
    print(f"{run.name}, {len(names)} layers, {chosen.scans} scans of {config.size} x {config.size}")
    tell_machine()
    walk = [ask(name, chosen.scans) for name in [*names, *reversed(names)]]
    tell("layer by layer, there and back", walk, "layers")
    slowest = sorted(zip(walk, [*names, *reversed(names)], strict=True), reverse=True)[:3]
    print("slowest: " + ", ".join(f"{name} {ms:.0f} ms" for ms, name in slowest))
    compare(chosen, (explorer, run, config), names, lambda name: ask(name, chosen.scans))


def compare(chosen: argparse.Namespace, opened: tuple, names: list[str], ask) -> None:
    """The plain way at some layers, each beside the explorer's answer."""
    import numpy as np

    from engine.analysis import activations

    explorer, run, config = opened
    model, _ = explorer.model(str(run.path))
    images = explorer.dataset(config).splits[chosen.split].read(slice(chosen.scans, 2 * chosen.scans))
    some = [names[at] for at in np.unique(np.linspace(0, len(names) - 1, chosen.plain).round().astype(int))]
    plain, warm = [], []
    for name in some:
        begun = time.perf_counter()
        np.save(explorer.scratch / "plain.npy", activations.compute(model, images, [name])[name])
        plain.append((time.perf_counter() - begun) * 1e3)
        warm.append(ask(name))
    tell("the plain way", plain, "layers")
    ratios = [one / other for one, other in zip(plain, warm, strict=True)]
    print(
        f"plain way / explorer: {statistics.median(ratios):.1f} in the middle ({min(ratios):.1f} to {max(ratios):.1f})"
    )


if __name__ == "__main__":
    main()
