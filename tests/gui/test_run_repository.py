"""All runs of a folder: kept current, whichever process trains them."""

import os
import shutil

import pytest
from filelock import FileLock

from engine.errors import RunBusy, RunError, RunExists
from engine.messages import EpochEnded
from engine.search import folder
from gui import palette
from gui.run_repository import SEARCHES_FOLDER, RunRepository


@pytest.fixture
def book(qtbot, root):
    made = RunRepository(root, lambda event, name: made.records[name].apply(event))
    yield made
    made.close()
    made.deleteLater()


def test_old_runs_are_read_from_their_records(book, make_run, root):
    for name in ("ae-0001", "ae-0002"):
        make_run(name)
    book.open(root)
    assert {name: record.state for name, record in book.records.items()} == {
        "ae-0001": "finished",
        "ae-0002": "finished",
    }


def test_run_of_another_process_is_noticed_and_followed(book, make_run, root, qtbot):
    book.open(root)
    with qtbot.waitSignal(book.changed):
        run = make_run("vae-0001", epochs=2, state=None, model="vae")
        book.refresh()
    assert book.records["vae-0001"].state == "interrupted"
    with run.lock():
        book.refresh()
        assert book.records["vae-0001"].state == "running"
        run.append(EpochEnded(run="vae-0001", epoch=3, metrics={"val_loss": 1.0}, best=True))
        book.refresh()
        assert book.records["vae-0001"].last_epoch == 3
    book.refresh()
    assert book.records["vae-0001"].state == "interrupted"


def test_run_of_the_own_job_runs_before_it_holds_its_lock(book, make_run, root):
    make_run("ae-0001", epochs=2, state=None)
    book.open(root)
    book.mark_busy("ae-0001", True)
    book.read_new_events("ae-0001")
    assert book.records["ae-0001"].state == "running"
    book.mark_busy("ae-0001", False)
    book.read_new_events("ae-0001")
    assert book.records["ae-0001"].state == "interrupted"


def test_look_comes_by_itself(book, make_run, root, qtbot):
    book.open(root)
    make_run("ae-0001")
    qtbot.waitUntil(lambda: "ae-0001" in book.records)


def test_folder_without_runs_or_that_is_missing_is_empty(book, tmp_path):
    book.open(tmp_path / "nowhere")
    assert book.records == {}


def test_many_runs_are_read_in_slices_to_the_end(book, make_run, root, qtbot, monkeypatch):
    for number in range(12):
        make_run(f"ae-{number:04d}", epochs=1)
    monkeypatch.setattr("gui.run_repository.SLICE_S", 0.0)
    book.open(root)
    qtbot.waitUntil(lambda: all(record.state == "finished" for record in book.records.values()))
    assert len(book.records) == 12


def test_rename_keeps_everything_but_the_name(book, make_run, root):
    make_run("ae-0001")
    book.open(root)
    book.rename("ae-0001", "kept")
    assert list(book.records) == ["kept"]
    assert book.records["kept"].last_epoch == 3


def test_rename_refuses_what_is_no_name_or_taken(book, make_run, root):
    make_run("ae-0001")
    make_run("ae-0002")
    book.open(root)
    with pytest.raises(RunError, match="is not a valid run name"):
        book.rename("ae-0001", "../x")
    with pytest.raises(RunExists):
        book.rename("ae-0001", "ae-0002")


def test_rename_changes_case_on_a_disk_that_does_not_tell_it_apart(book, make_run, root, monkeypatch):
    make_run("ae-0001")
    book.open(root)
    monkeypatch.setattr(type(root), "samefile", lambda path, other: path.name.lower() == other.name.lower())
    exists = type(root).exists
    monkeypatch.setattr(type(root), "exists", lambda path: path.name == "AE-0001" or exists(path))
    book.rename("ae-0001", "AE-0001")
    assert list(book.records) == ["AE-0001"]


def test_run_that_is_trained_is_neither_renamed_nor_deleted(book, make_run, root):
    run = make_run("ae-0001", state=None)
    book.open(root)
    with run.lock():
        with pytest.raises(RunBusy):
            book.rename("ae-0001", "x")
        with pytest.raises(RunBusy):
            book.delete("ae-0001")
    assert run.path.exists()


def test_delete_moves_to_the_trash(book, make_run, root, monkeypatch, tmp_path):
    run = make_run("ae-0001")
    book.open(root)
    moved = []
    monkeypatch.setattr("gui.run_repository.QFile.moveToTrash", lambda path: moved.append(path) or False)
    assert book.delete("ae-0001") is False
    assert moved == [str(run.path)]
    assert run.path.exists()
    assert book.delete("ae-0001", for_good=True)
    assert not run.path.exists()
    assert book.records == {}


def test_run_replaced_between_two_looks_is_read_anew(book, make_run, root):
    run = make_run("ae-0001", epochs=5)
    book.open(root)
    shutil.rmtree(run.path)
    make_run("ae-0001", epochs=1)
    book.refresh()
    os.utime(root)
    book.refresh()
    assert book.records["ae-0001"].last_epoch == 1


def test_run_that_came_long_ago_is_noticed_when_the_folder_says_so(book, make_run, root):
    make_run("ae-0001")
    os.utime(root, (1e9, 1e9))
    book.open(root)
    make_run("ae-0002")
    os.utime(root, (1.1e9, 1.1e9))
    book.refresh()
    assert list(book.records) == ["ae-0001", "ae-0002"]


def test_run_made_anew_under_an_old_name_is_read_anew(book, make_run, root):
    make_run("ae-0001", epochs=5)
    book.open(root)
    book.delete("ae-0001", for_good=True)
    make_run("ae-0001", epochs=1)
    book.refresh()
    assert book.records["ae-0001"].last_epoch == 1


ODD = {
    "settings that are a list": lambda path: (path / "config.json").write_text("[1, 2]"),
    "settings that are nested": lambda path: (path / "config.json").write_text("[" * 200_000 + "]" * 200_000),
    "record that is a folder": lambda path: ((path / "events.jsonl").unlink(), (path / "events.jsonl").mkdir()),
    "lock that is a link": lambda path: (path / "lock").symlink_to("/etc/passwd"),
}


@pytest.mark.parametrize("change", ODD.values(), ids=ODD)
def test_odd_run_is_listed_as_damaged_and_the_others_are_read(book, make_run, root, change):
    make_run("odd")
    make_run("whole")
    (root / "odd" / "lock").unlink(missing_ok=True)
    change(root / "odd")
    book.open(root)
    assert {name: record.state for name, record in book.records.items()} == {"odd": "damaged", "whole": "finished"}
    assert "odd" in book.records["odd"].damage
    assert book._waiting == []


def test_epoch_without_its_loss_is_read(book, make_run, root):
    run = make_run("odd", epochs=1)
    run.append(EpochEnded(run="odd", epoch=2, metrics={}, best=True))
    make_run("whole")
    book.open(root)
    assert book.records["odd"].last_epoch == 2
    assert book.records["whole"].state == "finished"


def test_folder_that_may_only_be_read_is_listed(book, make_run, root, monkeypatch):
    def refuse(self):
        raise OSError(30, "Read-only file system", "lock")

    run = make_run("one")
    (run.path / "lock").touch()
    monkeypatch.setattr(FileLock, "_acquire", refuse)
    book.open(root)
    assert book.records["one"].state == "finished"


def test_run_keeps_its_color_when_others_go_and_a_trial_has_that_of_its_number(book, make_run, root):
    for name in ("a", "b", "c"):
        make_run(name)
    book.open(root)
    before = palette.find_series_color("c")
    shutil.rmtree(root / "a")
    (root / SEARCHES_FOLDER / "s").mkdir(parents=True)
    make_run("s-0003")
    make_run("other-0003")
    palette.find_series_color("PCA-64")
    book.open(root)
    assert palette.find_series_color("c") == before
    assert palette.find_series_color("s-0003") == palette.current().series[2]
    assert {name: record.search for name, record in book.records.items() if record.search} == {"s-0003": "s"}
    assert not (root / "s-0003" / "view.json").exists()
    assert SEARCHES_FOLDER == folder.FOLDER_NAME
