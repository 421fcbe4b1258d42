"""Requests about the channels of a layer, and their replies: statistics, top images, saliency, kernels, matching."""

from typing import ClassVar, Literal

from pydantic import Field

from engine.config import DataConfig
from engine.messages.base import Array, ImagesRequest, Reply, Request

Box = tuple[int, int, int, int]


class ChannelNumbers(Reply):
    """Statistics of one layer, an entry per channel, over all images and positions.

    Args:
        mean: mean.
        spread: standard deviation.
        energy: mean square.
        zeros: share of the values that are exactly 0, 0 to 1.
        lowest: minimum.
        highest: maximum.
        dead: whether the channel is constant over the whole split.
    """

    mean: tuple[float, ...]
    spread: tuple[float, ...]
    energy: tuple[float, ...]
    zeros: tuple[float, ...]
    lowest: tuple[float, ...]
    highest: tuple[float, ...]
    dead: tuple[bool, ...]


class ComputeChannelStatisticsReply(Reply):
    """Channel statistics of every layer, by layer name, over the `images` images of a split."""

    run: str
    split: str
    images: int
    layers: dict[str, ChannelNumbers]


class ComputeChannelStatistics(Request):
    """Request the channel statistics of every layer over a split; it can wait and continues where it was."""

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = ComputeChannelStatisticsReply

    command: Literal["channel-statistics"] = "channel-statistics"
    run: str
    data: DataConfig
    split: str = "validation"


class TopImage(Reply):
    """One top-activating image of a channel.

    Args:
        index: index of the image in its split.
        name: name of the image.
        value: the channel's maximum over the image.
        unit: (row, column) of the unit with that value; (0, 0) in a layer of numbers.
        box: (x, y, width, height) in pixels, the receptive field of that unit.
    """

    index: int
    name: str
    value: float
    unit: tuple[int, int]
    box: Box


class TopActivationsReply(Reply):
    """The top-activating images of a channel, the strongest first."""

    run: str
    layer: str
    channel: int
    favourites: tuple[TopImage, ...]


class TopActivations(Request):
    """Request the top-activating images of a channel in a split; it can wait and continues where it was."""

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = TopActivationsReply

    command: Literal["favourites"] = "favourites"
    run: str
    data: DataConfig
    split: str = "validation"
    layer: str = Field(min_length=1)
    channel: int = Field(0, ge=0)
    count: int = Field(9, ge=1, le=64)


class MaximizeActivationReply(Reply):
    """The optimized input of a channel.

    Args:
        run: the run.
        layer: the layer.
        channel: the channel.
        picture: (size, size) float32 in [0, 1].
        start: the channel's value for uniform gray.
        value: the channel's value for the picture.
    """

    run: str
    layer: str
    channel: int
    picture: Array
    start: float
    value: float


class MaximizeActivation(Request):
    """Request the input that maximizes a channel, by gradient ascent; it can wait and continues where it was."""

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = MaximizeActivationReply

    command: Literal["prefer"] = "prefer"
    run: str
    layer: str = Field(min_length=1)
    channel: int = Field(0, ge=0)


class ComputeSaliencyReply(Reply):
    """The gradient of a channel, or of one `unit` (row, column) of it, with respect to the pixels.

    Args:
        run: the run.
        layer: the layer.
        channel: the channel.
        unit: the unit; None for the mean of the channel.
        names: names of the images.
        originals: (n, size, size) float32 in [0, 1], the images at the run's size.
        saliency: (n, size, size) float32, activation per unit of intensity.
    """

    run: str
    layer: str
    channel: int
    unit: tuple[int, int] | None
    names: tuple[str, ...]
    originals: Array
    saliency: Array


class ComputeSaliency(ImagesRequest):
    """Request the gradient of a channel, or of one unit (row, column) of it, with respect to the pixels."""

    reply_type: ClassVar[type[Reply]] = ComputeSaliencyReply

    command: Literal["salient"] = "salient"
    run: str
    layer: str = Field(min_length=1)
    channel: int = Field(0, ge=0)
    unit: tuple[int, int] | None = None
    copies: int = Field(0, ge=0, le=64)


class ReadKernelsReply(Reply):
    """The weights of a layer, (channels, inputs, height, width) float32; None if it has no spatial kernels."""

    run: str
    layer: str
    kernels: Array | None


class ReadKernels(Request):
    """Request the spatial kernels of a layer."""

    reply_type: ClassVar[type[Reply]] = ReadKernelsReply

    command: Literal["kernels"] = "kernels"
    run: str
    layer: str = Field(min_length=1)


class MatchChannelsReply(Reply):
    """Two layers with their channels matched one to one.

    Args:
        runs: the two runs.
        layers: a layer of each.
        names: names of the images.
        pairs: (channel of the first, channel of the second), as many as the smaller layer has channels.
        correlation: of each pair, -1 to 1, over all images and positions.
        rms: root mean square difference of each pair, in units of the activation.
        activations: (n, height, width, channels) or (n, numbers) float32, of the second layer.
    """

    runs: tuple[str, str]
    layers: tuple[str, str]
    names: tuple[str, ...]
    pairs: tuple[tuple[int, int], ...]
    correlation: tuple[float, ...]
    rms: tuple[float, ...]
    activations: Array


class MatchChannels(ImagesRequest):
    """Request a matching of the channels of two layers, of two runs or of one, for the same images."""

    reply_type: ClassVar[type[Reply]] = MatchChannelsReply

    command: Literal["match-channels"] = "match-channels"
    runs: tuple[str, str]
    layers: tuple[str, str]
