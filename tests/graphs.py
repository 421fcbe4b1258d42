"""Tiny models are optimized by TensorFlow for longer than they run: tests leave out that step, which changes no result
but the last bits. Processes whose bits are compared must agree about it.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# A child process of `tests` reads here whether it optimizes, as the processes of users do.
VARIABLE = "ENGRAM_TEST_GRAPHS"


def simplify() -> None:
    """Let TensorFlow run graphs as they were built from now on, unless the tests ask this process to optimize them."""
    _set(are_optimized())


def are_optimized() -> bool:
    """Return whether graphs are optimized, as they are for users."""
    return os.environ.get(VARIABLE) == "optimized"


@contextmanager
def optimized() -> Iterator[None]:
    """Optimize graphs as for users, here and in the child processes that begin meanwhile."""
    os.environ[VARIABLE] = "optimized"
    _set(True)
    try:
        yield
    finally:
        del os.environ[VARIABLE]
        _set(False)


def _set(optimize: bool) -> None:
    if tensorflow := sys.modules.get("tensorflow"):
        tensorflow.config.optimizer.set_experimental_options({"disable_meta_optimizer": not optimize})
