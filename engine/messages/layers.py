"""Questions about a model from within: its layers, what they make of images, what their channels do and like."""

from typing import Literal

from pydantic import Field

from engine.messages.request import ImagesRequest, Request


class ListLayers(Request):
    """The layers of a run in network order: what each is, is given, and can see of the image."""

    command: Literal["list-layers"] = "list-layers"
    run: str


class Activate(ImagesRequest):
    """What one layer of a run makes of images; answers with the images at the run's size and the activations."""

    command: Literal["activate"] = "activate"
    run: str
    layer: str = Field(min_length=1)
