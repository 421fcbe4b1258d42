"""Sources of images, preparation, splits, and single files.

    dataset = engine.data.load("phantom")
    images = dataset.train.read(slice(0, 16))        # float32 (16, 128, 128, 1) in [0, 1]
    scan = engine.data.open_scan("head.dcm")
    image = engine.data.prepare(scan, dataset.config)  # float32 (128, 128) in [0, 1]

Each name is imported on first use, so that the process that parses an untrusted file, which imports this package too,
starts with few modules.
"""

import importlib
from typing import TYPE_CHECKING, Any

from engine.job_context import Cancelled

if TYPE_CHECKING:
    from engine.data.dataset import Dataset, Skipped, Split
    from engine.data.loading import load
    from engine.data.preparation import prepare
    from engine.data.scan import Scan, open_scan

__all__ = ["Cancelled", "Dataset", "Scan", "Skipped", "Split", "load", "open_scan", "prepare"]

_LAZY = {
    "Dataset": "dataset",
    "Scan": "scan",
    "Skipped": "dataset",
    "Split": "dataset",
    "load": "loading",
    "open_scan": "scan",
    "prepare": "preparation",
}


def __getattr__(name: str) -> Any:
    """Import a name of the public API on first use (PEP 562)."""
    if name in _LAZY:
        return getattr(importlib.import_module(f"engine.data.{_LAZY[name]}"), name)
    raise AttributeError(f"module 'engine.data' has no attribute '{name}'")
