"""Replies to requests: one model for each kind of request, with the same types on both sides of the seam.

A handler of the explorer returns a reply that holds arrays. They cross the seam in `.npy` files: `to_content` writes
them and puts their paths in their places, the app loads them again before it validates the reply.
"""

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator, SerializationInfo

SaveArray = Callable[[NDArray[Any]], str]


def _require_array(value: object) -> NDArray[Any]:
    if not isinstance(value, np.ndarray):
        raise ValueError("an array is missing")
    return value


def _save_array(array: NDArray[Any], info: SerializationInfo) -> str:
    save: SaveArray = (info.context or {})["save"]
    return save(array)


Array = Annotated[NDArray[Any], PlainValidator(_require_array), PlainSerializer(_save_array, return_type=str)]


class Reply(BaseModel):
    """What the explorer answers to a request.

    Examples:
        >>> class Mean(Reply):
        ...     run: str
        ...     image: Array
        >>> reply = Mean(run="ae-0001", image=np.zeros((8, 8), np.float32))
        >>> reply.to_content(lambda array: "mean.npy")
        {'run': 'ae-0001', 'image': 'mean.npy'}
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    def to_content(self, save: SaveArray) -> dict[str, Any]:
        """Return the content of the response event.

        Args:
            save: writes an array to a file and returns its path.
        """
        return self.model_dump(context={"save": save})
