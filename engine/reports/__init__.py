"""Reports on one's own work: runs, one image, or a search, as one HTML page or as PDF.

found = run_report.examine_runs([runs.open_run("first-ae")])
write_report(run_report.describe_runs(found, "First run", "", []), Path("first-ae.pdf"))
"""

from pathlib import Path
from typing import Final

from engine.durable import write_output
from engine.errors import ConfigError
from engine.reports import pdf
from engine.reports.document import Report, to_html

SUFFIXES: Final = (".html", ".pdf")


def check_path(path: Path) -> None:
    """Check that a report can have this name.

    Raises:
        ConfigError: its suffix is neither .html nor .pdf.
    """
    if path.suffix.casefold() not in SUFFIXES:
        raise ConfigError(f"'{path.name}' is no name for a report.", "Let it end with .html or .pdf.")


def write_report(report: Report, path: Path) -> None:
    """Write a report as an HTML page or as PDF, by the suffix of the file.

    Raises:
        ConfigError: the suffix is another one.
        OSError: the file cannot be written.
    """
    check_path(path)
    is_pdf = path.suffix.casefold() == ".pdf"
    write_output(path, pdf.to_pdf(report) if is_pdf else to_html(report).encode(errors="replace"))
