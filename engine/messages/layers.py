"""Requests about a model's layers: the list, activations, the way of a lesion through them; and their replies."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from engine.messages.base import Array, ImagesRequest, Message, Reply, Request

Corner = tuple[float, float]
Spans = tuple[tuple[int, int], ...]


class LayerFacts(Reply):
    """One layer of a model.

    Args:
        name: unique in the model.
        kind: Keras class, such as 'Conv2D'.
        part: sub-model, such as 'encoder'; empty outside of them.
        shape: shape of the activation of one image, (height, width, channels) or (numbers,).
        parameters: number of its own weights.
        kernel: (height, width) of the kernel; empty if there is none.
        stride: (down, across); empty if there is none.
        receives: names of its input layers, 'images' for the model's input.
        rows: (first, last) pixel row in the receptive field of each row of units; first > last if it is empty.
        columns: the same for the columns.
        known: False if the receptive field is unknown, and assumed to be the whole image.
        before: layer right before the activation function that belongs to this layer; None if there is none.
        after: that activation function; None if there is none.
        words: sentences that describe the layer.
    """

    name: str
    kind: str
    part: str
    shape: tuple[int, ...]
    parameters: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    receives: tuple[str, ...]
    rows: Spans
    columns: Spans
    known: bool
    before: str | None
    after: str | None
    words: tuple[str, ...]


class ListLayersReply(Reply):
    """The layers of a run in network order; `model` is the architecture, `size` the side of its images in pixels."""

    run: str
    model: str
    size: int
    layers: tuple[LayerFacts, ...]


class ListLayers(Request):
    """Request the layers of a run in network order."""

    reply_type: ClassVar[type[Reply]] = ListLayersReply

    command: Literal["list-layers"] = "list-layers"
    run: str


class ComputeActivationsReply(Reply):
    """The activations of one layer for some images.

    Args:
        run: the run.
        layer: the layer.
        names: names of the images.
        originals: (n, size, size) float32 in [0, 1], the images at the run's size.
        activations: (n, height, width, channels) or (n, numbers) float32.
    """

    run: str
    layer: str
    names: tuple[str, ...]
    originals: Array
    activations: Array


class ComputeActivations(ImagesRequest):
    """Request the activations of one layer of a run for some images."""

    reply_type: ClassVar[type[Reply]] = ComputeActivationsReply

    command: Literal["activate"] = "activate"
    run: str
    layer: str = Field(min_length=1)


class RegionSpec(Message):
    """A region of an image; points are (x, y), (0, 0) its upper left corner and (1, 1) its lower right one.

    An ellipse or rectangle has two of them, opposite corners of its bounding box; a polygon has three or more corners.
    """

    kind: Literal["ellipse", "rectangle", "polygon"]
    points: tuple[Corner, ...]

    @model_validator(mode="after")
    def _has_enough_points(self) -> "RegionSpec":
        if len(self.points) < 3 if self.kind == "polygon" else len(self.points) != 2:
            raise ValueError(f"a {self.kind} of {len(self.points)} points is not a valid region")
        return self


class LayerDetectability(Reply):
    """How detectable a lesion is after a layer, for an ideal observer; means over the traced lesions.

    Args:
        name: the layer.
        kind: Keras class.
        part: sub-model, such as 'encoder'; empty outside of them.
        held_d_prime: d' from everything that later layers receive.
        alone_d_prime: d' from this layer only.
        held_share: the first as a share of d' in the image, 0 to 1.
        alone_share: the second as a share of d' in the image, 0 to 1.
        lost_share: share of the d' that reached the layer and is lost in it, 0 to 1.
    """

    name: str
    kind: str
    part: str
    held_d_prime: float
    alone_d_prime: float
    held_share: float
    alone_share: float
    lost_share: float


class LesionOutcome(Reply):
    """What the model's output retains of one lesion.

    Args:
        name: name of the image.
        lesion_px: area of the lesion, px.
        picture_d_prime: d' in the image.
        output_d_prime: d' at the output.
        output_share: the second as a share of the first, 0 to 1.
        loses_most: the layer that loses most; None if none loses any.
        contrast_kept: lesion contrast at the output as a share of that in the image; nan if the lesion has hardly any.
    """

    name: str
    lesion_px: int
    picture_d_prime: float
    output_d_prime: float
    output_share: float
    loses_most: str | None
    contrast_kept: float


class TraceLesionReply(Reply):
    """The detectability of one lesion after each layer: what `lesion-layers --json` prints for one pair.

    Args:
        run: the run.
        model: the architecture.
        name: name of the image.
        noise: standard deviation of the observer's noise, intensity.
        places: points on the path from the healthy image to the lesion.
        channels: most channels that an observer uses.
        picture_d_prime: d' in the image.
        layers: the layers in network order.
        loses_most: the layer that loses most; None if none loses any.
        pairs: the lesion, alone in its tuple.
    """

    run: str
    model: str
    name: str
    noise: float
    places: int
    channels: int
    picture_d_prime: float
    layers: tuple[LayerDetectability, ...]
    loses_most: str | None
    pairs: tuple[LesionOutcome, ...]


class TraceLesion(ImagesRequest):
    """Request the detectability of the lesion in a region of one image after each layer; it can wait.

    The image is compared with a copy whose region is inpainted. `layers` are the layers to report, the last of each
    resolution if none is named; the other fields are as in `lesion-layers`.
    """

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = TraceLesionReply

    command: Literal["follow-lesion"] = "follow-lesion"
    run: str
    region: RegionSpec
    layers: tuple[str, ...] = ()
    noise: float = Field(0.05, gt=0.0)
    places: int = Field(1, ge=1, le=16)
    channels: int = Field(16, ge=1, le=64)
