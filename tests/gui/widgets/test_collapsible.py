from PySide6.QtWidgets import QLabel, QVBoxLayout

from gui.widgets.collapsible import Collapsible


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
