"""Disks that are full or read-only, limits of the system, and links: each ends in a sentence, and nothing is lost."""

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from engine.child_process import module_command
from engine.config import RunConfig, from_flat
from engine.messages import JobEnded, Ready, RequestFailed, RunStudy, SearchEnded, StudyEnded, Train, read_event
from engine.runs import Run
from tests.torture.common import ROOT, TINY, Tally, call, environment, find_problem, mounted, require_root

# What a sentence on a full disk must hold: the file, what is wrong, what to do.
FULL = r"(?=.*/)(?=.*([Nn]o space left|too large|[Ff]ree|disk is not full))"
RUN_KB = (8, 24, 40, 56, 80, 110, 150, 200, 260, 320, 400)
SEARCH = ("search", "--name", "s", "--preset", "study-ae", "--trials", "2", "--epochs", "2", *TINY[:10])
STUDY = ("study", "--quick", "--epochs", "2", *TINY)


def fill(place: Path, free_kb: int) -> None:
    """Fill a file system up to this many kilobytes."""
    known = os.statvfs(place)
    with (place / "filler").open("wb") as file:
        file.truncate(0)
        os.posix_fallocate(file.fileno(), 0, max(1, known.f_bavail * known.f_frsize - 1024 * free_kb))


def disk_full() -> Tally:
    """Let the disk be full at many moments of a training, a search, a study, an export and the cache."""
    tally = Tally("disk full")
    with tempfile.TemporaryDirectory(prefix="engram-torture-") as name:
        folder = Path(name)
        for kb in RUN_KB:
            with mounted(folder / "disk", "-t", "tmpfs", "-o", f"size={kb}k", "none") as disk:
                done = call("train", *TINY, "--epochs", "4", "--run", "r", "--runs", str(disk))
                tally.note(f"train, {kb} KB", _judge_run(done, disk))
        _full_jobs(tally, folder)
        _full_outputs(tally, folder)
        _full_worker(tally, folder)
    return tally


def _judge_run(done: subprocess.CompletedProcess[str], disk: Path) -> str:
    """Return what is wrong with a training on a full disk: its end, or its continuation once there is space."""
    if problem := find_problem(done, FULL) or ("" if done.returncode else find_problem(done)):
        return problem
    if done.returncode and not (disk / "r").exists():
        return ""
    subprocess.run(["mount", "-o", "remount,size=20m", disk], check=True)
    if done.returncode and Run(disk / "r").state() not in ("failed", "interrupted", "new"):
        return f"the run says {Run(disk / 'r').state()}"
    again = call("resume", "r", "--runs", str(disk))
    epochs = [row["epoch"] for row in Run(disk / "r").history()]
    return find_problem(again, "^$") or ("" if epochs == [1, 2, 3, 4] else f"epochs {epochs}")


def _full_jobs(tally: Tally, folder: Path) -> None:
    for kb in (30, 120, 300, 600):
        with mounted(folder / "disk", "-t", "tmpfs", "-o", f"size={kb}k", "none") as disk:
            done = call(*SEARCH, "--runs", str(disk))
            problem = find_problem(done, FULL)
            if not problem:
                subprocess.run(["mount", "-o", "remount,size=1g", disk], check=True)
                again = call(
                    "search",
                    "--name",
                    "s",
                    "--retry-failed",
                    *(SEARCH[3:] if done.returncode else ()),
                    "--runs",
                    str(disk),
                )
                problem = find_problem(again, "^$")
            tally.note(f"search, {kb} KB", problem)
    for kb in (60, 300, 900, 1500):
        with mounted(folder / "disk", "-t", "tmpfs", "-o", f"size={kb}k", "none") as disk:
            done = call(*STUDY, "--out", str(disk / "study"))
            problem = find_problem(done, FULL)
            subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
            tally.note(f"study, {kb} KB", problem or find_problem(call(*STUDY, "--out", str(disk / "study")), "^$"))


def _full_outputs(tally: Tally, folder: Path) -> None:
    """Fill the disk of outputs and of the cache."""
    runs = str(folder / "runs")
    call("train", *TINY, "--epochs", "1", "--run", "r", "--runs", runs)
    picture = ROOT / "docs" / "images"
    scan = str(next(picture.glob("*.png")))
    with mounted(folder / "disk", "-t", "tmpfs", "-o", "size=12k", "none") as disk:
        out = ("--out", str(disk / "out"), "--runs", runs)
        tally.note("export", _must_fail(call("reconstruct", "r", scan, "--arrays", "--bits", "16", *out)))
        tally.note("figures", _must_fail(call("denoise", "r", scan, *out)))
    with mounted(folder / "cache", "-t", "tmpfs", "-o", "size=12k", "none") as cache:
        done = call("train", *TINY, "--epochs", "1", "--run", "c", "--runs", runs, ENGRAM_CACHE=str(cache))
        tally.note("cache", find_problem(done, FULL))


def _must_fail(done: subprocess.CompletedProcess[str]) -> str:
    return find_problem(done, FULL) if done.returncode else "it did not fail"


def _full_worker(tally: Tally, folder: Path) -> None:
    """Let a worker of the app fail at a full disk; it must survive, and do the next job."""
    words = module_command("engine.processes.training_worker", "--scratch", str(folder / "scratch"))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    config = from_flat({"phantom_count": 48, "size": 32, "filters": (4, 8), "latent": 4, "epochs": 3}, RunConfig())
    with subprocess.Popen(words, env=environment(), **pipes) as process:
        hear_end = _listen(process, Ready)
        assert hear_end is not None
        for kb in (60, 150, 250):
            with mounted(folder / "disk", "-t", "tmpfs", "-o", f"size={kb}k", "none") as disk:
                ended = _send(process, Train(config=config, name="r", root=str(disk)))
                reason = getattr(ended, "reason", "")
                tally.note(f"worker, {kb} KB", "" if reason and ended.advice else f"ended with {ended}")
        ended = _send(process, Train(config=config, name="whole", root=str(folder / "runs")))
        tally.note("the worker survives", "" if getattr(ended, "state", "") == "finished" else str(ended))
        ended = _send(process, RunStudy(out="/proc/study"))
        tally.note("worker, a study where nothing can be written", "" if getattr(ended, "reason", "") else str(ended))
        process.stdin.close()


def _send(process: subprocess.Popen, command: object) -> object:
    process.stdin.write(command.to_json_line().encode())
    process.stdin.flush()
    return _listen(process, JobEnded | RequestFailed | SearchEnded | StudyEnded)


def _listen(process: subprocess.Popen, kinds: type) -> object:
    for line in process.stdout:
        if isinstance(event := read_event(line), kinds):
            return event
    return None


def limits() -> Tally:
    """Run a training under limits of the system, and in folders that are odd."""
    tally = Tally("limits")
    with tempfile.TemporaryDirectory(prefix="engram-torture-") as name:
        folder = Path(name)
        for number, (what, words) in enumerate(list_limits()):
            run = f"l{number}"
            command = ("train", *TINY, "--epochs", "2", "--run", run, "--runs", str(folder / "runs"))
            done = call(*command, command=("prlimit", *words))
            native = done.returncode < 0 or done.returncode == 134
            # TensorFlow ends its process itself where its own memory fails; the run must survive that.
            problem = "" if what == "memory" and native else find_problem(done, "[.]$")
            tally.note(f"{what} {words[0]}", problem or _resume(folder / "runs", run))
        _read_only(tally, folder)
        _links(tally, folder)
    return tally


def list_limits() -> list[tuple[str, tuple[str, ...]]]:
    """Return limits, each with what it limits."""
    memory = [("memory", (f"--as={mb * 2**20}",)) for mb in (600, 1200, 2000, 3000, 4000, 6000)]
    sizes = [("file size", (f"--fsize={kb * 1024}",)) for kb in (1, 8, 20, 60, 120)]
    return [*memory, *sizes, *(("open files", (f"--nofile={count}",)) for count in (12, 24, 48, 96))]


def _resume(runs: Path, name: str) -> str:
    """Return what is wrong with the resumed run; one that was never created may be missing."""
    if not (runs / name).exists():
        return ""
    return find_problem(call("resume", name, "--runs", str(runs)), "nothing|finished|already|no run|no settings")


def _read_only(tally: Tally, folder: Path) -> None:
    runs = folder / "shared"
    call("train", *TINY, "--epochs", "1", "--run", "r", "--runs", str(runs))
    place = folder / "read-only"
    place.mkdir()
    subprocess.run(["mount", "--bind", runs, place], check=True)
    subprocess.run(["mount", "-o", "remount,ro,bind", place], check=True)
    try:
        for words in (
            ("runs",),
            ("evaluate", "r"),
            ("denoise-curve", "r"),
            ("latent", "r", "--out", str(folder / "out")),
        ):
            tally.note(f"read-only: {words[0]}", find_problem(call(*words, "--runs", str(place)), "^$"))
        for words in (("train", *TINY, "--run", "n"), ("resume", "r", "--epochs", "2"), SEARCH):
            done = call(*words, "--runs", str(place))
            problem = "" if done.returncode else "it did not fail"
            tally.note(f"read-only: {words[0]}", problem or find_problem(done, "Read-only|cannot be saved|write"))
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def _links(tally: Tally, folder: Path) -> None:
    """Replace each file of a run by a link to a file outside; nothing outside may change."""
    victims, runs = folder / "victims", folder / "linked"
    victims.mkdir()
    call("train", *TINY, "--epochs", "1", "--run", "r", "--runs", str(runs))
    names = sorted(str(path.relative_to(runs / "r")) for path in (runs / "r").rglob("*"))
    for number, name in enumerate(names):
        for kind, link in (("symbolic", os.symlink), ("hard", os.link)):
            if kind == "hard" and (runs / "r" / name).is_dir():
                continue
            tally.note(f"{kind} link: {name}", _resume_linked(runs, f"{kind}{number}", victims, (name, link)))


def _resume_linked(runs: Path, run: str, victims: Path, linked: tuple[str, Callable]) -> str:
    name, link = linked
    subprocess.run(["cp", "-r", runs / "r", runs / run], check=True)
    victim = victims / f"{run}-{Path(name).name}"
    (runs / run / name).rename(victim)
    link(victim, runs / run / name)
    before = _content(victim)
    done = call("resume", run, "--runs", str(runs), "--epochs", "2")
    grown = _content(victim).startswith(before) if link is os.link and name == "events.jsonl" else False
    return find_problem(done, "link") or ("" if _content(victim) == before or grown else "the target has changed")


def _content(path: Path) -> bytes:
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    return b"".join(file.read_bytes() for file in files)


def run(mode: str) -> Tally:
    """Run 'disk' or 'limits'."""
    if obstacle := require_root():
        print(f"Skipped: {obstacle}")
        return Tally(mode)
    return disk_full() if mode == "disk" else limits()
