"""Writing of a report on request of the app or of the command line."""

from pathlib import Path
from typing import Final

from engine import runs
from engine.denoising import compare
from engine.denoising.compare import CompareRequest
from engine.errors import ConfigError
from engine.formatting import quote
from engine.job_context import UNATTENDED, JobContext
from engine.messages.figures import WriteReport, WriteReportReply
from engine.reports import case_report, check_path, run_report, search_report, write_report
from engine.reports.document import Report
from engine.search.folder import open_search

PROGRAM: Final = "engram"


def answer_report(request: WriteReport, context: JobContext = UNATTENDED) -> WriteReportReply:
    """Write a report.

    Raises:
        EngramError: the path, a run, the image or the search cannot be used.
        OSError: the file cannot be written.
        Cancelled: the caller asked to stop; nothing was written.
    """
    path = Path(request.path).expanduser()
    check_path(path)
    report = _describe(request, context)
    context.check()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_report(report, path)
    return WriteReportReply(path=str(path.absolute()))


def _describe(request: WriteReport, context: JobContext) -> Report:
    if request.search:
        return _describe_search(request)
    opened = [runs.open_run(name, request.root or None) for name in dict.fromkeys(request.runs)]
    if not opened:
        raise ConfigError("There is nothing to report on.", "Give runs, or a search.")
    if request.scan:
        return _describe_case(request, opened[0], context)
    names = [run.name for run in opened]
    title = f"Run {names[0]}" if len(names) == 1 else f"Comparison of {len(names)} runs"
    advice = [quote(PROGRAM, "evaluate", name) for name in names]
    advice += [quote(PROGRAM, "train", "--config", name, "--run", f"{name}-again") for name in names]
    return run_report.describe_runs(run_report.examine_runs(opened, context), title, ", ".join(names), advice)


def _describe_case(request: WriteReport, run: runs.Run, context: JobContext) -> Report:
    settings = request.settings
    order = CompareRequest(run, request.scan, settings, request.slice, request.roi, request.against, request.volume)
    found = compare.compare_methods(order, context)
    words = [PROGRAM, "denoise", run.name, "IMAGE", "--noise", settings.noise, "--sigma", f"{settings.sigma:g}"]
    words += ["--seed", str(settings.seed), "--rim", str(settings.rim)]
    given = {"--slice": found.index if len(found.scan) > 1 else None, "--volume": request.volume}
    words += [str(word) for option, value in given.items() if value is not None for word in (option, value)]
    words += ["--roi", request.roi] if request.roi else []
    words += ["--against", ",".join(request.against)] if request.against else []
    return case_report.describe_case(found, run, settings, quote(*words, "--out", "DIR"))


def _describe_search(request: WriteReport) -> Report:
    search = open_search(request.search, request.root or None)
    advice = [f"{PROGRAM} trials {search.name}", f"{PROGRAM} search --name {search.name}"]
    return search_report.describe_search(search, advice)
