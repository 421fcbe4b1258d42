"""The newest request of one kind: debounced, cached, and never sent twice."""

import pytest

from engine.messages import RequestFailed, RequestProgress, Response
from gui.explorer_request import ExplorerRequest
from gui.session import Session
from tests.gui.test_explorer_client import Ask


@pytest.fixture
def session(qtbot, tmp_path, fake_engines):
    made = Session(tmp_path / "runs", tmp_path)
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def make(session):
    def make(**settings):
        made = ExplorerRequest(session, session, **settings)
        made.heard = []
        made.finished.connect(lambda reply: made.heard.append(reply.name))
        made.failed.connect(made.heard.append)
        made.progressed.connect(lambda done, total: made.heard.append((done, total)))
        return made

    return make


def ask(path):
    return Ask(panel="scan", path=path)


def sent(session):
    return [message.path for message in session.explorer.engine.sent if isinstance(message, Ask)]


def respond(session, name):
    last = session.explorer.engine.sent[-1]
    session.explorer.engine.say(Response(number=last.number, panel="scan", content={"name": name}))


def fail(session):
    last = session.explorer.engine.sent[-1]
    session.explorer.engine.say(RequestFailed(reason="No.", advice="Retry.", number=last.number, panel="scan"))


def test_message_is_sent_once(session, make):
    request = make()
    assert request.send(ask("a"))
    assert not request.send(ask("a"))
    assert request.is_pending()
    respond(session, "a")
    assert not request.send(ask("a"))
    assert (sent(session), request.heard, request.is_pending()) == (["a"], ["a"], False)


def test_newer_message_replaces_the_one_before(session, make):
    request = make()
    request.send(ask("a"))
    first = session.explorer.engine.sent[-1]
    request.send(ask("b"))
    session.explorer.engine.say(Response(number=first.number, panel="scan", content={"name": "a"}))
    respond(session, "b")
    assert request.heard == ["b"]


def test_progress_is_passed_on(session, make):
    request = make()
    request.send(ask("a"))
    last = session.explorer.engine.sent[-1]
    session.explorer.engine.say(RequestProgress(number=last.number, panel="scan", done=1, total=4))
    assert request.heard == [(1, 4)]


def test_reset_drops_the_reply_and_lets_the_message_be_sent_again(session, make):
    request = make()
    request.send(ask("a"))
    request.reset()
    respond(session, "a")
    assert request.heard == []
    assert request.send(ask("a"))
    assert sent(session) == ["a", "a"]


def test_cancel_tells_the_explorer(session, make):
    request = make()
    request.send(ask("a"))
    request.cancel()
    assert session.explorer.engine.sent[-1].command == "stop"
    assert not request.is_pending()


@pytest.mark.parametrize("retry", [True, False])
def test_failed_message_is_sent_again_only_where_that_may_help(session, make, retry):
    request = make(retry=retry)
    request.send(ask("a"))
    fail(session)
    assert request.heard == ["No. Retry."]
    assert request.send(ask("a")) is retry
    request.allow_retry()
    request.send(ask("a"))
    assert sent(session) == ["a", "a"]


def test_cached_reply_is_there_at_once(session, make):
    request = make(cache_size=4)
    for name in ("a", "b"):
        request.send(ask(name))
        respond(session, name)
    assert request.send(ask("a"))
    assert (sent(session), request.heard, request.is_pending()) == (["a", "b"], ["a", "b", "a"], False)


def test_only_the_last_of_quick_messages_is_sent(session, make, qtbot):
    request = make(debounce_ms=1)
    for name in ("a", "b", "c"):
        request.send(ask(name))
    assert request.is_pending()
    qtbot.waitUntil(lambda: session.explorer.engine is not None and bool(sent(session)))
    assert sent(session) == ["c"]


class TestReplacedWhileDebounced:
    """A message was sent; a newer one waits for its debounce when the reply to the first arrives."""

    @pytest.fixture
    def request_(self, session, make, qtbot):
        made = make(debounce_ms=1, cache_size=4)
        made.send(ask("a"))
        qtbot.waitUntil(lambda: session.explorer.engine is not None and bool(sent(session)))
        made._timer.setInterval(60_000)
        made.send(ask("b"))
        return made

    def test_late_reply_is_cached_and_not_delivered(self, session, request_):
        respond(session, "a")
        assert (request_.heard, request_.is_pending()) == ([], True)
        request_.send(ask("a"))
        assert (sent(session), request_.heard, request_.is_pending()) == (["a"], ["a"], False)

    def test_message_that_is_wanted_again_is_not_sent_again(self, session, request_):
        request_.send(ask("a"))
        assert request_.is_pending()
        respond(session, "a")
        assert (sent(session), request_.heard, request_.is_pending()) == (["a"], ["a"], False)

    def test_reply_after_a_reset_is_not_cached(self, session, request_):
        request_.reset()
        respond(session, "a")
        request_.send(ask("a"))
        assert (request_.heard, request_.is_pending()) == ([], True)

    def test_cancel_tells_the_explorer(self, session, request_):
        request_.cancel()
        assert session.explorer.engine.sent[-1].command == "stop"
        assert not request_.is_pending()
