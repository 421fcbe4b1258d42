"""The audit in the Data panel: what is known at once, what is looked for, the pairs side by side."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from engine.config import DataConfig
from engine.messages import Audit, RequestFailed, RequestProgress
from gui.panels.data import DataPanel
from gui.panels.data.audit_card import AUDIT
from gui.panels.data.duplicates_dialog import DuplicatesDialog
from tests.gui.conftest import REPEATS, place

NEAR = REPEATS | {
    "source": "phantom",
    "skipped": [],
    "notes": [],
    "near": {
        "splits": {"train": {"near_duplicates": 2}, "test": {"near_duplicates": 1, "near_train": 1, "near_clean": 3}},
        "groups": [
            {
                "across": True,
                "members": [
                    place("train", 9, like="", seen=[]),
                    place("train", 8, like="train/9.png", seen=["flipped left to right", "gamma 0.80"]),
                    place("test", 19, like="train/9.png", seen=["rotated by 180°"]),
                ],
            }
        ],
    },
}


@pytest.fixture
def panel(qtbot, desk):
    made = DataPanel(desk)
    qtbot.addWidget(made)
    made.resize(1300, 1100)
    made.show()
    return made


def counts(panel):
    table = panel.audit.table
    return {table.text(row, 0): table.text(row, 1) for row in range(table.model().rowCount())}


def asked(session):
    return [sent for sent in session.explorer.engine.sent if isinstance(sent, Audit)]


def open_pairs(panel):
    panel.audit.look.click()
    [sheet] = panel.window().findChildren(DuplicatesDialog)
    return sheet


def test_nothing_is_said_before_there_are_images(panel):
    assert not panel.audit.isVisible()


def test_identical_images_are_reported_at_once_and_near_ones_are_looked_for(panel, session, loaded):
    assert panel.audit.warning.text() == REPEATS["warning"]
    assert panel.audit.warning.isVisible()
    assert not panel.audit.clean.isVisible()
    assert counts(panel) == {
        "leaked test images": "2",
        "deduplicated test images": "4",
        "redundant training images": "1",
        "near-duplicates, all sets": "—",
        "deduplicated, but near-duplicates": "—",
    }
    assert [sent.config for sent in asked(session)] == [DataConfig(size=32)]
    assert panel.audit.bar.isVisible()
    session.explorer.engine.say(RequestProgress(number=asked(session)[0].number, panel=AUDIT, done=3, total=24))
    assert (panel.audit.bar.value(), panel.audit.bar.maximum()) == (3, 24)
    assert not panel.source.bar.isVisible()


def test_label_conflicts_are_counted_and_shown(panel, loaded, answer):
    members = [
        place("train", 9, label="pituitary"),
        place("train", 8, label="glioma"),
        place("left out", 99, label="x"),
    ]
    answer(AUDIT, NEAR | {"label_conflicts": [{"reason": "patient", "labels": {}, "members": members}]})
    assert counts(panel)["images with conflicting labels"] == "3"
    sheet = open_pairs(panel)
    sheet.across.setChecked(False)
    sheet.kinds["labels"].setChecked(True)
    sheet.table.select([str(sheet.shown()[0])])
    assert [sheet.members.text(row, 1) for row in range(3)] == ["training", "training", "left out"]
    assert [sheet.members.text(row, 2) for row in range(3)] == ["pituitary", "glioma", "x"]
    sheet.reject()


def test_near_duplicates_are_counted_when_they_are_found(panel, loaded, answer):
    answer(AUDIT, NEAR)
    assert counts(panel)["near-duplicates, all sets"] == "3"
    assert counts(panel)["deduplicated, but near-duplicates"] == "1"
    assert not panel.audit.bar.isVisible()


def test_audit_that_ends_because_another_dataset_is_loaded_is_no_failure(panel, session, loaded):
    ended = RequestFailed(number=asked(session)[0].number, panel=AUDIT, reason="The request was canceled.")
    session.load_data(DataConfig(size=64))
    session.explorer.engine.say(ended)
    assert not panel.audit.notice.isVisible()
    assert not panel.audit.bar.isVisible()


def test_a_clean_source_is_said_to_be_one(panel, session, answer, data_content):
    session.load_data(DataConfig(size=32))
    clean = {"splits": REPEATS["splits"], "groups": [], "warning": ""}
    answer("data", data_content | {"repeats": clean})
    assert not panel.audit.warning.isVisible()
    assert panel.audit.clean.isVisible()
    assert not panel.audit.look.isEnabled()
    answer(AUDIT, NEAR)
    assert panel.audit.look.isEnabled()


def test_patients_are_counted_by_set(panel, session, answer, data_content):
    known = {"patients": 9, "patients_in_both": 2, "test_unseen_patients": 3, "test_known_patients": 5}
    known |= {"patients_by_split": {"train": 6, "validation": 1, "test": 4}, "patient_note": "5 of 6 are known."}
    session.load_data(DataConfig(size=32))
    answer("data", data_content | {"patients": known, "unseen": [0, 1, 2]})
    shown = counts(panel)
    assert [shown[f"patients, {name} set"] for name in ("training", "validation", "test")] == ["6", "1", "4"]
    assert shown["patients in both test and training"] == "2"
    assert shown["test images of unseen patients"] == "3"
    assert panel.audit.patients.text() == "5 of 6 are known."
    assert panel.audit.patients.isVisible()
    assert session.data.subsets()["test_unseen"] == 3
    assert session.data.indices_in("test_unseen") == ("test", [0, 1, 2])


def test_without_known_patients_only_the_note_is_shown(panel, session, answer, data_content):
    session.load_data(DataConfig(size=32))
    answer("data", data_content | {"patients": {"patient_note": "Patients are unknown."}})
    assert not any("patients" in name for name in counts(panel))
    assert panel.audit.patients.text() == "Patients are unknown."


def test_other_scans_are_audited_anew_and_an_old_answer_is_dropped(panel, session, loaded, answer, data_content):
    answer(AUDIT, NEAR)
    session.load_data(DataConfig(size=64))
    answer("data", data_content)
    assert [sent.config.size for sent in asked(session)] == [32, 64]
    assert counts(panel)["near-duplicates, all sets"] == "—"


def test_an_audit_that_was_refused_can_be_requested_again(panel, session, loaded):
    number = asked(session)[0].number
    session.explorer.engine.say(RequestFailed(reason="No room.", advice="Make some.", number=number, panel=AUDIT))
    assert panel.audit.notice.text() == "No room. Make some."
    assert not panel.audit.bar.isVisible()
    panel.audit.notice.action_requested.emit()
    assert len(asked(session)) == 2
    assert not panel.audit.notice.isVisible()


def test_pairs_are_shown_side_by_side_with_what_was_done(panel, loaded, answer):
    answer(AUDIT, NEAR)
    sheet = open_pairs(panel)
    assert sheet.shown() == [0, 1, 3]
    assert sheet.count.text() == "3 of 4 groups"
    assert [sheet.members.text(row, 0) for row in range(2)] == ["train/3.png", "test/18.png"]
    assert sheet.members.text(1, 2) == "identical pixels"
    sheet.table.select(["3"])
    told = [[sheet.members.text(row, column) for column in range(3)] for row in range(3)]
    assert told == [
        ["train/9.png", "training", "first of the group"],
        ["train/8.png", "training", "flipped left to right, gamma 0.80"],
        ["test/19.png", "test", "rotated by 180°"],
    ]
    sheet.reject()


def test_chips_choose_the_groups(panel, loaded, answer):
    answer(AUDIT, NEAR)
    sheet = open_pairs(panel)
    sheet.kinds["near"].click()
    assert sheet.shown() == [3]
    assert sheet.members.text(2, 0) == "test/19.png"
    sheet.kinds["near"].click()
    sheet.kinds["identical"].click()
    sheet.across.click()
    assert sheet.shown() == [0, 1, 2]
    sheet.reject()


def test_pairs_are_walked_through_with_the_arrow_keys(panel, loaded, answer):
    sheet = open_pairs(panel)
    QTest.keyClick(sheet.table, Qt.Key.Key_Down)
    assert sheet.members.text(1, 0) == "test/22.png"
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
