"""Questions about a model from within: its layers, what they make of images, what their channels do and like."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from engine.config import DataConfig
from engine.messages.base import Message
from engine.messages.request import ImagesRequest, Request

Corner = tuple[float, float]


class ListLayers(Request):
    """The layers of a run in network order: what each is, is given, and can see of the image."""

    command: Literal["list-layers"] = "list-layers"
    run: str


class ComputeActivations(ImagesRequest):
    """What one layer of a run makes of images; answers with the images at the run's size and the activations."""

    command: Literal["activate"] = "activate"
    run: str
    layer: str = Field(min_length=1)


class ComputeChannelStatistics(Request):
    """The numbers of every channel of every layer over a whole split. It can wait, and goes on where it was."""

    can_wait: ClassVar[bool] = True

    command: Literal["channel-statistics"] = "channel-statistics"
    run: str
    data: DataConfig
    split: str = "validation"


class TopActivations(Request):
    """The scans of a split that excite a channel most, and where. It can wait, and goes on where it was."""

    can_wait: ClassVar[bool] = True

    command: Literal["favourites"] = "favourites"
    run: str
    data: DataConfig
    split: str = "validation"
    layer: str = Field(min_length=1)
    channel: int = Field(0, ge=0)
    count: int = Field(9, ge=1, le=64)


class MaximizeActivation(Request):
    """The input that a channel likes best, looked for by gradient ascent. It can wait, and goes on where it was."""

    can_wait: ClassVar[bool] = True

    command: Literal["prefer"] = "prefer"
    run: str
    layer: str = Field(min_length=1)
    channel: int = Field(0, ge=0)


class ComputeSaliency(ImagesRequest):
    """Which pixels a channel, or one unit (row, column) of it, answers to: the gradient of its value."""

    command: Literal["salient"] = "salient"
    run: str
    layer: str = Field(min_length=1)
    channel: int = Field(0, ge=0)
    unit: tuple[int, int] | None = None
    copies: int = Field(0, ge=0, le=64)


class ReadKernels(Request):
    """The weights of a layer as pictures, where it has such."""

    command: Literal["kernels"] = "kernels"
    run: str
    layer: str = Field(min_length=1)


class MatchChannels(ImagesRequest):
    """Which channel of one run's layer is which of another's, on the same images; the same run twice is allowed."""

    command: Literal["match-channels"] = "match-channels"
    runs: tuple[str, str]
    layers: tuple[str, str]


class RegionSpec(Message):
    """A region of a picture; points are (x, y), (0, 0) its upper left corner and (1, 1) its lower right one.

    An ellipse or rectangle has two of them, opposite corners of its box; a polygon has its corners, three or more.
    """

    kind: Literal["ellipse", "rectangle", "polygon"]
    points: tuple[Corner, ...]

    @model_validator(mode="after")
    def _has_enough_points(self) -> "RegionSpec":
        if len(self.points) < 3 if self.kind == "polygon" else len(self.points) != 2:
            raise ValueError(f"a {self.kind} of {len(self.points)} points is not a valid region")
        return self


class TraceLesion(ImagesRequest):
    """Where the lesion in a region of one image goes, beside the same image with the region filled in. It can wait.

    `layers` are those to ask, the ends of the model's stages where none is named; the rest is as in `lesion-layers`.
    """

    can_wait: ClassVar[bool] = True

    command: Literal["follow-lesion"] = "follow-lesion"
    run: str
    region: RegionSpec
    layers: tuple[str, ...] = ()
    noise: float = Field(0.05, gt=0.0)
    places: int = Field(1, ge=1, le=16)
    channels: int = Field(16, ge=1, le=64)
