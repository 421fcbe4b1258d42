"""Time from a move of the noise slider to the painted picture: the real panel, a real engine process, one run.

    python bench/denoise_slider.py RUN [--data SOURCE] [--moves 200] [--noise gaussian poisson ...]

Four numbers for each kind of noise: single moves, until a picture of that level is painted, which may be a draft, and
until the full answer is painted (it is asked for when the noise has been left alone for a moment); slider dragged
without a pause, 60 moves a second, until a picture of that level or a later one is painted; and the longest time in
which the window's event loop did not turn while it was dragged. The noisy picture alone is there at once: the window
draws it.
"""

import argparse
import time

from live_window import Beat, main, opened, pause, tell, tell_machine, wait

DRAG_MS = 16


class Watch:
    """Notes when the slider was moved to a level and when its picture was painted, and when that of the full answer."""

    def __init__(self, panel) -> None:
        self.panel, self.moved, self.painted, self.refined = panel, {}, {}, {}
        board = panel.stage.pictures.board
        board.view(board.shown()[-1]).add_overlay(self._on_painted)

    def move(self, level: float) -> None:
        self.moved[level] = time.perf_counter()
        self.panel.case.noise.sigma.set_value(level)

    def _on_painted(self, painter) -> None:
        """Note the time: the last of the images, the difference, has just been painted."""
        experiment, now = self.panel.experiment, time.perf_counter()
        level = experiment.shown[1].sigma
        if level not in self.moved:
            return  # what was shown before is painted once more
        self.painted.setdefault(level, now)
        if experiment.is_current():
            self.refined.setdefault(level, now)

    def waits_ms(self, painted: dict[float, float]) -> list[float]:
        """For each move, until its picture or that of a later move was painted."""
        order = {level: number for number, level in enumerate(self.moved)}
        shown = sorted((order[level], at) for level, at in painted.items() if level in order)
        found = []
        for level, number in order.items():
            later = [at for other, at in shown if other >= number]
            found.append((min(later) - self.moved[level]) * 1e3)
        return found


def is_seen(panel) -> bool:
    return bool(panel.experiment.is_current() and not panel.experiment.pending_methods() and panel.experiment.curve)


def measure(chosen: argparse.Namespace) -> None:
    window, panel = opened(chosen.data, "denoise", is_seen)
    levels = [round(0.001 + 0.299 * ((number * 0.618034) % 1), 3) for number in range(chosen.moves)]
    print(f"{chosen.run.name}, {panel.case.images.case.count()} scans of {chosen.data}, 128 x 128")
    tell_machine()
    for kind in chosen.noise:
        measure_kind(window, panel, kind, levels)
    window.close()


def measure_kind(window, panel, kind: str, levels: list[float]) -> None:
    """Measure one kind of noise, from the first move after it was chosen."""
    picker = panel.case.noise.kind
    picker.setCurrentIndex(picker.findData(kind))
    picker.activated.emit(picker.currentIndex())
    single = at_rest(panel, levels)
    print(f"{kind}:")
    tell("single moves", single.waits_ms(single.painted), "moves")
    print(f"first move: {single.waits_ms(single.painted)[0]:.0f} ms")
    tell("single moves, until the full answer", single.waits_ms(single.refined), "moves")
    print()
    beat = Beat(window)
    drag = dragged(panel, levels)
    beat.end()
    tell(f"dragged, a move every {DRAG_MS} ms", drag.waits_ms(drag.painted), "moves")
    print(f"\nlongest gap of the event loop while dragged: {max(beat.gaps):.0f} ms", end=", ")
    print(f"of its own work {max(beat.worked):.0f} ms")


def at_rest(panel, levels: list[float]) -> Watch:
    watch = Watch(panel)
    for level in levels:
        if level not in watch.moved:
            watch.move(level)
            wait(lambda level=level: level in watch.refined)
            pause(30)
    return watch


def dragged(panel, levels: list[float]) -> Watch:
    watch = Watch(panel)
    for level in sorted(set(levels)):
        watch.move(level)
        pause(DRAG_MS)
    wait(lambda: max(levels) in watch.painted)
    return watch


def add_options(parser) -> None:
    parser.add_argument("--noise", nargs="+", default=["gaussian"], help="kinds of noise, see engine.noise")


if __name__ == "__main__":
    main(measure, __doc__, ("moves", 200), add_options)
