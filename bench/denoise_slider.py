"""Time from a move of the noise slider to the painted picture: the real panel, a real engine process, one run.

    python bench/denoise_slider.py RUN [--data SOURCE] [--moves 200]

Three numbers: slider at rest between moves, until the picture of that level is painted; slider dragged without a
pause, 60 moves a second, until a picture of that level or a later one is painted; and the longest time in which the
window's event loop did not turn while it was dragged. The noisy picture alone is there at once: the window draws it.
"""

import argparse
import time

from live_window import Beat, main, opened, pause, tell, tell_machine, wait

DRAG_MS = 16


class Watch:
    """Notes when the slider was moved to a level and when the picture of that level was painted."""

    def __init__(self, panel) -> None:
        self.panel, self.moved, self.painted = panel, {}, {}
        board = panel.stage.pictures.board
        board.view(board.shown()[-1]).add_overlay(self._on_painted)

    def move(self, level: float) -> None:
        self.moved[level] = time.perf_counter()
        self.panel.case.noise.sigma.set_value(level)

    def _on_painted(self, painter) -> None:
        """The last of the pictures, the difference, has just been painted."""
        self.painted.setdefault(self.panel.experiment.shown[1].sigma, time.perf_counter())

    def waits_ms(self) -> list[float]:
        """For each move, until its picture or that of a later move was painted."""
        order = {level: number for number, level in enumerate(self.moved)}
        shown = sorted((order[level], at) for level, at in self.painted.items() if level in order)
        found = []
        for level, number in order.items():
            later = [at for other, at in shown if other >= number]
            found.append((min(later) - self.moved[level]) * 1e3)
        return found


def is_seen(panel) -> bool:
    return bool(panel.experiment.is_current() and not panel.experiment.working() and panel.experiment.curve)


def measure(chosen: argparse.Namespace) -> None:
    window, panel = opened(chosen.data, "denoise", is_seen)
    levels = [round(0.001 + 0.299 * ((number * 0.618034) % 1), 3) for number in range(chosen.moves)]
    print(f"{chosen.run.name}, {panel.case.images.case.count()} scans of {chosen.data}, 128 x 128")
    tell_machine()
    tell("slider at rest before each move", at_rest(panel, levels), "moves")
    beat = Beat(window)
    tell(f"dragged, a move every {DRAG_MS} ms", dragged(panel, levels), "moves")
    print(f"longest gap of the event loop while dragged: {max(beat.gaps):.0f} ms")
    window.close()


def at_rest(panel, levels: list[float]) -> list[float]:
    watch = Watch(panel)
    for level in levels:
        if level not in watch.moved:
            watch.move(level)
            wait(lambda level=level: level in watch.painted)
            pause(30)
    return watch.waits_ms()


def dragged(panel, levels: list[float]) -> list[float]:
    watch = Watch(panel)
    for level in sorted(set(levels)):
        watch.move(level)
        pause(DRAG_MS)
    wait(lambda: max(levels) in watch.painted)
    return watch.waits_ms()


if __name__ == "__main__":
    main(measure, __doc__, ("moves", 200))
