"""All benches in one run, and one table of their figures with baselines and targets at the end.

    python bench/all.py [--quick] [--data SOURCE] [--only NAME ...] [--skip NAME ...]

What this machine cannot run is skipped, and the reason is said. `--quick` takes minutes in place of hours: fewer
rounds, smaller sets, and no time to quality. `--data` names a folder of images for what phantoms cannot show. The
output of each bench is printed as it comes; a bench that fails is a row of the table and does not end the others.
"""

import argparse
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BATCHES = ("16", "32", "64")
NOISES = ("gaussian", "poisson", "salt-and-pepper")
NUMBER = r"[\d.,]+"


@dataclass(frozen=True)
class Figure:
    """One figure of a bench.

    `pattern` finds the value in its output, or the value and the baseline's. `least` says that more is better, `worst`
    that the highest of several matches counts.
    """

    name: str
    pattern: str
    unit: str = ""
    target: float | None = None
    least: bool = False
    baseline: str = ""
    worst: bool = False


@dataclass(frozen=True)
class Bench:
    """One bench: its arguments, those of a quick run, why it cannot run here, and its figures."""

    name: str
    arguments: tuple[str, ...] = ()
    quick: tuple[str, ...] | None = ()
    figures: tuple[Figure, ...] = ()
    obstacle: Callable[[argparse.Namespace], str] = lambda options: ""


def _needs_data(options: argparse.Namespace) -> str:
    return "" if options.data else "it needs real images: --data SOURCE"


def _needs_torch(options: argparse.Namespace) -> str:
    return "" if importlib.util.find_spec("torch") else "PyTorch is not installed"


def _needs_card(options: argparse.Namespace) -> str:
    if reason := _needs_torch(options):
        return reason
    found = subprocess.run(
        [sys.executable, "-c", "import torch, sys; sys.exit(not torch.cuda.is_available())"], check=False
    )
    return "there is no graphics card" if found.returncode else ""


def _training_figures() -> tuple[Figure, ...]:
    """Return Engram's ratio to its baseline, by batch, backend and precision."""
    rows = (
        ("torch, float32", "plain PyTorch, fused, channels-last", 1.0),
        ("torch, bfloat16", "plain PyTorch, fused, channels-last, bfloat16", 1.0),
        ("tensorflow, float32", "plain Keras fit, tensorflow", 1.4),
        ("tensorflow, bfloat16", "plain Keras fit, tensorflow", 1.4),
    )
    return tuple(
        Figure(
            f"Engram, {row}, batch {batch}",
            rf"Batch {batch}:(?:(?!Batch ).)*?^{re.escape(known)}\s+(?P<known>{NUMBER}) "
            rf"(?:(?!Batch ).)*?^Engram, {row}\s+(?P<value>{NUMBER}) ",
            "images/s",
            target,
            least=True,
            baseline=known,
        )
        for batch in BATCHES
        for row, known, target in rows
    )


def _list_benches(run: str, network: str, data: str) -> list[Bench]:
    """Return all benches in a sensible order: the window, the data, then training.

    Args:
        run: folder of a run with a model.
        network: folder of a run with a U-Net.
        data: source of real images; empty for none.
    """
    own = r"of that loop's own work: .*worst (?P<value>[\d.]+) ms"
    tail = r"95 % (?P<value>[\d.]+) ms"
    start = r"^{}\s+(?P<value>[\d.]+)"
    turn = r"^(?:scan|train|search|compare|layers|denoise|latent|report)\s+(?P<value>\d+) [ *]+\d+\s+\d+$"
    theme = r"^(?:data|scan|train|search|compare|layers|denoise|latent|report)\s+(?P<value>\d+) [ *]+\d+ to \d+"
    return [
        Bench("first_window", (), ("--times", "2"), tuple(
            Figure(f"first start, {what}", start.format(what), "s", target)
            for what, target in (("window", 0.7), ("image", 2.0), ("phantoms", 3.0))
        )),
        Bench("panels", (), ("--no-engines", "--rounds", "1"), (
            Figure("first visit of a panel, longest turn", turn, "ms", 100, worst=True),
            Figure("change of the theme, longest turn", theme, "ms", 100, worst=True),
        )),
        Bench("search_panel", (), ("--trials", "500", "--turns", "2"), (
            Figure("search of 500 trials opened, own work", r"search opened, " + own, "ms", 100),
            Figure("a trial ends, own work", r"a trial ends, " + own, "ms", 100),
        )),
        Bench("denoise_slider", (run, "--noise", *NOISES), (run, "--moves", "12", "--noise", *NOISES), tuple(
            Figure(f"slider to picture, {kind}, 95%", rf"^{kind}:\nsingle moves: .*?{tail}", "ms", 40)
            for kind in NOISES
        )),
        Bench("layers_switch", (network,), (network, "--keys", "8"), tuple(
            Figure(f"layers: {what}, 95%", rf"{what}[^:]*: .*?{tail}", "ms", 60)
            for what in ("from channel to channel", "straight through the network", "from layer to layer")
        )),
        Bench("layers_warm", (network, "--data", "phantom"), (network, "--data", "phantom", "--plain", "2")),
        Bench("thumbnails", (), ("--steps", "60"), (
            Figure("100,000 thumbnails scrolled, longest turn",
                   r"^(?:by three rows|by pages|through all)\s+longest turn\s+(?P<value>\d+) ms",
                   "ms", 100, worst=True),
        )),
        Bench("scatter_plot", (), ()),
        Bench("parallel_axes", (), ()),
        Bench("explorer_memory", (), (), (
            Figure("explorer, three models open, PSS", r"^3 models.*?(?P<value>\d+) MiB", "MiB"),
        )),
        Bench("phantom", (), ("--rounds", "2", "--count", "100"), (
            Figure("phantoms drawn, processor time", r"^\s*(?P<value>\d+) slices/s by processor time", "slices/s"),
        )),
        Bench("data_walk", (run,), (run, "--epochs", "2"), tuple(
            Figure(f"data walk, {what}", rf"^{what}\s+(?P<value>\d+)", "", target)
            for what, target in (("requests", 1), ("calls of a scan", 90), ("calls of an epoch", 40), ("redraws", 1))
        )),
        Bench("audit", (data,), None, obstacle=_needs_data),
        Bench("search_gap", (), None),
        Bench("search_memory", (), None),
        Bench("train", ("--memory", "--batch", *BATCHES, *_compiler()),
              ("--rounds", "2", "--images", "64", "--batch", *BATCHES), _training_figures()),
        Bench("gpu", (), (), obstacle=_needs_card),
        Bench("time_to_quality", (data,), None, obstacle=_needs_data),
    ]  # fmt: skip


def _compiler() -> tuple[str, ...]:
    """Return the option for compiled rows where they can run."""
    return ("--compiled",) if importlib.util.find_spec("torch") and shutil.which("g++") else ()


def run_bench(bench: Bench, arguments: tuple[str, ...]) -> tuple[str, int]:
    """Run one bench, print its output as it comes, and return it with the exit status."""
    command = [sys.executable, "-u", str(ROOT / "bench" / f"{bench.name}.py"), *arguments]
    print(f"\n== {bench.name} {' '.join(arguments)}", flush=True)
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    lines = []
    for line in process.stdout or ():
        print(line, end="", flush=True)
        lines.append(line)
    return "".join(lines), process.wait()


def read_figure(figure: Figure, output: str) -> tuple[float, float | None] | None:
    """Return the value of a figure and that of its baseline, if it has one. Returns None if it is not in the output."""
    found = list(re.finditer(figure.pattern, output, re.MULTILINE | re.DOTALL if figure.baseline else re.MULTILINE))
    if not found:
        return None
    match = max(found, key=lambda one: float(one["value"])) if figure.worst else found[0]
    known = float(match["known"].replace(",", "")) if figure.baseline else None
    return float(match["value"].replace(",", "")), known


def write_row(figure: Figure, output: str) -> str:
    """Return the row of a figure: value, baseline, ratio, target, and whether it is reached."""
    read = read_figure(figure, output)
    if read is None:
        return f"{figure.name:<48}{'not measured':>14}"
    value, known = read
    compared = value / known if known else value
    ratio = f"{compared:.2f}" if known else ""
    against = f"{known:,.1f} ({figure.baseline})" if known else ""
    goal = "" if figure.target is None else f"{'>=' if figure.least else '<='} {figure.target:g}"
    is_reached = figure.target is None or (compared >= figure.target if figure.least else compared <= figure.target)
    said = "" if figure.target is None else "yes" if is_reached else "NO"
    return f"{figure.name:<48}{f'{value:,.4g} {figure.unit}':>18}{ratio:>7}{goal:>9}{said:>5}  {against}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="minutes in place of hours")
    parser.add_argument("--data", default="", help="folder of real images")
    parser.add_argument("--only", nargs="+", default=[], help="names of benches")
    parser.add_argument("--skip", nargs="+", default=[], help="names of benches")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    from engine import demo_runs

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        made = {run.name: str(run.path) for run in demo_runs.install(Path(folder) / "runs")}
        for bench in _list_benches(made["demo-ae"], made["demo-denoiser"], options.data):
            if (options.only and bench.name not in options.only) or bench.name in options.skip:
                continue
            reason = bench.obstacle(options)
            if not reason and options.quick and bench.quick is None:
                reason = "it has no quick form"
            if reason:
                print(f"\n== {bench.name} is skipped: {reason}.", flush=True)
                rows.append(f"{bench.name:<48}  skipped: {reason}")
                continue
            is_quick = options.quick and bench.quick is not None
            output, status = run_bench(bench, bench.quick if is_quick else bench.arguments)
            if status:
                rows.append(f"{bench.name:<48}  FAILED with exit status {status}")
            rows += [write_row(figure, output) for figure in bench.figures]
    print(f"\n{'figure':<48}{'value':>18}{'ratio':>7}{'target':>9}{'':>5}  baseline")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
