import numpy as np
import pytest
from pydantic import ConfigDict

from engine.messages import PartialResponse, Reply, Request, RequestFailed, RequestProgress, Response, Stop
from engine.messages.base import Array
from gui.explorer_client import ExplorerClient, count_bytes, read_reply


class AnyReply(Reply):
    """A reply that takes whatever a response contains, arrays only where it declares them."""

    model_config = ConfigDict(extra="allow")

    images: Array | None = None
    runs: dict[str, Array] | None = None


class Ask(Request):
    """A request of no subject."""

    reply_type = AnyReply

    path: str = ""


@pytest.fixture
def client(qtbot, tmp_path, fake_engines):
    made = ExplorerClient(tmp_path)
    made.warm_up("tensorflow")
    made.heard = []
    yield made
    made.close()
    made.deleteLater()


def received(reply):
    """Return the fields that a response contained."""
    return {name: getattr(reply, name) for name in reply.model_fields_set}


def send(client, panel, path=""):
    """Send a request, note what its handle emits, and return the handle."""
    handle = client.send(Ask(panel=panel, path=path))
    handle.finished.connect(
        lambda reply: client.heard.append((panel, {name: getattr(reply, name) for name in reply.model_fields_set}))
    )
    handle.failed.connect(lambda failure: client.heard.append((panel, failure.sentence)))
    handle.progressed.connect(lambda done, total: client.heard.append((panel, done, total)))
    return handle


def respond(client, handle, kind=Response, **content):
    number, panel = handle.request.number, handle.request.panel
    client.engine.say(kind(number=number, panel=panel, content=content))


def test_reply_reaches_the_sender(client):
    handle = send(client, "scan", path="a.png")
    assert client.engine.sent == [Ask(number=1, panel="scan", path="a.png")]
    assert handle.is_pending()
    assert client.pending_kinds() == {Ask}
    respond(client, handle, slices=3)
    assert client.heard == [("scan", {"slices": 3})]
    assert not handle.is_pending()
    assert not client.pending_kinds()


def test_response_to_a_replaced_request_is_dropped(client):
    old, new = send(client, "scan", path="a.png"), send(client, "scan", path="b.png")
    assert (old.is_pending(), new.is_pending()) == (False, True)
    respond(client, old, name="old")
    respond(client, new, name="new")
    assert client.heard == [("scan", {"name": "new"})]


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "answer-1.npy"
    np.save(path, np.arange(3))
    return path


def test_reply_holds_its_arrays_and_their_files_are_deleted(client, written):
    handle = send(client, "scan")
    respond(client, handle, runs={"a": str(written)}, images=str(written), name="a.npy")
    reply = client.heard[0][1]
    assert (reply["images"].tolist(), reply["name"]) == ([0, 1, 2], "a.npy")
    assert reply["runs"]["a"] is reply["images"]
    assert not written.exists()


def test_first_part_of_a_reply_arrives_before_all_of_it(client, written):
    handle = send(client, "scan")
    handle.partly_finished.connect(lambda reply: client.heard.append(("first part", received(reply))))
    respond(client, handle, PartialResponse, images=str(written))
    assert (client.heard[0][0], client.heard[0][1]["images"].tolist()) == ("first part", [0, 1, 2])
    assert handle.is_pending()
    assert not written.exists()
    respond(client, handle, slices=3)
    assert client.heard[1] == ("scan", {"slices": 3})
    assert not handle.is_pending()


@pytest.mark.parametrize("kind", [Response, PartialResponse])
def test_files_of_a_dropped_response_are_deleted(client, written, kind):
    old = send(client, "scan")
    send(client, "scan")
    respond(client, old, kind, images=str(written))
    assert client.heard == []
    assert not written.exists()


def test_request_whose_file_is_gone_is_sent_once_more(client, written):
    handle = send(client, "scan")
    content = written.read_bytes()
    written.unlink()
    respond(client, handle, images=str(written))
    assert client.heard == []
    assert handle.is_pending()
    assert client.engine.sent == [handle.request] * 2
    written.write_bytes(content)
    respond(client, handle, images=str(written))
    assert client.heard[0][1]["images"].tolist() == [0, 1, 2]


def test_response_that_cannot_be_read_twice_fails_the_request(client, written):
    handle = send(client, "scan")
    for content in (b"", b"no array"):
        written.write_bytes(content)
        respond(client, handle, images=str(written))
    assert [(panel, "cannot be read" in text) for panel, text in client.heard] == [("scan", True)]
    assert not handle.is_pending()
    assert len(client.engine.sent) == 2


def test_progress_and_failure_of_a_replaced_request_are_dropped_too(client):
    old, new = send(client, "data"), send(client, "data")
    number = old.request.number
    client.engine.say(RequestProgress(number=number, panel="data", done=1, total=2))
    client.engine.say(RequestFailed(reason="stopped", number=number, panel="data"))
    assert client.heard == []
    client.engine.say(RequestProgress(number=new.request.number, panel="data", done=1, total=2))
    client.engine.say(RequestFailed(reason="It failed.", advice="Retry.", number=new.request.number, panel="data"))
    assert client.heard == [("data", 1, 2), ("data", "It failed. Retry.")]
    assert not new.is_pending()


def test_panels_do_not_replace_each_other(client):
    first, second = send(client, "one"), send(client, "two")
    respond(client, first)
    assert client.heard == [("one", {})]
    assert second.is_pending()


def test_canceled_request_has_no_outcome_and_the_explorer_stops(client):
    handle = send(client, "data")
    handle.cancel()
    assert client.engine.sent[-1] == Stop()
    assert not handle.is_pending()
    failure = RequestFailed(reason="Loading the images was stopped.", number=handle.request.number, panel="data")
    client.engine.say(failure)
    assert client.heard == []


def test_killed_explorer_fails_every_pending_request_and_is_replaced(client):
    send(client, "one")
    send(client, "two")
    client.engine.die(9)
    assert [(panel, "signal 9" in text) for panel, text in client.heard] == [("one", True), ("two", True)]
    client.warm_up("tensorflow")
    assert client.engine.is_running()


def test_only_files_of_the_scratch_folder_are_taken(tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    np.save(tmp_path / "a.npy", np.ones(2))
    read = read_reply(AnyReply, {"store": str(tmp_path / "a.npy")}, scratch)
    assert read.store == str(tmp_path / "a.npy")
    with pytest.raises(ValueError, match="not in the scratch folder"):
        read_reply(AnyReply, {"images": str(tmp_path / "a.npy")}, scratch)
    assert (tmp_path / "a.npy").exists()


def test_what_cannot_be_read_is_deleted_with_the_rest(tmp_path):
    np.save(tmp_path / "a.npy", np.ones(2))
    files = {"b": str(tmp_path / "b.npy"), "a": str(tmp_path / "a.npy")}
    with pytest.raises(FileNotFoundError):
        read_reply(AnyReply, {"runs": files}, tmp_path)
    assert not (tmp_path / "a.npy").exists()


def test_bytes_are_those_of_all_arrays_within():
    content = {"a": np.ones(4, np.float32), "b": [{"c": np.ones(2, np.float64)}, "text", 1, None]}
    assert count_bytes(content) == 32
