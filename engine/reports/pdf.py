"""A report as PDF, on A4, dark text on white paper."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

import matplotlib
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Image, KeepTogether, Paragraph, Preformatted, SimpleDocTemplate, Spacer, TableStyle
from reportlab.platypus import Table as PdfTable

from engine.figures import DISCLAIMER, base
from engine.formatting import make_printable
from engine.reports.document import Block, CodeBlock, FigureBlock, Report, ReportSection, TableBlock

MARGIN: Final = 18 * mm
WIDTH: Final = A4[0] - 2 * MARGIN
HEIGHT: Final = A4[1] - 2 * MARGIN - 60 * mm
WORDS, BOLD, MONO = "DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono"  # they come with Matplotlib
MAX_COLUMNS: Final = 8  # of one table; a wider one is broken below itself
CODE_LETTERS: Final = 88
QUIET, LINE, WARNING = colors.HexColor("#555555"), colors.HexColor("#bbbbbb"), colors.HexColor("#fff3e0")
TEXT: Final = ParagraphStyle("text", fontName=WORDS, fontSize=9, leading=13, spaceAfter=5)
LEAD: Final = ParagraphStyle("lead", TEXT, textColor=QUIET, spaceAfter=10)
TITLE: Final = ParagraphStyle("title", fontName=BOLD, fontSize=17, leading=22, spaceAfter=6)
HEADING: Final = ParagraphStyle("heading", fontName=BOLD, fontSize=11, leading=15, spaceBefore=10, spaceAfter=5)
CAPTION: Final = ParagraphStyle("caption", TEXT, fontSize=7.5, leading=10, textColor=QUIET, spaceAfter=6)
CODE: Final = ParagraphStyle("code", fontName=MONO, fontSize=7, leading=10, spaceAfter=5)
CELL: Final = ParagraphStyle("cell", fontName=WORDS, fontSize=6.8, leading=8.6)
NUMBER: Final = ParagraphStyle("number", CELL, alignment=2)
WARN: Final = ParagraphStyle("warning", TEXT, backColor=WARNING, borderPadding=(3, 5, 3, 5), spaceAfter=9)


def to_pdf(report: Report) -> bytes:
    """Return a report as a PDF file; without a date, so that the same report gives the same file."""
    _register_fonts()
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=MARGIN,
        title=make_printable(report.title), author="Engram", subject=DISCLAIMER, invariant=1,
    )  # fmt: skip
    parts: list[Any] = [_paragraph(report.title, TITLE), _paragraph(report.lead, LEAD)]
    for section in report.sections:
        parts += _flow(section)
    document.build(parts, onFirstPage=_draw_footer, onLaterPages=_draw_footer)
    return file.getvalue()


def _register_fonts() -> None:
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name in (WORDS, BOLD, MONO):
        if name not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))


def _draw_footer(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont(WORDS, 7)
    canvas.setFillColor(QUIET)
    canvas.drawString(MARGIN, 10 * mm, f"Engram. {DISCLAIMER}")
    canvas.drawRightString(A4[0] - MARGIN, 10 * mm, f"Page {document.page}")


def _flow(section: ReportSection) -> Iterator[Any]:
    """Yield the parts of a section; its heading stays with its first block, and a picture with its caption."""
    heading = [_paragraph(section.title, HEADING)]
    for block in section.blocks:
        parts = [*heading, *_convert(block, WARN if section.is_warning else TEXT)]
        whole = len(parts) if isinstance(block, FigureBlock) else len(heading) + 1
        yield KeepTogether(parts[:whole])
        yield from parts[whole:]
        heading = []


def _convert(block: Block, style: ParagraphStyle) -> list[Any]:
    if isinstance(block, FigureBlock):
        return [_image(block), _paragraph(block.caption, CAPTION)]
    if isinstance(block, TableBlock):
        return [part for piece in split_columns(block) for part in (_table(piece), Spacer(1, 6))]
    if isinstance(block, CodeBlock):
        return [Preformatted(make_printable("\n".join(block.lines)), CODE, maxLineLength=CODE_LETTERS)]
    return [_paragraph(block, style)]


def split_columns(table: TableBlock) -> list[TableBlock]:
    """Return a table that is too wide as several, each with the columns of words.

    Examples:
        >>> wide = TableBlock(["run", *"abcdefghij"], [["ae", *map(str, range(10))]])
        >>> [len(each.head) for each in split_columns(wide)]
        [8, 4]
    """
    words = min(table.left, 2)
    room = MAX_COLUMNS - words
    starts = range(words, len(table.head), room)
    if len(starts) < 2:
        return [table]

    def cut(row: Sequence[str], start: int) -> list[str]:
        return [*row[:words], *row[start : start + room]]

    left = [max(words, min(table.left - start + words, MAX_COLUMNS)) for start in starts]
    return [
        TableBlock(cut(table.head, start), [cut(row, start) for row in table.rows], count)
        for start, count in zip(starts, left, strict=True)
    ]


def _table(table: TableBlock) -> PdfTable:
    def line(row: Sequence[str]) -> list[Paragraph]:
        return [_paragraph(text, CELL if number < table.left else NUMBER) for number, text in enumerate(row)]

    rows = [line(row) for row in ([table.head] if any(table.head) else []) + [*table.rows]]
    style = [("LINEBELOW", (0, 0), (-1, -1), 0.4, LINE), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    shares = _share_width(table)
    made = PdfTable(rows, [share * WIDTH for share in shares], repeatRows=int(any(table.head)))
    made.setStyle(TableStyle([*style, ("LEFTPADDING", (0, 0), (-1, -1), 2), ("RIGHTPADDING", (0, 0), (-1, -1), 4)]))
    return made


def _share_width(table: TableBlock) -> list[float]:
    """Return the share of the width for each column, by its longest text within limits."""
    longest = [max(len(text) for text in column) for column in zip(table.head, *table.rows, strict=True)]
    weights = [min(max(length, 6), 26) for length in longest]
    return [weight / sum(weights) for weight in weights]


def _image(block: FigureBlock) -> Image:
    width, height = block.figure.get_size_inches() * 72
    scale = min(WIDTH / width, HEIGHT / height, 1.0)
    with base.light(block.figure):
        content = base.png(block.figure)
    return Image(io.BytesIO(content), width * scale, height * scale)


def _paragraph(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(make_printable(text)), style)
