"""The base of every request to the explorer, and of those about images."""

from typing import ClassVar

from engine.config import DataConfig
from engine.messages.base import Message
from engine.messages.reply import Reply


class Request(Message):
    """A request to the explorer; its response repeats `number` and `panel`, and the latest of a panel wins.

    The app numbers a request when it sends it. One that can wait is preempted by any other request and is continued
    afterwards. One that is patient also starts only when no other request is pending, since it takes minutes.
    """

    can_wait: ClassVar[bool] = False
    is_patient: ClassVar[bool] = False
    reply_type: ClassVar[type[Reply]]

    number: int = 0
    panel: str


class ImagesRequest(Request):
    """A request about images: `indices` of a split of `data`, or, when `scan` is given, one slice of that file."""

    data: DataConfig
    split: str = "validation"
    indices: tuple[int, ...] = ()
    scan: str | None = None
    slice: int = 0
