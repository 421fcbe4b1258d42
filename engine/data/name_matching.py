r"""Matching of file names in a table to the images of a dataset.

A table may have been written elsewhere: with '\' for '/', in other letter case, with the paths of another computer,
with file names alone, or without suffixes. A name matches an image only if no other image fits as well.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

_SUFFIXES: Final = frozenset(
    {
        "png",
        "jpg",
        "jpeg",
        "jpe",
        "jfif",
        "bmp",
        "dib",
        "tif",
        "tiff",
        "dcm",
        "dicom",
        "ima",
        "txt",
        "xml",
        "gif",
        "webp",
    }
)


def match_names(wanted: Iterable[str], known: Iterable[str]) -> dict[str, str]:
    r"""Match names to known ones.

    Args:
        wanted: names as a table has them.
        known: names of the images.

    Returns:
        wanted name -> known name, for those that match exactly one. Two names that are not equal to the same known one
        do not match it: they are files of the same name in different folders.

    Examples:
        >>> known = ["Test/a/1.png", "Test/a/2.png", "Train/a/1.png"]
        >>> match_names([r"Test\a\1.png", "./test/A/2.PNG"], known)
        {'Test\\a\\1.png': 'Test/a/1.png', './test/A/2.PNG': 'Test/a/2.png'}
        >>> match_names(["2.png", "1.png", "C:/x/Train/a/1", "Other/a/2.png"], known)
        {'2.png': 'Test/a/2.png', 'C:/x/Train/a/1': 'Train/a/1.png'}
    """
    matcher = NameMatcher(known)
    names = list(dict.fromkeys(wanted))
    exact = {name: found for name in names if (found := matcher.find_exact(name)) is not None}
    near = {name: found for name in names if name not in exact and (found := matcher.find_near(name)) is not None}
    claims: dict[str, set[str]] = defaultdict(set)
    for name, found in near.items():
        claims[found].add("/".join(_fold(_split(name))))
    taken = set(exact.values())
    near = {name: found for name, found in near.items() if found not in taken and len(claims[found]) == 1}
    return {name: exact.get(name) or near[name] for name in names if name in exact or name in near}


class NameMatcher:
    """Names of images, found by other spellings.

    Args:
        known: the names, with '/' between folders.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self._exact: dict[str, str] = {}
        self._folded: dict[str, list[str]] = defaultdict(list)
        self._by_file: dict[str, list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        for name in dict.fromkeys(known):
            parts = _split(name)
            folded = _fold(parts)
            self._exact["/".join(parts)] = name
            self._folded["/".join(folded)].append(name)
            stem = _without_suffix(folded)
            for key in {folded[-1:], stem[-1:]}:
                self._by_file["".join(key)].append((folded if key == folded[-1:] else stem, name))

    def find(self, name: str) -> str | None:
        """Return the known name that is equal, or else the only one that is near; None if there is none."""
        return self.find_exact(name) or self.find_near(name)

    def find_exact(self, name: str) -> str | None:
        r"""Return the known name that is equal but for '\' and './'; None if there is none."""
        return self._exact.get("/".join(_split(name)))

    def find_near(self, name: str) -> str | None:
        """Return the only known name that is equal in another case, or the end or beginning of which is cut off."""
        folded = _fold(_split(name))
        if not folded:
            return None
        found = self._folded.get("/".join(folded), [])
        for parts in (folded, _without_suffix(folded)):
            if not found:
                near = self._by_file.get(parts[-1], [])
                found = list(dict.fromkeys(own for other, own in near if _is_tail(parts, other)))
        return found[0] if len(found) == 1 else None


def _split(name: str) -> tuple[str, ...]:
    r"""Return the parts of a path; '\' is '/', and '.' is nothing."""
    parts = unicodedata.normalize("NFC", name.strip()).replace("\\", "/").split("/")
    return tuple(part for part in parts if part not in ("", "."))


def _fold(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.casefold() for part in parts)


def _without_suffix(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return a path without the suffix of its file, if it has that of an image or a text."""
    if not parts:
        return parts
    stem, dot, suffix = parts[-1].rpartition(".")
    return (*parts[:-1], stem) if dot and suffix in _SUFFIXES else parts


def _is_tail(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Return whether one path is the end of the other."""
    length = min(len(one), len(other))
    return one[-length:] == other[-length:]
