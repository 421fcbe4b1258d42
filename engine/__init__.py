"""Engram's engine: train autoencoders on brain MRI and find out whether their images can be trusted.

    import engine
    run = engine.train(engine.config.preset("study-ae"))

The public names are on the page docs/reference/api.md. Importing this package does not import Keras; names that need it
are imported on first use.
"""

# Before every other import, for what it does.
import engine.safe_path  # noqa: F401

# isort: split
import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.evaluation import evaluate, load_model
    from engine.evaluation.scoring import reconstruct
    from engine.job_context import Cancelled, JobContext
    from engine.training.job import resume, train

__version__ = "1.0.0"
__all__ = [
    "Cancelled",
    "JobContext",
    "config",
    "data",
    "denoising",
    "errors",
    "evaluate",
    "evaluation",
    "lesions",
    "load_model",
    "messages",
    "metrics",
    "noise",
    "reconstruct",
    "resume",
    "runs",
    "train",
]

_HOMES = {
    "Cancelled": "job_context",
    "JobContext": "job_context",
    "evaluate": "evaluation",
    "load_model": "evaluation",
    "reconstruct": "evaluation.scoring",
    "resume": "training.job",
    "train": "training.job",
}


def __getattr__(name: str) -> Any:
    """Import a module or function of the public API on first use (PEP 562)."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"engine.{_HOMES[name]}"), name)
    if name in __all__:
        return importlib.import_module(f"engine.{name}")
    raise AttributeError(f"module 'engine' has no attribute '{name}'")
