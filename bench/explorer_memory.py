"""Memory of the explorer, which keeps models open, with up to three models of the demo runs: its PSS and RSS, in MiB.

    python bench/explorer_memory.py [--data SOURCE]

A real explorer process over the demo runs, copied into a folder that is thrown away. PSS counts what processes share
(libraries) once in all, so that it is lower while another program has the backend open; RSS counts them whole. Each
model reconstructs eight test images, so that its computation is compiled too.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from live_window import ROOT, tell_machine, wait


def describe_memory(pid: int) -> str:
    """Return the proportional and the resident set size of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.startswith(("Pss:", "Rss:"))}
    return f"{sizes['Pss']:6.0f} MiB, RSS {sizes['Rss']:6.0f} MiB"


def measure(folder: Path, source: str) -> None:
    from PySide6.QtCore import QCoreApplication

    from engine import demo_runs
    from engine.messages import Reconstruct
    from gui.session import Session

    app = QCoreApplication.instance() or QCoreApplication(sys.argv[:1])
    tell_machine()
    made = demo_runs.install(folder / "runs")
    data = made[0].config.data.model_copy(update={"source": source, "phantom_count": 240})
    scratch = folder / "scratch"
    scratch.mkdir()
    session, ready = Session(folder / "runs", scratch), []
    session.explorer.ready.connect(ready.append)
    session.start_explorer()
    wait(lambda: bool(ready))
    pid = session.explorer.engine.pid
    print(f"backend imported, no model: {describe_memory(pid)}")
    for count, run in enumerate(made, 1):
        handle = session.request(
            Reconstruct(panel="bench", runs=(str(run.path),), data=data, split="test", indices=tuple(range(8)))
        )
        ended: list[object] = []
        handle.finished.connect(ended.append)
        handle.failed.connect(lambda failure: sys.exit(failure.sentence))
        wait(lambda ended=ended: bool(ended))
        named = f"{count} model{'s' * (count > 1)} open ({run.name}):"
        print(f"{named:27} {describe_memory(pid)}", flush=True)
    session.close()
    app.quit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="phantom")
    options = parser.parse_args()
    if not Path("/proc/self/smaps_rollup").exists():
        sys.exit("The memory of a process can be read on Linux only.")
    sys.path.insert(0, str(ROOT))
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"ENGRAM_CACHE": f"{folder}/cache", "XDG_CONFIG_HOME": folder}
        measure(Path(folder), options.data)


if __name__ == "__main__":
    main()
