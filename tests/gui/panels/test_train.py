"""The Train panel: settings, presets, runs, curves, images, log."""

import csv
import shutil
from datetime import datetime

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from engine import config
from engine.config import DataConfig
from engine.messages import EpochEnded, JobEnded, JobStarted, LoadData, Log, Paused, Progress, RequestFailed, Resume
from gui import palette
from gui.panel import UseSettings
from gui.panels.train import TrainPanel
from gui.panels.train.log_card import MOST_LINES, LogView
from gui.panels.train.quantities import SQUARED, TOTAL, entropy_floors, plots_for
from gui.run_record import open_record
from tests.gui.conftest import story


@pytest.fixture
def panel(qtbot, desk, session):
    session.open(session.runs.root)
    made = TrainPanel(desk)
    qtbot.addWidget(made)
    made.resize(1300, 820)
    made.show()
    return made


def refreshed(panel):
    panel.session.runs.refresh()
    panel.session.run_list.refresh()
    panel.refresh()
    return panel


def pick(box, key):
    box.setCurrentIndex(box.findData(key))
    box.activated.emit(box.currentIndex())


def started(name, **changes):
    facts = {"path": "", "first_epoch": 0, "epochs": 3, "train_images": 27, "validation_images": 3, "parameters": 9441}
    return JobStarted(run=name, backend="tensorflow", device="CPU", **(facts | changes))


class TestNewRun:
    def test_start_trains_what_the_form_says(self, panel, session, loaded):
        card = panel.new_run
        card.settings.form.change_values({"latent": 8, "filters": (4, 8), "epochs": 3, "learning_rate": 1e-3})
        card.name.setText("mine")
        card.start.click()
        record = session.record("mine")
        wanted = config.from_flat({"latent": 8, "filters": (4, 8), "epochs": 3, "learning_rate": 1e-3, "size": 32})
        assert record.config == wanted
        assert session.job.engine.sent == [Resume(run=str(record.run.path))]
        assert panel.runs.table.chosen_keys() == ["mine"]
        assert not card.start.isEnabled()
        assert card.name.text() == ""

    def test_every_model_of_the_engine_can_be_chosen_and_keeps_what_is_shared(self, panel, loaded):
        form = panel.new_run.settings
        assert [form.model.itemData(at) for at in range(form.model.count())] == list(config.MODELS)
        form.form.change_values({"latent": 77})
        pick(form.model, "vae")
        assert form.values()["model"] == "vae"
        assert form.values()["latent"] == 77
        assert form.form.rows["beta"].editor.isVisible()
        assert not form.get_form("ae").isVisible()

    def test_model_that_would_only_copy_is_warned_of_until_there_is_noise(self, panel, loaded):
        card = panel.new_run
        assert not card.caution.isVisible()
        pick(card.settings.model, "unet")
        assert card.caution.isVisible()
        assert "copy its input" in card.caution.text()
        assert card.start.isEnabled()
        card.settings.form.change_values({"noise": "gaussian"})
        assert not card.caution.isVisible()

    def test_undoing_a_model_brings_back_what_was_set(self, panel, desk, loaded):
        form = panel.new_run.settings
        form.form.change_values({"depth": 2})  # the default of a U-Net
        pick(form.model, "unet")
        assert form.values()["depth"] == 2
        assert form.values()["filters"] == (16, 32, 64, 128)
        desk.undo.undo()
        assert (form.values()["model"], form.values()["depth"]) == ("ae", 2)
        assert form.values()["filters"] == (32, 64, 128, 256, 512)

    def test_choosing_a_model_is_undone(self, panel, desk):
        form = panel.new_run.settings
        pick(form.model, "vae")
        desk.undo.undo()
        assert form.values()["model"] == "ae"
        assert form.model.currentData() == "ae"
        desk.undo.redo()
        assert form.values()["model"] == "vae"

    def test_preset_brings_its_settings_and_its_preparation_in_one_step(self, panel, session, desk, loaded):
        card = panel.new_run
        card.settings.form.change_values({"latent": 8, "batch_size": 4})
        pick(card.preset, "study-vae")
        preset = config.preset("study-vae")
        assert card.settings.values()["model"] == "vae"
        assert card.settings.values()["learning_rate"] == preset.training.learning_rate
        sent = session.explorer.engine.sent[-1]
        assert isinstance(sent, LoadData)
        assert (sent.config.size, sent.config.fit) == (128, "squash")
        desk.undo.undo()
        assert card.settings.values()["model"] == "ae"
        assert card.settings.values()["latent"] == 8
        assert session.explorer.engine.sent[-1].config == DataConfig(size=32)

    def test_preset_is_named_only_while_everything_of_it_holds(self, panel, session, answer, data_content):
        preset = config.preset("study-ae")
        session.load_data(preset.data)
        answer("data", data_content)
        card = panel.new_run
        pick(card.preset, "study-ae")
        assert card.preset.currentData() == "study-ae"
        card.settings.form.change_values({"epochs": 3})
        assert card.preset.currentData() == ""
        card.settings.form.change_values({"epochs": preset.training.epochs})
        assert card.preset.currentData() == "study-ae"
        session.load_data(preset.data.model_copy(update={"fit": "letterbox"}))
        answer("data", data_content)
        assert card.preset.currentData() == ""

    def test_wrong_value_disables_start(self, panel, loaded):
        card = panel.new_run
        card.settings.form.change_values({"filters": (4, 8)})
        assert card.start.isEnabled()
        card.settings.form.change_values({"latent": 0})
        assert not card.start.isEnabled()
        assert "from 1 to 16,384" in card.settings.form.rows["latent"].problem.text()

    def test_model_that_does_not_fit_the_images_is_said_once_with_buttons(self, panel, session, answer, data_content):
        session.load_data(DataConfig(size=48))
        answer("data", data_content)
        card, form = panel.new_run, panel.new_run.settings.form
        assert card.misfit.text() == "Size 48 cannot be halved 5 times; use 32 or 64."
        assert [row.problem.text() for row in form.rows.values() if row.problem.text()] == []
        assert not any(fold.is_open() for fold in form.folds.values())
        assert not card.start.isEnabled()
        buttons = {button.text(): button for button in card.misfit.findChildren(QPushButton)}
        assert list(buttons) == ["Use 64 px", "Use 4 filters"]
        buttons["Use 4 filters"].click()
        assert form.values()["filters"] == (32, 64, 128, 256)
        assert card.start.isEnabled()
        assert not card.misfit.isVisible()
        panel.desk.undo.undo()
        buttons["Use 64 px"].click()
        assert session.explorer.engine.sent[-1].config.size == 64
        assert not card.misfit.isVisible()

    def test_preset_holds_while_its_images_are_read(self, panel, session, loaded):
        card = panel.new_run
        pick(card.preset, "study-ae")
        assert session.loading is not None
        assert card.preset.currentData() == "study-ae"
        assert "128 × 128 px" in card.data.text()
        assert "reading" in card.data.text()
        assert card.settings.config().data.size == 128

    def test_name_that_is_taken_or_no_name_is_a_sentence(self, panel, make_run, loaded):
        make_run("taken")
        refreshed(panel)
        card = panel.new_run
        card.settings.form.change_values({"filters": (4, 8)})
        for name, words in (("taken", "already a run"), ("../x", "is not a valid run name")):
            card.name.setText(name)
            card.start.click()
            assert words in card.notice.text()
            assert card.name.text() == name
        assert panel.session.job.run is None

    def test_what_the_engine_refuses_is_said_and_start_is_free_again(self, panel, session, loaded):
        card = panel.new_run
        card.settings.form.change_values({"filters": (4, 8)})
        card.start.click()
        session.job.engine.say(RequestFailed(reason="The backend jax is not installed.", advice="Install it."))
        assert card.notice.text() == "The backend jax is not installed. Install it."
        assert card.start.isEnabled()

    def test_copied_script_makes_the_same_config(self, panel, loaded):
        card = panel.new_run
        pick(card.settings.model, "vae")
        card.settings.form.change_values({"latent": 8, "filters": (4, 8), "beta": 0.5, "epochs": 3})
        lines = panel.as_python().split("run = ")[0]
        scope = {}
        exec(lines, scope)
        assert scope["config"] == card.settings.config()
        assert scope["config"].data.size == 32
        card.settings.form.change_values({"latent": 0})
        assert panel.as_python() == ""

    def test_settings_of_a_run_are_taken_over(self, panel, make_run, loaded, session):
        make_run("old", model="vae", latent=9)
        refreshed(panel)
        panel.navigate(UseSettings("old"))
        assert panel.new_run.settings.values()["latent"] == 9
        assert panel.new_run.settings.values()["model"] == "vae"
        assert session.requested_data.phantom_count == 36


class TestRuns:
    def test_list_shows_name_best_loss_and_epochs_newest_first(self, panel, make_run):
        make_run("ae-0001", epochs=3)
        make_run("ae-0002", epochs=2, goal=5, state="stopped")
        table = refreshed(panel).runs.table
        rows = [[table.text(row, column) for column in range(3)] for row in range(2)]
        assert sorted(rows) == [["ae-0001", "0.3667 MSE", "3"], ["ae-0002 ■", "0.55 MSE", "2/5"]]

    def test_damaged_run_is_listed_as_such(self, panel, make_run):
        run = make_run("ae-0001")
        (run.path / "config.json").write_text("{", encoding="utf-8")
        assert refreshed(panel).runs.table.text(0, 0) == "ae-0001 ⚠"

    def test_empty_list_says_what_to_do(self, panel):
        assert panel.runs._empty.isVisible()
        assert "Start training" in panel.runs._empty.text()

    def test_run_of_another_process_appears(self, panel, make_run, qtbot):
        make_run("other")
        qtbot.waitUntil(lambda: panel.runs.table.chosen_keys() == ["other"])

    def test_menu_offers_what_can_be_done(self, panel, make_run):
        make_run("done")
        make_run("halted", state="stopped")
        refreshed(panel)
        done = {action.text(): action.isEnabled() for action in panel.runs.list.menu("done").actions()}
        halted = {action.text(): action.isEnabled() for action in panel.runs.list.menu("halted").actions()}
        assert (done["Resume"], done["Extend…"]) == (False, True)
        assert (halted["Resume"], halted["Extend…"]) == (True, False)
        assert done["Compare images"]
        assert not done["Compare settings…"]

    def test_run_without_a_checkpoint_cannot_continue(self, panel, make_run):
        for name, state in (("done", "finished"), ("halted", "stopped")):
            shutil.rmtree(make_run(name, state=state).checkpoints)
        refreshed(panel)
        assert not any(action.isEnabled() for action in panel.runs.list.menu("done").actions()[:2])
        assert not any(action.isEnabled() for action in panel.runs.list.menu("halted").actions()[:2])
        panel.runs.table.select(["halted"])
        panel.refresh()
        assert not panel.curves.resume.isVisible()

    def test_rename_and_delete_ask_first(self, panel, make_run, monkeypatch):
        run = make_run("ae-0001")
        runs = refreshed(panel).runs.list
        runs.ask_text = lambda *words, **more: ("better", True)
        runs.rename("ae-0001")
        assert refreshed(panel).runs.table.chosen_keys() == ["better"]
        monkeypatch.setattr("gui.run_repository.QFile.moveToTrash", lambda path: False)
        asked = []
        runs.confirm = lambda parent, question, yes: asked.append(question) or False
        runs.delete("better")
        assert run.path.with_name("better").exists()
        runs.confirm = lambda parent, question, yes: asked.append(question) or True
        runs.delete("better")
        assert not run.path.with_name("better").exists()
        assert "permanently" in asked[-1]

    def test_rename_to_what_is_taken_is_a_sentence(self, panel, make_run):
        make_run("a")
        make_run("b")
        runs = refreshed(panel).runs.list
        runs.ask_text = lambda *words, **more: ("b", True)
        runs.rename("a")
        assert "A run named 'b' already exists" in panel.new_run.notice.text()

    def test_train_longer_raises_the_goal(self, panel, make_run, session):
        run = make_run("ae-0001")
        runs = refreshed(panel).runs.list
        runs.ask_number = lambda *words: (9, True)
        runs.train_longer("ae-0001")
        assert session.job.engine.sent == [Resume(run=str(run.path), epochs=9)]


def references(plot):
    """The labelled levels of a plot by their text."""
    return {line.label.format: y for y, line in plot.canvas._references.values()}


class TestShown:
    def test_curves_are_solid_for_train_dashed_for_validation_and_mark_the_best(self, panel, make_run):
        make_run("ae-0001")
        plot = refreshed(panel).curves.plots["mse"]
        assert {key: item.series.style.dashed for key, item in plot.items.items()} == {
            "ae-0001 training": False,
            "ae-0001 validation": True,
        }
        assert plot.items["ae-0001 validation"].series.best == 3
        assert plot.items["ae-0001 training"].series.y.tolist() == [1.0, 1 / 2, 1 / 3]

    def test_variational_run_shows_loss_reconstruction_and_divergence(self, panel, make_run):
        make_run("vae-0001", model="vae")
        refreshed(panel)
        shown = [name for name, plot in panel.curves.plots.items() if plot.isVisible()]
        assert shown == ["loss", "reconstruction", "kl"]

    def test_epoch_redraws_each_plot_once_and_its_floors_not_at_all(self, panel, make_run, session, monkeypatch):
        run = make_run("vae", model="vae", state=None)
        refreshed(panel)
        redrawn, levels = [], []
        for name in ("loss", "reconstruction", "kl"):
            plot = panel.curves.plots[name]
            redraw = plot._redraw
            monkeypatch.setattr(
                plot, "_redraw", lambda items, name=name, redraw=redraw: (redrawn.append(name), redraw(items))
            )
            monkeypatch.setattr(plot, "set_reference", lambda *level: levels.append(level))
        last = [event for event in story(run, 4) if isinstance(event, EpochEnded)][-1]
        session.apply_event(last, "vae")
        panel.refresh()
        assert sorted(redrawn) == ["kl", "loss", "reconstruction"]
        assert levels == []
        assert list(panel.curves.plots["loss"].items["vae training"].series.x) == [1, 2, 3, 4]

    def test_floor_of_the_images_is_a_line_under_loss_and_reconstruction(self, panel, make_run, session):
        make_run("vae-0001", model="vae")
        refreshed(panel)
        shown = ("mse", "loss", "reconstruction", "kl")
        lines = {name: references(panel.curves.plots[name]) for name in shown}
        told = {"entropy floor 310": 310.0}
        assert lines == {"mse": {}, "loss": told, "reconstruction": told, "kl": {}}
        make_run("ae-0001")
        refreshed(panel)
        panel.runs.table.select(["ae-0001"])
        panel.refresh()
        assert not any(references(plot) for plot in panel.curves.plots.values() if plot.isVisible())

    def test_floors_that_lie_apart_are_two_lines(self, make_run):
        record = open_record(make_run("vae-0001", model="vae").path)
        events = [event for event in record.run.events() if isinstance(event, JobStarted)]
        record.apply(events[0].model_copy(update={"train_floor_nats": 200.0}))
        assert entropy_floors([record], TOTAL) == {
            "training entropy floor 200": (200.0, "training entropy floor 200"),
            "validation entropy floor 310": (310.0, "validation entropy floor 310"),
        }
        assert entropy_floors([record], SQUARED) == {}

    def test_nats_and_squared_errors_never_share_axes(self, panel, make_run, session):
        make_run("ae-0001")
        make_run("vae-0001", model="vae")
        refreshed(panel)
        panel.runs.table.select(["ae-0001", "vae-0001"])
        panel.refresh()
        plots = panel.curves.plots
        assert set(plots["mse"].items) == {"ae-0001 training", "ae-0001 validation", "vae-0001 validation"}
        assert plots["mse"].items["vae-0001 validation"].series.y.max() < 1
        panel.runs.table.select(["ae-0001"])
        assert session.selection.run == "ae-0001", "the run that is shown is the current one for all panels"
        assert set(plots["loss"].items) == {"vae-0001 training", "vae-0001 validation"}
        assert [quantity.name for quantity in plots_for([session.record("ae-0001")])] == ["mse"]

    def test_run_has_one_color_everywhere(self, panel, make_run):
        make_run("ae-0001")
        make_run("ae-0002")
        refreshed(panel)
        panel.runs.table.select(["ae-0001", "ae-0002"])
        panel.refresh()
        keys = {item.series.style.color_key for item in panel.curves.plots["mse"].items.values()}
        assert keys == {"ae-0001", "ae-0002"}
        assert palette.find_series_color("ae-0001") != palette.find_series_color("ae-0002")

    def test_images_follow_the_newest_epoch_until_drawn_back(self, panel, make_run, session):
        run = make_run("ae-0001", epochs=2, goal=4, state=None)
        previews = refreshed(panel).previews
        assert previews.epoch() == 2
        more = [event for event in story(run, 4, state=None) if getattr(event, "epoch", 0) > 2]
        for epoch in (3, 4):
            np.save(run.previews / f"epoch-{epoch:05d}.npy", np.zeros((8, 32, 32), np.uint8))
        session.apply_event(more[0], "ae-0001")
        panel.refresh()
        assert previews.epoch() == 3
        previews.slider.setValue(0)
        session.apply_event(more[1], "ae-0001")
        panel.refresh()
        assert previews.epoch() == 1

    def test_a_denoising_run_shows_what_its_model_was_given(self, panel, make_run):
        run = make_run("ae-0001")
        np.save(run.previews / "noisy.npy", np.load(run.previews / "originals.npy"))
        rows = refreshed(panel).previews.rows
        assert rows.view(1, 0).accessibleName() == "noisy input"
        assert rows.view(2, 0).accessibleName() == "reconstruction"

    def test_hovering_an_image_tells_its_numbers(self, panel, make_run, qtbot):
        run = make_run("ae-0001")
        refreshed(panel)
        original = np.load(run.previews / "originals.npy")[2, 5, 4] / 255
        with qtbot.waitSignal(panel.status_changed) as blocker:
            panel.previews.rows.hovered.emit(1, 2, 4, 5)
        assert blocker.args[0].startswith(f"x 4 · y 5 · original {original:.3f} · reconstruction")

    @pytest.mark.parametrize("damage", ["missing", "garbage", "other shape"])
    def test_images_that_cannot_be_read_are_left_out(self, panel, make_run, damage):
        run = make_run("ae-0001", epochs=1)
        file = run.previews / "epoch-00001.npy"
        if damage == "missing":
            file.unlink()
        elif damage == "garbage":
            file.write_bytes(b"\x93NUMPY nonsense")
        else:
            np.save(file, np.zeros((3, 7, 7), np.uint8))
        refreshed(panel)
        assert panel.previews._empty.isVisible()
        assert len(panel.curves.plots["mse"].items) == 2

    def test_preview_path_of_a_stranger_stays_in_the_run(self, panel, make_run, session, tmp_path):
        run = make_run("ae-0001", epochs=1)
        outside = tmp_path / "outside.npy"
        np.save(outside, np.zeros((8, 32, 32), np.uint8))
        text = (run.path / "events.jsonl").read_text(encoding="utf-8")
        (run.path / "events.jsonl").write_text(text.replace("previews/epoch-00001.npy", str(outside)), encoding="utf-8")
        assert refreshed(panel).previews._images is None

    def test_log_has_the_lines_of_the_run_with_their_times(self, panel, make_run):
        make_run("ae-0001", epochs=1)
        text = refreshed(panel).log.view.toPlainText()
        assert "Reading phantom." in text
        assert "Finished after 1 epoch." in text
        assert text.count("\n") == len(panel.session.record("ae-0001").log) - 1

    def test_buttons_follow_the_run(self, panel, session, loaded):
        card, curves = panel.new_run, panel.curves
        card.settings.form.change_values({"filters": (4, 8)})
        card.start.click()
        name = session.job.run
        assert curves.pause.isVisible()
        assert curves.stop.isVisible()
        session.job.engine.say(started(name))
        curves.pause.click()
        session.job.engine.say(Paused(run=name))
        assert curves.pause.text() == "Continue"
        curves.stop.click()
        assert not curves.stop.isEnabled()
        session.job.engine.say(JobEnded(run=name, state="stopped"))
        panel.refresh()
        assert curves.resume.isVisible()
        assert not curves.pause.isVisible()
        curves.resume.click()
        assert isinstance(session.job.engine.sent[-1], Resume)

    def test_resume_offers_the_frameworks_beginning_with_the_run_s_own(self, panel, make_run, session):
        run = make_run("halted", state="stopped")
        refreshed(panel).runs.table.select(["halted"])
        panel.refresh()
        offered = panel.curves.resuming.backend
        assert offered.isVisible()
        assert [offered.itemText(at) for at in range(offered.count())] == ["TensorFlow", "PyTorch", "JAX"]
        assert offered.currentText() == "TensorFlow"
        pick(offered, "torch")
        panel.refresh()
        assert offered.currentText() == "PyTorch", "a refresh leaves the choice alone"
        assert "not bit-identical" in offered.toolTip()
        panel.curves.resume.click()
        assert session.job.engine.backend == "torch"
        assert session.job.engine.sent == [Resume(run=str(run.path), backend="torch")]
        assert not offered.isVisible()
        session.job.engine.say(started("halted").model_copy(update={"backend": "torch"}))
        session.job.engine.say(JobEnded(run="halted", state="stopped"))
        panel.refresh()
        assert offered.currentText() == "PyTorch", "now its own"
        panel.curves.resume.click()
        assert session.job.engine.sent[-1] == Resume(run=str(run.path))

    def test_the_choice_of_framework_belongs_to_the_run_that_is_shown(self, panel, make_run):
        for name in ("one", "two"):
            make_run(name, state="stopped")
        refreshed(panel).runs.table.select(["one"])
        panel.refresh()
        pick(panel.curves.resuming.backend, "jax")
        panel.runs.table.select(["two"])
        panel.refresh()
        assert panel.curves.resuming.backend.currentText() == "TensorFlow"

    def test_progress_does_not_disturb_what_is_chosen(self, panel, make_run, session, loaded):
        make_run("old")
        refreshed(panel)
        panel.new_run.settings.form.change_values({"filters": (4, 8)})
        panel.new_run.start.click()
        panel.runs.table.select(["old"])
        facts = {"epoch": 1, "epochs": 3, "batch": 1, "batches": 2, "loss": 1.0, "images_per_s": 1.0, "left_s": 1.0}
        session.job.engine.say(Progress(run=session.job.run, **facts))
        panel.refresh()
        assert panel.runs.table.chosen_keys() == ["old"]
        assert panel.log._record is session.record("old")


def test_memory_puts_settings_and_choice_back(panel, make_run, desk, qtbot):
    for name in ("a", "b"):
        make_run(name)
    refreshed(panel)
    panel.runs.table.select(["a"])
    panel.new_run.settings.change_values({"model": "vae", "latent": 9, "filters": (4, 8)})
    kept = panel.save_state()
    twin = TrainPanel(desk)
    qtbot.addWidget(twin)
    twin.restore_state(kept)
    assert twin.runs.table.chosen_keys() == ["a"]
    assert twin.new_run.settings.values() == panel.new_run.settings.values()
    twin.restore_state({"settings": 3, "chosen": "x"})


def test_numbers_of_the_shown_runs_are_written(panel, make_run, tmp_path):
    make_run("ae-0001", epochs=2)
    refreshed(panel)
    path = tmp_path / "runs.csv"
    panel.ask_path = lambda *words: (str(path), "")
    panel.export()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert "Not for diagnosis" in lines[0]
    rows = list(csv.DictReader(lines[1:]))
    assert [(row["run"], row["epoch"], float(row["loss"])) for row in rows] == [
        ("ae-0001", "1", 1.0),
        ("ae-0001", "2", 0.5),
    ]


def test_log_line_of_a_warning_says_so_in_words(panel, make_run, session):
    make_run("ae-0001", state=None)
    refreshed(panel)
    session.apply_event(Log(text="The images have changed.", level="warning"), "ae-0001")
    panel.refresh()
    assert "Warning: The images have changed." in panel.log.view.toPlainText()


def test_record_without_epochs_has_no_curves(make_run):
    record = open_record(make_run("a", epochs=1).path)
    assert [quantity.name for quantity in plots_for([record])] == ["mse"]


def test_runs_are_chosen_with_the_keyboard(panel, make_run):
    make_run("a")
    make_run("b")
    refreshed(panel)
    table = panel.runs.table
    table.setFocus()
    before = table.chosen_keys()
    QTest.keyClick(table, Qt.Key.Key_Down if table.currentIndex().row() == 0 else Qt.Key.Key_Up)
    assert table.chosen_keys() != before


def test_log_stamps_lines_follows_its_end_and_stays_where_the_reader_is(qtbot):
    log = LogView()
    qtbot.addWidget(log)
    log.resize(300, 100)
    log.show()
    log.add_line("TensorFlow on CPU", datetime(2026, 1, 2, 14, 2, 11))
    assert log.toPlainText() == "14:02:11  TensorFlow on CPU"
    for i in range(60):
        log.add_line(f"line {i}")
    assert log.verticalScrollBar().value() == log.verticalScrollBar().maximum()
    log.verticalScrollBar().setValue(3)
    log.add_line("one more")
    assert log.verticalScrollBar().value() == 3
    assert log.maximumBlockCount() == MOST_LINES
