"""The base of every command and event: one frozen message, one line of JSON."""

import json
import time

from pydantic import BaseModel, ConfigDict, Field


class Message(BaseModel):
    """A message, which is one line of JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    def to_json_line(self) -> str:
        """Return the message as one line of JSON, newline included."""
        return self._to_json() + "\n"

    def _to_json(self, exclude: set[str] | None = None) -> str:
        try:
            return self.model_dump_json(exclude=exclude)
        except ValueError:
            # A file name that is not UTF-8 holds lone surrogates, which only escapes can tell.
            return json.dumps(self.model_dump(exclude=exclude), default=str)


class Event(Message):
    """An event at `time` (seconds since the epoch), which several events may share.

    `sequence` tells the events of one run apart: the recorder of the run counts them from 1 through all its jobs. It
    is None for an event that no run records, and for one from a record of before there were numbers.
    """

    time: float = Field(default_factory=time.time)
    sequence: int | None = None

    def to_json_line(self) -> str:
        """Return the event as one line of JSON, newline included, without a number where it has none."""
        return self._to_json({"sequence"} if self.sequence is None else None) + "\n"
