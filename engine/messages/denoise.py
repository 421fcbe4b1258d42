"""Requests about noise, with their replies: one noisy image, denoised by runs and classical filters."""

from typing import ClassVar, Literal

from pydantic import Field

from engine.messages.base import Array, ImagesRequest, Reply
from engine.messages.layers import RegionSpec

# Fewest validation images for `DenoiseIntervals`: with less, each half of them has too few errors for a quantile.
MIN_INTERVAL_IMAGES = 8


class NoisyRequest(ImagesRequest):
    """A request about images with noise of a kind, drawn from a seed."""

    noise: str = "gaussian"
    seed: int = Field(0, ge=0)


class RunsRequest(NoisyRequest):
    """A request about one noisy image, denoised by runs.

    `sigma` is the noise level in units of the data range, 1. A baseline may take the place of a run, as in
    `Reconstruct`.
    """

    runs: tuple[str, ...] = ()
    sigma: float = Field(0.0, ge=0.0, le=1.0)


class ImageMetrics(Reply):
    """Metrics of one image against the noise-free reference; `psnr_db` is None where the two are equal."""

    mse: float
    psnr_db: float | None
    ssim: float


class DenoisedReply(ImageMetrics):
    """The noisy image, denoised by a run.

    `original` and `noisy` are the image at the size of the run. All three are float32 (size, size) in [0, 1].
    `noise_shape` holds the fields of `engine.denoising.noisy_image.NoiseShape` at this size, if no noise was added.
    """

    noise_shape: tuple[float, float] = (-0.05, 1.0)
    original: Array
    noisy: Array
    denoised: Array


class DenoiseReply(ImageMetrics):
    """The image and its noisy copy, float32 (size, size) in [0, 1], and the image denoised by each run.

    The metrics are those of the noisy image.
    """

    name: str
    noise_shape: tuple[float, float] = (-0.05, 1.0)
    original: Array
    noisy: Array
    runs: dict[str, DenoisedReply]


class Denoise(RunsRequest):
    """Denoise one image with several runs."""

    reply_type: ClassVar[type[Reply]] = DenoiseReply

    command: Literal["denoise"] = "denoise"


class IntervalMap(Reply):
    """Half the width of the calibrated 90% interval of the denoised image, float32 (size, size), intensities.

    It holds for the noise of kind `noise` and level `sigma`. `coverage` is the share of the pixels in such intervals
    over `images` validation images, where each half of the patients has intervals from the other; `confidence` is its
    95% interval over patients, None if they are unknown.
    """

    half_width: Array
    noise: str
    sigma: float
    coverage: float
    confidence: tuple[float, float] | None
    images: int
    sentence: str


class DenoiseIntervalsReply(Reply):
    """The map of each run."""

    runs: dict[str, IntervalMap]


class DenoiseIntervals(RunsRequest):
    """Compute calibrated intervals of one denoised image, from the validation images of `data`. It can wait.

    With `already_noisy` no noise is added to the image: its level is estimated, as Rician noise for a run that was
    trained on it, else as Gaussian.
    """

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = DenoiseIntervalsReply

    command: Literal["denoise-intervals"] = "denoise-intervals"
    already_noisy: bool = False


class DraftReply(Reply):
    """A quick estimate, float32 (size, size) in [0, 1]; `exact` if it equals the image of the full request."""

    denoised: Array
    exact: bool


class DenoiseDraftReply(Reply):
    """The quick estimate of each run."""

    runs: dict[str, DraftReply]


class DenoiseDraft(RunsRequest):
    """Denoise one image quickly, while the noise level still moves; there are no metrics.

    A model that has a faster variant uses it.
    """

    reply_type: ClassVar[type[Reply]] = DenoiseDraftReply

    command: Literal["denoise-draft"] = "denoise-draft"


class ApplyFilterReply(ImageMetrics):
    """The filtered image, float32 (size, size) in [0, 1], and its metrics."""

    method: str
    denoised: Array


class ApplyFilter(NoisyRequest):
    """Denoise one image with a method of `engine.denoising.baselines`; it runs alongside other requests.

    `components` is the number of components of PCA, which is fitted to the training images of `data`.
    """

    reply_type: ClassVar[type[Reply]] = ApplyFilterReply

    command: Literal["filter"] = "filter"
    method: str
    sigma: float = Field(0.0, ge=0.0, le=1.0)
    components: int = Field(512, ge=1)


class ExportDenoisedReply(Reply):
    """The file of a figure that was written."""

    path: str


class ExportDenoised(RunsRequest):
    """Write a figure of one image and its results to a PNG, PDF or SVG file, light as on paper, vector but for pixels.

    `filters` and `components` are those of `DenoiseCurve`. `titles` and `notes` are the texts above and below the
    image of each method, 'original' and 'noisy' among them; `lines` stand below all images, `heading` above. With
    `residual` the image is noisy already: the lower row shows what was removed.
    """

    reply_type: ClassVar[type[Reply]] = ExportDenoisedReply

    command: Literal["export-denoised"] = "export-denoised"
    path: str
    filters: tuple[str, ...] = ()
    components: int = Field(512, ge=1)
    heading: str = ""
    titles: dict[str, str]
    notes: dict[str, str]
    lines: tuple[str, ...] = ()
    region: RegionSpec | None = None
    residual: bool = False


class NoiseLevelErrors(Reply):
    """Mean squared errors of a run at each noise level, and those of its noisy input."""

    mse: tuple[float, ...]
    noisy_mse: tuple[float, ...]


class DenoiseCurveReply(Reply):
    """Mean squared errors at each noise level: those of the noisy input (no denoising), and those of each run."""

    sigmas: tuple[float, ...]
    noisy_mse: tuple[float, ...]
    runs: dict[str, NoiseLevelErrors]


class DenoiseCurve(NoisyRequest):
    """Compute the error of runs and filters on one image at many noise levels. It can wait.

    Filters are methods of `engine.denoising.baselines`; the reply has them beside the runs, under their names.
    """

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = DenoiseCurveReply

    command: Literal["denoise-curve"] = "denoise-curve"
    runs: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    components: int = Field(512, ge=1)
    sigmas: tuple[float, ...]
