"""Kill a search or a study before each of its file operations, and resume what was left.

The folder is copied before each operation, as a kill would leave it; each different copy is resumed in this process.
A trial of the search is played by a script, since its own files are the subject of
tests/engine/training/test_every_file_operation.py.
"""

import json
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from engine.config import StudyConfig
from engine.figures import base
from engine.messages import RunStudy, Search
from engine.reproduction import job as study_job
from engine.reproduction import preset_runs
from engine.search import folder as search_folder
from engine.search import job as search_job
from engine.search import space_file
from engine.search.storage import TrialStorage
from engine.training import job as training
from tests.engine.search.fake_executor import FakeExecutor, FakeTrial
from tests.engine.training.test_every_file_operation import Snapshots
from tests.torture.common import Tally

TRIALS = 6
STUDY_SETTINGS = {"size": 32, "filters": (4, 8), "latent": 8, "phantom_count": 60, "epochs": 1, "batch_size": 16}


def search(root: Path) -> None:
    """Begin or resume a search of a few scripted trials."""
    config, space = space_file.preset("study-ae")
    config = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 3})})
    varied = {name: values for name, values in space.to_dict().items() if name in ("learning_rate", "latent")}
    order = Search(
        name="s", root=str(root), base=config, space=varied, settings={"trials": TRIALS, "algorithm": "random"}
    )
    with mock.patch.object(search_job, "make_executor", lambda settings, path: FakeExecutor()):
        search_job.search(order)


def search_content(root: Path) -> object:
    """Return what a kill must not change of a search."""
    with search_folder.open_search("s", root).open_storage() as storage:
        return [(trial.number, trial.config, trial.state, trial.score, trial.epochs) for trial in storage.trials()]


def study(root: Path) -> None:
    """Make or resume the quick study, its runs trained in this process, its figures written but not drawn."""

    def train_here(run: object, emit: Callable, control: object, log: Path) -> None:
        training.resume(run, emit=emit)

    drawn = {"png": mock.Mock(return_value=b"png"), "pdf": mock.Mock(return_value=b"pdf")}
    with mock.patch.object(preset_runs, "train_in_process", train_here), mock.patch.multiple(base, **drawn):
        study_job.run_study(RunStudy(out=str(root / "study"), config=StudyConfig(quick=True), settings=STUDY_SETTINGS))


def study_content(root: Path) -> object:
    """Return what a kill must not change of a study."""
    content = json.loads((root / "study" / "study.json").read_text())
    files = sorted(
        str(path.relative_to(root))
        for path in root.rglob("*")
        if "previews" in str(path) or path.suffix in (".png", ".csv")
    )
    return content["state"], content["numbers"], files


JOBS = {"search": (search, search_content), "study": (study, study_content)}


@contextmanager
def watched(snapshots: Snapshots):
    """Copy before each file operation of Python, and around each transaction of SQLite."""
    watchers = [snapshots]
    sys.addaudithook(lambda event, arguments: [each.watch(event, arguments) for each in watchers])
    whole = TrialStorage._transaction

    @contextmanager
    def transaction(storage: TrialStorage):
        inside = ("open", (str(snapshots.run.path / "x"), "w", 1))
        snapshots.watch(*inside)
        with whole(storage):
            yield
            snapshots.watch(*inside)
        snapshots.watch(*inside)

    def train_epoch(trial: FakeTrial) -> None:
        # The scripted trial does not keep the order in which a real one writes.
        snapshots._is_copying = True
        play_epoch(trial)
        snapshots._is_copying = False

    play_epoch = FakeTrial._train_epoch
    with (
        mock.patch.object(TrialStorage, "_transaction", transaction),
        mock.patch.object(FakeTrial, "_train_epoch", train_epoch),
    ):
        yield
    watchers.clear()


def run(kind: str, most: int, part: int = 1, parts: int = 1) -> Tally:
    """Resume the copies of a job.

    Args:
        kind: 'search' or 'study'.
        most: of the copies, evenly chosen.
        part: which of some equal parts of them, so that several processes can share the work.
        parts: number of parts.
    """
    tally, (work, content) = Tally(f"kills of a {kind}"), JOBS[kind]
    with tempfile.TemporaryDirectory(prefix="engram-torture-") as name:
        folder = Path(name)
        (folder / "copies").mkdir()
        root = folder / "root"
        root.mkdir()
        made = Snapshots(SimpleNamespace(path=root, name="root"), folder / "copies")
        with watched(made):
            work(root)
        wanted, copies = content(root), list(made.copies.values())
        chosen = [copies[number * len(copies) // most] for number in range(most)] if len(copies) > most else copies
        print(f"{made.operations} operations, {len(copies)} different states, {len(chosen)} of them resumed")
        for copy in chosen[part - 1 :: parts]:
            try:
                work(copy / "root")
                found = content(copy / "root")
                problem = "" if found == wanted else f"{found} instead of {wanted}"
            except Exception:
                problem = traceback.format_exc()
            tally.note(f"before operation {copy.name}", problem)
    return tally
