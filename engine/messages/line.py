"""What every command and event is: one frozen message, one line of JSON."""

import time

from pydantic import BaseModel, ConfigDict, Field


class Message(BaseModel):
    """One line."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    def line(self) -> str:
        """The message as one line of JSON, newline included."""
        return self.model_dump_json() + "\n"


class Event(Message):
    """Something that happened at `time` (seconds since the epoch)."""

    time: float = Field(default_factory=time.time)
