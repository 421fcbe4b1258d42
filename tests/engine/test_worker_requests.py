"""Which request a worker answers when: the latest wins, urgent before patient, long work aside and given up."""

import io
import queue
import threading
import zipfile

import numpy as np
import pytest
from PIL import Image

from engine import messages
from engine.messages import PartialResponse, Reply, RequestFailed, Response
from engine.processes import explorer_worker
from tests.engine.conversation import InProcess


@pytest.fixture
def serving(tmp_path):
    """A worker on threads of this process."""
    with InProcess(tmp_path) as made:
        yield made


@pytest.fixture
def images(serving, tiny):
    """The settings of images that the worker has loaded."""
    serving.send(messages.LoadData(number=1, panel="data", config=tiny().data))
    serving.wait_for(Response, number=1)
    return tiny().data


def test_measuring_yields_and_has_its_turn_after_all(serving, images):
    serving.interrupt(31, messages.LoadData(number=32, panel="data", config=images))
    serving.send(messages.EvaluateRun(number=31, panel="compare-measure", run="pca:5", data=images))
    answers = [serving.wait_for((Response, RequestFailed)) for _ in range(2)]
    assert [answer.number for answer in answers] == [32, 31]
    assert answers[1].content["splits"]["test"]["n"] == 6


def test_what_yields_while_its_images_are_loaded_has_its_turn_after_all(serving, tiny):
    place = {"data": tiny(phantom_seed=5).data, "split": "test", "indices": (0,), "runs": ("pca:4",)}
    nowhere = tiny(source="/nowhere").data
    serving.interrupt(33, messages.LoadData(number=34, panel="data", config=nowhere))
    serving.send(messages.DenoiseCurve(number=33, panel="denoise-curve", sigmas=(0.1,), **place))
    assert [serving.wait_for((Response, RequestFailed)).number for _ in range(2)] == [34, 33]


def test_backend_is_imported_after_the_first_replies(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(explorer_worker, "FIRST_REPLIES_S", 60.0)
    monkeypatch.setattr(explorer_worker, "MORE_S", 60.0)
    worker, order = explorer_worker.ExplorerWorker([], io.BytesIO(), tmp_path), []
    warming = threading.Thread(target=lambda: (worker.wait_until_free(), order.append("import")))
    requests = [messages.LoadData(number=number, panel="data", config=tiny().data) for number in (1, 2)]

    def answer(request, more_s):
        monkeypatch.setattr(explorer_worker, "MORE_S", more_s)
        worker._reply(request, lambda: (warming.join(0.05), order.append(request.number))[1])

    worker._receive(requests[0])
    warming.start()
    answer(requests[0], 60.0)
    worker._receive(requests[1])
    answer(requests[1], 0.0)
    warming.join()
    assert order == [1, 2, "import"]


def test_backend_is_imported_at_once_where_nothing_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(explorer_worker, "FIRST_REQUEST_S", 0.0)
    monkeypatch.setattr(explorer_worker, "FIRST_REPLIES_S", 60.0)
    worker = explorer_worker.ExplorerWorker([], io.BytesIO(), tmp_path)
    worker.wait_until_free()
    assert not worker._answered.acquire(blocking=False)


def test_backend_does_not_wait_long_for_the_first_replies(tmp_path, tiny, monkeypatch):
    monkeypatch.setattr(explorer_worker, "FIRST_REPLIES_S", 0.0)
    worker = explorer_worker.ExplorerWorker([], io.BytesIO(), tmp_path)
    worker._receive(messages.LoadData(number=1, panel="data", config=tiny().data))
    worker.wait_until_free()
    assert not worker._asked.acquire(blocking=False)


@pytest.fixture
def auditing(serving, monkeypatch):
    """A worker whose large audits end only when they are no longer wanted."""
    audit = explorer_worker.answer_audit

    def endless(request, context):
        if request.config.phantom_count < 1000:
            return audit(request, context)
        context.report(1, 2)
        context.should_stop.__self__.wait(240)
        context.check()
        raise AssertionError

    monkeypatch.setattr(explorer_worker, "answer_audit", endless)
    return serving


def test_an_audit_is_answered_beside_other_requests_and_given_up_for_other_data(auditing, tiny):
    child, large = auditing, tiny(phantom_count=6000).data
    child.send(messages.Audit(number=900, panel="audit", config=large))
    child.wait_for(messages.RequestProgress, number=900)
    child.send(messages.OpenScan(number=901, panel="compare", path="/nowhere"))
    assert child.wait_for((Response, RequestFailed)).number == 901
    child.send(messages.LoadData(number=902, panel="data", config=tiny().data))
    told = [child.wait_for((RequestFailed, Response)) for _ in range(2)]  # whichever comes first
    given_up, loaded = (next(event for event in told if isinstance(event, kind)) for kind in (RequestFailed, Response))
    assert (given_up.number, given_up.panel, given_up.reason) == (900, "audit", "The request was canceled.")
    assert loaded.number == 902
    assert loaded.content["repeats"]["splits"]["test"]["test_clean"] == 6
    assert loaded.content["leaked"] == []


def test_a_volume_is_opened_while_a_dataset_is_loaded(serving, tiny, monkeypatch):
    opened, load = threading.Event(), serving.worker.explorer._load_data

    def wait_for_the_volume(request):
        assert opened.wait(240)
        return load(request)

    monkeypatch.setitem(serving.worker.explorer._answers, messages.LoadData, wait_for_the_volume)
    serving.send(messages.LoadData(number=1, panel="data", config=tiny().data))
    serving.send(messages.OpenVolume(number=2, panel="scan", path="/nowhere"))
    assert serving.wait_for((Response, RequestFailed)).number == 2
    opened.set()
    assert serving.wait_for((Response, RequestFailed)).number == 1


@pytest.fixture
def picture(tmp_path):
    """The path of a picture of one gray."""
    path = tmp_path / "head.png"
    Image.fromarray(np.full((40, 60), 90, np.uint8)).save(path)
    return str(path)


def test_a_scan_is_shown_before_its_reconstruction(serving, images, picture):
    request = messages.OpenScan(number=3, panel="image", path=picture, data=images, runs=("pca:4",))
    serving.send(request)
    first = serving.wait_for((PartialResponse, Response, RequestFailed))
    whole = serving.wait_for((PartialResponse, Response, RequestFailed))
    assert [type(first), type(whole), first.number, whole.number] == [PartialResponse, Response, 3, 3]
    opened, read = (request.reply_type.from_content(event.content, np.load) for event in (first, whole))
    assert opened.reconstructed is None
    assert np.array_equal(opened.image, read.reconstructed.originals[0])
    assert read.reconstructed.runs["pca:4"].images.shape == (1, images.size, images.size)


def test_a_scan_is_shown_even_if_a_model_is_missing(serving, images, picture):
    serving.send(messages.OpenScan(number=4, panel="image", path=picture, data=images, runs=("/nowhere/ae",)))
    assert serving.wait_for((PartialResponse, Response, RequestFailed)).content["name"] == "head.png"
    assert serving.wait_for((PartialResponse, Response, RequestFailed)).number == 4


def test_a_scan_that_cannot_be_read_is_refused_once(serving, images):
    serving.send(messages.OpenScan(number=5, panel="image", path="/nowhere", data=images, runs=("pca:4",)))
    serving.send(messages.OpenScan(number=6, panel="other", path="/nowhere", data=images))
    events = [serving.wait_for((PartialResponse, Response, RequestFailed)) for _ in range(2)]
    assert [(type(event), event.number) for event in events] == [(RequestFailed, 5), (RequestFailed, 6)]


def test_a_newer_audit_takes_the_place_of_the_one_before(auditing, tiny):
    auditing.send(messages.Audit(number=900, panel="audit", config=tiny(phantom_count=6000).data))
    auditing.wait_for(messages.RequestProgress, number=900)
    auditing.send(messages.Audit(number=901, panel="audit", config=tiny().data))
    told = [auditing.wait_for((RequestFailed, Response)) for _ in range(2)]  # whichever comes first
    given_up, answer = (next(event for event in told if isinstance(event, kind)) for kind in (RequestFailed, Response))
    assert (given_up.number, answer.number) == (900, 901)
    assert answer.content["near"]["splits"]["test"] == {"near_duplicates": 0, "near_train": 0, "near_clean": 6}


def test_what_yielded_has_its_turn_only_when_nothing_is_requested_a_while(tmp_path, tiny):
    serving = explorer_worker.ExplorerWorker([], io.BytesIO(), tmp_path)
    gave_way = messages.EvaluateRun(number=1, panel="compare", run="pca:16", data=tiny().data)
    urgent = messages.OpenScan(number=2, panel="data", path="/nowhere")
    serving._deferred.append(gave_way)
    coming, waits = iter([urgent]), []

    def get(timeout):
        waits.append(timeout)
        if (found := next(coming, None)) is None:
            raise queue.Empty
        return found

    serving._queue.get = get
    assert serving._next() is urgent
    assert serving._next() is gave_way
    assert waits == [explorer_worker.QUIET_S] * 2


def test_what_is_patient_begins_after_all_that_waits(tmp_path, tiny):
    serving, answered = explorer_worker.ExplorerWorker([], io.BytesIO(), tmp_path), []
    serving.explorer.answer = lambda request: answered.append(request) or Reply()
    place = {"run": "a", "data": tiny().data}
    waiting = messages.FindNeighbors(number=1, panel="scan", indices=(0,), **place)
    patient = messages.EmbeddingErrors(number=2, panel="errors", **place)
    serving._newest |= {"scan": 1, "errors": 2}
    serving._deferred.append(waiting)
    serving._answer(patient)
    assert answered == []
    while serving._deferred:
        serving._answer(serving._deferred.pop())
    assert answered == [waiting, patient]


def test_of_two_that_can_wait_the_newer_has_its_turn_first_after_what_is_urgent(serving, images):
    place = {"data": images, "split": "test", "indices": (0,)}
    curve = messages.DenoiseCurve(number=42, panel="denoise-curve", runs=("pca:4",), sigmas=(0.1, 0.2), **place)
    urgent = messages.Denoise(number=43, panel="denoise", runs=("pca:4",), sigma=0.1, **place)
    serving.interrupt(41, curve)
    serving.interrupt(42, urgent)
    serving.send(messages.EvaluateRun(number=41, panel="compare-measure", run="pca:3", data=images))
    assert [serving.wait_for((Response, RequestFailed)).number for _ in range(3)] == [43, 42, 41]


@pytest.fixture
def filtering(serving):
    """A worker whose classical methods end only when a scan has been opened meanwhile."""
    answer, opened, at_work = serving.worker.explorer.answer, threading.Event(), []
    serving.seen_at_work = {}

    def patient(request):
        if isinstance(request, messages.OpenScan):
            opened.set()
        if not isinstance(request, messages.ApplyFilter):
            return answer(request)
        at_work.append(request.number)
        opened.wait(60)
        reply = answer(request)
        serving.seen_at_work[request.number] = list(at_work)
        at_work.remove(request.number)
        return reply

    serving.worker.explorer.answer = patient
    return serving


def test_classical_methods_work_beside_other_requests_and_one_after_the_other(filtering, tiny):
    place = {"data": tiny().data, "split": "test", "indices": (0,), "panel": "denoise-filter", "method": "median"}
    filtering.send(messages.ApplyFilter(number=51, sigma=0.1, **place))
    filtering.send(messages.ApplyFilter(number=52, sigma=0.2, **place))
    filtering.send(messages.OpenScan(number=53, panel="compare", path="/nowhere"))
    assert filtering.wait_for((Response, RequestFailed)).number == 53
    told = [filtering.wait_for(Response)]
    if told[0].number == 51:  # it had begun before the newer one came
        told.append(filtering.wait_for(Response))
    assert told[-1].number == 52
    assert all(filtering.seen_at_work[answer.number] == [answer.number] for answer in told)


def test_settings_are_weighed_while_the_explorer_is_busy(serving, tiny, monkeypatch):
    weighed, emit = threading.Event(), serving.worker.emit

    def emit_and_note(event):
        emit(event)
        if isinstance(event, Response) and event.panel == "weigh":
            weighed.set()

    monkeypatch.setattr(serving.worker, "emit", emit_and_note)

    class WeighedFirst(Reply):
        weighed_first: bool

    def wait_for_the_weights(request):
        return WeighedFirst(weighed_first=weighed.wait(60))

    monkeypatch.setattr(serving.worker.explorer, "answer", wait_for_the_weights)
    serving.send(messages.OpenScan(number=61, panel="compare", path="/nowhere"))
    space, trials = {"latent": [4, 8]}, tuple(({"latent": 4 + 4 * (n % 2)}, 1.0 + n % 2) for n in range(8))
    serving.send(messages.ComputeImportances(number=62, panel="weigh", base=tiny(), space=space, trials=trials))
    serving.send(messages.ComputeImportances(number=63, panel="weigh", base=tiny(), space={"latent": []}, trials=()))
    answers = {event.number: event for event in (serving.wait_for((Response, RequestFailed)) for _ in range(3))}
    assert answers[61].content == {"weighed_first": True}
    (latent,) = answers[62].content["weighed"]
    assert (latent["name"], latent["sign"], latent["effect"]) == ("latent", 1, pytest.approx(1.0))
    assert "is empty" in answers[63].reason


FAILURES = [
    (IndexError("list index out of range"), "a reason that Engram does not know"),
    (OSError(28, "No space left on device", "answer.npy"), "answer.npy: No space left on device"),
    (MemoryError(), "not enough memory"),
    (zipfile.BadZipFile("Bad CRC-32"), "a reason that Engram does not know"),
]


@pytest.mark.parametrize(("error", "said"), FAILURES, ids=lambda value: type(value).__name__)
def test_a_failing_request_is_refused_and_the_next_one_answered(serving, monkeypatch, error, said, capsys):
    def fail(request):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(serving.worker.explorer, "answer", fail)
        serving.send(messages.OpenScan(number=71, panel="compare", path="/nowhere"))
        refused = serving.wait_for(RequestFailed)
    assert (refused.number, refused.panel) == (71, "compare")
    assert said in refused.reason
    assert type(error).__name__ in capsys.readouterr().err
    serving.send(messages.OpenScan(number=72, panel="compare", path="/nowhere"))
    assert serving.wait_for(RequestFailed).number == 72


@pytest.mark.parametrize("index", [-1, 6, 10**12])
def test_an_image_that_is_not_there_is_a_sentence(serving, images, index):
    place = {"data": images, "split": "test", "indices": (0, index), "runs": ("pca:4",)}
    serving.send(messages.Reconstruct(number=73, panel="compare", **place))
    assert f"no image {index} in this set of 6 images" in serving.wait_for(RequestFailed).reason


def test_a_line_that_is_no_command_is_refused_and_the_next_one_read(serving):
    serving.write(b"[" * 200_000 + b"\n" + b"\xff\n" + b'{"command": "\\ud800"}\n')
    for _ in range(3):
        assert "could not be read" in serving.wait_for(RequestFailed).reason
    serving.send(messages.OpenScan(number=74, panel="compare", path="/nowhere"))
    assert serving.wait_for(RequestFailed).number == 74


def test_explorer_stands_and_draws_phantoms_with_little(run_python, tmp_path):
    code = (
        "import sys; from pathlib import Path; from engine import config, messages; "
        "from engine.processes import explorer_worker; from engine.explorer.explorer import Explorer; "
        f"explorer = Explorer(Path({str(tmp_path)!r}), print, lambda: False); "
        "data = config.DataConfig(size=32, phantom_count=24); "
        "explorer.answer(messages.LoadData(panel='data', config=data)); "
        "heavy = {'pydicom', 'nibabel', 'requests', 'pandas', 'keras', 'matplotlib', 'sklearn'}; "
        "print(sorted(heavy & set(sys.modules)), messages.Denoise.__pydantic_complete__)"
    )
    assert run_python(code).splitlines()[-1] == "[] False"
