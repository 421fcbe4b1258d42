"""Commands that start and control jobs, and the events of jobs."""

from typing import Any, Literal

from pydantic import Field

from engine.config import RunConfig, StudyConfig
from engine.messages.base import Event, Message


class Train(Message):
    """Create a run and train it."""

    command: Literal["train"] = "train"
    config: RunConfig
    name: str | None = None
    root: str | None = None


class Resume(Message):
    """Go on with a run from its last checkpoint; `epochs` raises its goal and `backend` changes it, where given."""

    command: Literal["resume"] = "resume"
    run: str
    epochs: int | None = None
    backend: str | None = None


class RunStudy(Message):
    """Do the seed study again in a folder, or go on with it; `settings` go over those of every run."""

    command: Literal["study"] = "study"
    out: str
    config: StudyConfig = StudyConfig()
    settings: dict[str, Any] = Field(default_factory=dict)


class Stop(Message):
    """End the job soon and keep what it has."""

    command: Literal["stop"] = "stop"


class Pause(Message):
    """Hold the job between two batches."""

    command: Literal["pause"] = "pause"


class Continue(Message):
    """Let a paused job go on."""

    command: Literal["continue"] = "continue"


class Ready(Event):
    """An engine process has imported Keras and waits for work."""

    event: Literal["ready"] = "ready"
    backend: str
    device: str
    versions: dict[str, str]


class Log(Event):
    """One sentence for the log."""

    event: Literal["log"] = "log"
    text: str
    level: Literal["info", "warning", "error"] = "info"


class JobStarted(Event):
    """A job on a run begins or goes on; `first_epoch` counts from 0.

    The floors are the mean entropy of the images' own pixels, which no reconstruction can cost less than; given where
    the loss is counted in nats.
    """

    event: Literal["job-started"] = "job-started"
    run: str
    path: str
    first_epoch: int
    epochs: int
    train_images: int
    validation_images: int
    parameters: int
    backend: str
    device: str
    train_floor_nats: float | None = None
    validation_floor_nats: float | None = None


class Progress(Event):
    """Where training is within an epoch; `images_per_s` is of the training part alone."""

    event: Literal["progress"] = "progress"
    run: str
    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float
    images_per_s: float
    left_s: float


class EpochEnded(Event):
    """Numbers of one epoch (counted from 1), the path of its preview, and whether it is the best so far."""

    event: Literal["epoch-ended"] = "epoch-ended"
    run: str
    epoch: int
    metrics: dict[str, float]
    best: bool
    preview: str | None = None


class Paused(Event):
    """The job holds between two batches."""

    event: Literal["paused"] = "paused"
    run: str


class Continued(Event):
    """A paused job goes on."""

    event: Literal["continued"] = "continued"
    run: str


class JobEnded(Event):
    """A job is over; after 'failed', `reason` and `advice` say why."""

    event: Literal["job-ended"] = "job-ended"
    run: str
    state: Literal["finished", "stopped", "failed"]
    epoch: int = 0
    reason: str = ""
    advice: str = ""


class StudyProgress(Event):
    """Where a study is: what is done now, and how much of its stage is done; None while nobody knows."""

    event: Literal["study-progress"] = "study-progress"
    stage: Literal["training", "measuring", "drawing"]
    text: str
    share: float | None = None


class StudyEnded(Event):
    """A study is over, or stopped and kept; after 'failed', `reason` and `advice` say why."""

    event: Literal["study-ended"] = "study-ended"
    out: str
    state: Literal["finished", "stopped", "failed"]
    reason: str = ""
    advice: str = ""
