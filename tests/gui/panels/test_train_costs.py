"""The Train panel: what a run will cost, settings side by side, notes, the run of another process."""

import pytest

from engine import runs
from engine.messages import EstimateRun, Progress, Ready, Resume, RunEstimated, Stop
from gui.panels.train.curves_card import CurvesCard
from gui.panels.train.new_run_card import NewRunCard
from gui.panels.train.plot_grid import PlotGrid
from gui.panels.train.run_estimate import CHOOSING, RunEstimator, describe_estimate, make_token, predict_s
from gui.panels.train.runs_card import RunsCard
from gui.run_list_view import compare_settings
from gui.run_listing import make_row
from gui.run_record import open_record
from gui.status import StatusBar, background_line

KNOWN = {"parameters": 9441, "memory_mb": 812.0, "images_per_s": 10.0, "validation_s": 0.1, "epoch_s": 2.0}


@pytest.fixture
def form(qtbot, desk):
    made = NewRunCard(desk)
    qtbot.addWidget(made)
    made.show()
    return made


def estimate(token, **changes):
    return RunEstimated(token=token, **{**KNOWN, "start_s": 5.0, "is_complete": True, **changes})


def test_time_of_a_run_is_its_start_and_its_epochs(tiny):
    known, settings = estimate("x"), tiny(epochs=3)
    assert predict_s(known, settings, 100, 20) == pytest.approx(5 + 3 * (10 + 2 + 2))
    text = describe_estimate(known, settings, (100, 20), False)
    assert text == "9,441 parameters · about 0.8 GB memory · about 45 s on this machine"
    assert "on this machine" not in describe_estimate(known, settings, None, False)
    assert describe_estimate(estimate("x", free_mb=500.0), settings, None, False).endswith("of 0.5 GB that are free")


def test_only_settings_that_a_step_feels_need_another_measurement(tiny):
    assert make_token(tiny()) == make_token(tiny(epochs=9, learning_rate=1e-4, seed=3, phantom_count=99))
    assert len({make_token(each) for each in (tiny(), tiny(latent=9), tiny(size=64), tiny(batch_size=4))}) == 4


def test_idle_engine_measures_the_form_and_start_comes_first(form, session, loaded, qtbot):
    job = session.job
    form.settings.form.change_values({"filters": (4, 8)})
    job.warm_up("tensorflow")
    job.engine.say(Ready(backend="tensorflow", device="CPU", versions={}))
    qtbot.waitUntil(lambda: bool(job.engine.sent))
    (asked,) = job.engine.sent
    assert asked == EstimateRun(config=form.settings.config(), token=make_token(form.settings.config()))
    assert "measuring" in form.cost.text()
    job.engine.say(estimate(asked.token, is_complete=False, images_per_s=None, memory_mb=None))
    assert form.cost.text().startswith("9,441 parameters · measuring")
    form.start.click()
    assert [type(sent) for sent in job.engine.sent] == [EstimateRun, Stop, Resume]
    assert not form.cost.isVisible()


def test_estimate_is_kept_and_a_refusal_is_told(form, session, loaded):
    form.settings.form.change_values({"filters": (4, 8)})
    token = make_token(form.settings.config())
    session.job.estimated.emit(estimate(token))
    assert "about" in form.cost.text()
    twin = RunEstimator(session.job, form)
    twin.restore_state(form.estimator.save_state() | {"x": "no line"})
    assert twin.find(form.settings.config()).images_per_s == 10.0
    session.job.estimated.emit(RunEstimated(token=token, reason="There is not enough memory."))
    assert "not enough memory" in form.cost.text()


def test_settings_that_differ_stand_side_by_side(make_run):
    records = [open_record(make_run(name, **changes).path) for name, changes in (("a", {}), ("b", {"latent": 9}))]
    assert compare_settings(records) == [["Latent size", "8", "9"]]
    assert ["Epochs", "3", "3"] in compare_settings(records, with_equal=True)
    variational = open_record(make_run("c", model="vae").path)
    assert ["KL weight β", "—", "1"] in compare_settings([records[0], variational])


@pytest.fixture
def card(qtbot, session, make_run):
    """Return a function that makes a card of the session's runs."""
    session.open(session.runs.root)

    def make(kind, *runs):
        for name, facts in runs:
            make_run(name, **facts)
        session.runs.refresh()
        made = kind(session)
        qtbot.addWidget(made)
        made.resize(700, 500)
        made.show()
        return made

    return make


def test_baseline_is_pinned_and_others_are_measured_against_it(card, session):
    runs = card(RunsCard, ("a", {"epochs": 2}), ("b", {"epochs": 4}), ("c", {}))
    runs.table.select(["b"])
    session.run_list.set_baseline("a")
    assert runs.table.text(0, 0) == "⚑ a"
    assert session.run_list.shown_keys() == ["b", "a"]
    records = session.runs.records
    assert make_row(records["b"], records["a"]).values[3] == pytest.approx(-50.0)


def test_note_and_tags_are_kept_with_the_run_and_found_by_the_filter(card, session):
    runs = card(RunsCard, ("a", {}), ("b", {}))
    runs.table.select(["a"])
    runs.list.ask_text = lambda *words, **more: (" wide, wide,paper", True)
    runs.list.edit_tags("a")
    runs.list.ask_text = lambda *words, **more: ("best so far", True)
    runs.list.edit_note("a")
    notes = open_record(session.runs.records["a"].run.path).notes
    assert (notes.tags, notes.note) == (("wide", "paper"), "best so far")
    runs.table.select(["b"])
    runs.list.filter.setText("paper best")
    assert "#wide" in runs.table.text(1, 0)
    assert runs.table.model().rowCount() == 2, "the tagged run, and the selected one"


def test_run_of_another_process_can_be_stopped(card, session):
    curves = card(CurvesCard, ("far", {"epochs": 1, "goal": 4, "state": None}))
    record = session.record("far")
    with record.run.lock():
        session.runs.refresh()
        curves.show_runs([record], record)
        assert curves.stop.isVisible()
        assert not curves.pause.isVisible()
        curves.stop.click()
        assert (record.run.path / "stop").exists()
        assert curves.stop.text() == "Stopping…"
        assert background_line(record) == ("far · epoch 1 / 4 complete · in another process", 0.25, "")
    session.runs.refresh()
    curves.show_buttons()
    assert not curves.stop.isVisible()


def test_status_bar_follows_the_run_of_another_process(qtbot, session, card):
    card(CurvesCard, ("far", {"epochs": 1, "goal": 4, "state": None}))
    record = session.record("far")
    bar = StatusBar(session)
    qtbot.addWidget(bar)
    with record.run.lock():
        session.runs.refresh()
        assert bar.line._text.text() == "far · epoch 1 / 4 complete · in another process"
        record.apply(record.epochs[1].model_copy(update={"epoch": 2, "sequence": None}))
        session.run_changed.emit("far")
        assert bar.line._text.text() == "far · epoch 2 / 4 complete · in another process"
    session.runs.refresh()
    assert bar.line._text.text() == "Ready"


def test_batch_loss_moves_in_the_first_epoch_and_redraws_its_plot_alone(card, session, monkeypatch):
    curves = card(CurvesCard, ("vae", {"epochs": 0, "goal": 3, "model": "vae", "state": None}))
    grid = curves.grid
    records, redrawn = [session.record("vae")], []
    grid.show_runs(records)
    for name, plot in grid.plots.items():
        redraw = plot._redraw
        monkeypatch.setattr(
            plot, "_redraw", lambda items, name=name, redraw=redraw: (redrawn.append(name), redraw(items))
        )
    facts = {"run": "vae", "epoch": 1, "epochs": 3, "batches": 4, "images_per_s": 1.0, "left_s": 1.0}
    for batch, loss in ((1, 900.0), (2, 800.0)):
        records[0].apply(Progress(**facts, batch=batch, loss=850.0, batch_loss=loss))
        grid.show_runs(records)
    assert redrawn == ["loss", "loss"]
    series = grid.plots["loss"].items["vae batches"].series
    assert (series.x.tolist(), series.y.tolist()) == ([0.25, 0.5], [900.0, 800.0])
    grid.batches.click()
    assert "vae batches" not in grid.plots["loss"].items


def test_x_axis_can_count_steps_and_more_plots_can_be_shown_or_one_enlarged(card, session, qtbot):
    curves = card(CurvesCard, ("a", {"epochs": 2}))
    grid = curves.grid
    grid.show_runs([session.record("a")])
    grid.axis.setCurrentIndex(grid.axis.findData("step"))
    plot = grid.plots["mse"]
    assert plot.items["a training"].series.x.tolist() == [4, 8]
    assert plot.x_label == "step"
    grid._choice.menu().actions()[-2].trigger()
    assert grid.plots["images_per_s"].isVisible()
    assert grid.plots["images_per_s"].items["a"].series.y.tolist() == [100.0, 100.0]
    with qtbot.waitSignal(grid.enlarged):
        plot.enlarge.click()
    assert not grid.plots["images_per_s"].isVisible()
    twin = PlotGrid()
    qtbot.addWidget(twin)
    twin.restore_state(grid.save_state())
    assert twin.axis.currentData() == "step"
    assert "images_per_s" not in twin.hidden_plots


def test_run_starts_once_the_backend_is_chosen(form, session, loaded, qtbot):
    job = session.job
    job.warm_up("tensorflow")
    job.engine.say(Ready(backend="tensorflow", device="CPU", versions={}))
    form.settings.form.change_values({"filters": (4, 8), "backend": "auto"})
    assert form.cost.text() == CHOOSING
    assert not form.start.isEnabled()
    qtbot.waitUntil(lambda: bool(job.engine.sent))
    asked = job.engine.sent[-1]
    assert asked.config.training.backend == "auto"
    job.engine.say(
        RunEstimated(token=asked.token, is_complete=True, backend="torch", backend_reason="Backend: PyTorch.")
    )
    assert form.cost.text().startswith("Backend: PyTorch.\n")
    qtbot.waitUntil(lambda: job.engine.backend == "torch")
    form.start.click()
    assert session.record(job.run).config.training.backend == "torch"
    assert isinstance(job.engine.sent[-1], Resume)


def test_run_that_ended_before_its_backend_was_chosen_is_resumed(session, root, tiny):
    run = runs.create_run(tiny(backend="auto"), "early", root)
    session.job.warm_up("torch")
    session.job.start(run)
    assert session.job.engine.backend == "torch"
