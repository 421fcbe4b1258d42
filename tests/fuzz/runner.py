"""Feeding of mutated files to a reader in a process that may hang, crash or swallow the memory."""

import json
import mmap
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import EngramError
from tests.fuzz.mutation import Mutate, mutate_bytes, splice

HANG_S = 2.0
# A process that waits uses no processor time.
WAIT_S = 20.0
MAX_GROWTH_BYTES = 2**30
SPARE_BYTES = 6 * 2**30


@dataclass
class Target:
    """One reader.

    Args:
        seeds: returns valid files.
        read: reads a file.
        file: its name.
        readable: errors that are sentences.
        mutate: changes a file.
        prepare: writes what must lie beside the file; called once with its folder.
    """

    seeds: Callable[[], list[bytes]]
    read: Callable[[Path], object]
    file: str = "file"
    readable: tuple[type[BaseException], ...] = (EngramError,)
    mutate: Mutate = mutate_bytes
    prepare: Callable[[Path], object] = lambda folder: None


@dataclass
class Report:
    """What came of one target."""

    inputs: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    findings: list[str] = field(default_factory=list)


def make_input(name: str, target: Target, seeds: list[bytes], seed: int, number: int) -> bytes:
    """Return an input; the same for the same numbers."""
    chance = random.Random(f"{name} {seed} {number}")
    try:
        return target.mutate(splice(seeds, chance), chance)
    except Exception:
        # A splice that is no archive or no JSON any more.
        return mutate_bytes(chance.choice(seeds), chance)


def read(target: Target, file: Path) -> str:
    """Return 'read', 'refused', or the traceback of an error that is not readable."""
    try:
        target.read(file)
    except target.readable:
        return "refused"
    except Exception as error:
        return "".join(traceback.format_exception(error))
    return "read"


def feed(name: str, target: Target, numbers: range, seed: int, note: Callable[[int, str, float], None]) -> None:
    """Feed inputs to a target in this process.

    Args:
        name: of the target.
        target: the reader.
        numbers: of the inputs.
        seed: of all inputs.
        note: called with the number before each input, with an empty text; then with what came of it, and the time.
    """
    with tempfile.TemporaryDirectory(prefix="engram-fuzz-") as folder:
        file = Path(folder) / target.file
        file.parent.mkdir(exist_ok=True)
        target.prepare(file.parent)
        seeds = target.seeds()
        # The first file is slow: it imports libraries, and starts the processes that parse.
        file.write_bytes(seeds[0])
        read(target, file)
        for number in numbers:
            content = make_input(name, target, seeds, seed, number)
            file.write_bytes(content)
            note(number, "", 0.0)
            began = time.process_time()
            outcome = read(target, file)
            note(number, outcome, time.process_time() - began)


def fuzz_here(name: str, target: Target, inputs: int, seed: int) -> Report:
    """Feed inputs to a target in this process, without limits."""
    report = Report()

    def note(number: int, outcome: str, seconds: float) -> None:
        if outcome:
            _count(report, name, number, outcome, seconds)

    feed(name, target, range(inputs), seed, note)
    return report


def fuzz(name: str, target: Target, inputs: int, seed: int) -> Report:
    """Feed inputs to a target in processes with limits; one that dies is followed by another."""
    report, began, first = Report(), time.perf_counter(), 0
    with tempfile.TemporaryDirectory(prefix="engram-fuzz-") as folder:
        while first < inputs and len(report.findings) < 100:
            first = _run_child(name, target, range(first, inputs), seed, Path(folder), report)
    report.seconds = time.perf_counter() - began
    for finding in report.findings:
        _save(name, target, seed, int(finding.split()[0]))
    return report


def _run_child(name: str, target: Target, numbers: range, seed: int, folder: Path, report: Report) -> int:
    """Feed inputs in a child; return the number of the first input that is left."""
    shared, outcomes = mmap.mmap(-1, 8), folder / "outcomes"
    shared[:8] = struct.pack("q", numbers.start - 1)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            _work(name, target, numbers, seed, outcomes, shared)
        except BaseException:
            traceback.print_exc()
            os._exit(3)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    last = struct.unpack("q", shared[:8])[0]
    for line in outcomes.read_text().splitlines() if outcomes.exists() else ():
        number, outcome, seconds = json.loads(line)
        _count(report, name, number, outcome, seconds)
    outcomes.unlink(missing_ok=True)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0:
        return numbers.stop
    if last < numbers.start:
        raise SystemExit(f"The target {name} could not be prepared.")
    how = {signal.SIGPROF: f"took {HANG_S} s", signal.SIGALRM: f"waited {WAIT_S} s"}
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0
    ending = "grew by more than 1 GB" if code == 4 else how.get(number, f"died of signal {number}, exit code {code}")
    _count(report, name, last, ending, 0.0)
    return int(last) + 1


def _work(name: str, target: Target, numbers: range, seed: int, outcomes: Path, shared: mmap.mmap) -> None:
    """Feed inputs under limits, in a child."""
    os.close(1)
    os.open(os.devnull, os.O_WRONLY)
    os.dup2(1, 2)
    log = outcomes.open("w")
    # The highest memory so far is inherited from the parent.
    if Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5")
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 2**20
    most = pages * os.sysconf("SC_PAGE_SIZE") + SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    before: list[int] = []

    def note(number: int, outcome: str, seconds: float) -> None:
        if not outcome:
            shared[:8] = struct.pack("q", number)
            before.extend([] if before else [_peak_bytes()])
        signal.setitimer(signal.ITIMER_PROF, 0 if outcome else HANG_S)
        signal.setitimer(signal.ITIMER_REAL, 0 if outcome else WAIT_S)
        if outcome:
            log.write(f"{json.dumps([number, outcome, seconds])}\n")
            if _peak_bytes() - before[0] > MAX_GROWTH_BYTES:
                log.flush()
                os._exit(4)
            if outcome not in ("read", "refused") or number % 50 == 0:
                log.flush()

    feed(name, target, numbers, seed, note)
    log.close()


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _count(report: Report, name: str, number: int, outcome: str, seconds: float) -> None:
    report.inputs = max(report.inputs, number + 1)
    report.slowest_s = max(report.slowest_s, seconds)
    report.refused += outcome == "refused"
    if outcome not in ("read", "refused"):
        report.findings.append(f"{number} {outcome}")
        print(f"{name} {number}: {outcome}", flush=True)


def _save(name: str, target: Target, seed: int, number: int) -> None:
    """Save the input of a finding."""
    kept = Path(tempfile.gettempdir()) / f"engram-finding-{name}-{seed}-{number}-{Path(target.file).name}"
    with tempfile.TemporaryDirectory() as folder:
        target.prepare(Path(folder))
        kept.write_bytes(make_input(name, target, target.seeds(), seed, number))
    print(f"saved {kept}")
