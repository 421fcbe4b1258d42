"""The Search panel: a space typed, a search started, watched, changed, stopped, read again."""

import csv
import json
import math
import os
from contextlib import nullcontext

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest

from engine import config, runs
from engine.messages import (
    ComputeImportances,
    Continue,
    EpochEnded,
    Importance,
    Log,
    Pause,
    RequestFailed,
    Search,
    SearchEnded,
    SearchStarted,
    SearchState,
    Stop,
    TrialProposed,
    read_command,
)
from engine.search import folder, job, search_spec, space, space_file, statistics
from engine.search.commands import AddTrial, ChangeTrialCount, ContinueSearch, PauseSearch, ReplaceSpace, StopSearch
from gui.panel import CompareRuns
from gui.panels.search import SearchPanel
from gui.panels.search.importance_card import effects
from gui.panels.search.manual_trial_dialog import ManualTrialDialog
from gui.panels.search.snapshot import load_snapshot, progress_text
from gui.panels.search.space_draft import DimensionDraft, drafts_from_space, parse_drafts, problems, separate_fixed
from gui.panels.search.trial_points import pareto_front, rank_shares
from gui.panels.search.trial_rows import RowBuilder, write_csv
from gui.widgets.curves.points import blur_shares

SPACE = {"learning_rate": [1e-3, 1e-4], "latent": [4, 8], "epochs": [1, 2]}
FAILED = "There was not enough memory for one step."


@pytest.fixture
def panel(qtbot, desk):
    desk.session.open(desk.session.runs.root)
    made = SearchPanel(desk)
    qtbot.addWidget(made)
    made.resize(1400, 850)
    made.show()
    return made


@pytest.fixture
def make_search(root, tiny, make_run):
    """Write a search as an engine leaves it: `make_search("s", 5)` has 5 trials, the third of which failed."""

    def make(name="s", count=5, described=SPACE, trials=8, with_runs=True, base=None, **settings):
        base = base or tiny()
        order = Search(name=name, root=str(root), base=base, space=described, settings={"trials": trials, **settings})
        made = folder.prepare_folder(order)
        points = space_file.parse(described, base)
        with made.open_storage() as ledger:
            for number, values in zip(range(1, count + 1), points.points(), strict=False):
                ledger.add_trial(space.config_key(values, base), values, "search", {})
                if with_runs:
                    make_run(made.run_name(number), epochs=2)
                state = "failed" if number == 3 else "finished"
                score = None if number == 3 else 0.01 * number
                known = {"reason": FAILED if number == 3 else "", "best_epoch": 2, "epochs": 2, "seconds": 61.0}
                ledger.update_trial(number, state=state, score=score, run=made.run_name(number), **known)
        return made

    return make


@pytest.fixture
def weighed(session, answer):
    """Let the explorer weigh the settings that were asked about last."""

    def weigh():
        sent = [each for each in session.explorer.engine.sent if isinstance(each, ComputeImportances)][-1]
        answer(sent.panel, statistics.compute_importances(read_command(sent.to_json_line())).model_dump(mode="json"))

    return weigh


def told(search, state="running", **changes):
    known = {"done": 1, "failed": 0, "running": 1, "trials": 8, "left": 6, "left_s": 30.0, "best": 1}
    return SearchState(search=search, state=state, best_score=0.1, **known | changes)


def started(order):
    return SearchStarted(
        search=order.name,
        path=f"{order.root}/_searches/{order.name}",
        base=order.base,
        space=order.space,
        settings=config.validate(config.SearchConfig, order.settings),
        size=8,
    )


def row(panel, name):
    return panel.order.editor.rows[name]


class TestSpace:
    def test_presets_of_the_study_are_there_and_stand_as_in_its_tables(self, panel):
        order = panel.order
        assert [order.preset.itemData(i) for i in range(order.preset.count())] == ["", "study-ae", "study-vae"]
        assert order.preset.currentData() == "study-ae"
        assert parse_drafts(order.editor.drafts) == dict(space_file.presets()["study-ae"])
        assert order.points.text() == "81 configurations."

    def test_preset_is_chosen_and_taken_back(self, panel, desk):
        order = panel.order
        order.preset.setCurrentIndex(2)
        order.preset.activated.emit(2)
        assert order.base().model.model == "vae"
        assert parse_drafts(order.editor.drafts) == dict(space_file.presets()["study-vae"])
        desk.undo.undo()
        assert (order.base().model.model, order.preset.currentData()) == ("ae", "study-ae")

    def test_any_setting_is_added_typed_and_taken_away_and_all_of_it_undone(self, panel, desk, qtbot):
        editor = panel.order.editor
        offered = {editor.add.itemData(i) for i in range(editor.add.count())}
        assert {"model", "filters", "kernel_size", "activation", "weight_decay", "noise", "size", "flip"} <= offered
        assert not {"seed", "tracking", "source", "latent", "beta"} & offered
        editor.add.setCurrentIndex(editor.add.findData("kernel_size"))
        editor.add.activated.emit(editor.add.currentIndex())
        line = row(panel, "kernel_size").text
        assert line.text() == "3"
        qtbot.keyClicks(line, "3, 5")  # what it began with is chosen, so typing takes its place
        assert parse_drafts(editor.drafts)["kernel_size"] == [3, 5]
        assert panel.order.points.text() == "162 configurations."
        qtbot.mouseClick(row(panel, "kernel_size").remove, Qt.MouseButton.LeftButton)
        assert "kernel_size" not in editor.rows
        desk.undo.undo()
        assert parse_drafts(editor.drafts)["kernel_size"] == [3, 5]
        desk.undo.undo()
        desk.undo.undo()
        assert "kernel_size" not in editor.rows

    def test_range_and_log_range(self, panel, qtbot):
        rate = row(panel, "learning_rate")
        rate.kind.setCurrentIndex(rate.kind.findData("log"))
        rate.kind.activated.emit(rate.kind.currentIndex())
        assert rate.low.isVisible()
        assert not rate.text.isVisible()
        assert rate.problem.text() == "Enter a minimum and a maximum."
        qtbot.keyClicks(rate.low, "1e-4")
        qtbot.keyClicks(rate.high, "0.01")
        assert rate.problem.text() == ""
        assert parse_drafts(panel.order.editor.drafts)["learning_rate"] == {"low": 1e-4, "high": 0.01, "log": True}
        assert panel.order.points.text() == "Unlimited configurations."

    @pytest.mark.parametrize(
        ("name", "typed", "said"),
        [
            ("latent", "many, 8", "Latent size cannot be 'many' in the search space. It must be from 1 to 16,384."),
            ("batch_size", "", "Enter the values to try, separated by commas."),
            ("learning_rate", "0.1, 20", "Learning rate cannot be 20"),
        ],
    )
    def test_bad_entry_gets_its_sentence_at_its_field(self, panel, name, typed, said):
        line = row(panel, name).text
        line.setText(typed)
        line.textEdited.emit(typed)
        assert row(panel, name).problem.text().startswith(said)
        assert [other for other, each in panel.order.editor.rows.items() if each.problem.text()] == [name]
        assert not panel.order.start.isEnabled()

    def test_model_that_is_half_typed_is_a_problem_at_its_field(self, panel):
        editor = panel.order.editor
        editor.add.setCurrentIndex(editor.add.findData("model"))
        editor.add.activated.emit(editor.add.currentIndex())
        row(panel, "model").text.setText("va")
        row(panel, "model").text.textEdited.emit("va")
        assert "'va'" in row(panel, "model").problem.text()
        assert editor.add.findData("filters") >= 0

    def test_setting_may_depend_on_another(self, panel, qtbot):
        editor = panel.order.editor
        for name in ("model", "beta"):
            editor.add.setCurrentIndex(editor.add.findData(name))
            editor.add.activated.emit(editor.add.currentIndex())
            if name == "model":
                row(panel, "model").text.setText("ae, vae")
                row(panel, "model").text.textEdited.emit("ae, vae")
        beta = row(panel, "beta")
        beta.text.setText("1, 4")
        beta.text.textEdited.emit("1, 4")
        qtbot.mouseClick(beta.condition, Qt.MouseButton.LeftButton)
        beta.when.setCurrentIndex(beta.when.findData("model"))
        beta.when.activated.emit(beta.when.currentIndex())
        qtbot.keyClicks(beta.wanted, "unet")
        assert "which is not in the search space" in beta.problem.text()
        beta.wanted.clear()
        qtbot.keyClicks(beta.wanted, "vae")
        assert beta.problem.text() == ""
        assert parse_drafts(editor.drafts)["beta"] == {"values": [1.0, 4.0], "when": {"model": ["vae"]}}

    def test_one_value_fixes_a_setting(self, tiny):
        drafts = (
            DimensionDraft("latent", text="4, 8"),
            DimensionDraft("filters", text="4, 8"),
            DimensionDraft("epochs", text="3"),
        )
        assert separate_fixed(drafts) == ({"latent": [4, 8]}, {"filters": [4, 8], "epochs": 3})
        assert problems(drafts, tiny()) == ({}, "")
        assert problems((DimensionDraft("epochs", text="3"),), tiny())[1].startswith("No setting varies")

    def test_what_does_not_fit_together_is_said_below(self, tiny):
        drafts = (DimensionDraft("latent", text="4, 8"), DimensionDraft("filters", text="4, 8, 16, 32, 64, 128"))
        alone, together = problems(drafts, tiny())
        assert alone == {}
        assert "Size 32 cannot be halved 6 times" in together

    def test_space_file_with_everything_comes_back_as_it_was(self):
        described = {
            "model": ["ae", "vae"],
            "latent": [4, 8],
            "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
            "kernel_size": {"low": 3, "high": 7, "log": False},
            "beta": {"low": 0.5, "high": 4.0, "log": True, "when": {"model": ["vae"], "latent": [8]}},
            "filters": [[4, 8], [8, 16]],
            "cosine": {"values": [True, False], "when": {"model": ["vae"]}},
        }
        described.pop("cosine")
        assert parse_drafts(drafts_from_space(described)) == described


class TestSearching:
    def test_start_sends_what_is_typed(self, panel, root, loaded):
        order = panel.order
        order.fixed.setCurrentIndex(order.fixed.findData("model:ae"))
        order.fixed.activated.emit(order.fixed.currentIndex())
        order.editor.set_drafts((DimensionDraft("latent", text="4, 8"), DimensionDraft("filters", text="4, 8")))
        order.form.set_values({"trials": 2, "algorithm": "grid", "parallel": 2, "tracking": "offline"})
        assert "wandb sync" in order.caution.text()
        order.start.click()
        sent = panel.session.job.engine.sent[-1]
        assert isinstance(sent, Search)
        assert (sent.name, sent.root, sent.space) == ("ae-search-1", str(root), {"latent": [4, 8]})
        assert sent.settings["algorithm"] == "grid"
        assert sent.settings["parallel"] == 2
        assert (sent.base.model.filters, sent.base.data.size) == ((4, 8), 32)
        assert sent.base.training.tracking == "offline"
        assert not order.start.isEnabled()

    def test_search_is_watched_held_and_stopped(self, panel, make_search, qtbot):
        made = make_search("s", 2)
        job, plot = panel.session.job, panel.plot
        panel.open("s")
        plot.go_on.click()
        job.engine.say(started(Search(name="s", root=str(made.root), base=config.from_flat({}), space=SPACE)))
        assert (job.search, job.state) == ("s", "running")
        with made.open_storage() as ledger:
            values = {"learning_rate": 1e-4, "latent": 8, "epochs": 2}
            ledger.add_trial(space.config_key(values, config.from_flat({})), values, "search", {})
        job.engine.say(TrialProposed(search="s", number=3, run="s-0003", values=values, origin="search"))
        qtbot.waitUntil(lambda: panel.trials.table.model().rowCount() == 3)
        plot.pause.click()
        assert job.engine.sent[-1] == Pause()
        job.engine.say(told("s", "paused"))
        assert plot.pause.text() == "Continue"
        assert plot.facts.text().startswith("paused")
        plot.pause.click()
        assert job.engine.sent[-1] == Continue()
        job.engine.say(told("s", "running"))
        plot.stop.click()
        assert job.engine.sent[-1] == Stop()
        assert (plot.stop.text(), plot.stop.isEnabled()) == ("Stopping…", False)
        job.engine.say(SearchEnded(search="s", state="stopped"))
        assert job.search is None
        assert plot.go_on.isVisible()

    def test_epochs_of_trials_reach_their_records(self, panel, make_search):
        make_search("s", 1)
        panel.session.runs.refresh()
        panel.open("s")
        panel.plot.go_on.click()
        metrics = {"loss": 0.5, "val_loss": 0.4}
        panel.session.job.engine.say(EpochEnded(run="s-0001", epoch=3, metrics=metrics, best=True))
        assert panel.session.record("s-0001").last_epoch == 3

    def test_refused_search_leaves_the_form_with_its_reason(self, panel):
        panel.order.start.click()
        assert panel.session.job.search == "ae-search-1"
        panel.session.job.engine.say(RequestFailed(reason="There is already a run 'ae-search-1-0001'.", advice="Wait."))
        assert panel.session.job.search is None
        assert "already a run" in panel.plot.notice.text()
        assert panel.order.isVisible()

    def test_name_stays_until_its_search_has_begun(self, panel):
        order, job = panel.order, panel.session.job
        order.name.setText("mine")
        order.start.click()
        job.engine.say(RequestFailed(reason="There is already a run 'mine-0001'.", advice="Wait."))
        assert order.name.text() == "mine"
        order.start.click()
        job.engine.say(started(job.engine.sent[-1]))
        assert order.name.text() == ""

    def test_log_that_warns_and_failure_are_said(self, panel, make_search):
        make_search("s")
        panel.open("s")
        panel.plot.go_on.click()
        panel.session.job.engine.say(Log(text="This configuration has been tried already.", level="warning"))
        assert "tried already" in panel.plot.notice.text()
        panel.session.job.engine.say(SearchEnded(search="s", state="failed", reason="The disk is full.", advice=""))
        assert panel.plot.notice.text() == "The disk is full."

    def test_search_of_another_process_is_reported_by_its_ledger(self, panel, make_search):
        made = make_search("s")
        with made.lock():
            panel.open("s")
            assert panel.plot.facts.text().startswith("runs in another process")
            assert not panel.plot.go_on.isVisible()
            panel.plot.pause.click()
            assert panel.plot.pause.text() == "Continue"
            panel.plot.pause.click()
            assert panel.plot.pause.text() == "Pause"
            panel.plot.stop.click()
        with made.open_storage() as ledger:
            assert ledger.pop_commands() == [PauseSearch(), ContinueSearch(), StopSearch()]
        assert panel.session.job.search is None

    def test_ledger_that_changes_within_a_tick_of_the_clock_is_read_anew(self, panel, make_search):
        made = make_search(count=4)
        panel.watch.open("s")
        ledger = made.path / "ledger.sqlite"
        before = ledger.stat().st_mtime_ns
        with made.open_storage() as opened:
            opened.update_trial(1, reason="changed")
        os.utime(ledger, ns=(before, before))
        panel.watch.poll()
        assert panel.watch.found.trials[0].reason == "changed"

    def test_space_and_number_are_changed_while_it_runs(self, panel, make_search, qtbot):
        made = make_search("s")
        with made.lock():
            panel.open("s")
            panel.plot.settings.setChecked(True)
            assert panel.change.isVisible()
            assert not panel.change.apply.isEnabled()
            latent = panel.change.editor.rows["latent"].text
            qtbot.keyClicks(latent, ", 16")
            panel.change.form.change_values({"trials": 12})
            assert panel.change.points.text() == "12 configurations."
            panel.change.apply.click()
        with made.open_storage() as ledger:
            assert ledger.pop_commands() == [ReplaceSpace({**SPACE, "latent": [4, 8, 16]}), ChangeTrialCount(12)]

    def test_search_that_is_over_continues_over_more(self, panel, make_search, qtbot):
        make_search("s", 8)
        panel.open("s")
        assert "all configurations tried" in panel.plot.facts.text()
        assert not panel.plot.go_on.isVisible()
        panel.plot.settings.setChecked(True)
        panel.change.editor.rows["latent"].text.setFocus()
        qtbot.keyClicks(panel.change.editor.rows["latent"].text, ", 16")
        panel.change.form.change_values({"trials": 12, "parallel": 2})
        assert panel.change.apply.text() == "Resume with these"
        panel.change.apply.click()
        sent = panel.session.job.engine.sent[-1]
        assert sent == Search(
            name="s",
            root=str(panel.session.runs.root),
            space={**SPACE, "latent": [4, 8, 16]},
            settings={"trials": 12, "parallel": 2},
        )

    def test_configuration_is_tried_by_hand(self, panel, make_search, qtbot):
        made = make_search("s")
        panel.open("s")
        panel.trials.enqueue.click()
        sheet = panel.findChild(ManualTrialDialog)
        assert sheet.values() == {"learning_rate": 1e-3, "latent": 4, "epochs": 1}
        sheet.submit()
        assert sheet.notice.text() == "This configuration was already tried as trial 1."
        sheet.form.change_values({"latent": "many"})
        assert not sheet.buttons.buttons()[0].isEnabled()
        sheet.form.change_values({"latent": 5})
        sheet.submit()
        assert not sheet.isVisible()
        with made.open_storage() as ledger:
            assert ledger.pop_commands() == [AddTrial({"learning_rate": 1e-3, "latent": 5, "epochs": 1})]


class TestPictures:
    def test_brush_fills_the_table(self, panel, make_search, qtbot):
        make_search("s")
        panel.open("s")
        axes = panel.plot.axes
        assert axes.model.order == ["learning_rate", "latent", "epochs", "score"]
        before = axes.geometry()
        axes.change(lambda: axes.model.set_brush("latent", (0.9, 1.1)))
        panel.plot.layout().activate()
        qtbot.waitUntil(lambda: panel.trials.table.model().rowCount() == 2)
        assert panel.plot.hint.text() == "2 of 5 trials selected."
        assert axes.geometry() == before  # or they would move under the mouse that brushes
        assert {panel.trials.table.text(row, 0) for row in range(2)} == {"3", "4"}
        panel.plot.clear.click()
        qtbot.waitUntil(lambda: panel.trials.table.model().rowCount() == 5)

    def test_many_trials_are_shown_a_part_each_beat(self, panel, make_search, qtbot, monkeypatch):
        monkeypatch.setattr("gui.panels.search.MANY", 4)
        show, built = panel.trials.set_snapshot, []
        monkeypatch.setattr(
            panel.trials, "set_snapshot", lambda *parts: (built.append(len(panel.trials._rows._made)), show(*parts))
        )
        make_search("s")
        panel.open("s")
        assert not panel.plot.axes.model.order
        qtbot.waitUntil(lambda: bool(panel.plot.axes.model.order))
        assert "learning_rate" not in panel.change.editor.rows
        qtbot.waitUntil(lambda: "learning_rate" in panel.change.editor.rows)  # the last part
        assert panel.trials.table.model().rowCount() == 5
        assert panel.best._subtitle.text() == "best 0.01 in trial 1"
        assert panel.importance._subtitle.text() == "analyzing 4 trials…"
        assert set(built) == {5}

    def test_one_more_trial_leaves_the_space_alone(self, panel, make_search, qtbot):
        made = make_search("s")
        panel.open("s")
        with qtbot.assertNotEmitted(panel.change.changed), made.open_storage() as ledger:
            ledger.update_trial(3, state="finished", score=0.5)
            panel.watch.poll()
        assert panel.trials.table.text(4, 5) == "0.5000"
        with qtbot.waitSignal(panel.change.changed), made.open_storage() as ledger:
            ledger.set_attrs(settings=ledger.attrs()["settings"] | {"trials": 30})
            panel.watch.poll()

    def test_failed_trial_is_a_line_without_a_score(self, panel, make_search):
        make_search("s")
        panel.open("s")
        model = panel.plot.axes.model
        assert model.lines.kinds.tolist() == [0, 0, 2, 0, 0]
        assert math.isnan(model.rank_shares()[2])

    def test_line_and_row_light_each_other(self, panel, make_search, qtbot):
        make_search("s")
        panel.open("s")
        with qtbot.waitSignal(panel.status_changed) as blocker:
            panel.plot.axes.hovered.emit("3")
        assert FAILED in blocker.args[0]
        table = panel.trials.table
        assert table.model().index(4, 1).data(Qt.ItemDataRole.BackgroundRole)
        table.hovered.emit("2")
        assert panel.plot.axes._lit == "2"

    def test_chosen_line_is_looked_at(self, panel, make_search):
        make_search("s")
        panel.open("s")
        assert panel.trial._title.text() == "★ Trial 1"
        panel.plot.axes.chosen.emit("3")
        assert panel.trial._title.text() == "Trial 3"
        assert panel.trial.reason.text() == FAILED
        assert not panel.trial.keep.isEnabled()
        assert panel.trials.table.chosen_keys() == ["3"]

    def test_images_of_the_chosen_trial_are_requested_once(self, panel, make_search, loaded, answer, tmp_path):
        made = make_search("s")
        for number in (1, 2):
            (made.root / f"s-000{number}" / "model.keras").touch()
        panel.session.runs.refresh()
        panel.open("s")
        panel.select_trial(2)
        (tmp_path / "scratch").mkdir()
        np.save(tmp_path / "scratch" / "images.npy", np.full((2, 32, 32), 0.5, np.float32))
        images, path = str(tmp_path / "scratch" / "images.npy"), str((made.root / "s-0002").resolve())
        found = {"originals": images, "images": images, "mse": [0, 0], "psnr_db": [31.24, None], "ssim": [1, 1]}
        asked = answer("search", {"names": ["a", "b"], "originals": images, "runs": {path: found}})
        assert (asked.runs, asked.split, asked.indices) == ((path,), "validation", (0, 1))
        assert panel.trial.pictures.isVisible()
        assert panel.trial.keep.y() < panel.trial.pictures.y()  # what can be done stays in sight on a low screen
        assert panel.trial.pictures.captions[0].text() == "31.2 dB"
        count = len(panel.session.explorer.engine.sent)
        panel.refresh()
        assert len(panel.session.explorer.engine.sent) == count
        panel.select_trial(1)
        asked = panel.session.explorer.engine.sent[-1]
        panel.session.explorer.engine.say(RequestFailed(reason="Damaged.", number=asked.number, panel="search"))
        assert panel.trial.said.text() == "Damaged."
        assert not panel.trial.pictures.isVisible()

    def test_whole_numbers_have_marks_at_whole_numbers(self, panel, make_search):
        make_search("s", 4, {"kernel_size": {"low": 3, "high": 5}, "latent": {"low": 4, "high": 400}})
        panel.open("s")
        axes = panel.plot.axes.model.axes
        assert axes["kernel_size"].marks == (3.0, 4.0, 5.0)
        assert axes["latent"].marks == ()

    def test_importance_has_sign_and_interval(self, panel, make_search, weighed):
        make_search("few", 3)
        panel.open("few")
        weighed()
        assert "Available after a few more trials" in panel.importance.caption.text()
        make_search("s", 8)
        panel.open("s")
        assert panel.importance._subtitle.text() == "analyzing 7 trials…"
        weighed()
        assert panel.importance.caption.text().endswith("95% interval, 7 trials.")
        bars = panel.importance.bars.effects()
        assert {bar.name for bar in bars} == {"learning rate", "latent size", "epochs"}
        first = next(bar for bar in bars if bar.name == "learning rate")
        assert first.value_text.startswith("higher is better")
        assert first.low <= first.size <= first.high
        assert " to " in first.tip

    def test_importance_is_of_the_trials_it_names(self, panel, make_search, weighed):
        made, card = make_search("s", 7), panel.importance
        panel.open("s")
        weighed()
        with made.open_storage() as ledger:
            ledger.update_trial(3, state="finished", score=0.03)
        panel.watch.poll()
        assert card._subtitle.text() == "analyzing 7 trials…"
        assert card.caption.text().endswith("95% interval, 6 trials.")
        assert card.bars.effects()
        weighed()
        assert card.caption.text().endswith("95% interval, 7 trials.")
        asked = [sent for sent in panel.session.explorer.engine.sent if isinstance(sent, ComputeImportances)]
        panel.refresh()
        assert [len(each.trials) for each in asked] == [6, 7]

    def test_importance_of_another_search_is_never_shown(self, panel, make_search, weighed):
        make_search("full", 8)
        make_search("empty", 0)
        panel.open("full")
        panel.open("empty")
        weighed()
        assert not panel.importance.bars.isVisible()
        assert "Available after a few more trials" in panel.importance.caption.text()
        panel.open("full")
        assert not panel.importance.bars.isVisible()

    def test_importance_that_cannot_be_had_says_why_and_is_requested_again(self, panel, make_search, weighed):
        make_search("s", 8)
        panel.open("s")
        panel.session.explorer.engine.die()
        assert "The engine crashed" in panel.importance.caption.text()
        assert panel.importance._subtitle.text() == ""
        panel.refresh()
        weighed()
        assert panel.importance.bars.isVisible()

    @pytest.mark.parametrize(
        ("effect", "low", "high", "sign", "said", "whisker"),
        [
            (-0.3, -0.5, -0.1, -1, "higher is better · −30%", True),
            (0.5, 0.2, 0.9, 1, "lower is better · +50%", True),
            (-0.1, -0.3, 0.2, 0, "direction uncertain · −10%", False),
            (0.4, 0.1, 0.8, 0, "across its values · +40%", True),
        ],
    )
    def test_effects_are_reported_as_sure_as_they_are(self, effect, low, high, sign, said, whisker):
        ordered = () if said.startswith("across") else ("latent",)
        weighed = Importance(name="latent", effect=effect, low=low, high=high, sign=sign, is_relative=True)
        bar = effects([weighed], ordered)[0]
        assert bar.value_text == said
        assert (bar.low > 0) == whisker
        assert bar.low <= bar.size <= bar.high

    def test_best_so_far_and_curves_of_the_ten_best(self, panel, make_search, qtbot):
        make_search("s")
        panel.session.runs.refresh()
        panel.open("s")
        x, y = panel.best.plot.points.line
        assert set(y) == {0.01}
        assert x.tolist() == [1, 2, 2, 4, 4, 5, 5]
        assert panel.best.plot.points.keys == ("1", "2", "4", "5")
        assert panel.best._subtitle.text() == "best 0.01 in trial 1"
        panel.trials.as_curves.click()
        curves = panel.trials.curves
        qtbot.waitUntil(lambda: list(curves.items) == ["s-0001", "s-0002", "s-0004", "s-0005"])
        assert curves.items["s-0001"].series.style.color_key == "score:0.000"
        assert curves.isVisible()

    def test_search_is_exported_in_three_kinds(self, panel, make_search, tmp_path):
        panel.export()
        assert "Nothing to export" in panel.plot.notice.text()
        make_search("s")
        panel.open("s")
        kinds = {"a.png": b"\x89PNG", "b.pdf": b"%PDF", "c.csv": b"# Search s"}
        for name, start in kinds.items():
            panel.exporter.ask_path = lambda *_, name=name: (str(tmp_path / name), "")
            panel.export()
            assert (tmp_path / name).read_bytes().startswith(start)
        panel.exporter.ask_path = lambda *_: (str(tmp_path / "d"), "PDF, vector graphics (*.pdf)")
        panel.export()
        assert (tmp_path / "d.pdf").exists()
        panel.exporter.ask_path = lambda *_: (str(tmp_path / "none" / "a.csv"), "")
        panel.export()
        assert "Could not write" in panel.plot.notice.text()


class TestTrials:
    def test_old_search_is_read_without_an_engine(self, panel, make_search):
        make_search("old")
        panel.open("old")
        assert panel.plot.facts.text() == "4 done · 1 failed · 3 of 8 to come · 3 of 8 configurations left"
        table = panel.trials.table
        assert [table.text(0, column) for column in range(6)] == ["★ 1", "done", "0.001", "4", "1", "0.01000"]
        assert panel.session.job.engine is None

    def test_failed_trial_keeps_its_reason_and_is_never_first(self, panel, make_search):
        make_search("s")
        panel.open("s")
        table, last = panel.trials.table, 4
        assert table.text(last, 0) == "3"
        assert (table.text(last, 1), table.text(last, 5), table.text(last, 7)) == ("failed", "—", FAILED)
        index = table.model().index(last, 1)
        assert FAILED in index.data(Qt.ItemDataRole.ToolTipRole)
        assert index.data(Qt.ItemDataRole.ForegroundRole).name() == "#f08a7a"
        table.sortByColumn(5, Qt.SortOrder.DescendingOrder)
        assert load_snapshot("s", panel.session.runs.root).best.number == 1

    def test_interrupted_trial_is_reported(self, make_search, root):
        made = make_search("s")
        with made.open_storage() as ledger:
            ledger.update_trial(5, state="running", score=None)
        assert "1 interrupted" in progress_text(load_snapshot("s", root))

    def test_trial_is_kept_as_a_run_of_its_own(self, panel, make_search, root):
        make_search("s")
        panel.session.runs.refresh()
        panel.open("s")
        panel.controller.ask_text = lambda *_, text: ("good one", True)
        panel.controller.save_as_run(1)
        assert "is not a valid run name" in panel.plot.notice.text()
        panel.controller.ask_text = lambda *_, text: (f"{text}", True)
        panel.controller.save_as_run(1)
        assert panel.plot.notice.text() == "Trial 1 was saved as run s-0001-kept."
        kept = runs.open_run("s-0001-kept", root)
        assert kept.history() == runs.open_run("s-0001", root).history()
        assert panel.session.record("s-0001-kept").state == "finished"

    def test_trials_go_to_compare(self, panel, make_search, qtbot):
        make_search("s")
        panel.open("s")
        panel.trials.table.select(["1", "2"])
        with qtbot.waitSignal(panel.navigation_requested) as blocker:
            panel.trials.build_menu(1).actions()[2].trigger()
        assert blocker.args == ["compare", CompareRuns(("s-0001", "s-0002"))]

    def test_only_rows_of_trials_that_changed_are_made_anew(self, make_search, root):
        made, table = make_search("s"), RowBuilder()
        before = table.build(load_snapshot("s", root))
        with made.open_storage() as ledger:
            ledger.update_trial(4, score=0.001)
        after = table.build(load_snapshot("s", root))
        assert [new is old for new, old in zip(after, before, strict=True)] == [False, True, True, False, True]
        assert [row.values[0].is_best for row in after] == [False, False, False, True, False]
        assert table.build(load_snapshot("s", root), ["2"]) == [after[1]]

    def test_table_as_a_file(self, make_search, root, tmp_path):
        make_search("s")
        write_csv(load_snapshot("s", root), tmp_path / "trials.csv", "mark")
        lines = (tmp_path / "trials.csv").read_text().splitlines()
        assert lines[0] == "# mark"
        content = list(csv.DictReader(lines[1:]))
        assert [each["score"] for each in content] == ["0.01", "0.02", "", "0.04", "0.05"]
        assert content[2]["reason"] == FAILED

    def test_panel_is_put_back_as_it_was(self, panel, make_search, desk, qtbot):
        make_search("s")
        panel.open("s")
        panel.order.editor.set_drafts((DimensionDraft("latent", text="4, 8"),))
        kept = json.loads(json.dumps(panel.save_state()))
        second = SearchPanel(desk)
        qtbot.addWidget(second)
        second.restore_state(kept)
        assert second.watch.name == "s"
        assert parse_drafts(second.order.editor.drafts) == {"latent": [4, 8]}
        second.restore_state({"search": "gone", "order": {"space": [{"name": "nothing"}, 3], "form": 4}})
        assert parse_drafts(second.order.editor.drafts) == {"latent": [4, 8]}

    def test_former_name_of_a_preset_is_understood(self, panel):
        kept = panel.save_state()
        kept["order"]["fixed"] = "seed-vae"
        panel.restore_state(kept)
        assert panel.order.fixed.currentData() == "study-vae"
        assert panel.order.base().model.model == "vae"


class TestScript:
    def test_script_of_a_new_search_orders_what_the_form_says(self, panel, monkeypatch):
        panel.order.form.change_values({"trials": 7})
        order = panel.order.command()
        assert ordered(panel.as_python(), monkeypatch).model_dump() == order.model_dump()

    def test_nothing_is_copied_while_the_form_is_wrong(self, panel):
        panel.order.form.change_values({"trials": 0})
        assert panel.as_python() == ""

    def test_script_of_a_search_that_is_looked_at_continues_with_it(self, panel, make_search, monkeypatch):
        made = make_search("s", 2, trials=9)
        panel.open("s")
        order = ordered(panel.as_python(), monkeypatch)
        with made.open_storage() as ledger:
            plan = search_spec.save_merged_command(ledger, order)
        assert (order.name, order.root, plan.settings.trials) == ("s", str(made.path.parent.parent), 9)
        assert plan.base == panel.watch.found.plan.base
        assert plan.space.to_dict() == SPACE

    def test_script_of_a_finished_search_prints_the_trials_of_the_table(self, panel, make_search, capsys):
        make_search("s", 2, trials=2)
        panel.open("s")
        exec(compile(panel.as_python(), "script", "exec"), {})
        printed = [line.split()[:3] for line in capsys.readouterr().out.splitlines()]
        shown = [[str(each.number), each.state, str(each.score)] for each in panel.watch.found.trials]
        assert printed == shown != []


def ordered(script, monkeypatch):
    """The order that a script gives."""
    given = []

    class Stand:
        def open_storage(self):
            return nullcontext(self)

        def trials(self):
            return []

    monkeypatch.setattr(job, "search", lambda order: given.append(order) or Stand())
    exec(compile(script, "script", "exec"), {})
    return given[0]


class TestPoints:
    def test_kinds_of_plots_show_the_trials_and_a_point_is_chosen_by_place_and_key(self, panel, make_search, qtbot):
        make_search()
        panel.open("s")
        card, plot = panel.plot, panel.plot.points
        for kind, title, boxes in (
            ("contour", "Latent", (True, True)),
            ("pareto", "Val. MSE", (True, False)),
            ("timeline", "trial", (False, False)),
            ("slice", "Val. MSE", (True, False)),
        ):
            card.kind.setCurrentIndex(card.kind.findData(kind))
            card.kind.activated.emit(card.kind.currentIndex())
            assert plot.isVisible()
            assert (card.across.isVisible(), card.along.isVisible()) == boxes
            assert plot.points.keys == (("1", "2", "3", "4", "5") if kind == "timeline" else ("1", "2", "4", "5"))
            assert "Trial 1," in plot.points.tip_of("1")
            assert plot._title.text() == title
        plot.grab()
        x, y = plot._places()
        at = plot.canvas.box.mapViewToScene(QPointF(x[2], y[2]))
        assert plot.points.x[plot.points.keys.index(plot.key_near(at))] == plot.points.x[2]
        assert plot.key_near(QPointF(0, 0)) == ""
        with qtbot.waitSignal(plot.chosen) as chosen:
            QTest.keyClick(plot, Qt.Key.Key_Right)
        assert panel.trial.trial.number == int(chosen.args[0])

    def test_front_and_ranks(self, root):
        costs, scores = [3.0, 1.0, 2.0, math.nan, 4.0], [0.1, 0.5, 0.6, 0.0, 0.2]
        assert pareto_front(costs, scores) == [1, 0]
        assert rank_shares([0.3, 0.1, 0.2]).tolist() == [1.0, 0.0, 0.5]
        shares, weights = blur_shares(np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([0.0, 1.0]))
        assert shares[0, 0] < 0.01 < 0.99 < shares[-1, -1]
        assert weights[0, -1] < 0.01
