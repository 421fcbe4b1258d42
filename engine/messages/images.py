"""Requests about datasets and whole images: load, audit, open, reconstruct, evaluate."""

from typing import ClassVar, Literal

from engine.config import DataConfig
from engine.messages.request import ImagesRequest, Request


class LoadData(Request):
    """Prepare a source; answers with counts, names and the path of the image store."""

    command: Literal["load-data"] = "load-data"
    config: DataConfig


class Audit(Request):
    """Look for scans of a source that are the same or nearly so; answers with what `engine audit --json` prints.

    It is answered beside the other requests, so that these need not wait, and is given up when other data are loaded.
    """

    command: Literal["audit"] = "audit"
    config: DataConfig


class OpenScan(Request):
    """Open one picture, DICOM or NIfTI file; answers with its name, kind, orientation and number of slices."""

    command: Literal["open-scan"] = "open-scan"
    path: str


class Reconstruct(ImagesRequest):
    """Put images through runs; answers with originals and reconstructions of each run.

    In the place of a run may stand a yardstick: 'pca:512' is the linear map of 512 components, 'pca:0' the mean image.
    """

    command: Literal["reconstruct"] = "reconstruct"
    runs: tuple[str, ...]


class EvaluateRun(Request):
    """All numbers of a run, or of a yardstick, on the test images of `data`: all of them, the leaked, the clean.

    It can wait: whatever else is asked meanwhile is answered first.
    """

    can_wait: ClassVar[bool] = True

    command: Literal["measure"] = "measure"
    run: str
    data: DataConfig


class PerImageErrors(Request):
    """Mean squared error of a run on every image of a split, to sort by."""

    command: Literal["rank"] = "rank"
    run: str
    data: DataConfig
    split: str = "validation"
