"""study.html: the whole study on one page without external resources."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine import config
from engine.evaluation.interpretation import METRICS_NOTE, RECONSTRUCTION_WARNING
from engine.figures import html_page
from engine.formatting import format_source, quote
from engine.reproduction import published
from engine.reproduction.comparison import ComparedNumber
from engine.reproduction.evaluator import StudyResults
from engine.study_folder import StudyFolder

WHAT_HERE = (
    "'Here': validation images (held out of the training images), at the best epoch. 'Deduplicated test images': "
    "test images without an exact copy among the training and validation images. Only these show how a model "
    "does on unseen images."
)
Contents = Sequence[Mapping[str, Any]]


def html(study: StudyFolder, findings: StudyResults, contents: Contents, rows: Sequence[ComparedNumber]) -> str:
    """Return the page as HTML.

    Args:
        study: its folder, with the figures.
        findings: the results.
        contents: tables and figures, as study.json lists them.
        rows: the published numbers compared with ours.
    """
    entry = {each["key"]: each for each in contents}
    drawn = [each for each in contents if each["kind"] == "figure"]
    sections = [
        html_page.section("Read first", *map(html_page.paragraph, _caveats(findings)), warning=True),
        html_page.section("Published numbers and your results", _numbers(rows), html_page.paragraph(WHAT_HERE)),
        html_page.columns(*(_table(entry[f"table-{number}"]) for number in (1, 2))),
        html_page.columns(*(_table(entry[f"table-{number}"]) for number in (3, 4))),
        *(_figure(study.path, each) for each in drawn),
        *_unsearched(drawn, findings),
        _table(entry["splits"], html_page.paragraph(METRICS_NOTE)),
        _table(entry["runs"]),
        html_page.section("Numbering of the figures", html_page.paragraph(_mapping())),
        html_page.section("Settings and provenance", _origin(findings)),
        html_page.section("Reproduce", html_page.code_block(_commands(study, findings))),
    ]
    return html_page.page("Reproduction of the reference study", _lead(findings), sections)


def _lead(findings: StudyResults) -> str:
    data = findings.images.config
    source = "generated phantoms (no patient data)" if data.source == "phantom" else format_source(data.source)
    counts = ", ".join(f"{len(part):,} {name}" for name, part in findings.images.splits.items())
    return (
        "A reproduction of the reference study, a 2024 course report: an autoencoder (AE) and a variational "
        f"autoencoder (VAE) on {source}: {counts} images, {data.size} × {data.size} pixels. Every table and "
        "figure of the report from its search on, and next to each published number your result, the result on "
        "unseen test images, and an explanation of the differences."
    )


def _caveats(findings: StudyResults) -> list[str]:
    said = [RECONSTRUCTION_WARNING, *filter(None, [findings.images.patients.note])]
    if findings.chosen.quick:
        said.append(
            "Quick reproduction: only the reference study's best settings were trained, one run each. Nothing "
            "was searched, so this page does not show that these settings are the best."
        )
    changed = reduced_settings(findings)
    if changed:
        said.append(
            f"Differences from the reference study: {', '.join(changed)}. With these changes, the results cannot "
            "be compared with the published ones."
        )
    if findings.images.config.source == "phantom":
        said.append(
            "The images are phantoms, not those of the reference study; its numbers are shown only for orientation."
        )
    return said


def reduced_settings(findings: StudyResults) -> list[str]:
    """Return the settings that differ from the study's as texts; image source and hardware do not count."""
    flat = {model: config.to_flat(published.claim(model).best) for model in published.MODELS}
    neutral = set(config.DataConfig.model_fields) - {"size", "fit", "normalisation"} | {"backend", "threads", "seed"}
    titles = _titles()
    return [
        f"{titles[name].lower()} {_written(value)} instead of {_written(base[name])}"
        for base in (flat["ae"] | flat["vae"],)
        for name, value in _list_given_settings(findings).items()
        if name not in neutral and value != base[name]
    ]


def _list_given_settings(findings: StudyResults) -> dict[str, Any]:
    """Return the overriding settings with their values in a run."""
    flat: dict[str, Any] = {}
    for model in published.MODELS:
        flat |= config.to_flat(findings.best[model].trial.config)
    return {name: flat[name] for name in findings.settings if name in flat}


def _titles() -> dict[str, str]:
    kinds = [kind for model in published.MODELS for kind in config.sections(model).values()]
    return {spec.name: spec.title for kind in kinds for spec in config.list_fields(kind)}


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _numbers(rows: Sequence[ComparedNumber]) -> str:
    head = ["", "reference study", "here", "deduplicated test images", "explanation"]
    return html_page.table(head, [[row.title, row.published, row.ours, row.clean, row.why] for row in rows], prose=4)


def _table(entry: Mapping[str, Any], *after: str) -> str:
    return html_page.section(entry["title"], html_page.table(entry["head"], entry["rows"], left=entry["left"]), *after)


def _figure(folder: Path, entry: Mapping[str, Any]) -> str:
    return html_page.section(
        entry["title"], html_page.picture_from_png((folder / entry["files"]["png"]).read_bytes(), entry["caption"])
    )


def _unsearched(drawn: Contents, findings: StudyResults) -> list[str]:
    """Return a section that replaces the search plots that could not be drawn."""
    there = {each["key"] for each in drawn}
    missing = [number for number in (7, 8) if f"figure-{number:02d}" not in there]
    if not missing:
        return []
    reason = "nothing was searched" if findings.chosen.quick else "there are too few trials"
    names = " and ".join(f"Figure {number}" for number in missing)
    text = (
        f"Left out, because {reason}; see the table of runs. A full reproduction with at least five trials per "
        "model has these figures."
    )
    return [html_page.section(f"{names}. Search", html_page.paragraph(text))]


def _mapping() -> str:
    entry = "; ".join(f"{number} {title}" for number, title in published.load_published()["figures"].items())
    return (
        f"Our reading of the figure numbers in the reference study: {entry}. Figure 13 b, the break-even noise "
        "level, is not in the reference study. All figures are saved as PNG and PDF in 'figures', all tables as "
        "CSV and Markdown in 'tables'."
    )


def _origin(findings: StudyResults) -> str:
    bests = list(findings.best.values())
    origins = [best.trial.run.provenance for best in bests]
    flats = [config.to_flat(best.trial.config) for best in bests]
    rows = [[title, *(_written(flat.get(name, "–")) for flat in flats)] for name, title in _titles().items()]
    for name in dict.fromkeys(name for origin in origins for name in origin["versions"]):
        rows.append([f"{name} version", *(origin["versions"].get(name, "–") for origin in origins)])
    rows.append(["Device", *(origin["device"] for origin in origins)])
    rows.append(["Fingerprint of the images", *(origin["data"]["fingerprint"][:16] for origin in origins)])
    rows.append(["Run", *(best.trial.run.name for best in bests)])
    return html_page.table(["", *(model.upper() for model in findings.best)], rows, left=1 + len(bests))


def _commands(study: StudyFolder, findings: StudyResults) -> list[str]:
    """Return the commands that make the study again, without the paths of this computer."""
    words = ["python -m engine study --out", quote(study.path.name)]
    words += ["--quick"] if findings.chosen.quick else []
    if not findings.chosen.quick:
        words += ["--trials-ae", str(findings.chosen.trials_ae), "--trials-vae", str(findings.chosen.trials_vae)]
    for name, value in findings.settings.items():
        words += _option(name, value)
    again = " ".join(words)
    folder = Path(study.path.name) / study.runs.name
    names = [best.trial.run.name for best in findings.best.values()]
    return [again, *(f"python -m engine evaluate {name} --runs {quote(folder.as_posix())}" for name in names)]


def _option(name: str, value: Any) -> list[str]:
    if name == "source":
        return ["--data", format_source(str(value))]
    option = config.option_name(name)
    if name == "groups":
        return [option, format_source(str(value))]
    if isinstance(value, bool):
        return [option if value else option.replace("--", "--no-")]
    return [option, ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)]
