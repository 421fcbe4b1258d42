"""The throw-away process that parses one stranger's file: `python -m engine.data.scan_process FILE TARGET LIMITS`.

It limits itself first, then looks at the first bytes and imports the one reader that it needs, so that it starts fast.
The pixels go to TARGET (.npy), everything else as one JSON object to stdout: the fields of a `Scan`, or `reason`.
"""

import importlib
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import numpy as np

from engine.data.kinds import kind_of
from engine.data.picture import Unusable
from engine.data.scan import Limits, Scan

try:
    import resource
except ImportError:  # Windows has none
    resource = None  # type: ignore[assignment]

_READERS: Final = {"picture": "engine.data.raster", "dicom": "engine.data.dicom", "nifti": "engine.data.nifti"}


def main(arguments: list[str]) -> None:
    """Parse one file and answer."""
    path, target, limits = Path(arguments[0]), Path(arguments[1]), Limits(**json.loads(arguments[2]))
    _limit(limits)
    try:
        answer = _facts(path, target)
    except Unusable as error:
        answer = {"reason": str(error)}
    except OSError as error:
        answer = {"reason": f"it cannot be read ({error.strerror or error})"}
    except MemoryError:
        answer = {"reason": f"reading it takes more than {limits.memory_bytes / 2**30:.1f} GB of memory"}
    sys.stdout.write(json.dumps(answer))


def _facts(path: Path, target: Path) -> dict[str, Any]:
    """Write the pixels of a scan and return all else of it."""
    kind = kind_of(path)
    if kind is None:
        raise Unusable("it is neither a picture nor a DICOM or NIfTI file")
    scan: Scan = importlib.import_module(_READERS[kind]).read_scan(path)
    np.save(target, scan.pixels)
    return {field.name: getattr(scan, field.name) for field in fields(scan) if field.name != "pixels"}


def _limit(limits: Limits) -> None:
    """Limit this process, as far as the platform can."""
    if resource is None:
        return
    wanted = {
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_CPU: limits.cpu_s,
        resource.RLIMIT_FSIZE: limits.memory_bytes,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in wanted.items():
        _, hard = resource.getrlimit(kind)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(kind, (most, most))
        except (OSError, ValueError):  # macOS refuses some
            continue


if __name__ == "__main__":
    main(sys.argv[1:])
