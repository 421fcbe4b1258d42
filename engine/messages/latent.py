"""Requests about the latent space of a run, and their replies: the map of all images, neighbors, decoded latent codes.

A model that cannot decode from a latent code alone (a U-Net, an autoencoder with skip connections) is mapped and
searched by its deepest features, averaged over positions. It refuses every request that needs a decoded image.

All of these requests can wait: the first needs the latent codes of the training images, which are computed once and
then cached. Images in replies are float32 in [0, 1]; `run` repeats the request's, `name` names the request's image.
"""

from typing import ClassVar, Literal

from pydantic import Field

from engine.config import DataConfig
from engine.messages.base import Array, ImagesRequest, Reply, Request

Place = tuple[str, int]  # a split, and the index of an image in it
MapMethod = Literal["pca", "tsne", "umap"]


class DimensionReport(Reply):
    """Statistics of the latent dimensions over the training images, the most informative first.

    `order` contains the dimensions; the other lists follow it. `value` is what `measure` says: KL (nats) or variance.
    `spread` is the SD, `low` and `high` are the 1st and 99th percentile.
    """

    measure: str
    order: tuple[int, ...]
    value: tuple[float, ...]
    active: tuple[bool, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class CollapseReport(Reply):
    """How many latent dimensions there are, are active, and hold half of the information; a sentence if any are not."""

    active: int
    dimensions: int
    half: int
    sentence: str | None


class EmbedLatentsReply(Reply):
    """The map of some splits: `points` (n, 2) float32, and of every point its split, index, name, label and leak.

    `mse` is None until the reconstruction errors are known. `methods` says of each method why it is not available, ''
    where it is. `decodes` and `variational` say what the model can do.
    """

    run: str
    space: str
    decodes: bool
    variational: bool
    points: Array
    axes: tuple[str, str]
    note: str
    methods: dict[str, str]
    classes: tuple[str, ...]
    split: tuple[str, ...]
    index: tuple[int, ...]
    name: tuple[str, ...]
    label: tuple[str | None, ...]
    leaked: tuple[bool, ...]
    mse: tuple[float, ...] | None
    dimensions: DimensionReport
    collapse: CollapseReport


class EmbedLatents(Request):
    """Request for the latent codes of some splits as points in a plane."""

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = EmbedLatentsReply

    command: Literal["map-latent"] = "map-latent"
    run: str
    data: DataConfig
    splits: tuple[str, ...] = ("train", "validation", "test")
    method: MapMethod = "pca"
    seed: int = Field(0, ge=0)


class EmbeddingErrorsReply(Reply):
    """Mean squared errors of the reconstructions, in the order of the map's points."""

    run: str
    mse: tuple[float, ...]


class EmbeddingErrors(Request):
    """Request for the reconstruction errors of some splits, in the order of `EmbedLatents`.

    It takes longer than the latent codes do, so it is sent only if the errors are needed; they are cached then.
    """

    can_wait: ClassVar[bool] = True
    is_patient: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = EmbeddingErrorsReply

    command: Literal["map-errors"] = "map-errors"
    run: str
    data: DataConfig
    splits: tuple[str, ...] = ("train", "validation", "test")


class ProjectScanReply(Reply):
    """The image's point on the map, None if the method has none, and the nearest training images by latent code."""

    run: str
    name: str
    point: tuple[float, float] | None
    nearest: tuple[int, ...]


class ProjectScan(ImagesRequest):
    """Request for the position of one image on a map, and the training images nearest to it in latent space.

    The other fields are those of the map's `EmbedLatents`. Only principal components can place an image that they were
    not fitted on; for t-SNE and UMAP the point is None.
    """

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = ProjectScanReply

    command: Literal["place-scan"] = "place-scan"
    run: str
    splits: tuple[str, ...] = ("train", "validation", "test")
    method: MapMethod = "pca"
    seed: int = Field(0, ge=0)
    count: int = Field(4, ge=1, le=50)


class JudgeScanReply(Reply):
    """How unusual an image is for each run: a sentence, and the runs for which it is unlike the training images.

    A run whose validation images are not of other patients than its training images is missing.
    """

    notes: dict[str, str]
    flagged: tuple[str, ...]


class JudgeScan(ImagesRequest):
    """Request for a comparison of one image with the validation images of some runs."""

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = JudgeScanReply

    command: Literal["judge-scan"] = "judge-scan"
    runs: tuple[str, ...]


class Neighbor(Reply):
    """A training image, and its distance from the query image (RMS difference)."""

    index: int
    name: str
    distance: float


class ReferenceReport(Reply):
    """Median distance and share of near copies, among `scans` images of a split that are no training images."""

    typical: float
    share: float
    scans: int
    split: str


class NeighborReport(Reply):
    """The nearest training images, nearest first, and whether the image is a near copy of one.

    `ratio` is the distance to the nearest training image over the mean distance to the 50 nearest; under `limit` the
    image is a near copy (`memorised`).
    """

    nearest: tuple[Neighbor, ...]
    unit: str
    ratio: float
    limit: float
    usual: ReferenceReport
    typical: float
    memorised: bool


class FindNeighborsReply(Reply):
    """The nearest training images of an image by intensities and by latent code, and those of its reconstruction."""

    run: str
    name: str
    space: str
    pixel: NeighborReport
    latent: NeighborReport
    reconstruction: NeighborReport
    memorised: bool
    sentence: str


class FindNeighbors(ImagesRequest):
    """Request for the training images nearest to one image, and whether it is a near copy of one."""

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = FindNeighborsReply

    command: Literal["neighbours"] = "neighbours"
    run: str
    count: int = Field(8, ge=1, le=50)
