"""Folder of the cache, which holds only what Engram can recompute."""

import os
import sys
from pathlib import Path


def cache_root() -> Path:
    """Return the folder of the cache: `ENGRAM_CACHE` if set, else the platform's place for caches."""
    if chosen := os.environ.get("ENGRAM_CACHE"):
        return Path(chosen).expanduser()
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "engram"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "engram" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "engram"
