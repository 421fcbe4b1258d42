"""The base of every command and event: one frozen message, one line of JSON."""

import json
import time

from pydantic import BaseModel, ConfigDict, Field


class Message(BaseModel):
    """A message, which is one line of JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

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
