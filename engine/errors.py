"""The errors that a user can cause, and failures of the disk, the memory and the frameworks as such errors.

No framework is imported for them.
"""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from engine.job_context import Cancelled


class EngramError(Exception):
    """Root of the errors that a user can cause.

    Args:
        what: one sentence that says what is wrong.
        advice: one sentence that says what to do; may be empty.

    Example:
        >>> error = EngramError("There is no image.", "Choose a folder with images.")
        >>> error.what, str(error)
        ('There is no image.', 'There is no image. Choose a folder with images.')
    """

    def __init__(self, what: str, advice: str = "") -> None:
        """Keep both sentences apart, so that the app can show them apart."""
        super().__init__(f"{what} {advice}".strip())
        self.what = what
        self.advice = advice

    def __reduce__(self) -> tuple[type["EngramError"], tuple[str, str]]:
        """Pickle both sentences; exceptions pickle only their joined text otherwise."""
        return type(self), (self.what, self.advice)


class ConfigError(EngramError):
    """Error of a setting that is out of range, unknown, or does not fit another."""


class DataError(EngramError):
    """Error of a source of images that cannot be used."""


class SourceNotFound(DataError):
    """Error of a folder, dataset or file that does not exist."""


class EmptySource(DataError):
    """Error of a source without a usable image."""


class ScanError(DataError):
    """Error of one image, DICOM or NIfTI file that cannot be opened."""


class ScanNotFound(ScanError):
    """Error of an image file that does not exist."""


class RegionError(DataError):
    """Error of a region of an image that cannot be measured."""


class RunError(EngramError):
    """Error of a run folder that cannot be used."""


class RunNotFound(RunError):
    """Error of a run name that does not exist."""


class RunExists(RunError):
    """Error of a run name that is already taken."""


class RunBusy(RunError):
    """Error of a run that another process is training."""


class RunDamaged(RunError):
    """Error of a run whose files cannot be read."""

    @classmethod
    def without_model(cls, run: str) -> "RunDamaged":
        """Return the error of a run that has no model yet."""
        return cls(
            f"Run '{run}' has no saved model yet: no epoch was completed.",
            "Train it for at least one epoch, or resume it.",
        )


class SearchError(EngramError):
    """Error of a search that cannot be created or resumed."""


class SearchNotFound(SearchError):
    """Error of a search name that does not exist."""


class SearchBusy(SearchError):
    """Error of a search that another process is running."""


class SearchDamaged(SearchError):
    """Error of a search whose ledger cannot be read."""


class StudyError(EngramError):
    """Error of a study that cannot be created in this folder."""


class StorageError(EngramError):
    """Error of a file that cannot be written or read."""


class TrackingError(EngramError):
    """Error of Weights & Biases that cannot be used as configured."""


class BaselineMissing(EngramError):
    """Error of a baseline that is not installed, or lacks what it needs."""


class BackendError(EngramError):
    """Error of a backend that is not installed or cannot be used now."""


class TrainingError(EngramError):
    """Error of a training that cannot continue."""


# TensorFlow's, PyTorch's and JAX's errors of a computation, by class name, as found among the bases of an exception.
FRAMEWORK_ERRORS: Final = {"OpError", "OutOfMemoryError", "XlaRuntimeError", "JaxRuntimeError"}
FRAMEWORKS: Final = {"tensorflow", "torch", "jax", "jaxlib"}
MEMORY_SIGNS: Final = (
    *("out of memory", "outofmemory", "oom", "resource_exhausted", "resource exhausted", "resourceexhausted"),
    *("cannot allocate", "failed to allocate"),
)
FULL_DISK: Final = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
FORBIDDEN: Final = {errno.EROFS, errno.EACCES, errno.EPERM}
# numpy and HDF5 report a full disk without its number.
FULL_DISK_TEXT: Final = re.compile(r"\d+ requested and \d+ written|errno = 28|No space left")


def is_framework_error(error: BaseException) -> bool:
    """Return whether TensorFlow, PyTorch or JAX raised an error while it computed.

    Example:
        >>> is_framework_error(ValueError("no"))
        False
    """
    return any(
        base.__name__ in FRAMEWORK_ERRORS and base.__module__.split(".")[0] in FRAMEWORKS
        for base in type(error).__mro__
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that the memory, of the computer or of the GPU, does not suffice.

    Example:
        >>> is_out_of_memory(RuntimeError("OOM when allocating tensor"))
        True
    """
    if isinstance(error, MemoryError):
        return True
    text = f"{type(error).__name__} {error}".lower()
    is_computation = isinstance(error, RuntimeError) or is_framework_error(error)
    return is_computation and any(sign in text for sign in MEMORY_SIGNS)


def describe_lack_of_memory(batch_size: int | None = None) -> TrainingError:
    """Return the error of a model that does not fit into the memory, with a batch size that needs half as much."""
    what = "There is not enough memory for this model."
    if batch_size is None:
        return TrainingError(what, "Use a smaller batch size, image size or latent size.")
    if batch_size == 1:
        return TrainingError(what, "The batch size is already 1. Use a smaller image size or fewer filters.")
    return TrainingError(what, f"Use a batch size of {batch_size // 2} (now {batch_size}), or a smaller image size.")


def describe_os_error(error: OSError) -> StorageError:
    """Return the error of a file that cannot be written or read: the file, the reason, the remedy.

    Example:
        >>> print(describe_os_error(OSError(28, "No space left on device", "run/model.keras")))
        run/model.keras: No space left on device. Free space on the disk, then try again; what was saved is kept.
    """
    place = f"{error.filename}: " if error.filename else ""
    text = (error.strerror or str(error) or type(error).__name__).strip().splitlines()[0][:300].rstrip(".")
    if error.errno in FULL_DISK or FULL_DISK_TEXT.search(str(error)):
        reason = text if error.errno in FULL_DISK else "No space left on the disk"
        return StorageError(f"{place}{reason}.", "Free space on the disk, then try again; what was saved is kept.")
    if error.errno in FORBIDDEN:
        return StorageError(f"{place}{text}.", "Choose a folder that you may write to, or change its permissions.")
    if error.errno == errno.ENOENT:
        return StorageError(f"{place}{text}.", "It was moved or deleted. Put it back, then try again.")
    return StorageError(f"{place}{text}.", "Check the disk, then try again.")


@contextmanager
def translate_os_errors() -> Iterator[None]:
    """Raise the system's errors of the body as readable ones.

    Raises:
        StorageError: a file cannot be written or read.
    """
    try:
        yield
    except OSError as error:
        raise describe_os_error(error) from error


def describe_unexpected(error: Exception) -> EngramError:
    """Return any failure of a request or a job as a readable error; one of our own stays as it is."""
    if isinstance(error, EngramError):
        return error
    if isinstance(error, Cancelled):
        return EngramError("It was canceled.")
    if is_out_of_memory(error):
        return describe_lack_of_memory()
    if isinstance(error, OSError):
        return describe_os_error(error)
    return EngramError("It failed for a reason that Engram does not know.", "The engine's log has the details.")
