"""Random mouse, keys, wheel, drops, sizes, themes, undo and menu commands on the real window, while real jobs run.

Each piece is a window of its own in a process of its own, with a folder of its own. Event n of a seed has the same
random numbers whatever came before it; what it meets depends on how far the engines are. The last events are printed
before a failure.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.torture.common import Tally, environment

PIECE = 2000
MAX_SECONDS_PER_EVENT = 3.0
LAST = 25


def run(count: int, seed: int) -> Tally:
    """Play events in pieces; each piece is a case."""
    tally = Tally("events")
    for number, first in enumerate(range(0, count, PIECE)):
        size = min(PIECE, count - first)
        with tempfile.TemporaryDirectory(prefix="engram-events-", ignore_cleanup_errors=True) as folder:
            problem = play_piece(Path(folder), size, seed + number)
        tally.note(f"{size} events, seed {seed + number}", problem)
    return tally


def play_piece(folder: Path, count: int, seed: int) -> str:
    """Play one piece in a process of its own, and end what it left running; return the problem."""
    began, home = time.monotonic(), folder / "home"
    home.mkdir()
    places = {name: str(folder / name.lower()) for name in ("ENGRAM_RUNS", "XDG_CONFIG_HOME", "ENGRAM_CACHE")}
    changes = places | {"HOME": str(home), "HF_HUB_OFFLINE": "1", "ENGRAM_EVENTS": str(folder)}
    changes["QT_QPA_PLATFORM"] = os.environ.get("QT_QPA_PLATFORM", "offscreen")
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.torture.random_events", str(count), str(seed)]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, cwd=home, env=environment(**changes), stdout=output, stderr=output)
        try:
            code = process.wait(timeout=300 + MAX_SECONDS_PER_EVENT * count)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
    left = find_processes(folder)
    said = (folder / "output").read_text(errors="replace")
    print(said, f"{time.monotonic() - began:.0f} s in all", flush=True)
    for number in left:
        os.kill(number, 9)
    if code:
        events = (folder / "events").read_text().splitlines() if (folder / "events").exists() else []
        print("the last events:", *events[-LAST:], sep="\n    ", flush=True)
        return f"exit code {code}"
    return f"processes left: {left}" if left else ""


def find_processes(folder: Path) -> list[int]:
    """Return the processes whose environment names a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"ENGRAM_EVENTS={folder}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found
