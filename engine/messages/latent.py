"""Questions about the latent space of a run: where scans lie in it, what lies near them, and what is in between.

A model that cannot decode from a latent alone (a U-Net, an autoencoder with skip connections) is mapped and searched by
its deepest features, averaged over places; it refuses every question that needs a picture decoded.

Every one of these can wait: the first needs the latents of the training scans, which are found once and then kept.
"""

from typing import ClassVar, Literal

from pydantic import Field

from engine.config import DataConfig
from engine.messages.request import ImagesRequest, Request

Place = tuple[str, int]  # a split, and the index of a scan in it
MapMethod = Literal["pca", "tsne", "umap"]


class EmbedLatents(Request):
    """Lay the latents of some splits out in a plane.

    Answers with the path of the points (n, 2); of every point its split, index, label and whether it is leaked; the
    errors of all where they are known; the titles of the axes; the methods at hand; the dimensions in order; and
    whether any of them have collapsed.
    """

    can_wait: ClassVar[bool] = True

    command: Literal["map-latent"] = "map-latent"
    run: str
    data: DataConfig
    splits: tuple[str, ...] = ("train", "validation", "test")
    method: MapMethod = "pca"
    seed: int = Field(0, ge=0)


class EmbeddingErrors(Request):
    """Reconstruct every scan of some splits: their mean squared errors, in the order of `EmbedLatents`.

    This takes longer than the latents do, so it is asked only where the errors are wanted; they are kept then.
    """

    can_wait: ClassVar[bool] = True
    is_patient: ClassVar[bool] = True

    command: Literal["map-errors"] = "map-errors"
    run: str
    data: DataConfig
    splits: tuple[str, ...] = ("train", "validation", "test")


class ProjectScan(ImagesRequest):
    """Where one image lies on a map, and the training scans nearest to it in the latent.

    The other fields are those of the `EmbedLatents` that asked for the map. Only principal components have a place for
    a scan that they were not fitted on; for t-SNE and UMAP the point is None.
    """

    can_wait: ClassVar[bool] = True

    command: Literal["place-scan"] = "place-scan"
    run: str
    splits: tuple[str, ...] = ("train", "validation", "test")
    method: MapMethod = "pca"
    seed: int = Field(0, ge=0)
    count: int = Field(4, ge=1, le=50)


class FindNeighbors(ImagesRequest):
    """The training scans nearest to one image, in pixels and in the latent, and whether one is suspiciously near."""

    can_wait: ClassVar[bool] = True

    command: Literal["neighbours"] = "neighbours"
    run: str
    count: int = Field(8, ge=1, le=50)


class Interpolate(Request):
    """Decode the latents between two scans, ends included."""

    can_wait: ClassVar[bool] = True

    command: Literal["interpolate"] = "interpolate"
    run: str
    data: DataConfig
    first: Place
    second: Place
    steps: int = Field(9, ge=2, le=64)
    path: Literal["linear", "spherical"] = "linear"


class TraverseDimension(ImagesRequest):
    """Decode an image with one of its latent numbers changed step by step.

    `reach` is how many standard deviations of the training latents to go round their mean; where it is None, the walk
    goes from their 1st to their 99th percentile.
    """

    can_wait: ClassVar[bool] = True

    command: Literal["walk-dimension"] = "walk-dimension"
    run: str
    dimension: int = Field(ge=0)
    steps: int = Field(9, ge=2, le=64)
    reach: float | None = Field(None, gt=0.0, le=20.0)


class DecodeMean(Request):
    """The decoded mean of some scans' latents, beside the mean of their pixels."""

    can_wait: ClassVar[bool] = True

    command: Literal["average-scans"] = "average-scans"
    run: str
    data: DataConfig
    places: tuple[Place, ...] = Field(min_length=1)


class SampleLatent(Request):
    """Decode latents drawn from the prior of a variational model, or from a Gaussian mixture of training latents."""

    can_wait: ClassVar[bool] = True

    command: Literal["sample-latent"] = "sample-latent"
    run: str
    data: DataConfig
    count: int = Field(16, ge=1, le=256)
    seed: int = Field(0, ge=0)
    source: Literal["prior", "mixture"] = "mixture"


class PosteriorSpread(ImagesRequest):
    """Decode samples of one image's posterior: their mean, and the standard deviation of every pixel."""

    can_wait: ClassVar[bool] = True

    command: Literal["posterior-spread"] = "posterior-spread"
    run: str
    samples: int = Field(32, ge=4, le=256)


class CalibrateSpread(Request):
    """How often the pixels of a split lie in the intervals that the spread of posterior samples promises."""

    can_wait: ClassVar[bool] = True

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
    | FindNeighbors
    | Interpolate
    | TraverseDimension
    | DecodeMean
    | SampleLatent
    | PosteriorSpread
    | CalibrateSpread
)
