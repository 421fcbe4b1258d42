"""Help: glossary, lessons whose answers are computed, the report of a problem, the guide, the first steps."""

import re

import numpy as np
import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget

from engine.config import DataConfig
from engine.messages import ApplyFilter, Denoise, EpochEnded, JobEnded, LoadData, OpenScan, RequestFailed, Resume
from gui import glossary
from gui.first_start import FIRST_PHANTOMS, FirstImages, is_first_part
from gui.help import lessons
from gui.help.experiments import (
    DenoisedLesion,
    DenoiseExperiment,
    LesionImage,
    TracedLesion,
    TrainingExperiment,
    find_lesion_image,
)
from gui.help.help_window import HelpWindow
from gui.help.lesson_window import LessonWindow, Pointer, find_control
from gui.help.lessons import LARGE, LESSONS, SMALL, STRONG, VAE
from gui.help.problem_report import make_report
from gui.panels.train import TrainPanel
from gui.run_record import RunRecord
from tests.conftest import ROOT

# Offscreen, no window can be raised.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support", extend=True)


def record(**metrics):
    """A record with one epoch of these metrics."""
    made = RunRecord(run=None)
    made.apply(EpochEnded(run="r", epoch=1, metrics={"val_loss": 1.0, **metrics}, best=True))
    return made


def traced(worst, kind, part):
    """A reply in which one layer loses most of a lesion."""
    from engine.messages import LayerDetectability, LesionOutcome, TraceLesionReply

    shares = {"held_share": 0.3, "alone_share": 0.3, "lost_share": 0.6, "held_d_prime": 1.0, "alone_d_prime": 1.0}
    outcome = LesionOutcome(
        name="p",
        lesion_px=9,
        picture_d_prime=3.0,
        output_d_prime=0.9,
        output_share=0.3,
        loses_most=worst,
        contrast_kept=0.2,
    )
    layers = (LayerDetectability(name="enc_mean", kind=kind, part=part, **shares),)
    reply = {"run": "r", "model": "ae", "name": "p", "noise": 0.05, "places": 1, "channels": 16, "picture_d_prime": 3.0}
    return TraceLesionReply(layers=layers, loses_most=worst, pairs=(outcome,), **reply)


IMAGE = LesionImage(DataConfig(phantom_count=60), 0, np.ones((4, 4), np.bool_))


class TestAnswers:
    @pytest.mark.parametrize(("mse", "answer"), [(0.009, 0), (0.006, 1), (0.001, 2)])
    def test_gain_of_the_bottleneck_is_computed(self, mse, answer):
        found = lessons.compare_latent_sizes({SMALL: record(val_mse=0.01), LARGE: record(val_mse=mse)})
        assert found.answer == answer
        assert found.facts[0] == ("Latent size 4", "20.0 dB")

    @pytest.mark.parametrize(("vae", "answer"), [(0.02, 0), (0.005, 1), (0.0103, 2)])
    def test_better_model_is_computed(self, vae, answer):
        records = {LARGE: record(val_mse=0.01), VAE: record(val_mse=vae, val_kl=12.34)}
        found = lessons.compare_models(records)
        assert (found.answer, "12.3 nats" in found.text) == (answer, True)

    @pytest.mark.parametrize(("kl", "mse", "answer"), [(2.0, 0.02, 0), (2.0, 0.005, 1), (30.0, 0.02, 2)])
    def test_effect_of_the_kl_weight_is_computed(self, kl, mse, answer):
        records = {VAE: record(val_kl=20.0, val_mse=0.01), STRONG: record(val_kl=kl, val_mse=mse)}
        assert lessons.compare_kl_weights(records).answer == answer

    @pytest.mark.parametrize(("kept", "answer"), [(0.9, 0), (0.6, 1), (-0.1, 2)])
    def test_retained_contrast_is_computed(self, kept, answer):
        psnr = {"Noisy input": 20.0, "r": 23.0}
        found = lessons.compare_denoised(DenoisedLesion("r", IMAGE, psnr, {"Noisy input": 1.0, "r": kept}))
        assert (found.answer, "3.0 dB" in found.text) == (answer, True)

    @pytest.mark.parametrize(
        ("worst", "kind", "part", "answer"),
        [
            ("enc_mean", "Dense", "encoder", 1),
            ("enc_mean", "Conv2D", "encoder", 0),
            ("enc_mean", "Dense", "decoder", 2),
            (None, "Dense", "encoder", 3),
        ],
    )
    def test_place_of_the_loss_is_computed(self, worst, kind, part, answer):
        found = lessons.compare_layers(TracedLesion("r", IMAGE, traced(worst, kind, part)))
        assert (found.answer, found.image) == (answer, IMAGE)

    def test_each_answer_is_one_of_the_choices(self):
        assert [len(lesson.choices) for lesson in LESSONS] == [3, 3, 3, 3, 4]
        assert [lesson.title in (ROOT / "resources/help/guide.md").read_text("utf-8") for lesson in LESSONS] == [
            True
        ] * 5

    def test_image_of_the_lessons_has_its_lesion_where_the_phantom_has_it(self):
        found = find_lesion_image(DataConfig(phantom_count=60, size=64))
        (left, top), (right, bottom) = found.region().points
        rows, columns = np.nonzero(found.mask)
        assert (left * 64, right * 64) == (columns.min(), columns.max() + 1)
        assert (top * 64, bottom * 64) == (rows.min(), rows.max() + 1)
        assert found.key == f"phantom phantom-{50 + found.index:06d}"


class TestExperiments:
    def test_runs_are_trained_one_after_the_other_and_only_once(self, session, tiny, make_run):
        session.open(session.runs.root)
        done, configs = [], {name: tiny(latent=size) for name, size in (("a", 4), ("b", 8))}
        experiment = TrainingExperiment(session, configs, session)
        experiment.finished.connect(done.append)
        experiment.start()
        for name in ("a", "b"):
            assert session.job.run == name
            assert not done
            session.job.engine.say(JobEnded(run=name, state="finished", epoch=2))
        assert list(done[0]) == ["a", "b"]
        sent = [each for each in session.job.engine.sent if isinstance(each, Resume)]
        experiment.start()
        assert len(done) == 2
        assert [each for each in session.job.engine.sent if isinstance(each, Resume)] == sent

    def test_run_that_stops_and_busy_job_are_said(self, session, tiny):
        session.open(session.runs.root)
        said = []
        experiment = TrainingExperiment(session, {"a": tiny()}, session)
        experiment.failed.connect(said.append)
        experiment.start()
        TrainingExperiment(session, {"b": tiny()}, session).start()
        session.job.engine.say(JobEnded(run="a", state="stopped", epoch=1))
        assert said == ["a did not finish. Its log in Train says why; try again to resume it."]


@pytest.fixture
def window(qtbot, session, root, make_run, tiny):
    make_run("ae-0001")
    session.open(root)
    session.runs.refresh()
    app = QWidget()
    qtbot.addWidget(app)
    made = LessonWindow(app, session, lambda key: app)
    yield made
    made.close()


class TestLessonWindow:
    def test_prediction_comes_before_the_experiment_and_the_verdict_after(self, window, session):
        window.open_lesson(3)
        assert not window.go.isEnabled()
        window._group.button(0).click()
        window.go.click()
        assert not window.choices.isEnabled()
        assert isinstance(session.explorer.engine.sent[-1], Denoise)
        assert session.explorer.engine.sent[-1].data.phantom_count == 36
        psnr, kept = {"Noisy input": 20.0, "r": 23.0}, {"Noisy input": 1.0, "r": 0.85}
        window._experiment.finished.emit(DenoisedLesion("r", IMAGE, psnr, kept))
        assert window.verdict.text() == "As you predicted: At least 80%."
        shown = []
        window.navigated.connect(lambda *where: shown.append(where))
        next(b for b in window.findChildren(QPushButton) if b.text() == "Show in Denoise").click()
        assert shown[0][0] == "denoise"
        assert session.selection.lesions.regions[IMAGE.key].kind == "ellipse"

    def test_deleted_experiment_takes_no_reply(self, session, monkeypatch):
        handles, send, taken = [], session.request, []
        monkeypatch.setattr(session, "request", lambda message: handles.append(send(message)) or handles[-1])
        experiment = DenoiseExperiment(session, session)
        experiment._send(OpenScan(panel="lesson", path="a.png"), taken.append)
        experiment.stop()
        QCoreApplication.sendPostedEvents(experiment, QEvent.Type.DeferredDelete)
        handles[0].finished.emit("late")
        assert not taken

    @pytest.mark.parametrize(("top", "corner"), [(0, "bottomLeft"), (500, "bottomRight")])
    def test_window_leaves_the_marked_control_visible(self, window, top, corner):
        app = window.parentWidget()
        app.resize(900, 700)
        methods = QWidget(app)
        methods.setAccessibleName("methods")
        methods.setGeometry(0, top, 200, 150)
        app.show()
        window.open_lesson(3)
        room = QRect(app.mapToGlobal(QPoint()), app.size())
        assert getattr(window.frameGeometry(), corner)() == getattr(room, corner)()

    def test_failure_is_said_and_another_try_is_free(self, window, session):
        window.open_lesson(3)
        window._group.button(1).click()
        window.go.click()
        window._experiment.failed.emit("It did not work.")
        assert window.notice.text() == "It did not work."
        assert window.go.isEnabled()

    def test_noise_is_removed_by_a_run_and_a_filter(self, window, session):
        window.open_lesson(3)
        window._group.button(1).click()
        window.go.click()
        image = np.random.default_rng(0).random((32, 32), np.float32)
        own = {"mse": 0.1, "psnr_db": 10.0, "ssim": 0.5, "original": image, "noisy": image, "denoised": image}
        from engine.messages import DenoisedReply, DenoiseReply

        metrics = {"mse": 0.1, "psnr_db": 9.0, "ssim": 0.4}
        reply = DenoiseReply.model_construct(
            name="p", original=image, noisy=image, runs={"r": DenoisedReply.model_construct(**own)}, **metrics
        )
        window._experiment._on_denoised(window._experiment.image.request_fields(), reply)
        assert session.explorer.engine.sent[-1].method == "nlm"
        assert isinstance(session.explorer.engine.sent[-1], ApplyFilter)


def test_pointer_marks_a_control_and_follows_it(qtbot, desk, session):
    panel = TrainPanel(desk)
    qtbot.addWidget(panel)
    panel.resize(1000, 700)
    panel.show()
    pointer, field = Pointer(panel), find_control(panel, "Latent size")
    pointer.point_at(field)
    assert pointer.isVisible()
    assert pointer.geometry().contains(field.mapTo(panel, field.rect().center()))
    field.hide()
    assert not pointer.isVisible()
    assert find_control(panel, "no such control") is None


def test_first_steps_train_the_quick_preset_until_there_is_an_own_run(
    qtbot, desk, session, make_run, tiny, monkeypatch
):
    session.open(session.runs.root)
    panel = TrainPanel(desk)
    qtbot.addWidget(panel)
    panel.show()
    card = panel.first_steps
    assert card.isVisible()
    wanted = []
    panel.help_requested.connect(lambda *where: wanted.append(where))
    card.lesson.click()
    assert wanted == [("lesson", "1")]
    card.train.click()
    config = session.record(session.job.run).config
    assert (config.data.size, config.data.phantom_count, config.training.epochs) == (64, 400, 15)
    assert not card.isVisible()


def test_first_start_shows_some_phantoms_and_then_more_and_all(session, answer, data_content):
    whole = DataConfig(phantom_count=2400)
    FirstImages(session, {}, whole).load()
    for count in FIRST_PHANTOMS:
        assert session.requested_data == whole.model_copy(update={"phantom_count": count})
        assert is_first_part(session.requested_data)
        answer("data", data_content)
    assert session.requested_data == whole
    assert not is_first_part(whole)
    FirstImages(session, {}, few := DataConfig(phantom_count=100)).load()
    assert session.requested_data.phantom_count == FIRST_PHANTOMS[0]
    answer("data", data_content)
    assert session.requested_data == few
    FirstImages(session, few.model_dump(mode="json"), whole).load()
    assert session.requested_data == few


@pytest.mark.parametrize("is_readable", [True, False])
def test_file_that_is_opened_at_the_start_comes_before_the_dataset(session, answer, is_readable):
    images = FirstImages(session, {}, DataConfig(phantom_count=2400, size=64))
    images.load_after_file()
    session.selection.open_file("/scans/head.png")
    assert [type(sent) for sent in session.explorer.engine.sent] == [OpenScan]
    assert session.explorer.engine.sent[0].data.size == 64
    if is_readable:
        answer("image", {"name": "head.png", "kind": "picture", "slices": 1, "orientation": None, "notes": []})
    else:
        refused = RequestFailed(reason="It is damaged.", panel="image", number=1)
        session.explorer.engine.say(refused)
    loads = [sent for sent in session.explorer.engine.sent if isinstance(sent, LoadData)]
    assert [sent.config.phantom_count for sent in loads] == [FIRST_PHANTOMS[0]]
    images._load_unless_begun()
    assert len([sent for sent in session.explorer.engine.sent if isinstance(sent, LoadData)]) == 1


def test_dataset_chosen_meanwhile_is_kept(session, answer, data_content):
    FirstImages(session, {}, DataConfig(phantom_count=2400)).load()
    session.load_data(DataConfig(size=64))
    answer("data", data_content)
    assert session.requested_data == DataConfig(size=64)


def test_report_names_versions_and_no_path_or_file(tmp_path):
    log = tmp_path / "job.log"
    log.write_text("Reading /data/DOE_JANE/t1.nii.gz\nC:\\scans\\doe\nfailed at jane.dcm\n", encoding="utf-8")
    text = make_report([log, tmp_path / "gone.log"], {"Notice": "Could not read ~/doe/1.png."})
    assert "keras " in text
    assert "Reading <path>" in text
    assert not re.search("doe|jane|scans", text, re.IGNORECASE)


class TestGlossary:
    def test_terms_of_a_tip_are_found_and_everyday_words_are_not(self):
        assert glossary.find_terms("Number of latent dimensions for each image.") == ("latent dimension",)
        assert glossary.find_terms("Shown in the mean of a run") == ()
        assert "d′" in glossary.find_terms("detectability index d′")

    def test_app_has_the_glossary_of_the_documentation(self):
        assert glossary.FILE.read_text("utf-8") == (ROOT / "docs" / "glossary.md").read_text("utf-8")

    def test_tip_of_a_setting_leads_to_its_terms(self, qtbot, desk):
        panel = TrainPanel(desk)
        qtbot.addWidget(panel)
        tip = panel.new_run.settings.get_form("vae").rows["beta"].label.toolTip()
        assert "Shift+F1 explains: KL term" in tip
        window = HelpWindow(panel, lambda *where: None)
        window.open_page("glossary", "KL term")
        assert window.page.textCursor().currentTable().cellAt(window.page.textCursor()).column() == 0

    def test_links_of_the_guide_lead_somewhere(self, qtbot, desk):
        from gui.main_window import PANELS

        followed = []
        panel = TrainPanel(desk)
        qtbot.addWidget(panel)
        window = HelpWindow(panel, lambda *where: followed.append(where))
        links = re.findall(r"\]\(engram://(\w+)/(\w+)\)", (ROOT / "resources/help/guide.md").read_text("utf-8"))
        assert {where for kind, where in links if kind == "panel"} == set(PANELS)
        window.page.anchorClicked.emit("engram://lesson/2")
        assert followed == [("lesson", "2")]
        window.page.anchorClicked.emit("glossary.md")
        assert "Glossary" in window.page.toPlainText()


def test_escape_and_the_close_button_close_a_lesson(window):
    window.open_lesson(0)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isVisible()
    window.open_lesson(0)
    assert window.close()
    assert not window.isVisible()
    assert not window.pointer.isVisible()
