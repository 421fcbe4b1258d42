"""What every question to the explorer is, and which images it may be about."""

from typing import ClassVar

from engine.config import DataConfig
from engine.messages.base import Message


class Request(Message):
    """A question to the explorer; `number` and `panel` come back in its answer, the latest of a panel wins.

    One that can wait gives way to whatever else is asked meanwhile, and has its turn afterwards. One that is patient
    also begins only when nothing else waits: nobody looks for its answer, or it takes minutes.
    """

    can_wait: ClassVar[bool] = False
    is_patient: ClassVar[bool] = False

    number: int
    panel: str


class ImagesRequest(Request):
    """A question about images: `indices` of a split of `data`, or, when `scan` is given, one slice of that file."""

    data: DataConfig
    split: str = "validation"
    indices: tuple[int, ...] = ()
    scan: str | None = None
    slice: int = 0
