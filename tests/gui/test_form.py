"""The form: every kind of setting, wrong values, defaults, undo."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QUndoStack
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QVBoxLayout

from engine import config
from engine.config import DataConfig, TrainingConfig, VariationalConfig
from gui.field_editors import CheckEditor, ChoiceEditor, LineEditor, step_value
from gui.form import Collapsible, Form, find_problems

SPECS = config.list_fields(VariationalConfig) + config.list_fields(TrainingConfig)


def check(values):
    return config.from_flat({**values, "model": "vae"})


@pytest.fixture
def undo(qtbot):
    return QUndoStack()


@pytest.fixture
def form(qtbot, undo):
    made = Form(SPECS, undo, check)
    qtbot.addWidget(made)
    made.show()
    return made


def type_into(editor, text):
    editor.setFocus()
    editor.selectAll()
    QTest.keyClicks(editor, text)


def test_every_field_has_the_right_editor_and_shows_its_default(form):
    kinds = {"choice": ChoiceEditor, "bool": CheckEditor}
    for spec in SPECS:
        editor = form.rows[spec.name].editor
        assert type(editor) is kinds.get(spec.kind, LineEditor)
        assert editor.value() == spec.default
        assert editor.accessibleName() == spec.title
        assert spec.help in editor.toolTip()


def test_config_goes_into_the_form_and_comes_out_the_same(form):
    wanted = config.from_flat(
        {"model": "vae", "latent": 7, "filters": (4, 8), "beta": 0.25, "learning_rate": 3e-6, "backend": "jax"}
    )
    form.set_values(config.to_flat(wanted))
    assert check(form.values()) == wanted


def test_logarithmic_number_is_typed_as_people_write_it_and_stays_as_typed(form):
    type_into(form.rows["learning_rate"].editor, "5e-4")
    assert form.values()["learning_rate"] == 5e-4
    assert form.rows["learning_rate"].editor.text() == "5e-4"
    type_into(form.rows["learning_rate"].editor, "0,001")
    assert form.values()["learning_rate"] == 1e-3


def test_wrong_value_is_explained_beside_its_field_and_nothing_else_is(form):
    type_into(form.rows["latent"].editor, "99999")
    assert "from 1 to 16,384" in form.rows["latent"].problem.text()
    assert "--latent" not in form.rows["latent"].problem.text()
    assert form.rows["latent"].problem.isVisible()
    assert not form.is_valid()
    assert [name for name, row in form.rows.items() if row.problem.text()] == ["latent"]
    type_into(form.rows["epochs"].editor, "many")
    assert "whole number" in form.rows["epochs"].problem.text()
    assert form.rows["latent"].problem.text()
    type_into(form.rows["latent"].editor, "64")
    type_into(form.rows["epochs"].editor, "3")
    assert form.is_valid()


def test_wrong_advanced_value_unfolds_its_field(form):
    assert not form.rows["kernel_size"].editor.isVisible()
    form.change_values({"kernel_size": 99})
    assert form.rows["kernel_size"].problem.isVisible()


def test_folded_settings_say_how_many_of_them_are_set(form):
    titles = {title: fold.button for title, fold in form.folds.items()}
    assert list(titles) == ["Layers and loss", "Optimizer and machine"]
    form.change_values({"kernel_size": 5, "norm": "none", "ema": 0.9})
    assert titles["Layers and loss"].text() == "Layers and loss · 2 changed"
    assert titles["Optimizer and machine"].text() == "Optimizer and machine · 1 changed"
    assert not form.rows["ema"].editor.isVisible()
    titles["Optimizer and machine"].click()
    assert form.rows["ema"].editor.isVisible()
    assert not form.rows["norm"].editor.isVisible()


def test_settings_that_do_not_fit_each_other_blame_no_single_field():
    data = {"size": 100, "phantom_count": 60}
    alone, together = find_problems(data, lambda values: config.from_flat({**values, "filters": (4, 8, 16)}))
    assert alone == {"size": "Size 100 cannot be halved 3 times; use 96 or 104."}
    assert together == ""
    alone, together = find_problems(
        {"filters": (4, 8, 16)},
        lambda values: config.from_flat(values, config.from_flat({"size": 36, "filters": (4,)})),
    )
    assert "36" in (together or alone["filters"])


def test_typing_is_undone_as_one_step_and_redone(form, undo):
    type_into(form.rows["latent"].editor, "77")
    type_into(form.rows["epochs"].editor, "5")
    assert (form.values()["latent"], form.values()["epochs"]) == (77, 5)
    undo.undo()
    assert (form.values()["latent"], form.values()["epochs"]) == (77, 40)
    undo.undo()
    assert form.values()["latent"] == 512
    undo.redo()
    assert form.values()["latent"] == 77


def test_second_visit_to_a_field_is_a_step_of_its_own(form, undo):
    type_into(form.rows["latent"].editor, "77")
    form.rows["epochs"].editor.setFocus()
    type_into(form.rows["latent"].editor, "88")
    undo.undo()
    assert form.values()["latent"] == 77


def test_undo_key_in_a_field_is_left_to_the_window(form):
    editor = form.rows["latent"].editor
    type_into(editor, "77")
    QTest.keyClick(editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert editor.text() == "77"


def test_double_click_on_a_name_brings_the_default_back(form, undo):
    type_into(form.rows["latent"].editor, "77")
    QTest.mouseDClick(form.rows["latent"].label, Qt.MouseButton.LeftButton)
    assert form.values()["latent"] == 512
    undo.undo()
    assert form.values()["latent"] == 77


def test_choice_and_check_are_undone_too(form, undo):
    box = form.rows["backend"].editor
    box.setCurrentIndex(box.findData("jax"))
    box.activated.emit(box.currentIndex())
    form.rows["deterministic"].editor.click()
    assert (form.values()["backend"], form.values()["deterministic"]) == ("jax", False)
    undo.undo()
    undo.undo()
    assert (form.values()["backend"], form.values()["deterministic"]) == ("tensorflow", True)


def test_wheel_over_a_choice_that_has_no_focus_changes_nothing(form, qtbot):
    from PySide6.QtCore import QPoint, QPointF
    from PySide6.QtGui import QWheelEvent
    from PySide6.QtWidgets import QApplication

    box = form.rows["backend"].editor
    form.rows["latent"].editor.setFocus()
    place = QPointF(5, 5)
    phase, none = Qt.ScrollPhase.NoScrollPhase, Qt.MouseButton.NoButton
    event = QWheelEvent(place, place, QPoint(), QPoint(0, -120), none, Qt.KeyboardModifier.NoModifier, phase, False)
    QApplication.sendEvent(box, event)
    assert box.value() == "tensorflow"


def test_arrow_keys_step_a_number_within_its_range(form):
    editor = form.rows["latent"].editor
    QTest.keyClick(editor, Qt.Key.Key_Up)
    assert editor.value() == 513
    QTest.keyClick(editor, Qt.Key.Key_PageDown)
    assert editor.value() == 503
    specs = {spec.name: spec for spec in SPECS}
    assert step_value(specs["latent"], 1, -1) == 1
    assert step_value(specs["learning_rate"], 1e-3, 10) == 1e-2
    assert step_value(specs["latent"], "abc", 1) is None


def test_fields_that_say_nothing_are_hidden(qtbot, undo):
    form = Form(config.list_fields(DataConfig), undo, config.from_flat)
    qtbot.addWidget(form)
    form.show()
    form.show_only(["source", "size"])
    assert form.rows["size"].editor.isVisible()
    assert not form.rows["phantom_count"].editor.isVisible()
    assert not form.rows["phantom_count"].label.isVisible()


def test_fold_hides_its_body_until_its_title_is_clicked(qtbot):
    fold = Collapsible("Details")
    inside = QLabel("inside")
    QVBoxLayout(fold.body).addWidget(inside)
    qtbot.addWidget(fold)
    fold.show()
    assert not inside.isVisible()
    fold.button.click()
    assert inside.isVisible()
    assert fold.is_open()
    fold.button.click()
    assert not inside.isVisible()


def test_fold_says_how_much_inside_is_set(qtbot):
    fold = Collapsible("Details")
    qtbot.addWidget(fold)
    fold.set_changed(2)
    assert fold.button.text() == "Details · 2 changed"
    fold.set_changed(0)
    assert fold.button.text() == "Details"
