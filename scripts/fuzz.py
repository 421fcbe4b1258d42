"""Feed mutated files to the readers of what may come from strangers; any error but a readable one is a finding.

    python scripts/fuzz.py --inputs 2000 [--target ledger] [--seed 7]

Each target writes a whole file once, then reads it after random changes: flipped bits, cut ends, repeated, removed and
inserted pieces. The seed fixes every input. A finding is printed with its traceback and saved beside this file's
temporary folder, so that it becomes a test.
"""

import argparse
import json
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from engine import runs  # noqa: E402
from engine.archives import DAMAGE, read_arrays, write_arrays  # noqa: E402
from engine.config import RunConfig  # noqa: E402
from engine.errors import EngramError  # noqa: E402
from engine.messages import EpochEnded, JobEnded, Log  # noqa: E402
from engine.run_damage import check_folder  # noqa: E402
from engine.search import search_spec, space_file  # noqa: E402
from engine.search.storage import FILE_NAME, TrialStorage  # noqa: E402

SLOW_S = 5.0
PIECES = (b"\0", b"\xff", b"[", b"{", b'"', b"null", b"1e999", b"-1", b"NaN", b"\\ud800", b"\n", b"[" * 2000)


@dataclass
class Target:
    """One reader: `write(folder)` returns a whole file, `read(file)` reads it and may raise the `readable` errors."""

    write: Callable[[Path], Path]
    read: Callable[[Path], object]
    readable: tuple[type[BaseException], ...] = (EngramError,)


@dataclass
class Report:
    """What came of one target."""

    inputs: int = 0
    refused: int = 0
    findings: int = 0
    slowest_s: float = 0.0


def mutate(content: bytes, chance: random.Random) -> bytes:
    """Return the content after one to four random changes."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(changed) + 1)
        end = min(start + chance.choice((1, 2, 8, 64, 512)), len(changed))
        kind = chance.randrange(5)
        if kind == 0 and start < len(changed):
            changed[start] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del changed[start:end]
        elif kind == 2:
            changed[start:start] = changed[start:end] * chance.choice((1, 3, 50))
        elif kind == 3:
            changed[start:start] = chance.choice(PIECES)
        else:
            del changed[start:]
    return bytes(changed)


def write_run(folder: Path) -> runs.Run:
    """Write a run with a record."""
    run = runs.create_run(RunConfig(), "one", folder)
    run.append(Log(text="a"))
    for epoch in (1, 2):
        run.append(EpochEnded(run="one", epoch=epoch, metrics={"loss": 0.5, "val_loss": 0.4}, best=True))
    run.append(JobEnded(run="one", state="finished", epoch=2))
    return run


def read_record(file: Path) -> object:
    """Read a run as the list of runs does, and resume its numbers."""
    run = runs.Run(file.parent)
    check_folder(run.path)
    return run.history(), run.best_epoch(), run.state(), runs.last_sequence(run)


def write_space(folder: Path) -> Path:
    """Write a space file."""
    path = folder / "space.json"
    path.write_text(json.dumps({"latent": {"low": 8, "high": 64}, "filters": [[4, 8], [8, 16]], "model": ["ae"]}))
    return path


def write_ledger(folder: Path) -> Path:
    """Write the database of a search."""
    base = RunConfig()
    with TrialStorage(folder / FILE_NAME) as storage:
        spec = search_spec.make_spec(base, {"latent": [8, 16]}, {})
        storage.set_attrs(begun_with=spec.space.to_dict(), **search_spec.spec_to_attrs(spec))
        for number in range(4):
            storage.add_trial(f"key {number}", {"latent": number}, "search", {"rung": 1})
        storage._connection.execute("PRAGMA journal_mode = DELETE")
    return folder / FILE_NAME


def read_ledger(path: Path) -> object:
    """Read a search as the list of trials does."""
    for journal in (f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"):
        path.with_name(journal).unlink(missing_ok=True)
    with TrialStorage(path) as storage:
        return storage.trials(), search_spec.spec_from_attrs(storage), storage.pop_commands()


ARRAYS = [np.arange(24, dtype=np.float32).reshape(4, 6), np.array(7), np.zeros((0, 3), np.uint32)]


def write_npz(folder: Path) -> Path:
    """Write the arrays of a checkpoint."""
    path = folder / "variables.npz"
    with path.open("wb") as file:
        write_arrays(file, ARRAYS)
    return path


TARGETS = {
    "config": Target(lambda folder: write_run(folder).path / "config.json", lambda file: runs.Run(file.parent).config),
    "events": Target(lambda folder: write_run(folder).path / "events.jsonl", read_record),
    "space": Target(write_space, lambda file: space_file.load_space(file, RunConfig())),
    "ledger": Target(write_ledger, read_ledger),
    "checkpoint": Target(write_npz, lambda file: read_arrays(file, [array.shape for array in ARRAYS]), DAMAGE),
}


def fuzz(name: str, inputs: int, seed: int) -> Report:
    """Feed a number of mutated files to one target."""
    target, chance, report = TARGETS[name], random.Random(f"{name} {seed}"), Report()
    with tempfile.TemporaryDirectory(prefix="engram-fuzz-") as folder:
        file = target.write(Path(folder))
        whole = file.read_bytes()
        for number in range(inputs):
            content = mutate(whole, chance)
            file.write_bytes(content)
            began = time.perf_counter()
            outcome = read(target, file)
            took = time.perf_counter() - began
            report.inputs, report.slowest_s = number + 1, max(report.slowest_s, took)
            report.refused += outcome == "refused"
            if outcome not in ("read", "refused") or took > SLOW_S:
                report.findings += 1
                kept = Path(tempfile.gettempdir()) / f"engram-finding-{name}-{seed}-{number}"
                kept.write_bytes(content)
                print(f"{name} {number} ({took:.1f} s), saved as {kept}\n{outcome}", flush=True)
    return report


def read(target: Target, file: Path) -> str:
    """Return 'read', 'refused', or the traceback of an error that is not readable."""
    try:
        target.read(file)
    except target.readable:
        return "refused"
    except BaseException as error:
        if not isinstance(error, Exception):
            raise
        return "".join(traceback.format_exception(error))
    return "read"


def main() -> int:
    """Print one line for each target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=2000, help="inputs for each target")
    parser.add_argument("--target", choices=TARGETS, help="one target; all if left out")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    reports = {name: fuzz(name, options.inputs, options.seed) for name in TARGETS if options.target in (None, name)}
    for name, report in reports.items():
        print(f"{name}: {report}")
    return 1 if any(report.findings for report in reports.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
