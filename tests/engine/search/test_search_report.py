"""Report on a search: the best trial, all trials, the space; refused while no trial has a score."""

import pytest

from engine.errors import SearchError
from engine.messages.figures import WriteReport
from engine.reports.writer import answer_report
from tests.engine.search.fake_executor import fail


def test_report_on_a_search_ranks_its_trials(make_search, tmp_path):
    search = make_search({"trials": 3, "algorithm": "random"}).run()
    path = tmp_path / "search.html"
    reply = answer_report(WriteReport(panel="report", path=str(path), search="small", root=str(tmp_path)))
    assert reply.path == str(path)
    html = path.read_text("utf-8")
    best = min(search.trials, key=lambda trial: trial.score)
    assert f"Trial {best.number} ({best.run})" in html
    assert "Search space" in html


def test_search_without_a_score_is_refused(make_search, executor, tmp_path):
    executor.attempts = {1: fail("No memory.")}
    make_search({"trials": 1, "algorithm": "random"}).run()
    with pytest.raises(SearchError, match="no trial with a score"):
        answer_report(WriteReport(panel="report", path=str(tmp_path / "a.pdf"), search="small", root=str(tmp_path)))
