"""What the system and the frameworks raise, as sentences with a remedy."""

import errno

import pytest

from engine import backend, errors
from engine.errors import EngramError, StorageError


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "run/new.keras"), ("run/new.keras", "Free space")),
        (OSError("4096 requested and 3968 written"), ("No space left", "Free space")),
        (OSError("Can't write data (file write failed: errno = 28, error message = 'x')"), ("No space", "Free space")),
        (OSError(errno.EROFS, "Read-only file system", "run/lock"), ("run/lock", "may write to")),
        (OSError(errno.ENOENT, "No such file or directory", "run/new.keras"), ("run/new.keras", "moved or deleted")),
        (OSError(errno.EIO, "Input/output error"), ("Input/output error", "Check the disk")),
        (OSError(), ("OSError", "Check the disk")),
    ],
)
def test_an_error_of_the_disk_names_the_file_and_the_remedy(error, said):
    told = errors.describe_os_error(error)
    assert isinstance(told, StorageError)
    assert said[0] in told.what
    assert said[1] in told.advice


def test_errors_of_tensorflow_are_known_without_importing_it():
    from tensorflow.errors import InvalidArgumentError, ResourceExhaustedError

    full = ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[9]")
    assert not isinstance(full, MemoryError | RuntimeError)
    assert errors.is_framework_error(full)
    assert errors.is_out_of_memory(full)
    other = InvalidArgumentError(None, None, "shapes differ")
    assert errors.is_framework_error(other)
    assert not errors.is_out_of_memory(other)
    assert backend.describe_failure(full, 8).advice.startswith("Use a batch size of 4 (now 8)")
    assert "already 1" in backend.describe_failure(full, 1).advice


@pytest.mark.parametrize(
    ("module", "name", "base"),
    [("torch", "OutOfMemoryError", RuntimeError), ("jaxlib.xla_extension", "XlaRuntimeError", RuntimeError)],
)
def test_errors_of_other_frameworks_are_known_by_name(module, name, base):
    kind = type(name, (base,), {"__module__": module})
    assert errors.is_framework_error(kind("x"))
    assert errors.is_out_of_memory(kind("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 9 bytes"))
    assert not errors.is_framework_error(type(name, (base,), {"__module__": "other"})("x"))


def test_an_unexpected_failure_is_a_sentence():
    told = errors.describe_unexpected(IndexError("list index out of range"))
    assert str(told) == "It failed for a reason that Engram does not know. The engine's log has the details."
    own = EngramError("Own.")
    assert errors.describe_unexpected(own) is own
