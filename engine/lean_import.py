"""Importing Keras without what it takes along in case somebody has it, a quarter to nearly half of the time it needs.

Keras tries to import pandas, Matplotlib and scikit-learn for inputs, plots and wrappers that Engram does not use, and
TensorFlow JAX for its converter to TensorFlow Lite; all of them do without, and say so only when they are needed.
"""

import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

OPTIONAL: Final = ("pandas", "matplotlib", "sklearn")


@contextmanager
def hide_packages(names: Collection[str]) -> Iterator[None]:
    """Let this thread find no packages of these names meanwhile, but for those that are imported already.

    Args:
        names: top-level packages whose absence is foreseen by whoever imports them.
    """
    absent = _ImportBlocker(names)
    sys.meta_path.insert(0, absent)
    try:
        yield
    finally:
        sys.meta_path.remove(absent)


class _ImportBlocker(MetaPathFinder, Loader):
    """Finds these packages first and then cannot load them; other threads go on importing as ever."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._thread = threading.get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The place of a package that is left out, for those who only look whether there is one."""
        wanted = fullname in self._names and threading.get_ident() == self._thread
        return ModuleSpec(fullname, self) if wanted else None

    def exec_module(self, module: ModuleType) -> None:
        """Say what an absent package says."""
        raise ModuleNotFoundError(f"No module named {module.__name__!r}: it is left out here", name=module.__name__)
