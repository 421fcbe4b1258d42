"""Request to write a report on one's own work."""

from typing import ClassVar, Literal

from engine.config import DenoiseConfig
from engine.messages.reply import Reply
from engine.messages.request import Request


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
