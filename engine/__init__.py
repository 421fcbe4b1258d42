"""Engram's engine: train autoencoders on brain MRI and find out whether their images can be trusted.

    import engine
    run = engine.train(engine.config.preset("study-ae"))

Importing this package does not import Keras; names that need it are imported on first use.
"""

# Before every other import, for what it does.
import engine.safe_path  # noqa: F401

# isort: split
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.training.job import resume, train

__version__ = "1.0.0"
__all__ = ["config", "data", "errors", "messages", "metrics", "resume", "runs", "train"]

_FUNCTIONS = {"train": "engine.training.job", "resume": "engine.training.job"}


def __getattr__(name: str) -> Any:
    """Import a module or function of the public API on first use (PEP 562)."""
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(_FUNCTIONS[name]), name)
    if name in __all__:
        return importlib.import_module(f"engine.{name}")
    raise AttributeError(f"module 'engine' has no attribute '{name}'")
