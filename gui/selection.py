"""The current image, the current run and the lesions, which all panels share, and the files opened before."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.arrays import Image
from engine.config import DataConfig
from engine.messages import OpenScan, OpenScanReply, Request, RequestFailed
from gui.explorer_client import RequestHandle
from gui.loaded_data import SPLITS, LoadedData, scan_title
from gui.opened_files import OpenedScan, opened_scan_from
from gui.widgets.region.region import RegionStore

MAX_RECENT = 8


@dataclass(frozen=True)
class ImageRef:
    """One image of the dataset, or one slice of a file."""

    name: str
    data: DataConfig
    split: str = ""
    index: int = 0
    opened: OpenedScan | None = None

    @property
    def key(self) -> str:
        """Return the key of its lesion region."""
        return f"{self.opened.path} {self.opened.slice}" if self.opened else f"{self.data.source} {self.name}"

    @property
    def title(self) -> str:
        """Return its name without most of its folders."""
        return self.opened.title if self.opened else scan_title(self.name)

    @property
    def orientation(self) -> str | None:
        return self.opened.orientation if self.opened else None

    def request_fields(self) -> dict[str, Any]:
        """Return the fields of a request about it."""
        if self.opened is not None:
            return {"data": self.data, "scan": self.opened.path, "slice": self.opened.slice}
        return {"data": self.data, "split": self.split, "indices": (self.index,)}


class Selection(QObject):
    """Current image and run; panels follow both unless they are pinned.

    image_changed and run_changed say that the current one is another; recent_changed that the list of recent files is;
    file_opened carries the path of a file that was opened, failed the path and why it cannot be opened.

    Args:
        request: sends a request to the explorer.
        find_config: returns how images are prepared now.
        parent: what owns this.
    """

    image_changed = Signal()
    run_changed = Signal()
    recent_changed = Signal()
    file_opened = Signal(str)
    failed = Signal(str, str)

    def __init__(
        self, request: Callable[[Request], RequestHandle], find_config: Callable[[], DataConfig], parent: QObject
    ) -> None:
        super().__init__(parent)
        self.image: ImageRef | None = None
        self.run = ""
        self.recent: list[str] = []
        self.recent_runs: list[str] = []
        self.lesions = RegionStore(self)
        self._request, self._find_config = request, find_config
        self._of_dataset: ImageRef | None = None
        self._preview: tuple[str, Image] | None = None
        self._wanted: tuple[str, str] | None = None
        self._opened: RequestHandle | None = None

    def set_image(self, image: ImageRef | None) -> None:
        """Make an image the current one."""
        if image is not None and image.opened is None:
            self._of_dataset = image
        if image != self.image:
            self.image, self._wanted = image, None
            self.image_changed.emit()

    def set_run(self, name: str) -> None:
        """Make a run the current one."""
        if name and name != self.run:
            self.run = name
            self.recent_runs = _add_first(name, self.recent_runs)
            self.run_changed.emit()
            self.recent_changed.emit()

    def open_file(
        self, path: str, at: int | None = None, quiet: bool = False, runs: tuple[str, ...] | None = None
    ) -> RequestHandle:
        """Open a file and make it the current image, at a slice or in its middle; a quiet failure is not reported.

        With `runs`, the reply that the handle brings also has what these models make of the slice.
        """
        config = self._find_config()
        handle = self._request(OpenScan(panel="image", path=path, data=config, slice=at, runs=runs))
        for arrived in (handle.partly_finished, handle.finished):
            arrived.connect(lambda reply: self._on_opened(handle, path, at, reply))
        if not quiet:
            handle.failed.connect(lambda failure: self._on_failed(handle, path, failure))
        return handle

    def close_file(self) -> None:
        """Return from a file to the last image of the dataset."""
        self.set_image(self._of_dataset)

    def forget(self, path: str) -> None:
        """Close a file, and remove it and its lesions from what is remembered."""
        if self.image is not None and self.image.opened is not None and self.image.opened.path == path:
            self.close_file()
        self.lesions.forget(f"{path} ")
        self.recent = [each for each in self.recent if each != path]
        self.recent_changed.emit()

    def preview(self, image: ImageRef) -> Image | None:
        """Return the pixels of an opened file, (size, size) in [0, 1], as far as they came with the file."""
        return self._preview[1] if self._preview is not None and self._preview[0] == image.key else None

    def set_data(self, data: LoadedData) -> None:
        """Find the current image in a dataset that was loaded; an opened file stays, prepared as the dataset is."""
        name = self._wanted[1] if self._wanted else self._of_dataset.name if self._of_dataset else ""
        split = self._wanted[0] if self._wanted else self._of_dataset.split if self._of_dataset else ""
        self._of_dataset = _find(data, split, name)
        if self.image is not None and self.image.opened is not None:
            self.set_image(replace(self.image, data=data.config))
        else:
            self.set_image(self._of_dataset)

    def save(self) -> dict[str, Any]:
        """Return what the next session restores."""
        image, own = self.image, self._of_dataset
        kept: dict[str, Any] = {"run": self.run, "recent": self.recent, "recent_runs": self.recent_runs}
        kept["lesions"] = self.lesions.save()
        if image is not None and image.opened is not None:
            kept |= {"file": image.opened.path, "slice": image.opened.slice}
        if own is not None or self._wanted is not None:
            kept["image"] = [own.split, own.name] if own is not None else list(self._wanted or ())
        return kept

    def restore(self, kept: dict[str, Any]) -> None:
        """Restore what `save` returned, as far as it is valid; an image of the dataset is found once it is loaded."""
        run, image, path = kept.get("run"), kept.get("image"), kept.get("file")
        self.run = run if isinstance(run, str) else ""
        self.recent, self.recent_runs = (_read_texts(kept.get(name)) for name in ("recent", "recent_runs"))
        self.lesions.restore(kept.get("lesions"))
        if isinstance(image, list) and len(image) == 2 and all(isinstance(each, str) for each in image):
            self._wanted = image[0], image[1]
        if isinstance(path, str) and os.path.exists(path):
            at = kept.get("slice")
            self.open_file(path, at if isinstance(at, int) and at >= 0 else None, quiet=True)
        self.recent_changed.emit()

    def _on_opened(self, handle: RequestHandle, path: str, at: int | None, reply: OpenScanReply) -> None:
        if handle is self._opened:  # by the first part of the reply
            return
        self._opened = handle
        opened = opened_scan_from(path, reply)
        if at is not None:
            opened = opened.with_slice(min(at, opened.slices - 1))
        image = ImageRef(opened.name, self._find_config(), opened=opened)
        if reply.image is not None:
            self._preview = image.key, reply.image
        self.recent = _add_first(path, self.recent)
        wanted = self._wanted
        self.set_image(image)
        self._wanted = wanted
        self.recent_changed.emit()
        self.file_opened.emit(path)

    def _on_failed(self, handle: RequestHandle, path: str, failure: RequestFailed) -> None:
        if handle is not self._opened:
            self.failed.emit(path, failure.sentence)


def _add_first(entry: str, entries: list[str]) -> list[str]:
    """Return recent entries with one at the top."""
    return [entry, *(each for each in entries if each != entry)][:MAX_RECENT]


def _read_texts(kept: object) -> list[str]:
    return [each for each in kept if isinstance(each, str)][:MAX_RECENT] if isinstance(kept, list) else []


def _find(data: LoadedData, split: str, name: str) -> ImageRef | None:
    """Return an image of a set by its name. Returns None if it is not there."""
    if not name or split not in SPLITS:
        return None
    for index, row in enumerate(data.rows(split)):
        if data.names[int(row)] == name:
            return ImageRef(name, data.config, split, index)
    return None
