"""Import of Keras without its optional packages, which take a quarter to nearly half of the time.

Keras tries to import pandas, Matplotlib and scikit-learn for inputs, plots and wrappers that Engram does not use, and
TensorFlow imports JAX for its converter to TensorFlow Lite. Both work without them.
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
    """Hide packages of these names from this thread's imports, except those that are imported already.

    Args:
        names: top-level packages whose importers handle their absence.
    """
    absent = _ImportBlocker(names)
    sys.meta_path.insert(0, absent)
    try:
        yield
    finally:
        sys.meta_path.remove(absent)


class _ImportBlocker(MetaPathFinder, Loader):
    """Import hook that finds the packages first and then fails to load them; other threads are unaffected."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._thread = threading.get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for a hidden package, so that `importlib.util.find_spec` still finds it."""
        wanted = fullname in self._names and threading.get_ident() == self._thread
        return ModuleSpec(fullname, self) if wanted else None

    def exec_module(self, module: ModuleType) -> None:
        """Raise the error of a package that is not installed."""
        raise ModuleNotFoundError(f"No module named {module.__name__!r}: it is left out here", name=module.__name__)
