"""Where a Hugging Face dataset may read from: files of its own folder, never the network, a device or another folder.

A dataset's README may name data files by URL or by any path of this computer, and a row may name any image file.
"""

import itertools
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from typing import Any, Final

import datasets
import huggingface_hub
from huggingface_hub import constants
from yaml import YAMLError

from engine.data.decoded_image import UnreadableFile
from engine.data.files import MAX_IMAGE_BYTES
from engine.errors import EmptySource

MAX_RECORD_BYTES: Final = 2**24
MAX_README_BYTES: Final = 2**20
MAX_ENTRIES: Final = 100_000
ADVICE: Final = "Engram reads only files in the dataset's own folder. Copy them there, or remove the entry."


@contextmanager
def local_only(root: Path, name: str) -> Iterator[None]:
    """Check a local dataset, and keep the libraries off the network while the body reads it.

    Args:
        root: its folder, or its one file.
        name: its name, for the error.

    Raises:
        EmptySource: it names a URL or a file outside its folder, or holds a link out of it or a device.
    """
    if root.is_dir():
        # First: a README or a record may be a pipe or a link too.
        _check_files(root, name)
        _check_readme(root, name)
        _check_records(root, name)
    before = constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = datasets.config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE = before


def check_image(path: str, root: Path) -> Path:
    """Return the image file of a row, which must be a regular file in the dataset's folder.

    Raises:
        UnreadableFile: it is another file, a pipe or a device.
    """
    file = Path(path)
    if not _is_inside(file, root):
        raise UnreadableFile("its file lies outside the dataset's folder")
    known = file.stat()
    if not stat.S_ISREG(known.st_mode) or known.st_size > MAX_IMAGE_BYTES:
        raise UnreadableFile("it is not a regular file, or too large to be an image")
    return file


def _check_readme(root: Path, name: str) -> None:
    readme = root / "README.md"
    if not readme.is_file():
        return
    try:
        if readme.stat().st_size > MAX_README_BYTES:
            raise ValueError("it is too large")
        found = huggingface_hub.metadata_load(readme) or {}
        # An alias stands for all of what it names, so a few lines can be endless.
        if next(itertools.islice(_walk(found), MAX_ENTRIES, None), None) is not None:
            raise ValueError("it has too many entries")
    except (OSError, ValueError, RecursionError, YAMLError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise EmptySource(f"README.md of the dataset '{name}' cannot be read: {reason}.", ADVICE) from None
    _check_names(found.get("configs"), readme.name, name)


def _check_records(root: Path, name: str) -> None:
    """Check the files that a dataset saved by the library names, and the folders of its splits."""
    for record in (*root.glob("dataset_dict.json"), *root.glob("state.json"), *root.glob("*/state.json")):
        try:
            found = json.loads(record.read_bytes()) if record.stat().st_size <= MAX_RECORD_BYTES else None
        except (OSError, ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise EmptySource(f"{record.name} of the dataset '{name}' is damaged.", ADVICE)
        _check_names([found.get("splits"), found.get("_data_files")], record.name, name)


def _check_names(content: Any, file: str, name: str) -> None:
    for text in filter(lambda each: isinstance(each, str), _walk(content)):
        windows = PureWindowsPath(text)
        if "://" in text or "::" in text or text.startswith(("/", "~")) or windows.drive or ".." in windows.parts:
            raise EmptySource(f"{file} of the dataset '{name}' names data elsewhere: {text[:100]}.", ADVICE)


def _walk(content: Any) -> Iterator[Any]:
    """Yield a value and all values in it; '' for None."""
    yield content if content is not None else ""
    if isinstance(content, dict | list):
        for each in content.values() if isinstance(content, dict) else content:
            yield from _walk(each)


def _check_files(root: Path, name: str) -> None:
    for folder, folders, files in os.walk(root):
        for each in [*folders, *files]:
            path = Path(folder) / each
            if path.is_symlink() and not _is_inside(path, root):
                raise EmptySource(f"The dataset '{name}' has a link out of its folder: {each}.", ADVICE)
            if path.exists() and not (path.is_file() or path.is_dir()):
                raise EmptySource(f"The dataset '{name}' has a pipe or a device in its folder: {each}.", ADVICE)


def _is_inside(path: Path, root: Path) -> bool:
    """Return whether a file lies in the dataset's folder. A snapshot's files are links into its cache folder."""
    home = Path(os.path.realpath(root if root.is_dir() else root.parent))
    home = home.parents[1] if home.parent.name == "snapshots" else home
    return Path(os.path.realpath(path)).is_relative_to(home)
