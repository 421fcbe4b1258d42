"""Requests that write a figure or a report of what the app shows, with their replies."""

from typing import ClassVar, Literal

from engine.config import DenoiseConfig
from engine.messages.base import Message, Reply, Request

Colors = Literal["gray", "heat", "signed"]


class FigureRow(Message):
    """One row of images: the file of an array (n, height, width), its colors and their limits, a note below each.

    Signed images are symmetric around zero and share one scale; `limits` are None for those, and for [0, 1].
    """

    title: str = ""
    images: str
    colors: Colors = "gray"
    limits: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()


class FigureGroup(Message):
    """A group of points on a map: its name, its color, the name of its shape."""

    title: str
    color: str
    shape: str = "circle"


class FigureMap(Message):
    """Points in a plane, by the file of an array (n, 3): x, y and the group, or x, y and a value without groups.

    `marked` names points by their coordinates.
    """

    points: str
    axes: tuple[str, str]
    groups: tuple[FigureGroup, ...] = ()
    value_title: str = ""
    marked: tuple[tuple[float, float, str], ...] = ()


class ExportFigureReply(Reply):
    """The file of a figure that was written."""

    path: str


class ExportFigure(Request):
    """Write rows of images, or a map, to a PNG, PDF or SVG file, light as on paper, vector but for pixels.

    `heading` stands above, `titles` above the columns, `lines` below everything; `scale` names what the color bar
    shows.
    """

    reply_type: ClassVar[type[Reply]] = ExportFigureReply

    command: Literal["export-figure"] = "export-figure"
    path: str
    heading: str = ""
    lines: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    rows: tuple[FigureRow, ...] = ()
    scale: str = ""
    map: FigureMap | None = None


class WriteReportReply(Reply):
    """A report that was written: its file."""

    path: str


class WriteReport(Request):
    """Write a report to `path`, as HTML or PDF by its suffix.

    With `search`, on that search in the folder `root`. With `scan`, on that file and its `slice` (the middle one if
    None) as the first of `runs` and the baselines `against` denoise it; `volume` is that of a file of several, counted
    from 1, and `roi` a lesion region. Otherwise on `runs`, which are paths of runs.
    """

    reply_type: ClassVar[type[Reply]] = WriteReportReply

    command: Literal["write-report"] = "write-report"
    path: str
    runs: tuple[str, ...] = ()
    search: str = ""
    root: str = ""
    scan: str = ""
    slice: int | None = None
    volume: int | None = None
    roi: str = ""
    against: tuple[str, ...] = ()
    settings: DenoiseConfig = DenoiseConfig()
