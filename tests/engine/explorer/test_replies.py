"""Every reply crosses the seam: the app reads from the response what the handler returned."""

import io

import numpy as np
import pytest
from PIL import Image

from engine import messages
from engine.config import DataConfig, RunConfig
from engine.data import audit
from engine.data.phantom import phantom
from engine.explorer.explorer import answer_audit
from engine.job_context import UNATTENDED
from engine.messages import read_event
from engine.processes.explorer_worker import ExplorerWorker
from engine.search import statistics

pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.fixture
def cross(tmp_path, explorer):
    """Send a reply through a worker; return it as the app reads it, and the files that it came in."""

    def go(request, reply):
        lines, files = io.BytesIO(), []
        worker = ExplorerWorker([], lines, explorer.scratch)
        worker._reply(request, lambda: reply)

        def load(file):
            files.append(file)
            return np.load(file)

        return request.reply_type.from_content(read_event(lines.getvalue()).content, load), files

    return go


def plain(reply):
    """Return a reply as JSON, its arrays spelled out, so that two can be compared."""
    return reply.model_dump(mode="json", context={"save": lambda array: f"{array.dtype} {array.tolist()}"})


@pytest.fixture
def requests(run, tmp_path):
    path, file = str(run.path), tmp_path / "head.png"
    Image.fromarray(np.full((40, 60), 90, np.uint8)).save(file)
    place = {"data": run.config.data, "split": "test", "indices": (2, 0)}
    return {
        "load": messages.LoadData(panel="p", config=run.config.data),
        "open": messages.OpenScan(panel="p", path=str(file)),
        "reconstruct": messages.Reconstruct(panel="p", runs=(path, "pca:4"), **place),
        "errors": messages.PerImageErrors(panel="p", run=path, data=run.config.data, split="test"),
        "evaluate": messages.EvaluateRun(panel="p", run=path, data=run.config.data),
        "denoise": messages.Denoise(panel="p", runs=(path, "pca:4"), sigma=0.1, **place),
        "no noise": messages.Denoise(panel="p", runs=(), sigma=0.0, **place),
        "draft": messages.DenoiseDraft(panel="p", runs=(path,), sigma=0.1, **place),
        "curve": messages.DenoiseCurve(panel="p", runs=(path,), sigmas=(0.1, 0.2), **place),
        "filter": messages.ApplyFilter(panel="p", method="median", sigma=0.1, **place),
    }


KINDS = ("load", "open", "reconstruct", "errors", "evaluate", "denoise", "no noise", "draft", "curve", "filter")


@pytest.mark.parametrize("kind", KINDS)
def test_reply_is_read_as_it_was_made(explorer, requests, cross, kind):
    made = explorer.answer(requests[kind])
    read, _ = cross(requests[kind], made)
    assert type(read) is type(made)
    assert plain(read) == plain(made)


@pytest.fixture
def duplicates(tmp_path):
    """A folder whose test set has an exact copy and a flipped copy of two training images."""
    images = [Image.fromarray(np.rint(np.asarray(phantom(128, 7, at).image) * 255).astype(np.uint8)) for at in range(8)]
    flipped = images[1].transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    for split, several in (("train", images[:6]), ("test", [images[0], flipped, *images[6:]])):
        (tmp_path / "scans" / split).mkdir(parents=True)
        for at, image in enumerate(several):
            image.save(tmp_path / "scans" / split / f"{at}.png")
    return tmp_path / "scans"


@pytest.fixture
def planned(duplicates):
    return messages.Audit(panel="p", config=DataConfig(source=str(duplicates)))


def test_audit_is_read_as_it_was_made(planned, cross):
    made = answer_audit(planned, UNATTENDED)
    assert (made.splits.test.test_in_train, made.near.splits.total, len(made.near.groups)) == (1, 2, 1)
    assert made.near.groups[0].members[1].seen == ("flipped left to right",)
    assert cross(planned, made)[0] == made


def test_audit_crosses_in_the_form_that_the_command_prints(planned):
    made = answer_audit(planned, UNATTENDED)
    assert made.model_dump(mode="json") == audit.audit(planned.config)


@pytest.mark.parametrize("count", [2, 8])
def test_importances_are_read_as_they_were_made(cross, count):
    trials = tuple(({"latent": 4 + 4 * (number % 2)}, 1.0 + number % 2) for number in range(count))
    space = {"latent": [4, 8]}
    request = messages.ComputeImportances(panel="p", base=RunConfig(), space=space, trials=trials)
    made = statistics.compute_importances(request)
    assert (made.weighed is None) == (count == 2)
    assert cross(request, made)[0] == made


def test_array_that_occurs_several_times_crosses_in_one_file(explorer, requests, cross):
    for kind, arrays in (("denoise", 4), ("reconstruct", 3)):
        _, files = cross(requests[kind], explorer.answer(requests[kind]))
        assert len(set(files)) == arrays < len(files)
