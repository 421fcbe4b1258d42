"""Disposable process that parses files of a dataset, one after the other, each within limits.

    python -m engine.data.parser_process

It reads requests from stdin and writes a reply to each to stdout: a line of JSON, then the bytes of its arrays. It ends
with its parent, whose end closes stdin, and by a signal of the operating system if a file takes too much processor
time, also where no Python code runs.
"""

import importlib
import json
import os
import queue
import signal
import sys
import threading
import zlib
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from engine.data.decoded_image import UnreadableFile

try:
    import resource
except ImportError:  # Windows has none
    resource = None  # type: ignore[assignment]

READY: Final = "ready"
_DAMAGED: Final = "it cannot be decoded; the file is damaged"
_SIZES: Final = Path("/proc/self/statm")
# What libraries raise for damaged bytes; a process that ends by another exception is replaced.
_DAMAGE: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
    zlib.error,
)
# Ends a process that took too much processor time; Windows has no such signal.
TIME_SIGNAL: Final[int | None] = getattr(signal, "SIGPROF", None)


def write_message(stream: BinaryIO, content: Any) -> None:
    """Write one message: JSON values, arrays, paths, and data classes of these (as objects)."""
    arrays: list[NDArray[Any]] = []
    body = _encode(content, arrays)
    described = [[array.dtype.str, array.shape] for array in arrays]
    stream.write(json.dumps([body, described]).encode() + b"\n")
    for array in arrays:
        stream.write(array.reshape(-1).view(np.uint8).data)
    stream.flush()


def read_message(stream: BinaryIO) -> Any:
    """Read one message; lists come as tuples.

    Raises:
        EOFError: the other side has ended.
        ValueError: it is no message.
    """
    line = stream.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    body, described = json.loads(line)
    return _decode(body, [_read_array(stream, *each) for each in described])


def _encode(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        arrays.append(np.ascontiguousarray(value))
        return {"array": len(arrays) - 1}
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, dict):
        return {name: _encode(each, arrays) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_encode(each, arrays) for each in value]
    if isinstance(value, np.generic):
        return value.item()
    return {"path": str(value)} if isinstance(value, Path) else value


def _decode(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(value, list):
        return tuple(_decode(each, arrays) for each in value)
    if isinstance(value, dict):
        if value.keys() == {"array"}:
            return arrays[value["array"]]
        if value.keys() == {"path"}:
            return Path(value["path"])
        return {name: _decode(each, arrays) for name, each in value.items()}
    return value


def _read_array(stream: BinaryIO, kind: str, shape: list[int]) -> NDArray[Any]:
    array = np.empty(shape, np.dtype(kind))
    if array.dtype.hasobject:
        raise ValueError("An array of objects is refused.")
    rest = array.reshape(-1).view(np.uint8).data
    while len(rest):
        count = stream.readinto(rest)  # type: ignore[attr-defined]
        if not count:
            raise EOFError
        rest = rest[count:]
    return array


def main() -> None:
    """Reply to requests until the parent ends."""
    if hasattr(signal, "SIGINT"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    _set_limit("RLIMIT_CORE", 0)
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with open(os.devnull, "wb") as nowhere:  # decoders may print their warnings
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    write_message(replies, READY)
    while True:
        write_message(replies, _reply(requests.get()))


def _listen(requests: "queue.SimpleQueue[dict[str, Any]]") -> None:
    """Pass on the requests; end this process, whatever it is doing, when the parent has ended."""
    try:
        while True:
            requests.put(read_message(sys.stdin.buffer))
    finally:
        os._exit(0)


def _reply(request: dict[str, Any]) -> dict[str, Any]:
    try:
        function: Callable[..., Any] = getattr(importlib.import_module(request["module"]), request["function"])
        _limit(request["memory_bytes"], request["seconds"])
        return {"value": function(*request["arguments"])}
    except UnreadableFile as error:
        return {"memory": True} if _is_short_of_memory(error) else {"reason": str(error)}
    except OSError as error:
        return {"reason": f"cannot be opened: {error.strerror or 'it is damaged'}"}
    except MemoryError:
        return {"memory": True}
    except _DAMAGE:
        return {"reason": _DAMAGED}
    finally:
        _limit(None, 0)


def _is_short_of_memory(error: BaseException | None) -> bool:
    """Return whether an error goes back to a lack of memory, which some readers take for damage."""
    while error and not isinstance(error, MemoryError):
        error = error.__cause__ or error.__context__
    return error is not None


def _limit(memory_bytes: int | None, seconds: float) -> None:
    """Limit the further memory and processor time of this process, as far as the platform can; None and 0: no limit."""
    if _SIZES.exists():
        pages = int(_SIZES.read_bytes().split()[0])
        _set_limit("RLIMIT_AS", None if memory_bytes is None else pages * resource.getpagesize() + memory_bytes)
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _set_limit(name: str, most: int | None) -> None:
    if resource is None:
        return
    kind = getattr(resource, name)
    hard = resource.getrlimit(kind)[1]
    soft = hard if most is None else most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (soft, hard))


if __name__ == "__main__":
    main()
