"""The messages between the app and an engine process: commands in, events out, one JSON object a line.

The same event lines, appended to a run's `events.jsonl`, are the run's record: watching a run and reopening an old one
read the same thing. Arrays never travel here; an event carries the path of an `.npy` file instead.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from engine.errors import EngramError
from engine.messages.base import Array as Array
from engine.messages.base import Event as Event
from engine.messages.base import ImagesRequest as ImagesRequest
from engine.messages.base import Message as Message
from engine.messages.base import Reply as Reply
from engine.messages.base import Request as Request
from engine.messages.base import SaveArray as SaveArray
from engine.messages.channels import ChannelNumbers as ChannelNumbers
from engine.messages.channels import ComputeChannelStatistics as ComputeChannelStatistics
from engine.messages.channels import ComputeChannelStatisticsReply as ComputeChannelStatisticsReply
from engine.messages.channels import ComputeSaliency as ComputeSaliency
from engine.messages.channels import ComputeSaliencyReply as ComputeSaliencyReply
from engine.messages.channels import MatchChannels as MatchChannels
from engine.messages.channels import MatchChannelsReply as MatchChannelsReply
from engine.messages.channels import MaximizeActivation as MaximizeActivation
from engine.messages.channels import MaximizeActivationReply as MaximizeActivationReply
from engine.messages.channels import ReadKernels as ReadKernels
from engine.messages.channels import ReadKernelsReply as ReadKernelsReply
from engine.messages.channels import TopActivations as TopActivations
from engine.messages.channels import TopActivationsReply as TopActivationsReply
from engine.messages.channels import TopImage as TopImage
from engine.messages.denoise import ApplyFilter as ApplyFilter
from engine.messages.denoise import ApplyFilterReply as ApplyFilterReply
from engine.messages.denoise import Denoise as Denoise
from engine.messages.denoise import DenoiseCurve as DenoiseCurve
from engine.messages.denoise import DenoiseCurveReply as DenoiseCurveReply
from engine.messages.denoise import DenoiseDraft as DenoiseDraft
from engine.messages.denoise import DenoiseDraftReply as DenoiseDraftReply
from engine.messages.denoise import DenoisedReply as DenoisedReply
from engine.messages.denoise import DenoiseIntervals as DenoiseIntervals
from engine.messages.denoise import DenoiseIntervalsReply as DenoiseIntervalsReply
from engine.messages.denoise import DenoiseReply as DenoiseReply
from engine.messages.denoise import DraftReply as DraftReply
from engine.messages.denoise import ExportDenoised as ExportDenoised
from engine.messages.denoise import ExportDenoisedReply as ExportDenoisedReply
from engine.messages.denoise import ImageMetrics as ImageMetrics
from engine.messages.denoise import IntervalMap as IntervalMap
from engine.messages.denoise import NoiseLevelErrors as NoiseLevelErrors
from engine.messages.denoise import NoisyRequest as NoisyRequest
from engine.messages.duplicates import DuplicateCounts as DuplicateCounts
from engine.messages.duplicates import DuplicateGroup as DuplicateGroup
from engine.messages.duplicates import ExactDuplicates as ExactDuplicates
from engine.messages.duplicates import GroupedImage as GroupedImage
from engine.messages.duplicates import LabelConflict as LabelConflict
from engine.messages.duplicates import LabeledImage as LabeledImage
from engine.messages.duplicates import LeakageCounts as LeakageCounts
from engine.messages.duplicates import NearDuplicate as NearDuplicate
from engine.messages.duplicates import NearDuplicateCounts as NearDuplicateCounts
from engine.messages.duplicates import NearDuplicateGroup as NearDuplicateGroup
from engine.messages.duplicates import NearDuplicates as NearDuplicates
from engine.messages.duplicates import NearLeakageCounts as NearLeakageCounts
from engine.messages.duplicates import NearSetCounts as NearSetCounts
from engine.messages.duplicates import PatientCounts as PatientCounts
from engine.messages.duplicates import SetCounts as SetCounts
from engine.messages.figures import ExportFigure as ExportFigure
from engine.messages.figures import ExportFigureReply as ExportFigureReply
from engine.messages.figures import FigureGroup as FigureGroup
from engine.messages.figures import FigureMap as FigureMap
from engine.messages.figures import FigureRow as FigureRow
from engine.messages.figures import WriteReport as WriteReport
from engine.messages.figures import WriteReportReply as WriteReportReply
from engine.messages.images import Audit as Audit
from engine.messages.images import AuditReply as AuditReply
from engine.messages.images import EvaluateRun as EvaluateRun
from engine.messages.images import EvaluateRunReply as EvaluateRunReply
from engine.messages.images import ExportVolume as ExportVolume
from engine.messages.images import ExportVolumeReply as ExportVolumeReply
from engine.messages.images import LoadData as LoadData
from engine.messages.images import LoadDataReply as LoadDataReply
from engine.messages.images import OpenScan as OpenScan
from engine.messages.images import OpenScanReply as OpenScanReply
from engine.messages.images import OpenVolume as OpenVolume
from engine.messages.images import OpenVolumeReply as OpenVolumeReply
from engine.messages.images import PerImageErrors as PerImageErrors
from engine.messages.images import PerImageErrorsReply as PerImageErrorsReply
from engine.messages.images import Reconstruct as Reconstruct
from engine.messages.images import Reconstructions as Reconstructions
from engine.messages.images import ReconstructReply as ReconstructReply
from engine.messages.images import SkippedFile as SkippedFile
from engine.messages.images import SplitListing as SplitListing
from engine.messages.images import SubsetMetrics as SubsetMetrics
from engine.messages.jobs import Continue as Continue
from engine.messages.jobs import Continued as Continued
from engine.messages.jobs import EpochEnded as EpochEnded
from engine.messages.jobs import EstimateRun as EstimateRun
from engine.messages.jobs import JobEnded as JobEnded
from engine.messages.jobs import JobStarted as JobStarted
from engine.messages.jobs import Log as Log
from engine.messages.jobs import Pause as Pause
from engine.messages.jobs import Paused as Paused
from engine.messages.jobs import Progress as Progress
from engine.messages.jobs import Ready as Ready
from engine.messages.jobs import Resume as Resume
from engine.messages.jobs import RunEstimated as RunEstimated
from engine.messages.jobs import RunStudy as RunStudy
from engine.messages.jobs import Stop as Stop
from engine.messages.jobs import StudyEnded as StudyEnded
from engine.messages.jobs import StudyProgress as StudyProgress
from engine.messages.jobs import Train as Train
from engine.messages.latent import CollapseReport as CollapseReport
from engine.messages.latent import DimensionReport as DimensionReport
from engine.messages.latent import EmbeddingErrors as EmbeddingErrors
from engine.messages.latent import EmbeddingErrorsReply as EmbeddingErrorsReply
from engine.messages.latent import EmbedLatents as EmbedLatents
from engine.messages.latent import EmbedLatentsReply as EmbedLatentsReply
from engine.messages.latent import FindNeighbors as FindNeighbors
from engine.messages.latent import FindNeighborsReply as FindNeighborsReply
from engine.messages.latent import JudgeScan as JudgeScan
from engine.messages.latent import JudgeScanReply as JudgeScanReply
from engine.messages.latent import Neighbor as Neighbor
from engine.messages.latent import NeighborReport as NeighborReport
from engine.messages.latent import ProjectScan as ProjectScan
from engine.messages.latent import ProjectScanReply as ProjectScanReply
from engine.messages.latent import ReferenceReport as ReferenceReport
from engine.messages.latent_images import CalibrateSpread as CalibrateSpread
from engine.messages.latent_images import CalibrateSpreadReply as CalibrateSpreadReply
from engine.messages.latent_images import CalibrationReport as CalibrationReport
from engine.messages.latent_images import DecodeMean as DecodeMean
from engine.messages.latent_images import DecodeMeanReply as DecodeMeanReply
from engine.messages.latent_images import Interpolate as Interpolate
from engine.messages.latent_images import InterpolateReply as InterpolateReply
from engine.messages.latent_images import LatentRequest as LatentRequest
from engine.messages.latent_images import MixtureReport as MixtureReport
from engine.messages.latent_images import PosteriorSpread as PosteriorSpread
from engine.messages.latent_images import PosteriorSpreadReply as PosteriorSpreadReply
from engine.messages.latent_images import SampleLatent as SampleLatent
from engine.messages.latent_images import SampleLatentReply as SampleLatentReply
from engine.messages.latent_images import SampleReport as SampleReport
from engine.messages.latent_images import TraverseDimension as TraverseDimension
from engine.messages.latent_images import TraverseDimensionReply as TraverseDimensionReply
from engine.messages.layers import ComputeActivations as ComputeActivations
from engine.messages.layers import ComputeActivationsReply as ComputeActivationsReply
from engine.messages.layers import LayerDetectability as LayerDetectability
from engine.messages.layers import LayerFacts as LayerFacts
from engine.messages.layers import LesionOutcome as LesionOutcome
from engine.messages.layers import ListLayers as ListLayers
from engine.messages.layers import ListLayersReply as ListLayersReply
from engine.messages.layers import RegionSpec as RegionSpec
from engine.messages.layers import TraceLesion as TraceLesion
from engine.messages.layers import TraceLesionReply as TraceLesionReply
from engine.messages.search import ComputeImportances as ComputeImportances
from engine.messages.search import ComputeImportancesReply as ComputeImportancesReply
from engine.messages.search import EnqueueTrial as EnqueueTrial
from engine.messages.search import Importance as Importance
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


class Response(Event):
    """The answer to a request; big arrays are `.npy` paths inside `content`."""

    event: Literal["answer"] = "answer"
    number: int
    panel: str
    content: dict[str, Any]


class PartialResponse(Event):
    """The first part of the answer to a request: a reply of the same type without what takes longer."""

    event: Literal["partial-answer"] = "partial-answer"
    number: int
    panel: str
    content: dict[str, Any]


class RequestProgress(Event):
    """The progress of a long request."""

    event: Literal["request-progress"] = "request-progress"
    number: int
    panel: str
    done: int
    total: int


class RequestFailed(Event):
    """The failure of a command: what is wrong and what to do."""

    event: Literal["refused"] = "refused"
    reason: str
    advice: str = ""
    number: int | None = None
    panel: str | None = None

    @property
    def sentence(self) -> str:
        """Return the reason and the advice as one text."""
        return f"{self.reason} {self.advice}".strip()


Command = Annotated[
    Train
    | Resume
    | EstimateRun
    | RunStudy
    | Stop
    | Pause
    | Continue
    | LoadData
    | Audit
    | OpenScan
    | ExportVolume
    | WriteReport
    | OpenVolume
    | Reconstruct
    | PerImageErrors
    | EvaluateRun
    | Denoise
    | DenoiseCurve
    | ExportDenoised
    | ExportFigure
    | DenoiseDraft
    | DenoiseIntervals
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
    | RunEstimated
    | Progress
    | EpochEnded
    | Paused
    | Continued
    | JobEnded
    | StudyProgress
    | StudyEnded
    | Response
    | PartialResponse
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
MAX_UNREADABLE_LINES = 1_000
LONE_SURROGATE = "\\ud"
Emit = Callable[[Event], None]
ShouldStop = Callable[[], bool]
_COMMANDS: TypeAdapter[Any] = TypeAdapter(Command, config=ConfigDict(defer_build=True))
_EVENTS: TypeAdapter[Any] = TypeAdapter(AnyEvent, config=ConfigDict(defer_build=True))


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

    Example:
        >>> read_event('{"event": "log", "level": "info", "text": "Reading."}').text
        'Reading.'
    """
    event: Event = _read(_EVENTS, line)
    return event


def read_events(lines: Iterable[str | bytes]) -> Iterator[Event]:
    """Yield the events of a record's lines, without a line that a crash cut off.

    A record with more than `MAX_UNREADABLE_LINES` such lines is no record of ours: its rest is not read.
    """
    unreadable = 0
    for line in (line for line in lines if line):
        try:
            yield read_event(line)
        except EngramError:
            unreadable += 1
            if unreadable > MAX_UNREADABLE_LINES:
                return


def _read(adapter: TypeAdapter[Any], line: str | bytes) -> Any:
    if (b"\\ud" if isinstance(line, bytes) else "\\ud") in line:  # type: ignore[operator]
        # Only Python's own reader takes the letters that stand for a file name that is no UTF-8.
        with suppress(ValueError):
            return adapter.validate_python(json.loads(line))
    try:
        try:
            return adapter.validate_json(line)
        except ValidationError:
            if LONE_SURROGATE not in (line.lower() if isinstance(line, str) else line.lower().decode("latin-1")):
                raise
            # A file name that is not UTF-8, which pydantic's parser refuses.
            return adapter.validate_python(json.loads(line))
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
    except (ValueError, RecursionError) as error:
        reason = str(error)
    raise EngramError(f"A line between the app and the engine could not be read: {reason}.")


def discard_event(event: Event) -> None:
    """Discard an event."""


def never_stop() -> bool:
    """Return False: the job is never stopped."""
    return False
