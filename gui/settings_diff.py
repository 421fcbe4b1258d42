"""Dialog that shows in which settings runs differ."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from engine import config as settings
from gui.formatting import format_number
from gui.run_record import RunRecord
from gui.widgets.labels import elide_middle, label
from gui.widgets.text_table import TextTable

WIDTH_PX, HEIGHT_PX, MOST_LETTERS = 620, 420, 28
SAME = "These runs have the same settings."
ABSENT = "—"


class SettingsDiff(QDialog):
    """Table of settings, one column for each run; it shows those that differ, or all."""

    def __init__(self, records: Sequence[RunRecord], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Compare settings")
        self._records = [record for record in records if record.config is not None]
        self.table, self.all = TextTable(), QCheckBox("Show settings that are equal too")
        self._same = label(SAME, role="quiet")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 14)
        for part in (self._same, self.table, self.all, buttons):
            column.addWidget(part)
        self.table.setAccessibleName("settings of the runs")
        self.all.toggled.connect(self._show)
        self.resize(WIDTH_PX, HEIGHT_PX)
        self._show()

    def _show(self) -> None:
        rows = compare_settings(self._records, self.all.isChecked())
        names = [elide_middle(record.name, MOST_LETTERS) for record in self._records]
        self.table.show_rows(["Setting", *names], rows, left=1)
        self._same.setVisible(not rows)


def compare_settings(records: Sequence[RunRecord], with_equal: bool = False) -> list[list[str]]:
    """Return title and values of the settings in which runs differ, or of all settings."""
    flat = [settings.to_flat(record.config) for record in records if record.config]
    names = dict.fromkeys(name for values in flat for name in values)
    titles = {
        spec.name: spec.title
        for model in settings.MODELS
        for part in settings.sections(model).values()
        for spec in settings.list_fields(part)
    }
    rows = [(name, [values.get(name) for values in flat]) for name in names]
    return [
        [titles.get(name, name.capitalize()), *map(_format_value, values)]
        for name, values in rows
        if with_equal or any(value != values[0] for value in values)
    ]


def _format_value(value: Any) -> str:
    if value is None or value == "":
        return ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return format_number(value) if isinstance(value, int | float) else str(value)
