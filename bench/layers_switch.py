"""Time from a key to the painted picture in the Layers panel: the real panel, a real engine process, one run.

    python bench/layers_switch.py RUN [--data SOURCE] [--keys 100]

Four numbers: an arrow to the next channel, until that channel is painted large; '.' and ',' from layer to layer, back
and forth as one looks around, until the first channel of that layer is painted; '.' held through the whole network as
fast as the pictures come, where nothing has been asked for ahead; and the longest time in which the window's event loop
did not turn meanwhile.
"""

import argparse
import time

from live_window import Beat, main, opened, pause, tell, tell_machine, wait

THINK_MS = 400


class Watch:
    """Notes when the large picture of a layer and channel was painted."""

    def __init__(self, panel) -> None:
        self.panel, self.painted = panel, None
        panel.cards.channel.view.add_overlay(self._on_painted)

    def time_ms(self, key) -> float:
        """Press a key; how long until what it leads to is painted."""
        from PySide6.QtTest import QTest

        self.painted, start = None, time.perf_counter()
        QTest.keyClick(self.panel.cards.mosaic.mosaic, key)
        wait(lambda: self.painted is not None)
        return (self.painted - start) * 1e3

    def _on_painted(self, painter) -> None:
        seen, choice = self.panel.presenter.seen, self.panel.choice
        if seen is not None and seen.look.layer == choice.layer and self.painted is None:
            self.painted = time.perf_counter()


def measure(chosen: argparse.Namespace) -> None:
    from PySide6.QtCore import Qt

    window, panel = opened(chosen.data, "layers", lambda panel: panel.presenter.seen is not None)
    layers = len(panel.presenter.network.layers)
    print(f"{chosen.run.name}, {layers} layers, {len(panel.choice.scans)} scans of {chosen.data}, 128 x 128")
    tell_machine()
    watch, beat = Watch(panel), Beat(window)
    point, comma = Qt.Key.Key_Period, Qt.Key.Key_Comma
    order = panel.cards.mosaic.mosaic.channels.order
    panel.controller.choose_channel(order[len(order) // 2])  # there is one at either side
    tell("from channel to channel", around(watch, (Qt.Key.Key_Right, Qt.Key.Key_Left), chosen.keys, 20), "keys")
    through = [watch.time_ms(point) for _ in range(len(panel.presenter.network.groups) - 1)]
    tell("straight through the network, as fast as pictures come", through, "keys")
    tell(
        f"from layer to layer, {THINK_MS} ms between keys",
        around(watch, (comma, comma, point, point), chosen.keys),
        "keys",
    )
    print(f"longest gap of the event loop: {max(beat.gaps):.0f} ms")
    window.close()


def around(watch: Watch, keys, count: int, think_ms: int = THINK_MS) -> list[float]:
    """Press keys in turn, with a pause before each."""
    found = []
    for number in range(count):
        pause(think_ms)
        found.append(watch.time_ms(keys[number % len(keys)]))
    return found


if __name__ == "__main__":
    main(measure, __doc__, ("keys", 100))
