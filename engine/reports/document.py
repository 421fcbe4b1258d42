"""A report as a list of sections, which is written as one HTML page or as PDF."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from engine.figures import html_page


@dataclass(frozen=True)
class TableBlock:
    """A table of plain texts.

    Args:
        head: a title for each column.
        rows: the texts.
        left: number of columns with words, which are aligned left.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: int = 1


@dataclass(frozen=True, eq=False)
class FigureBlock:
    """A figure with its caption."""

    figure: Figure
    caption: str


@dataclass(frozen=True)
class CodeBlock:
    """Lines of code, such as commands."""

    lines: Sequence[str]


Block = str | TableBlock | FigureBlock | CodeBlock


@dataclass(frozen=True, eq=False)
class ReportSection:
    """A section: a title, and paragraphs, tables, pictures and code. A warning stands out."""

    title: str
    blocks: Sequence[Block]
    is_warning: bool = False


@dataclass(frozen=True, eq=False)
class Report:
    """A report: a title, a lead below it, and sections."""

    title: str
    lead: str
    sections: Sequence[ReportSection]


def to_html(report: Report) -> str:
    """Return a report as one HTML page without external resources.

    Examples:
        >>> page = to_html(Report("One run", "On phantoms.", [ReportSection("Summary", ["PSNR 30.1 dB."])]))
        >>> "<h2>Summary</h2>" in page, "http" in page
        (True, False)
    """
    sections = [
        html_page.section(each.title, *map(_to_html, each.blocks), warning=each.is_warning) for each in report.sections
    ]
    return html_page.page(report.title, report.lead, sections)


def _to_html(block: Block) -> str:
    if isinstance(block, TableBlock):
        return html_page.table(block.head, block.rows, left=block.left)
    if isinstance(block, FigureBlock):
        return html_page.picture(block.figure, block.caption)
    if isinstance(block, CodeBlock):
        return html_page.code_block(block.lines)
    return html_page.paragraph(block)
