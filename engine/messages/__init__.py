"""What crosses the seam between a window and an engine process: commands in, events out, one JSON object a line.

The same event lines, appended to a run's `events.jsonl`, are the run's record: watching a run and reopening an old one
read the same thing. Arrays never travel here; an event carries the path of an `.npy` file instead.
"""

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, TypeAdapter, ValidationError

from engine.config import DataConfig, RunConfig, StudyConfig
from engine.errors import EngramError
from engine.messages.base import Event as Event
from engine.messages.base import Message as Message
from engine.messages.denoise import ApplyFilter as ApplyFilter
from engine.messages.denoise import Denoise as Denoise
from engine.messages.denoise import DenoiseCurve as DenoiseCurve
from engine.messages.denoise import DenoiseDraft as DenoiseDraft
from engine.messages.denoise import NoisyRequest as NoisyRequest
from engine.messages.latent import CalibrateSpread as CalibrateSpread
from engine.messages.latent import DecodeMean as DecodeMean
from engine.messages.latent import EmbeddingErrors as EmbeddingErrors
from engine.messages.latent import EmbedLatents as EmbedLatents
from engine.messages.latent import FindNeighbors as FindNeighbors
from engine.messages.latent import Interpolate as Interpolate
from engine.messages.latent import LatentRequest as LatentRequest
from engine.messages.latent import PosteriorSpread as PosteriorSpread
from engine.messages.latent import ProjectScan as ProjectScan
from engine.messages.latent import SampleLatent as SampleLatent
from engine.messages.latent import TraverseDimension as TraverseDimension
from engine.messages.layers import ComputeActivations as ComputeActivations
from engine.messages.layers import ComputeChannelStatistics as ComputeChannelStatistics
from engine.messages.layers import ComputeSaliency as ComputeSaliency
from engine.messages.layers import ListLayers as ListLayers
from engine.messages.layers import MatchChannels as MatchChannels
from engine.messages.layers import MaximizeActivation as MaximizeActivation
from engine.messages.layers import ReadKernels as ReadKernels
from engine.messages.layers import RegionSpec as RegionSpec
from engine.messages.layers import TopActivations as TopActivations
from engine.messages.layers import TraceLesion as TraceLesion
from engine.messages.request import ImagesRequest as ImagesRequest
from engine.messages.request import Request as Request
from engine.messages.search import ComputeImportances as ComputeImportances
from engine.messages.search import EnqueueTrial as EnqueueTrial
from engine.messages.search import Search as Search
from engine.messages.search import SearchCommand as SearchCommand
from engine.messages.search import SearchEnded as SearchEnded
from engine.messages.search import SearchStarted as SearchStarted
from engine.messages.search import SearchState as SearchState
from engine.messages.search import StopTrial as StopTrial
from engine.messages.search import TrialEnded as TrialEnded
from engine.messages.search import TrialProposed as TrialProposed
from engine.messages.search import TrialStarted as TrialStarted
from engine.messages.search import UpdateSpace as UpdateSpace

# ---- commands: window -> engine process --------------------------------------------------------------------------


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


class LoadData(Request):
    """Prepare a source; answers with counts, names and the path of the image store."""

    command: Literal["load-data"] = "load-data"
    config: DataConfig


class Audit(Request):
    """Look for scans of a source that are the same or nearly so; answers with what `engine audit --json` prints.

    It is answered beside the other requests, so that these need not wait, and is given up when other data are loaded.
    """

    command: Literal["audit"] = "audit"
    config: DataConfig


class OpenScan(Request):
    """Open one picture, DICOM or NIfTI file; answers with its name, kind, orientation and number of slices."""

    command: Literal["open-scan"] = "open-scan"
    path: str


class Reconstruct(ImagesRequest):
    """Put images through runs; answers with originals and reconstructions of each run.

    In the place of a run may stand a yardstick: 'pca:512' is the linear map of 512 components, 'pca:0' the mean image.
    """

    command: Literal["reconstruct"] = "reconstruct"
    runs: tuple[str, ...]


class EvaluateRun(Request):
    """All numbers of a run, or of a yardstick, on the test images of `data`: all of them, the leaked, the clean.

    It can wait: whatever else is asked meanwhile is answered first.
    """

    can_wait: ClassVar[bool] = True

    command: Literal["measure"] = "measure"
    run: str
    data: DataConfig


class PerImageErrors(Request):
    """Mean squared error of a run on every image of a split, to sort by."""

    command: Literal["rank"] = "rank"
    run: str
    data: DataConfig
    split: str = "validation"


# ---- events: engine process -> window ----------------------------------------------------------------------------


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


class Response(Event):
    """The answer to a request; big arrays are `.npy` paths inside `content`."""

    event: Literal["answer"] = "answer"
    number: int
    panel: str
    content: dict[str, Any]


class RequestProgress(Event):
    """How far a long request is."""

    event: Literal["request-progress"] = "request-progress"
    number: int
    panel: str
    done: int
    total: int


class RequestFailed(Event):
    """A command could not be carried out: what is wrong and what to do."""

    event: Literal["refused"] = "refused"
    reason: str
    advice: str = ""
    number: int | None = None
    panel: str | None = None


Command = Annotated[
    Train
    | Resume
    | RunStudy
    | Stop
    | Pause
    | Continue
    | LoadData
    | Audit
    | OpenScan
    | Reconstruct
    | PerImageErrors
    | EvaluateRun
    | Denoise
    | DenoiseCurve
    | DenoiseDraft
    | ApplyFilter
    | ListLayers
    | ComputeActivations
    | LatentRequest
    | ComputeChannelStatistics
    | TopActivations
    | TraceLesion
    | ReadKernels
    | MatchChannels
    | MaximizeActivation
    | ComputeSaliency
    | Search
    | StopTrial
    | EnqueueTrial
    | UpdateSpace
    | ComputeImportances,
    Field(discriminator="command"),
]
AnyEvent = Annotated[
    Ready
    | Log
    | JobStarted
    | Progress
    | EpochEnded
    | Paused
    | Continued
    | JobEnded
    | StudyProgress
    | StudyEnded
    | Response
    | RequestProgress
    | RequestFailed
    | SearchStarted
    | SearchState
    | SearchEnded
    | TrialProposed
    | TrialStarted
    | TrialEnded,
    Field(discriminator="event"),
]
Emit = Callable[[Event], None]
ShouldStop = Callable[[], bool]
_COMMANDS: TypeAdapter[Any] = TypeAdapter(Command)
_EVENTS: TypeAdapter[Any] = TypeAdapter(AnyEvent)


def read_command(line: str | bytes) -> Message:
    """Parse one command line.

    Raises:
        EngramError: the line is no command.
    """
    return _read(_COMMANDS, line)


def read_event(line: str | bytes) -> Event:
    """Parse one event line.

    Raises:
        EngramError: the line is no event.
    """
    event: Event = _read(_EVENTS, line)
    return event


def _read(adapter: TypeAdapter[Any], line: str | bytes) -> Any:
    try:
        return adapter.validate_json(line)
    except ValidationError as error:
        raise EngramError(
            f"A line between the app and the engine could not be read: {error.errors()[0]['msg']}."
        ) from None


def discard_event(event: Event) -> None:
    """Listen to nothing."""


def never_stop() -> bool:
    """Never ask to stop."""
    return False
