"""Questions about noise: what runs and classical methods make of one noisy image."""

from typing import ClassVar, Literal

from pydantic import Field

from engine.messages.request import ImagesRequest


class NoisyRequest(ImagesRequest):
    """A question about images with noise of a kind, drawn from a seed; `sigma` in units of the data range, 1."""

    noise: str = "gaussian"
    seed: int = Field(0, ge=0)


class RunsRequest(NoisyRequest):
    """What runs make of one noisy image; in the place of a run may stand a yardstick, as in `Reconstruct`."""

    runs: tuple[str, ...] = ()
    sigma: float = Field(0.0, ge=0.0, le=1.0)


class Denoise(RunsRequest):
    """Put a noisy image through runs; answers with the image, the noisy one, and what each run made of it."""

    command: Literal["denoise"] = "denoise"


class DenoiseDraft(RunsRequest):
    """Put a noisy image through runs in a hurry, while the level still moves; answers with what each run made of it.

    There are no numbers, and a model that has a quicker way takes it; the answer says whose pictures are not exact.
    """

    command: Literal["denoise-draft"] = "denoise-draft"


class ApplyFilter(NoisyRequest):
    """Put a noisy image through one of `engine.denoising.baselines`; it may take its time, beside the other requests.

    Principal components are those of the training images of `data`, so many of them.
    """

    command: Literal["filter"] = "filter"
    method: str
    sigma: float = Field(0.0, ge=0.0, le=1.0)
    components: int = Field(512, ge=1)


class DenoiseCurve(NoisyRequest):
    """The error of runs on one image at many noise levels, and that of doing nothing. It can wait."""

    can_wait: ClassVar[bool] = True

    command: Literal["denoise-curve"] = "denoise-curve"
    runs: tuple[str, ...] = ()
    sigmas: tuple[float, ...]
