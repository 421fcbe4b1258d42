"""Report on a search: its space, its trials by score, and which settings mattered."""

from collections.abc import Sequence
from typing import Final

from engine.config import model_title
from engine.errors import SearchError
from engine.evaluation.interpretation import RECONSTRUCTION_WARNING
from engine.formatting import format_number, format_source
from engine.reports.document import Block, CodeBlock, FigureBlock, Report, ReportSection, TableBlock
from engine.reproduction.figures import draw_search_of
from engine.reproduction.trials import SearchSummary
from engine.search import search_spec, statistics
from engine.search.folder import SearchFolder
from engine.search.search_spec import SearchSpec
from engine.search.storage import Trial

CAPTION: Final = (
    "Each line is one of {count} trials, from its settings to its lowest validation loss; the best is the brightest. "
    "At the right, the effect of each setting from its lowest to its highest value, with a 95% interval, where there "
    "are enough trials."
)
CAUTION: Final = (
    "The best trial was chosen by its validation loss, so this loss is too good. Judge its model by images that were "
    "not used for the choice: evaluate its run."
)
FEWEST: Final = 2


def describe_search(search: SearchFolder, advice: Sequence[str]) -> Report:
    """Return the report on a search.

    Args:
        search: the search; it may still be running.
        advice: commands for the next steps.

    Raises:
        SearchDamaged: its database cannot be read.
        SearchError: no trial has a score yet.
    """
    with search.open_storage() as ledger:
        plan, trials = search_spec.spec_from_attrs(ledger), ledger.trials()
    scored = sorted((each for each in trials if each.score is not None), key=_score)
    if not scored:
        raise SearchError(f"Search '{search.name}' has no trial with a score yet.", "Wait until one has ended.")
    data, model = plan.base.data, plan.base.model
    lead = (
        f"{len(trials)} trials of {model_title(model.model)} on {format_source(data.source)}, {data.size} × "
        f"{data.size} pixels; {plan.settings.algorithm}, compared by the lowest validation loss per image."
    )
    return Report(
        f"Search {search.name}",
        lead,
        [
            ReportSection("Read first", [RECONSTRUCTION_WARNING, CAUTION], is_warning=True),
            ReportSection("Best trial", [_describe_best(scored[0], model.loss_unit)]),
            ReportSection("Trials and settings", _draw(plan, scored)),
            ReportSection("Trials by score", [_list_trials(scored, plan, trials)]),
            ReportSection("Search space", [TableBlock(["setting", "values"], _list_space(plan), left=2)]),
            ReportSection("Next steps", [CodeBlock(advice)]),
        ],
    )


def _score(trial: Trial) -> float:
    return trial.score if trial.score is not None else float("inf")


def _describe_best(best: Trial, unit: str) -> str:
    loss = f"{format_number(best.score)} {unit}".strip()
    return f"Trial {best.number} ({best.run}): {statistics.format_values(best.config)}. Validation loss {loss}."


def _draw(plan: SearchSpec, scored: Sequence[Trial]) -> list[Block]:
    if len(scored) < FEWEST:
        return ["One trial alone shows no effect of the settings."]
    by_number = sorted(scored, key=lambda trial: trial.number)
    summary = SearchSummary(plan.space, plan.settings, [(trial.config, _score(trial)) for trial in by_number])
    unit = "validation nats" if plan.base.model.loss_unit else "validation MSE"
    return [FigureBlock(draw_search_of(summary, unit), CAPTION.format(count=len(scored)))]


def _list_trials(scored: Sequence[Trial], plan: SearchSpec, trials: Sequence[Trial]) -> TableBlock:
    names = plan.space.names
    others = [each for each in trials if each.score is None]
    rows = [
        [str(trial.number), trial.state]
        + [statistics.format_value(trial.config[name]) if name in trial.config else "–" for name in names]
        + [str(trial.epochs), format_number(trial.score)]
        for trial in (*scored, *others)
    ]
    return TableBlock(
        ["trial", "state", *(name.replace("_", " ") for name in names), "epochs", "validation loss"], rows, 2
    )


def _list_space(plan: SearchSpec) -> list[list[str]]:
    rows = []
    for name, values in plan.space.to_dict().items():
        known = values if isinstance(values, dict) else {"values": values}
        inside = known.get("values")
        text = ", ".join(map(statistics.format_value, inside)) if inside is not None else _format_range(known)
        rows.append([name.replace("_", " "), text])
    return rows


def _format_range(known: dict[str, object]) -> str:
    scale = ", logarithmic" if known.get("log") else ""
    return f"{known.get('low')} to {known.get('high')}{scale}"
