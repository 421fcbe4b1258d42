"""The disposable process that parses one untrusted file: `python -m engine.data.dicom FILE TARGET LIMITS`.

Each reader (`dicom`, `nifti`, `raster`) is such a program, so that it starts without the libraries of the others. It
limits itself before it opens the file. The pixels go to TARGET (.npy), everything else as one JSON object to stdout:
the fields of a `Scan`, or `reason`.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from engine.data.decoded_image import UnreadableFile
from engine.data.scan import Limits, Scan

try:
    import resource
except ImportError:  # Windows has none
    resource = None  # type: ignore[assignment]


def serve(read: Callable[[Path], Scan]) -> None:
    """Parse the file named on the command line and print the reply.

    Args:
        read: the reader; raises `UnreadableFile` if it cannot read the file.
    """
    path, target, limits = Path(sys.argv[1]), Path(sys.argv[2]), Limits(**json.loads(sys.argv[3]))
    _limit(limits)
    answer: dict[str, Any]
    try:
        scan = read(path)
        np.save(target, scan.pixels)
        answer = {field.name: getattr(scan, field.name) for field in fields(scan) if field.name != "pixels"}
    except UnreadableFile as error:
        answer = {"reason": str(error)}
    except OSError as error:
        answer = {"reason": f"it cannot be read ({error.strerror or error})"}
    except MemoryError:
        answer = {"reason": f"reading it takes more than {limits.memory_bytes / 2**30:.1f} GB of memory"}
    sys.stdout.write(json.dumps(answer))


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
