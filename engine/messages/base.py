"""The bases of commands, events, requests and replies: frozen messages, one line of JSON each."""

import json
import time
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, SerializationInfo, ValidationInfo

from engine.config import DataConfig

SaveArray = Callable[[NDArray[Any]], str]
LoadArray = Callable[[str], NDArray[Any]]


def _load_array(value: object, info: ValidationInfo) -> NDArray[Any]:
    """Return an array, or load it from the file in its place."""
    if isinstance(value, str) and info.context:
        load: LoadArray = info.context["load"]
        return load(value)
    if not isinstance(value, np.ndarray):
        raise ValueError("an array is missing")
    return value


def _save_array(array: NDArray[Any], info: SerializationInfo) -> str:
    save: SaveArray = (info.context or {})["save"]
    return save(array)


Array = Annotated[NDArray[Any], PlainValidator(_load_array), PlainSerializer(_save_array, return_type=str)]


class Reply(BaseModel):
    """The reply of the explorer to a request.

    Its arrays cross the seam in `.npy` files: `to_content` writes them and puts their paths in their places,
    `from_content` loads them again.

    Examples:
        >>> class Mean(Reply):
        ...     run: str
        ...     image: Array
        >>> reply = Mean(run="ae-0001", image=np.zeros((8, 8), np.float32))
        >>> reply.to_content(lambda array: "mean.npy")
        {'run': 'ae-0001', 'image': 'mean.npy'}
        >>> Mean.from_content({"run": "ae-0001", "image": "mean.npy"}, lambda path: np.ones((8, 8))).image.shape
        (8, 8)
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)

    def to_content(self, save: SaveArray) -> dict[str, Any]:
        """Return the content of the response event.

        Args:
            save: writes an array to a file and returns its path.
        """
        return self.model_dump(context={"save": save})

    @classmethod
    def from_content(cls, content: dict[str, Any], load: LoadArray) -> Self:
        """Return the reply that a response event contains.

        Args:
            content: JSON, with paths of files in the places of arrays.
            load: loads an array; its OSError passes through.

        Raises:
            ValidationError: the content is not that of such a reply.
        """
        return cls.model_validate(content, context={"load": load})


class Message(BaseModel):
    """A message, which is one line of JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants", defer_build=True)

    def to_json_line(self) -> str:
        """Return the message as one line of JSON, newline included."""
        return self._dump(None)

    def _dump(self, exclude: set[str] | None) -> str:
        """Return the message as a line of JSON; names of files that are no UTF-8 have letters that pydantic refuses."""
        try:
            return self.model_dump_json(exclude=exclude) + "\n"
        except ValueError:
            # Only escapes can hold the lone surrogates of such a name.
            return json.dumps(self.model_dump(exclude=exclude), default=str) + "\n"


class Event(Message):
    """An event at `time` (seconds since the epoch), which several events may share.

    `sequence` tells the events of one run apart: the recorder of the run counts them from 1 through all its jobs. It
    is None for an event that no run records, and for one from a record of before there were numbers.
    """

    time: float = Field(default_factory=time.time)
    sequence: int | None = None

    def to_json_line(self) -> str:
        """Return the event as one line of JSON, newline included, without a number where it has none."""
        return self._dump({"sequence"} if self.sequence is None else None)


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
