"""Requests for images decoded from latent codes, and their replies: interpolations, traversals, means, samples.

All of them can wait, as those of `engine.messages.latent`. Images are float32 in [0, 1].
"""

from typing import ClassVar, Literal

from pydantic import Field

from engine.config import DataConfig
from engine.messages.base import Array, ImagesRequest, Reply, Request
from engine.messages.latent import EmbeddingErrors, EmbedLatents, FindNeighbors, JudgeScan, Neighbor, Place, ProjectScan


class InterpolateReply(Reply):
    """Decoded `images` (steps, height, width), and the pixel cross-fade `faded` of the same shape.

    `shares` are the positions from 0 to 1, `lengths` the norms of the latent codes there.
    """

    run: str
    path: str
    shares: tuple[float, ...]
    lengths: tuple[float, ...]
    images: Array
    faded: Array


class Interpolate(Request):
    """Request for the images between two images: decoded latent codes, ends included."""

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = InterpolateReply

    command: Literal["interpolate"] = "interpolate"
    run: str
    data: DataConfig
    first: Place
    second: Place
    steps: int = Field(9, ge=2, le=64)
    path: Literal["linear", "spherical"] = "linear"


class TraverseDimensionReply(Reply):
    """Decoded `images` (steps, height, width) at `values` of the dimension; `own` is the image's own value.

    `reconstruction` is (1, height, width), `change` the mean absolute difference of each image from it.
    """

    run: str
    name: str
    dimension: int
    values: tuple[float, ...]
    own: float
    images: Array
    reconstruction: Array
    change: tuple[float, ...]


class TraverseDimension(ImagesRequest):
    """Request for a latent traversal: an image decoded with one latent dimension changed step by step.

    `reach` is the number of SDs of the training codes on either side of their mean. If it is None, the traversal goes
    from their 1st to their 99th percentile.
    """

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = TraverseDimensionReply

    command: Literal["walk-dimension"] = "walk-dimension"
    run: str
    dimension: int = Field(ge=0)
    steps: int = Field(9, ge=2, le=64)
    reach: float | None = Field(None, gt=0.0, le=20.0)


class DecodeMeanReply(Reply):
    """The decoded mean latent code `average` and the pixel-wise mean, (1, height, width) each, of `count` images."""

    run: str
    count: int
    average: Array
    pixel_mean: Array


class DecodeMean(Request):
    """Request for the decoded mean latent code of some images, and their pixel-wise mean."""

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = DecodeMeanReply

    command: Literal["average-scans"] = "average-scans"
    run: str
    data: DataConfig
    places: tuple[Place, ...] = Field(min_length=1)


class SampleReport(Neighbor):
    """The training image nearest to a generated image, the ratio of `NeighborReport`, and whether it is a near copy."""

    ratio: float
    memorised: bool


class MixtureCandidateReport(Reply):
    """A Gaussian mixture that was fitted, and the mean log-likelihood of held-out latent codes (nats)."""

    components: int
    covariance: str
    held_out_nats: float


class MixtureReport(Reply):
    """The Gaussian mixture that samples come from, of the first `axes` principal components."""

    components: int
    covariance: str
    axes: int
    variance_share: float
    tried: tuple[MixtureCandidateReport, ...]


class SampleLatentReply(Reply):
    """Generated `images` (count, height, width), and of each the nearest training image.

    `memorised` counts the near copies, `typical` is the usual distance; `mixture` is None for samples of the prior.
    """

    run: str
    source: str
    seed: int
    images: Array
    samples: tuple[SampleReport, ...]
    limit: float
    typical: float
    memorised: int
    mixture: MixtureReport | None


class SampleLatent(Request):
    """Request for images generated from the prior of a variational model, or from a mixture of the training codes."""

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = SampleLatentReply

    command: Literal["sample-latent"] = "sample-latent"
    run: str
    data: DataConfig
    count: int = Field(16, ge=1, le=256)
    seed: int = Field(0, ge=0)
    source: Literal["prior", "mixture"] = "mixture"


class CalibrationReport(Reply):
    """Nominal `levels` and observed `coverage` of central intervals, over a number of `pixels`.

    `calibration_error` is their mean absolute difference; `spread` is the RMS of the posterior SD, `rms_error` that of
    original minus mean (intensities).
    """

    levels: tuple[float, ...]
    coverage: tuple[float, ...]
    calibration_error: float
    spread: float
    rms_error: float
    pixels: int
    sentence: str


class PosteriorSpreadReply(Reply):
    """An image, and the mean and SD of its decoded posterior samples, (height, width) each; its own calibration.

    `half_width` is that of the calibrated 90% interval at each pixel; None before the calibration of a split was asked.
    """

    run: str
    name: str
    original: Array
    mean: Array
    spread: Array
    calibration: CalibrationReport
    half_width: Array | None = None


class PosteriorSpread(ImagesRequest):
    """Request for the pixel-wise mean and SD of decoded samples of one image's posterior."""

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = PosteriorSpreadReply

    command: Literal["posterior-spread"] = "posterior-spread"
    run: str
    samples: int = Field(32, ge=4, le=256)


class CalibrateSpreadReply(CalibrationReport):
    """The calibration over a number of images (`scans`) of a split, with a number of `samples` of each.

    `calibrated` is that of intervals that were fitted to images of other patients of the split.
    """

    run: str
    split: str
    scans: int
    samples: int
    calibrated: CalibrationReport | None = None


class CalibrateSpread(Request):
    """Request for the share of a split's pixels that lie in the intervals that the posterior SD predicts."""

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = CalibrateSpreadReply

    command: Literal["calibrate-spread"] = "calibrate-spread"
    run: str
    data: DataConfig
    split: str = "validation"
    samples: int = Field(32, ge=4, le=256)
    count: int = Field(64, ge=1)


LatentRequest = (
    EmbedLatents
    | EmbeddingErrors
    | ProjectScan
    | JudgeScan
    | FindNeighbors
    | Interpolate
    | TraverseDimension
    | DecodeMean
    | SampleLatent
    | PosteriorSpread
    | CalibrateSpread
)
