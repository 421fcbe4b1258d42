"""The arrays of an answer, which crossed in files of the scratch folder.

The window takes an answer whole as it arrives: it loads the arrays and deletes their files. What it keeps for later
therefore names no file that could be gone by then, and no map keeps a file open, which Windows would not delete.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from engine.messages import Reply


def take_arrays(content: dict[str, Any], scratch: Path) -> dict[str, Any]:
    """Return an answer's content with arrays in the place of their files, which are deleted.

    Args:
        content: JSON; a string that names an `.npy` file within the scratch folder stands for an array.
        scratch: the folder.

    Raises:
        OSError, ValueError, EOFError: a file is gone, or holds no array.
    """
    try:
        arrays = {file: np.load(file, allow_pickle=False) for file in _files(content, scratch)}
    finally:
        discard_arrays(content, scratch)
    return {name: _filled(part, arrays) for name, part in content.items()}


def discard_arrays(content: dict[str, Any], scratch: Path) -> None:
    """Delete the files of an answer that comes too late."""
    for file in _files(content, scratch):
        Path(file).unlink(missing_ok=True)


def count_bytes(content: Any) -> int:
    """Return how much memory the arrays within some content take."""
    if isinstance(content, np.ndarray):
        return content.nbytes
    return sum(map(count_bytes, _parts(content)))


def _parts(content: Any) -> Iterable[Any]:
    if isinstance(content, Reply):
        return [part for _, part in content]
    if isinstance(content, dict):
        return list(content.values())
    return content if isinstance(content, (list, tuple)) else ()


def _files(content: Any, scratch: Path) -> Iterator[str]:
    if isinstance(content, str) and content.endswith(".npy") and Path(content).is_relative_to(scratch):
        yield content
    for part in _parts(content):
        yield from _files(part, scratch)


def _filled(content: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(content, dict):
        return {name: _filled(part, arrays) for name, part in content.items()}
    if isinstance(content, list):
        return [_filled(part, arrays) for part in content]
    return arrays.get(content, content) if isinstance(content, str) else content
