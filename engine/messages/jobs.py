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
    """Resume a run from its last checkpoint; `epochs` extends it and `backend` replaces its backend, if given."""

    command: Literal["resume"] = "resume"
    run: str
    epochs: int | None = None
    backend: str | None = None


class EstimateRun(Message):
    """Measure what a run would cost; the events that answer carry the `token`."""

    command: Literal["estimate"] = "estimate"
    config: RunConfig
    token: str


class RunStudy(Message):
    """Reproduce the reference study in a folder, or resume it; `settings` override those of every run."""

    command: Literal["study"] = "study"
    out: str
    config: StudyConfig = StudyConfig()
    settings: dict[str, Any] = Field(default_factory=dict)


class Stop(Message):
    """Stop the job and keep its results."""

    command: Literal["stop"] = "stop"


class Pause(Message):
    """Pause the job between two batches."""

    command: Literal["pause"] = "pause"


class Continue(Message):
    """Continue a paused job."""

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
    """The start or resume of a job on a run; `first_epoch` counts from 0.

    The entropy floors are the mean binary entropy of the images, the lower limit of the cross-entropy of any
    reconstruction. They are given if the loss is in nats.
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
    """The progress of training within an epoch; `images_per_s` is of the training part alone.

    `loss` is the mean of the epoch so far, `batch_loss` that of the batches since the last report.
    """

    event: Literal["progress"] = "progress"
    run: str
    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float
    images_per_s: float
    left_s: float
    batch_loss: float | None = None


class RunEstimated(Event):
    """The cost of a run on this machine, as far as it is known; None for what is not.

    An epoch takes the training images divided by `images_per_s`, the validation images times `validation_s`, and
    `epoch_s`; the start takes `start_s`. `free_mb` is given if the memory is not enough; `reason` says why nothing is
    known. For the backend 'auto', `backend` and `backend_reason` say which one was chosen and why.
    """

    event: Literal["run-estimated"] = "run-estimated"
    token: str
    is_complete: bool = False
    parameters: int | None = None
    memory_mb: float | None = None
    free_mb: float | None = None
    images_per_s: float | None = None
    validation_s: float | None = None
    epoch_s: float | None = None
    start_s: float | None = None
    reason: str = ""
    backend: str = ""
    backend_reason: str = ""


class EpochEnded(Event):
    """The metrics of one epoch (counted from 1), the path of its preview, and whether it is the best so far.

    `batch_losses` holds points within the epoch: the share of it that is done, and the mean loss since the last point.
    """

    event: Literal["epoch-ended"] = "epoch-ended"
    run: str
    epoch: int
    metrics: dict[str, float]
    best: bool
    preview: str | None = None
    batch_losses: tuple[tuple[float, float], ...] = ()


class Paused(Event):
    """The job has paused between two batches."""

    event: Literal["paused"] = "paused"
    run: str


class Continued(Event):
    """A paused job continues."""

    event: Literal["continued"] = "continued"
    run: str


class JobEnded(Event):
    """The end of a job; after 'failed', `reason` and `advice` say why."""

    event: Literal["job-ended"] = "job-ended"
    run: str
    state: Literal["finished", "stopped", "failed"]
    epoch: int = 0
    reason: str = ""
    advice: str = ""


class StudyProgress(Event):
    """The progress of a study: its present step, and the share of the stage that is done; None if unknown."""

    event: Literal["study-progress"] = "study-progress"
    stage: Literal["training", "measuring", "drawing"]
    text: str
    share: float | None = None


class StudyEnded(Event):
    """The end of a study, finished or stopped; after 'failed', `reason` and `advice` say why."""

    event: Literal["study-ended"] = "study-ended"
    out: str
    state: Literal["finished", "stopped", "failed"]
    reason: str = ""
    advice: str = ""
