"""The card that saves a whole volume: what it offers, what it asks for, progress, cancellation, the saved file."""

from dataclasses import replace

import pytest

from engine.messages import ExportVolume, RequestFailed, RequestProgress, Stop
from gui import volume_card
from gui.export import ExportBox
from gui.opened_files import OpenedScan
from gui.volume_card import VolumeCard

SCAN = OpenedScan("/data/PLANTED^WILHELMINA.nii.gz", "PLANTED^WILHELMINA.nii.gz", "nifti", 12, "RLAP", (), 6)
RUNS = {"/runs/ae-0001": "ae-0001", "/runs/vae-0001": "vae-0001"}
NOISE = {"noise": "rician", "sigma": 0.08, "seed": 3}


@pytest.fixture
def card(qtbot, session):
    made = VolumeCard(session, "denoise-volume", has_noise=True)
    qtbot.addWidget(made)
    made.suggested = []

    def ask(parent, title, name, kinds):
        made.suggested.append(name)
        return "/out/result", kinds

    made.ask_path = ask
    return made


def offered(card):
    card.fill_menu()
    return [action.text() for action in card.menu.actions()]


def test_only_a_volume_is_offered_and_only_a_dicom_source_as_dicom(card):
    card.show_for(replace(SCAN, kind="picture", slices=1), RUNS)
    assert card.isHidden()
    card.show_for(replace(SCAN, slices=1), RUNS)
    assert not card.isHidden(), "a file of one slice has a place of its own too"
    card.show_for(SCAN, RUNS)
    assert not card.isHidden()
    assert offered(card) == ["ae-0001 as NIfTI…", "vae-0001 as NIfTI…"]
    assert card.keep.isHidden()
    card.show_for(replace(SCAN, kind="dicom"), {"/runs/ae-0001": "ae-0001"})
    assert offered(card) == ["ae-0001 as NIfTI…", "ae-0001 as DICOM series…"]
    assert not card.keep.isHidden()
    card.show_for(SCAN, {})
    assert not card.button.isEnabled()
    card.show_for(None, RUNS)
    assert card.isHidden()


def test_a_volume_is_saved_with_progress_and_can_be_shown(card, session, asked, answer):
    card.show_for(SCAN, RUNS, NOISE)
    assert "level 0.080" in card.caption.text()
    offered(card)
    card.menu.actions()[0].trigger()
    sent = asked(ExportVolume)
    assert (sent.run, sent.scan, sent.path, sent.format) == ("/runs/ae-0001", SCAN.path, "/out/result.nii.gz", "nifti")
    assert (sent.noise, sent.sigma, sent.seed, sent.keep_patient_data) == ("rician", 0.08, 3, False)
    assert card.suggested == ["ae-0001.nii.gz"], "the name of the source may be that of a patient"
    assert not card.button.isEnabled()
    session.explorer.engine.say(RequestProgress(number=sent.number, panel=sent.panel, done=4, total=12))
    assert card.notice.text() == "Processed 4 of 12 slices…"
    card.show_for(None, RUNS)
    assert not card.isHidden(), "it is still at work"
    card.show_for(SCAN, RUNS, NOISE)
    answer("denoise-volume", {"path": "/out/result.nii.gz", "slices": 12, "notes": []})
    assert card.notice.text() == "Saved to /out/result.nii.gz"
    assert card.button.isEnabled()
    opened = []
    card.notice.open_url = lambda url: opened.append(url.toLocalFile())
    card.notice.action_requested.emit()
    assert opened == ["/out"]


def test_saving_can_be_canceled_and_fails_with_its_sentence(card, session, asked):
    card.show_for(SCAN, RUNS)
    assert card.caption.text() == volume_card.NO_NOISE
    card.save("/runs/ae-0001", "nifti")
    first = asked(ExportVolume)
    card.notice.action_requested.emit()
    assert isinstance(session.explorer.engine.sent[-1], Stop)
    assert (card.notice.text(), card.button.isEnabled()) == ("Canceled; nothing was saved.", True)
    card.save("/runs/ae-0001", "nifti")
    number = asked(ExportVolume, after=first.number).number
    reason = "'head.nii' cannot be written as a volume."
    session.explorer.engine.say(RequestFailed(reason=reason, advice="Try it.", number=number, panel="denoise-volume"))
    assert card.notice.text() == f"{reason} Try it."
    assert card.button.isEnabled()


def test_a_dicom_series_needs_its_package_and_keeps_patient_data_if_asked(card, session, asked, monkeypatch):
    card.show_for(replace(SCAN, kind="dicom"), RUNS)
    monkeypatch.setattr(volume_card, "find_missing_package", lambda: "It needs a package.")
    card.save("/runs/ae-0001", "dicom")
    assert card.notice.text() == 'It needs a package. Install it: pip install "engram-mri[dicom]"'
    assert card.suggested == []
    monkeypatch.setattr(volume_card, "find_missing_package", lambda: "")
    card.keep.setChecked(True)
    card.save("/runs/ae-0001", "dicom")
    sent = asked(ExportVolume)
    assert (sent.path, sent.format, sent.keep_patient_data) == ("/out/result", "dicom", True)


def test_no_path_no_request(card, session):
    card.show_for(SCAN, RUNS)
    card.ask_path = lambda *_: ("", "")
    card.save("/runs/ae-0001", "nifti")
    assert session.explorer.engine is None


def test_progress_of_an_export_has_commas_in_its_numbers(qtbot):
    box = ExportBox("Measuring… {done} of {total}")
    qtbot.addWidget(box)
    box._on_progressed(1024, 1800)
    assert box.text() == "Measuring… 1,024 of 1,800"
