"""`parity`: the same weights on every backend, compared layer by layer."""

import sys
from argparse import Namespace
from collections.abc import Sequence

from engine import evaluation, parity, runs
from engine.cli.console import CommandResult, ConsoleProgress, format_table
from engine.cli.program import CHECK_FAILED
from engine.config import model_title
from engine.errors import ConfigError
from engine.evaluation import scoring
from engine.formatting import format_number
from engine.job_context import JobContext
from engine.parity import ParityResult
from engine.parity.comparison import LIMIT, LayerComparison

MOST_IMAGES = 64
SCALE_NOTE = """\
Difference: the largest between any two backends over all images. Relative: the difference divided by the layer's
largest value where that is above 1, else the difference itself; it must stay below {limit:g}."""


def run(options: Namespace) -> CommandResult:
    """Compare a run's layers on all installed backends."""
    count = _count(options.images)
    opened = runs.open_run(options.run, options.runs)
    meter = ConsoleProgress(sys.stderr)
    context = JobContext(on_progress=meter.update)
    loaded = evaluation.load_dataset(opened, options.data, context=context)
    split = next(name for name in ("test", "validation", "train") if len(loaded.splits[name]))
    _, images = scoring.fix_sample(loaded.splits[split], count)
    found = parity.check(opened, images, context)
    content = {**found.content(), "source": loaded.source, "split": split}
    return CommandResult(_text(found, f"{split} images of {loaded.source}"), content, 0 if found.ok else CHECK_FAILED)


def _count(typed: str) -> int:
    if not typed.isdecimal() or not 1 <= int(typed) <= MOST_IMAGES:
        raise ConfigError(
            f"The number of images (--images) must be a whole number from 1 to {MOST_IMAGES}; '{typed}' was given."
        )
    return int(typed)


def _text(found: ParityResult, images: str) -> str:
    rows = [_row(each) for each in [*found.layers, *found.outputs]]
    lines = [f"Run {found.run} ({model_title(found.model)}), same weights, {found.images} {images}:"]
    lines += [_backend_line(found, name) for name in found.backends]
    lines.append(format_table(["layer", "kind", "largest value", "difference", "relative", ""], rows, align="<<>>><"))
    lines += [SCALE_NOTE.format(limit=LIMIT), _verdict(found)]
    return "\n".join(lines)


def _row(each: LayerComparison) -> Sequence[str]:
    numbers = [format_number(each.largest), f"{each.difference:.1e}", f"{each.share:.1e}"]
    return [each.name, each.kind or "output", *numbers, "" if each.ok else "DIFFERS"]


def _backend_line(found: ParityResult, name: str) -> str:
    side = found.backends[name]
    if not side.installed:
        return f"  {name}: not installed, not compared. Install it: {side.install}"
    return f"  {name}: failed: {side.error}" if side.error else f"  {name} {side.version} on {side.device}"


def _verdict(found: ParityResult) -> str:
    compared = [name for name, side in found.backends.items() if side.installed and not side.error]
    names = ", ".join(compared[:-1]) + " and " + compared[-1]
    first = found.first_difference
    if first is not None:
        odd = " and ".join(first.outlier)
        return f"The backends differ first at {first.name} ({odd}), by {first.share:.1e}; the limit is {LIMIT:g}."
    worst = max([*found.layers, *found.outputs], key=lambda each: each.share)
    agree = f"{names} agree on every layer; the largest relative difference is {worst.share:.1e}, at {worst.name}."
    failed = [name for name, side in found.backends.items() if side.error]
    return agree + (f" {', '.join(failed)} could not compute the model." if failed else "")
