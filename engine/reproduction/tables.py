"""Tables 1 to 4 of the study, its runs, and its metrics: as texts, CSV and Markdown."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine import config, runs
from engine.evaluation import references
from engine.evaluation.interpretation import NUMBERS
from engine.figures import DISCLAIMER
from engine.reproduction import published
from engine.reproduction.evaluator import StudyResults
from engine.reproduction.trials import StudyRun, ranked
from engine.search import statistics
from engine.study_folder import StudyFolder

THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(\D|$))")
NOTHING = "–"


@dataclass(frozen=True)
class StudyTable:
    """A table of texts; the first `left` columns are words, the others numbers.

    Args:
        key: name of its files.
        title: its title.
        head: a title for each column.
        left: number of columns with words.
        left: how many columns are words.
    """

    key: str
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1

    def csv(self) -> str:
        """Format the table for programs: no thousands separators, an empty cell if there is no number."""
        text = io.StringIO(newline="")
        text.write(f"# {self.title}. {DISCLAIMER}\n")
        writer = csv.writer(text)
        writer.writerow(self.head)
        writer.writerows([["" if each == NOTHING else THOUSANDS.sub("", each) for each in row] for row in self.rows])
        return text.getvalue()

    def markdown(self) -> str:
        """Format the table for people and repositories."""
        rules = ["---" if column < self.left else "---:" for column in range(len(self.head))]
        lines = [self.head, rules, *([each.replace("|", "\\|") for each in row] for row in self.rows)]
        body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"### {self.title}\n\n{body}\n\n*{DISCLAIMER}*\n"

    def write(self, study: StudyFolder) -> dict[str, Any]:
        """Write both files; return its entry in study.json."""
        study.tables.mkdir(exist_ok=True)
        files = {"csv": f"{self.key}.csv", "md": f"{self.key}.md"}
        runs.write_text_atomic(study.tables / files["csv"], self.csv())
        runs.write_text_atomic(study.tables / files["md"], self.markdown())
        return {
            "kind": "table",
            "key": self.key,
            "title": self.title,
            "head": list(self.head),
            "rows": [list(row) for row in self.rows],
            "left": self.left,
            "files": {kind: f"tables/{name}" for kind, name in files.items()},
        }


def tables(findings: StudyResults) -> list[StudyTable]:
    """Return Tables 1 to 4, then the runs and the metrics of every split."""
    return [
        _space(1, "ae", findings),
        _space(2, "vae", findings),
        _best(3, "ae", findings),
        _best(4, "vae", findings),
        runs_table(findings.trials),
        splits_table(findings),
    ]


def setting_title(name: str) -> str:
    """Return the title of a setting in the app."""
    kinds = [kind for model in published.MODELS for kind in config.sections(model).values()]
    return {spec.name: spec.title for kind in kinds for spec in config.list_fields(kind)}[name]


def _space(number: int, model: str, findings: StudyResults) -> StudyTable:
    searched = findings.searches.get(model)
    varied = searched.space.to_dict() if searched else {}
    claimed = published.claim(model).space.to_dict()
    rows = []
    for name, published_value in claimed.items():
        here = f"{findings.best[model].trial.point[name]:g}, not searched"
        if name in varied:
            here = "as in the reference study" if varied[name] == published_value else format_choices(varied[name])
        rows.append([setting_title(name), format_choices(published_value), here])
    rows += [
        [setting_title(name), NOTHING, format_choices(values)] for name, values in varied.items() if name not in claimed
    ]
    return StudyTable(
        f"table-{number}", published.table_title(number), ["Setting", "Reference study", "Here"], rows, left=3
    )


def format_choices(values: Any) -> str:
    """Format the possible values of a setting in a space."""
    if isinstance(values, dict) and "low" in values:
        return f"{values['low']:g} to {values['high']:g}"
    listed = values["values"] if isinstance(values, dict) else values
    return ", ".join(
        f"{value:g}" if isinstance(value, int | float) else statistics.format_value(value) for value in listed
    )


def _best(number: int, model: str, findings: StudyResults) -> StudyTable:
    claim, trial = published.claim(model), findings.best[model].trial
    published_value = config.to_flat(claim.best)
    rows = [[setting_title(name), f"{published_value[name]:g}", f"{value:g}"] for name, value in trial.point.items()]
    if model == "ae":
        rows.append(["Loss: mean squared error", f"{claim.loss:.6f}", f"{trial.loss:.6f}"])
    else:
        size = trial.config.training.batch_size
        rows.append(["Loss: nats summed over a batch", f"{claim.loss:,.2f}", f"{trial.loss * size:,.2f}"])
        rows.append(["Loss: nats per image", f"{claim.nats_per_image:,.2f}", f"{trial.loss:,.2f}"])
    rows.append(["Best epoch", NOTHING, f"{trial.best['epoch']:g}"])
    return StudyTable(f"table-{number}", published.table_title(number), ["Setting", "Reference study", "Here"], rows)


def runs_table(trials: Sequence[StudyRun]) -> StudyTable:
    """Return the table of all runs, the best of each model first, those without a score last."""
    scored = [each for model in published.MODELS for each in ranked(trials, model)]
    others = [each for each in trials if each not in scored]
    names = published.claim("ae").space.names
    head = ["Run", "Model", "State", *map(setting_title, names), "Best epoch", "Validation loss", "Unit"]
    rows = [
        [
            each.run.name,
            each.model.upper(),
            each.state,
            *(f"{each.point[name]:g}" for name in names),
            f"{each.best['epoch']:g}" if each.best else NOTHING,
            _loss(each),
            each.config.model.loss_unit or "MSE",
        ]
        for each in [*scored, *others]
    ]
    return StudyTable("runs", "Runs", head, rows, left=3)


def _loss(trial: StudyRun) -> str:
    if not trial.best:
        return NOTHING
    return f"{trial.loss:,.2f}" if trial.config.model.loss_unit else f"{trial.loss:.6f}"


def splits_table(findings: StudyResults) -> StudyTable:
    """Return the table of the best models' metrics, split by split."""
    rows = [
        [model.upper(), split.replace("_", " "), *_numbers(numbers)]
        for model, best in findings.best.items()
        for split, numbers in best.measured.items()
    ]
    rows += [
        [references.title(numbers["components"]), split.replace("_", " "), *_numbers(numbers)]
        for split, numbers in findings.linear.items()
    ]
    head = ["Model", "Split", *(title for title, _ in NUMBERS.values()), "PSNR, 95% CI over patients"]
    return StudyTable("splits", "Best models on every split", head, rows, left=2)


def _numbers(numbers: Any) -> list[str]:
    """Format the metrics of a split; entropy floor and batch sum need a loss in nats."""
    plain = {**numbers} if numbers.get("nats_per_image") is not None else {**numbers, "entropy_floor_nats": None}
    limits = numbers.get("psnr_db_patient_interval")
    reach = "{:.1f} to {:.1f}".format(*limits) if limits else NOTHING
    return [*(_number(plain, key, form) for key, (_, form) in NUMBERS.items()), reach]


def _number(numbers: Any, key: str, form: str) -> str:
    value = numbers.get(key)
    return NOTHING if value is None else f"{value:{form}}"
