"""The errors that a user can cause; each says what happened and what to do.

EngramError
├── ConfigError            a setting is out of range, unknown, or does not fit another
├── DataError              a source of images cannot be used
│   ├── SourceNotFound     no such folder, dataset or file
│   ├── EmptySource        nothing usable in it
│   ├── ScanError          one image, DICOM or NIfTI file cannot be opened
│   │   └── ScanNotFound   it does not exist
│   └── RegionError        a region of an image cannot be measured
├── RunError               a run folder cannot be used
│   ├── RunNotFound        no run of that name
│   ├── RunExists          a run of that name is already there
│   ├── RunBusy            another process is training it
│   └── RunDamaged         its files cannot be read
├── SearchError            a search cannot be created or resumed
│   ├── SearchNotFound     no search of that name
│   ├── SearchBusy         another process is running it
│   └── SearchDamaged      its ledger cannot be read
├── StudyError             a study cannot be created in this folder
├── StorageError           a file cannot be written or read (full disk, read-only folder)
├── TrackingError          Weights & Biases cannot be used as wanted
├── BaselineMissing        a baseline is not installed or lacks what it needs
├── BackendError           the wanted backend is not installed or cannot be used now
└── TrainingError          training cannot continue (non-finite loss, out of memory)
"""


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
