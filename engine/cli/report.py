"""`report`: write a report on runs, one image or a search."""

import sys
from argparse import Namespace

from engine.cli.analysis_options import denoise_config
from engine.cli.console import CommandResult, ConsoleProgress
from engine.denoising import baselines
from engine.errors import ConfigError
from engine.job_context import JobContext
from engine.messages.figures import WriteReport
from engine.reports.writer import answer_report


def run(options: Namespace) -> CommandResult:
    """Write the report and say where it is."""
    if options.search and (options.names or options.image):
        raise ConfigError("A report is on a search, or on runs, not on both.", "Leave out --search or the others.")
    request = WriteReport(
        panel="report", path=str(options.out), runs=tuple(options.names), search=options.search,
        root=str(options.runs or ""), scan=options.image, slice=options.slice, volume=options.volume, roi=options.roi,
        against=tuple(baselines.parse_names(options.against)), settings=denoise_config(options),
    )  # fmt: skip
    context = JobContext(on_progress=ConsoleProgress(sys.stderr).update)
    reply = answer_report(request, context)
    return CommandResult(f"The report is {reply.path}", {"report": reply.path})
