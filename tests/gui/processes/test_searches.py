"""A search in a real engine process, ordered, held, stopped and finished from its panel."""

import pytest

from engine.search.commands import AddTrial
from gui.panels.search.space_draft import DimensionDraft

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("forked_children")]
BARE = ("job",)


def test_search_is_begun_held_stopped_and_finished_from_the_panel(window, wait):
    session, panel = window.desk.session, window.show_panel("search")
    order = panel.order
    order.show_fixed("model:ae")
    order.editor.set_drafts(
        (
            DimensionDraft("latent", text="4, 8"),
            DimensionDraft("filters", text="4, 8"),
            DimensionDraft("epochs", text="8"),
        )
    )
    order.form.set_values({"trials": 2, "algorithm": "grid", "spare": False})
    order.name.setText("mine")
    order.start.click()
    assert order.notice.text() == ""
    wait(lambda: panel.watch.found is not None and panel.watch.found.waiting == 1)
    wait(lambda: (record := session.record("mine-0001")) is not None and bool(record.epochs))
    panel.plot.pause.click()
    wait(lambda: session.job.state == "paused")
    panel.plot.pause.click()
    panel.plot.stop.click()
    wait(lambda: session.job.search is None)
    wait(lambda: panel.plot.go_on.isVisible())
    assert "1 interrupted" in panel.plot.facts.text()
    panel.controller.send_command(AddTrial({"latent": 6}))
    panel.plot.go_on.click()
    wait(lambda: session.job.search is None and not panel.watch.found.can_go_on)
    assert [trial.state for trial in panel.watch.found.trials] == ["finished", "finished"]
    assert panel.watch.found.trials[1].config == {"latent": 6}
    assert panel.plot.facts.text() == "2 done · 0 of 2 to come · 1 of 2 configurations left"
    assert panel.plot.axes.model.lines.keys == ("1", "2")
    wait(lambda: panel.trial.pictures.isVisible())
    assert panel.trial.pictures.captions[0].text().endswith(" dB")


def order_of_one(window, **settings):
    """The form of a search for one small trial of two."""
    order = window.show_panel("search").order
    order.show_fixed("model:ae")
    order.editor.set_drafts(
        (
            DimensionDraft("latent", text="4, 6"),
            DimensionDraft("filters", text="4, 8"),
            DimensionDraft("epochs", text="1"),
        )
    )
    order.form.set_values({"trials": 1, **settings})
    order.name.setText("mine")
    return order


def test_search_on_a_cluster_is_finished_from_the_panel(window, wait):
    pytest.importorskip("distributed", reason="Dask is not installed: pip install -e '.[cluster]' -c constraints.txt")
    session, panel = window.desk.session, window.show_panel("search")
    order_of_one(window, cluster="local").start.click()
    wait(lambda: panel.watch.found is not None and not panel.watch.found.can_go_on)
    wait(lambda: session.job.search is None)
    assert [trial.state for trial in panel.watch.found.trials] == ["finished"]


def test_sweep_without_a_login_is_refused_with_the_way_that_needs_none(window, wait):
    order = order_of_one(window, tuner="wandb")
    assert "need a W&B login" in order.caution.text()
    order.start.click()
    panel = window.show_panel("search")
    wait(lambda: panel.plot.notice.text() != "")
    wait(lambda: window.desk.session.job.search is None)
    assert "A W&B sweep needs a W&B login, and there is none on this computer." in panel.plot.notice.text()
    assert "KerasTuner" in panel.plot.notice.text()
