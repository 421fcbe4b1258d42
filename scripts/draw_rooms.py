"""Draw the rooms of Engram and who imports whom, from the imports themselves.

    python scripts/draw_rooms.py            write docs/images/rooms.svg
    python scripts/draw_rooms.py --check    fail if that file is not what the imports say

Rooms are the modules and packages directly under `engine` and `gui`, on the layers of the import contracts. An arrow
that follows from two others is left out.
"""

import argparse
import itertools
import sys
import tomllib
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "images" / "rooms.svg"
WIDTH, ROW, BOX, GAP, MARGIN = 1180, 66, 26, 14, 24
LETTER = 7.2
STYLE = (
    "text{font:13px sans-serif;fill:#1b1f26}.title{font-weight:bold;font-size:15px}"
    ".box{fill:#eef2f6;stroke:#8a94a3}.seam{fill:#d9f0ed;stroke:#2a8f85}.arrow{fill:none;stroke:#8a94a3;opacity:.55}"
)
Layers = Sequence[Sequence[str]]
Imports = Mapping[str, frozenset[str]]


def main() -> int:
    """Write the picture, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the picture is out of date")
    drawn = draw()
    if not parser.parse_args().check:
        PICTURE.write_text(drawn, encoding="utf-8")
        return 0
    if PICTURE.exists() and PICTURE.read_text(encoding="utf-8") == drawn:
        return 0
    sys.stderr.write("docs/images/rooms.svg is out of date: run `python scripts/draw_rooms.py`.\n")
    return 1


def draw() -> str:
    """Return the picture as SVG."""
    graph = grimp.build_graph("engine", "gui", exclude_type_checking_imports=True, cache_dir=None)
    parts, top = [], MARGIN
    for container in ("gui", "engine"):
        layers = read_layers(container)
        rooms = [room for row in layers for room in row]
        imports = reduce_imports(find_imports(graph, container, rooms))
        drawn, top = draw_container(container, layers, imports, top)
        parts += drawn
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}">'
    marker = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0 L8,4 L0,8 z" fill="#8a94a3"/></marker></defs>'
    )
    paper = f'<rect width="{WIDTH}" height="{top}" fill="#ffffff"/>'
    return "\n".join([head, f"<style>{STYLE}</style>", marker, paper, *parts, "</svg>", ""])


def read_layers(container: str) -> list[list[str]]:
    """Return the rooms of a container by layer, the highest first."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    found = next(each for each in contracts if each["type"] == "layers" and each["containers"] == [container])
    return [[room.strip() for room in row.replace(":", "|").split("|")] for row in found["layers"]]


def find_imports(graph: grimp.ImportGraph, container: str, rooms: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return for each room the rooms of its container that it imports."""
    found: dict[str, set[str]] = {room: set() for room in rooms}
    for module in graph.modules:
        place = module.split(".")
        if place[0] != container or len(place) < 2:
            continue
        for imported in graph.find_modules_directly_imported_by(module):
            target = imported.split(".")
            if target[0] == container and len(target) > 1 and target[1] != place[1]:
                found[place[1]].add(target[1])
    return {room: frozenset(imported) for room, imported in found.items()}


def reduce_imports(imports: Imports) -> dict[str, frozenset[str]]:
    """Leave out what is imported by way of another room too."""
    reached = {room: frozenset(imported) for room, imported in imports.items()}
    for _ in imports:
        reached = {room: frozenset().union(near, *(reached[each] for each in near)) for room, near in reached.items()}
    return {
        room: near - frozenset().union(*(reached[each] for each in near if each != room), frozenset())
        for room, near in imports.items()
    }


def draw_container(container: str, layers: Layers, imports: Imports, top: int) -> tuple[list[str], int]:
    """Draw the boxes and arrows of a container; return them and where the next one begins."""
    title = {"gui": "gui: the app (Qt, no Keras)", "engine": "engine: headless (Keras, no Qt)"}[container]
    parts = [f'<text class="title" x="{MARGIN}" y="{top + 14}">{escape(title)}</text>']
    places: dict[str, tuple[float, float, float]] = {}
    y = float(top + 34)
    for row in itertools.chain.from_iterable(split_row(row) for row in layers):
        widths = [LETTER * len(room) + 18 for room in row]
        x = (WIDTH - sum(widths) - GAP * (len(row) - 1)) / 2
        for room, width in zip(row, widths, strict=True):
            places[room] = x, y, width
            x += width + GAP
        y += ROW
    for room, imported in sorted(imports.items()):
        parts += [draw_arrow(places[room], places[each]) for each in sorted(imported)]
    parts += [draw_box(room, place) for room, place in places.items()]
    return parts, int(y) + GAP


def split_row(row: Sequence[str]) -> list[Sequence[str]]:
    """Return a layer as rows that fit the width."""
    rows: list[list[str]] = [[]]
    for room in row:
        if sum(LETTER * len(each) + 18 + GAP for each in [*rows[-1], room]) > WIDTH - 2 * MARGIN:
            rows.append([])
        rows[-1].append(room)
    return list(rows)


def draw_box(room: str, place: tuple[float, float, float]) -> str:
    """Draw one room."""
    x, y, width = place
    kind = "seam" if room in ("messages", "engine_process", "processes") else "box"
    return (
        f'<rect class="{kind}" x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{BOX}" rx="6"/>'
        f'<text x="{x + width / 2:.0f}" y="{y + 17:.0f}" text-anchor="middle">{escape(room)}</text>'
    )


def draw_arrow(start: tuple[float, float, float], end: tuple[float, float, float]) -> str:
    """Draw an arrow from the lower edge of a room to the upper edge of one that it imports."""
    x1, y1 = start[0] + start[2] / 2, start[1] + BOX
    x2, y2 = end[0] + end[2] / 2, end[1]
    bend = (y2 - y1) / 2
    path = f"M{x1:.0f},{y1:.0f} C{x1:.0f},{y1 + bend:.0f} {x2:.0f},{y2 - bend:.0f} {x2:.0f},{y2:.0f}"
    return f'<path class="arrow" d="{path}" marker-end="url(#tip)"/>'


if __name__ == "__main__":
    sys.exit(main())
