"""One self-contained HTML file: style and images are embedded, nothing is fetched."""

import base64
from collections.abc import Sequence
from html import escape
from string import Template

from matplotlib.figure import Figure

from engine import colors
from engine.figures import DISCLAIMER, base

PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Engram">
<title>$title</title>
<style>
$style</style>
</head>
<body>
<header><b>Engram</b><span class="mark">$mark</span></header>
<main>
<h1>$title</h1>
<p class="lead">$lead</p>
$sections
</main>
<footer>$mark</footer>
</body>
</html>
""")

STYLE = Template("""\
:root { color-scheme: dark; --background: $background; --card: $card; --field: $field; --line: $line;
  --text: $text; --heading: #fff; --quiet: $quiet; --link: $accent;
  --warning-card: $warning_card; --warning-text: $warning_text; --warning-line: $warning_text; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--background); color: var(--text);
  font: 14px/1.55 system-ui, "DejaVu Sans", sans-serif; }
header { display: flex; justify-content: space-between; align-items: center; padding: 10px 24px;
  background: var(--card); border-bottom: 1px solid var(--line); }
.mark { border: 1px solid var(--line); border-radius: 999px; padding: 2px 12px;
  color: var(--quiet); font-size: 13px; }
main { max-width: 1120px; margin: 0 auto; padding: 14px 24px 40px; }
h1 { font-size: 24px; margin: 20px 0 4px; color: var(--heading); }
h2 { font-size: 15px; margin: 0 0 8px; color: var(--heading); }
p { margin: 0 0 10px; max-width: 85ch; }
section p:last-child { margin: 0; }
.lead { color: var(--quiet); margin-bottom: 18px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 16px 18px;
  margin: 0 0 14px; }
.warning { background: var(--warning-card); border-color: var(--warning-line); color: var(--warning-text); }
.warning h2 { color: var(--warning-text); }
figure { margin: 0; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
figcaption { color: var(--quiet); font-size: 13px; margin-top: 6px; max-width: 95ch; }
a { color: var(--link); }
.scroll { overflow-x: auto; margin-bottom: 10px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { padding: 4px 10px 5px 0; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { color: var(--quiet); font-weight: 600; }
th.left, td.left { text-align: left; }
td.left { white-space: normal; overflow-wrap: anywhere; }
th.prose, td.prose { text-align: left; padding-left: 14px; }
td.prose { white-space: normal; color: var(--quiet); width: 55%; min-width: 38ch; }
td.name { text-align: left; white-space: normal; min-width: 17ch; }
table.explained td { vertical-align: top; }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(400px, 1fr)); gap: 14px; }
.beside section { margin: 0; }
main > .beside { margin-bottom: 14px; }
pre { background: var(--field); border: 1px solid var(--line); border-radius: 8px; padding: 10px 12px;
  overflow-x: auto; margin: 0; }
footer { text-align: center; color: var(--quiet); padding: 0 0 24px; font-size: 13px; }
@media print {
:root { color-scheme: light; --background: #fff; --card: #fff; --field: #fff; --line: #bbb;
  --text: #000; --heading: #000; --quiet: #000; --link: #000;
  --warning-card: #fff; --warning-text: #000; --warning-line: #999; }
main { max-width: none; }
section, figure, tr { break-inside: avoid; }
h2 { break-after: avoid; }
.scroll { overflow: visible; }
table { font-size: 11px; }
th { white-space: normal; }
td.left { overflow-wrap: break-word; }
pre { overflow: visible; white-space: pre-wrap; }
}
""")


def page(title: str, lead: str, sections: Sequence[str]) -> str:
    """Return a whole page.

    Args:
        title: its title, plain text.
        lead: introduction below it, plain text.
        sections: HTML, from `section`.
    """
    values = {name.lower(): value for name, value in vars(colors).items() if isinstance(value, str) and name.isupper()}
    return PAGE.substitute(
        title=escape(title),
        lead=escape(lead),
        mark=DISCLAIMER,
        style=STYLE.substitute(values),
        sections="\n".join(sections),
    )


def section(title: str, *parts: str, warning: bool = False) -> str:
    """Return a card with a heading; `parts` are HTML, from the functions below."""
    kind = ' class="warning"' if warning else ""
    return f"<section{kind}>\n<h2>{escape(title)}</h2>\n" + "\n".join(parts) + "\n</section>"


def columns(*sections: str) -> str:
    """Return sections side by side if there is room."""
    return '<div class="beside">' + "\n".join(sections) + "</div>"


def paragraph(text: str) -> str:
    """Return plain text as a paragraph."""
    return f"<p>{escape(text)}</p>"


def code_block(lines: Sequence[str]) -> str:
    """Return lines of code, such as commands."""
    return f"<pre>{escape(chr(10).join(lines))}</pre>"


def picture(figure: Figure, caption: str) -> str:
    """Return an embedded figure with its caption, which is also its alternative text."""
    return picture_from_png(base.png(figure), caption)


def picture_from_png(png: bytes, caption: str) -> str:
    """Return an embedded figure from a PNG file."""
    content = base64.b64encode(png).decode("ascii")
    # The first number of the image header is the width in pixels.
    width = int.from_bytes(png[16:20], "big") / base.DPI
    image = f'<img width="{width * 100:.0f}" alt="{escape(caption)}" src="data:image/png;base64,{content}">'
    return f"<figure>{image}<figcaption>{escape(caption)}</figcaption></figure>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1, prose: int | None = None) -> str:
    """Return a table of plain texts; its first `left` columns are aligned left, the others right.

    Args:
        head: a title for each column.
        rows: the texts.
        left: number of columns with words.
        prose: the column with sentences, which takes the remaining width.
    """

    def kind(column: int) -> str:
        words = "left" if prose is None else "left name"
        return ' class="prose"' if column == prose else f' class="{words}"' if column < left else ""

    def line(tag: str, cells: Sequence[str]) -> str:
        kinds = [kind(column) for column in range(len(cells))]
        return (
            "<tr>"
            + "".join(f"<{tag}{kind}>{escape(c)}</{tag}>" for c, kind in zip(cells, kinds, strict=True))
            + "</tr>"
        )

    body = "\n".join(line("td", row) for row in rows)
    top = f"<thead>{line('th', head)}</thead>\n" if any(head) else ""
    explained = "" if prose is None else ' class="explained"'
    return f'<div class="scroll"><table{explained}>\n{top}<tbody>\n{body}\n</tbody></table></div>'
