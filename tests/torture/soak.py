"""Random jobs for a long time: train, search, evaluate, stop, kill and resume, in the two processes of the app.

After each job the run must be whole: its epochs without a hole, its state said. At the end nothing may be left in the
temporary folder, and the memory of a worker may not have grown.
"""

import json
import os
import random
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

from engine.child_process import module_command
from engine.config import RunConfig, from_flat
from engine.messages import (
    Event,
    JobEnded,
    JobStarted,
    Log,
    Ready,
    RequestFailed,
    Response,
    Resume,
    Search,
    SearchEnded,
    Stop,
    Train,
    read_event,
)
from engine.messages.images import EvaluateRun
from engine.run_damage import check_folder
from engine.runs import Run, list_runs
from engine.search.folder import FOLDER_NAME, SearchFolder
from tests.torture.common import Tally, environment

CONFIG = from_flat(
    {"source": "phantom", "phantom_count": 48, "size": 32, "batch_size": 8, "filters": (4, 8), "latent": 4}, RunConfig()
)
ENDS = JobEnded | RequestFailed | SearchEnded | Response
MAX_GROWTH_BYTES = 400 * 2**20
# Jobs after which the memory of a worker counts: the first ones fill its caches.
WARM_JOBS = 20


class Worker:
    """One of the app's two processes, started again after it was killed."""

    def __init__(self, module: str, folder: Path) -> None:
        self.module, self.folder, self.starts = module, folder, 0
        self.start()

    def start(self) -> None:
        """Start the process and wait until it can work."""
        self.starts += 1
        self.jobs, self.first_bytes, self.last_bytes = 0, 0, 0
        words = module_command(self.module, "--scratch", str(self.folder / f"scratch-{self.starts}"))
        log = (self.folder / f"{self.module}.log").open("ab")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log}
        self.process = subprocess.Popen(words, env=environment(), **pipes)
        log.close()
        while not isinstance(self.hear(), Ready):
            pass

    def send(self, message: object) -> None:
        """Send a command."""
        self.process.stdin.write(message.to_json_line().encode())
        self.process.stdin.flush()

    def hear(self) -> Event | None:
        """Return the next event; None once the process is gone."""
        line = self.process.stdout.readline()
        return read_event(line) if line else None

    def kill(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def measure(self) -> str:
        """Note its memory after a job; return a problem."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        self.jobs, self.last_bytes = self.jobs + 1, pages * os.sysconf("SC_PAGE_SIZE")
        if self.jobs == WARM_JOBS:
            self.first_bytes = self.last_bytes
        grown = self.last_bytes - self.first_bytes
        return f"grew by {grown / 2**20:.0f} MB" if self.first_bytes and grown > MAX_GROWTH_BYTES else ""


class Soak:
    """Random jobs on one folder of runs.

    Args:
        folder: for the runs and the logs.
        seed: of the jobs.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.root, self.chance = folder / "runs", random.Random(seed)
        self.trainer = Worker("engine.processes.training_worker", folder)
        self.explorer = Worker("engine.processes.explorer_worker", folder)
        self.tally, self.counts, self.number = Tally("soak"), Counter(), 0

    def step(self) -> None:
        """Do one job."""
        runs = list_runs(self.root)
        unfinished = [run for run in runs if run.state() != "finished"]
        kind = self.chance.choices(("train", "resume", "search", "evaluate"), (4, 4 if unfinished else 0, 1, 4))[0]
        self.number += 1
        if kind == "evaluate":
            finished = [run for run in runs if run.model_path.is_file()]
            if finished:
                self._evaluate(self.chance.choice(finished))
        elif kind == "search":
            name, settings = f"s{self.number % 6}", {"trials": 2 + self.number // 6 % 20, "spare": False}
            epochs = CONFIG.model_copy(update={"training": CONFIG.training.model_copy(update={"epochs": 2})})
            place = self.root / FOLDER_NAME / name
            new = not place.is_dir()
            space = {"latent": {"low": 2, "high": 32}, "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}}
            given = {"base": epochs, "space": space} if new else {}
            self._job(kind, Search(name=name, root=str(self.root), settings=settings, **given), place)
        elif kind == "resume":
            run = self.chance.choice(unfinished)
            self._job(kind, Resume(run=str(run.path)), run.path)
        else:
            epochs = self.chance.randint(1, 12)
            config = CONFIG.model_copy(update={"training": CONFIG.training.model_copy(update={"epochs": epochs})})
            command = Train(config=config, name=f"r{self.number}", root=str(self.root))
            self._job(kind, command, self.root / f"r{self.number}")

    def _job(self, kind: str, command: object, folder: Path) -> None:
        """Run a job to its end, or stop or kill it after some events, and look at what it left."""
        fate = self.chance.choice(("end", "end", "stop", "kill"))
        patience, end = self.chance.randint(1, 25), None
        self.trainer.send(command)
        while not isinstance(event := self.trainer.hear(), ENDS | None):
            patience -= not isinstance(event, Log | JobStarted) or self.chance.random() < 0.3
            if patience == 0 and fate == "stop":
                self.trainer.send(Stop())
            if patience <= 0 and fate == "kill":
                self.trainer.kill()
                self.trainer.start()
                break
        else:
            end = event
        self.counts[f"{kind} {fate if end is None or fate == 'end' else getattr(end, 'state', 'refused')}"] += 1
        problem = f"refused: {end.reason}" if isinstance(end, RequestFailed) else ""
        problem = problem or ("the worker is gone" if end is None and fate != "kill" else "")
        problem = problem or getattr(end, "reason", "") or self.trainer.measure() or self._find_hole(kind, folder)
        self.tally.note(f"{kind} {folder.name}, {fate}", problem)

    def _find_hole(self, kind: str, folder: Path) -> str:
        if kind == "search":
            if not folder.is_dir():
                return ""
            with SearchFolder(folder).open_storage() as storage:
                numbers = [trial.number for trial in storage.trials()]
            return "" if numbers == list(range(1, len(numbers) + 1)) else f"trials {numbers}"
        if not folder.is_dir():
            return ""
        check_folder(folder)
        epochs = [row["epoch"] for row in Run(folder).history()]
        return "" if epochs == list(range(1, len(epochs) + 1)) else f"epochs {epochs}"

    def _evaluate(self, run: Run) -> None:
        self.explorer.send(EvaluateRun(number=self.number, panel="soak", run=str(run.path), data=run.config.data))
        while not isinstance(event := self.explorer.hear(), ENDS | None):
            pass
        problem = "" if isinstance(event, Response) else f"answered {event}"
        self.counts["evaluate"] += 1
        self.tally.note(f"evaluate {run.name}", problem or self.explorer.measure())

    def close(self) -> None:
        """End the processes; note what is left in the temporary folder."""
        ids = []
        for worker in (self.trainer, self.explorer):
            ids.append(worker.process.pid)
            print(f"{worker.module}: {worker.starts} starts; {worker.first_bytes >> 20} MB at job {WARM_JOBS},")
            print(f"    {worker.last_bytes >> 20} MB at job {worker.jobs}")
            worker.process.stdin.close()
            code = worker.process.wait()
            self.tally.note(f"{worker.module} ends with its input", "" if code == 0 else f"exit code {code}")
        left = [str(path) for number in ids for path in Path(tempfile.gettempdir()).glob(f"engram-scan-{number}-*")]
        self.tally.note("nothing is left in the temporary folder", ", ".join(left))
        print(json.dumps(self.counts, indent=2, sort_keys=True))


def run(minutes: float, seed: int) -> Tally:
    """Do random jobs for some minutes."""
    with tempfile.TemporaryDirectory(prefix="engram-soak-", ignore_cleanup_errors=True) as folder:
        soak, until = Soak(Path(folder), seed), time.monotonic() + 60 * minutes
        while time.monotonic() < until:
            soak.step()
        soak.close()
        for log in Path(folder).glob("*.log"):
            if "Traceback" in (text := log.read_text(errors="replace")):
                soak.tally.note(f"{log.name} has no traceback", text[text.index("Traceback") :][:3000])
    return soak.tally
