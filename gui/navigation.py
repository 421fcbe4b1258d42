"""What one part of the app asks a panel to show."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ShowImage:
    """An image of the dataset, by its index within a split."""

    split: str
    index: int


@dataclass(frozen=True)
class OpenFile:
    """An image file or a volume."""

    path: str


@dataclass(frozen=True)
class LoadSource:
    """A source of images: a folder, or one that was used before."""

    source: str


@dataclass(frozen=True)
class StartRun:
    """A new run with the settings of the form."""


@dataclass(frozen=True)
class ResumeRun:
    """The run that is shown, from its last epoch."""


@dataclass(frozen=True)
class ShowRun:
    """A run, by its name."""

    name: str


@dataclass(frozen=True)
class CompareRuns:
    """Runs side by side, by name or folder."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class ResumeSearch:
    """A search, by its name, which continues."""

    name: str


@dataclass(frozen=True)
class ShowStudy:
    """A study, by its folder."""

    folder: str


Target = ShowImage | OpenFile | LoadSource | StartRun | ResumeRun | ShowRun | CompareRuns | ResumeSearch | ShowStudy
