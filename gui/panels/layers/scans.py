"""A scan that is looked at from within; pure data."""

from dataclasses import dataclass
from typing import Any

from engine.config import DataConfig
from gui.loaded_data import scan_title
from gui.opened_scan import OpenedScan


@dataclass(frozen=True)
class ScanRef:
    """One image of the data set, or one slice of a file."""

    name: str
    data: DataConfig
    split: str = ""
    index: int = 0
    opened: OpenedScan | None = None

    @property
    def key(self) -> str:
        """What its lesion is remembered by."""
        return f"{self.opened.path} {self.opened.slice}" if self.opened else f"{self.data.source} {self.name}"

    @property
    def title(self) -> str:
        return self.opened.title if self.opened else scan_title(self.name)

    @property
    def orientation(self) -> str | None:
        return self.opened.orientation if self.opened else None

    def request_fields(self) -> dict[str, Any]:
        """The fields of a request about it."""
        if self.opened is not None:
            return {"data": self.data, "scan": self.opened.path, "slice": self.opened.slice}
        return {"data": self.data, "split": self.split, "indices": (self.index,)}


@dataclass(frozen=True)
class ActivationKey:
    """One layer of a run while a scan passes through it; `run` is the folder of the run."""

    run: str
    layer: str
    scan: ScanRef
