"""The errors that a user can cause; each says what happened and what to do.

EngramError
├── ConfigError            a setting is out of range, unknown, or does not fit another
├── DataError              a source of images cannot be used
│   ├── SourceNotFound     no such folder, data set or file
│   ├── EmptySource        nothing usable in it
│   ├── ScanError          one picture, DICOM or NIfTI file cannot be opened
│   └── RegionError        a region of a picture cannot be measured in
├── RunError               a run folder cannot be used
│   ├── RunNotFound        no run of that name
│   ├── RunExists          a run of that name is already there
│   ├── RunBusy            another process is training it
│   └── RunDamaged         its files cannot be read
├── SearchError            a search cannot be made or gone on with
│   ├── SearchNotFound     no search of that name
│   ├── SearchBusy         another process is at it
│   └── SearchDamaged      its ledger cannot be read
├── StudyError             a study cannot be made in this folder
├── TrackingError          Weights & Biases cannot be used as wanted
├── BaselineMissing        a method to compare with is not installed or lacks what it needs
├── BackendError           the wanted backend is not installed or cannot be used now
└── TrainingError          training cannot go on (non-finite loss, out of memory)
"""


class EngramError(Exception):
    """Root of every error a user can cause.

    Args:
        what: one sentence that says what is wrong.
        advice: one sentence that says what to do; may be empty.
    """

    def __init__(self, what: str, advice: str = "") -> None:
        """Keep both sentences apart, so that a window can show them apart."""
        super().__init__(f"{what} {advice}".strip())
        self.what = what
        self.advice = advice

    def __reduce__(self) -> tuple[type["EngramError"], tuple[str, str]]:
        """Travel whole between processes (exceptions pickle their joined text otherwise)."""
        return type(self), (self.what, self.advice)


class ConfigError(EngramError):
    """A setting is out of range, unknown, or does not fit another."""


class DataError(EngramError):
    """A source of images cannot be used."""


class SourceNotFound(DataError):
    """No such folder, data set or file."""


class EmptySource(DataError):
    """Nothing usable in a source."""


class ScanError(DataError):
    """One picture, DICOM or NIfTI file cannot be opened."""


class RegionError(DataError):
    """A region of a picture cannot be measured in."""


class RunError(EngramError):
    """A run folder cannot be used."""


class RunNotFound(RunError):
    """No run of that name."""


class RunExists(RunError):
    """A run of that name is already there."""


class RunBusy(RunError):
    """Another process is training this run."""


class RunDamaged(RunError):
    """The files of a run cannot be read."""

    @classmethod
    def without_model(cls, run: str) -> "RunDamaged":
        """The error of a run that has no model yet."""
        return cls(
            f"Run '{run}' has no saved model yet: no epoch was completed.",
            "Train it for at least one epoch, or resume it.",
        )


class SearchError(EngramError):
    """A search cannot be made or gone on with."""


class SearchNotFound(SearchError):
    """No search of that name."""


class SearchBusy(SearchError):
    """Another process is at this search."""


class SearchDamaged(SearchError):
    """The ledger of a search cannot be read."""


class StudyError(EngramError):
    """A study cannot be made in this folder."""


class TrackingError(EngramError):
    """Weights & Biases cannot be used as wanted."""


class BaselineMissing(EngramError):
    """A method to compare with is not installed, or lacks what it needs."""


class BackendError(EngramError):
    """The wanted backend is not installed or cannot be used now."""


class TrainingError(EngramError):
    """Training cannot go on."""
