"""A stop that another process asks for through the run's folder."""

from engine.job_control import STOP_FILE, request_stop, watch_stop_file


def test_request_stops_the_job_that_watches_and_no_later_one(tmp_path, monkeypatch):
    clock = iter(range(100))
    monkeypatch.setattr("engine.job_control.time.monotonic", lambda: next(clock))
    request_stop(tmp_path)
    with watch_stop_file(tmp_path, lambda: False) as should_stop:
        assert not should_stop(), "an earlier request does not count"
        request_stop(tmp_path)
        assert should_stop()
        (tmp_path / STOP_FILE).unlink()
        assert should_stop()
        request_stop(tmp_path)
    assert not (tmp_path / STOP_FILE).exists()
    with watch_stop_file(tmp_path, lambda: True) as should_stop:
        assert should_stop()
