"""The list of runs: filter, order, groups, eyes."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QSignalSpy, QTest

from gui import palette
from gui.widgets.number_model import TableColumn
from gui.widgets.run_list.model import RunListModel, RunRow
from gui.widgets.run_list.widget import ListMode, RunList, RunTree

COLUMNS = (TableColumn("Run", str, False), TableColumn("Loss", lambda loss: f"{loss[1]} {loss[0]}"))


def row(key, loss, unit="MSE", **more):
    return RunRow(key, (key, (unit, loss)), key, **more)


ROWS = [
    row("ae-0002", 0.2, words="wide"),
    row("s-0002", 0.4, group="s"),
    row("s-0001", 0.3, group="s"),
    row("vae-0001", 3.0, "nats"),
    row("ae-0001", 0.1),
]


@pytest.fixture
def runs(qtbot):
    model = RunListModel(COLUMNS)
    model.show(ROWS)
    made = RunList(RunTree(model))
    qtbot.addWidget(made)
    made.resize(400, 300)
    made.show()
    return made


def listed(tree):
    """The keys that the view shows, from top to bottom."""
    found, index = [], tree.model().index(0, 0)
    while index.isValid():
        found.append(tree._key(index))
        index = tree.indexBelow(index)
    return found


def test_trials_stand_below_their_search_which_is_closed(runs):
    tree = runs.tree
    assert listed(tree) == ["ae-0002", "group s", "vae-0001", "ae-0001"]
    assert tree.text(1, 0) == "s (2)"
    at = tree.visualRect(tree.model().index(1, 0)).center()
    QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert listed(tree) == ["ae-0002", "group s", "s-0002", "s-0001", "vae-0001", "ae-0001"]
    assert tree.chosen_keys() == []
    tree.runs.show([row("new", 0.5), *ROWS])
    assert "s-0001" in listed(tree), "an open group stays open"


def test_numbers_are_sorted_within_their_unit_and_a_pinned_row_stays_on_top(runs):
    tree = runs.tree
    tree.runs.show([*ROWS[:-1], row("ae-0001", 9.0, is_pinned=True)])
    for order, wanted in (
        (Qt.SortOrder.AscendingOrder, ["ae-0001", "ae-0002", "group s", "vae-0001"]),
        (Qt.SortOrder.DescendingOrder, ["ae-0001", "vae-0001", "group s", "ae-0002"]),
    ):
        tree.sortByColumn(1, order)
        assert listed(tree) == wanted


def test_filter_takes_words_and_patterns_and_leaves_the_selection(runs):
    tree = runs.tree
    tree.select(["vae-0001"])
    for text, wanted in (
        ("wide", ["ae-0002", "vae-0001"]),
        ("s-000[12]$ 1", ["group s", "s-0001", "vae-0001"]),
        ("ae-0001 (", ["vae-0001"]),
    ):
        runs.filter.setText(text)
        assert listed(tree) == wanted
    assert tree.chosen_keys() == ["vae-0001"]
    runs.filter.setText("")
    assert len(listed(tree)) >= 4


def test_eye_shows_a_run_beside_the_selected_ones_and_hides_one_of_them(runs, qtbot):
    tree = runs.tree
    tree.select(["ae-0001", "ae-0002"])
    assert sorted(tree.runs.shown_keys()) == ["ae-0001", "ae-0002"]
    eye = tree.visualRect(tree.model().index(2, len(COLUMNS))).center()
    with qtbot.waitSignal(tree.runs.eyes_changed):
        QTest.mouseClick(tree.viewport(), Qt.MouseButton.LeftButton, pos=eye)
    assert sorted(tree.runs.shown_keys()) == ["ae-0001", "ae-0002", "vae-0001"]
    assert sorted(tree.chosen_keys()) == ["ae-0001", "ae-0002"]
    tree.runs.toggle_eye("ae-0001")
    assert sorted(tree.runs.shown_keys()) == ["ae-0002", "vae-0001"]
    tree.select(["vae-0001"])
    tree.select(["ae-0001"])
    assert tree.runs.shown_keys() == ["ae-0001", "vae-0001"], "a closed eye is forgotten with its selection"


def test_state_is_restored_and_nonsense_is_ignored(runs, qtbot):
    runs.tree.set_open_groups(["group s"])
    runs.tree.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    kept = runs.save_state()
    twin = RunList(RunTree(runs.tree.runs))
    qtbot.addWidget(twin)
    twin.restore_state(kept)
    assert listed(twin.tree) == listed(runs.tree)
    twin.restore_state({"groups": [1], "sort": ["x"], "hidden": None})


def test_ninth_run_has_a_ring_and_another_line():
    keys = [f"run {number}" for number in range(palette.LOOKS + 1)]
    places = [palette.register_series(key) for key in keys]
    assert places == [*range(palette.LOOKS), 0]
    assert palette.find_series_color(keys[8]) == palette.find_series_color(keys[0])
    assert (palette.has_second_line(keys[0]), palette.has_second_line(keys[8])) == (False, True)
    assert not palette.has_second_line("role:quiet")


def test_lists_share_rows_and_eyes_but_each_checks_or_picks_by_itself(runs, qtbot):
    model = runs.tree.runs
    model.show([*ROWS, row("raw", 0.9, is_ready=False)])
    check, pick = (RunList(RunTree(model, mode)) for mode in (ListMode.CHECK, ListMode.PICK))
    for each in (check, pick):
        qtbot.addWidget(each)
        each.show()
    assert listed(check.tree) == ["ae-0002", "group s", "vae-0001", "ae-0001"], "a run without a model is left out"
    QTest.keyClicks(check.filter, "s-")
    QTest.keyClick(check.filter, Qt.Key.Key_Down)
    QTest.keyClick(check.filter, Qt.Key.Key_Return)
    assert check.tree.checked() == ["s-0001"]
    check.filter.clear()
    assert "s-0001" not in listed(check.tree), "the group is closed again"
    with qtbot.waitSignal(pick.tree.opened) as picked:
        QTest.keyClicks(pick.filter, "vae")
        QTest.keyClick(pick.filter, Qt.Key.Key_Return)
    assert picked.args == ["vae-0001"]
    model.toggle_eye("vae-0001")
    eye = pick.tree.model().index(0, len(COLUMNS))
    assert eye.data(Qt.ItemDataRole.AccessibleTextRole) == "shown in the plots"


def test_checking_a_run_that_a_filter_hides_changes_no_row(runs, qtbot):
    check = RunTree(runs.tree.runs, ListMode.CHECK)
    qtbot.addWidget(check)
    check.model().set_filter("no such run")
    changed = QSignalSpy(check.model().dataChanged)
    check.set_checked(["ae-0001"])
    assert (check.model().rowCount(), check.checked(), changed.count()) == (0, ["ae-0001"], 0)
