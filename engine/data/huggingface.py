"""A Hugging Face dataset, by ID or local path. The only module that imports `datasets`, which is slow to import.

A dataset with an ID is a snapshot of one revision, from the library's own cache; nothing is downloaded unless the
config allows it. Columns are identified by type: the first image column holds the images, the first class column the
labels. Engram's own readers decode the images. No code of a dataset is ever run: the library cannot run any.
"""

import hashlib
import io
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import datasets
import huggingface_hub
from huggingface_hub import errors
from huggingface_hub.utils.tqdm import disable_progress_bars

from engine.config import DataConfig
from engine.data import raster
from engine.data.dataset import Cancelled, Skipped
from engine.data.decoded_image import DecodedImage, UnreadableFile
from engine.data.folder import parse_layout
from engine.data.huggingface_paths import check_image, local_only
from engine.data.source import SourceItem, split_name
from engine.errors import EmptySource, SourceNotFound
from engine.folders import cache_root
from engine.messages import ShouldStop

PREFIX: Final = "hf:"
DEFAULT: Final = "benschill/brain-tumor-collection"
_TABLES: Final = {".parquet": "parquet", ".arrow": "arrow"}
_ELSEWHERE: Final = "Or download it on another computer and give its folder: hf:/path/to/folder."
_UNREADABLE: Final = (
    datasets.exceptions.DatasetsError,
    OSError,
    ValueError,
    RuntimeError,
    TypeError,
    LookupError,
    ImportError,
)

datasets.disable_progress_bars()  # they would overwrite the progress line of the CLI
disable_progress_bars()
for library in ("datasets", "huggingface_hub"):
    logging.getLogger(library).setLevel(logging.ERROR)


class HuggingFaceSource:
    """Source of the rows of all splits that have an image."""

    expected = "Engram looks for a dataset with a column of images."

    def __init__(self, config: DataConfig) -> None:
        name = config.source.removeprefix(PREFIX) or DEFAULT
        self._root = root = _folder(name, config)
        tables = _tables(root, name)
        features = next(iter(tables.values())).features
        column, label = _column(features, datasets.Image), _column(features, datasets.ClassLabel)
        if column is None:
            raise EmptySource(f"The dataset '{name}' has no column of images.", self.expected)
        self._column = column
        self.classes: tuple[str, ...] = tuple(features[label].names) if label else ()
        self.notes = () if label else (f"'{name}' has no column of classes; its images have no class labels.",)
        used = {name: table for name, table in tables.items() if split_name(name)} or tables
        unused = "a split that is not train, validation or test"
        self.skipped = [Skipped(name, unused) for name in tables if name not in used]
        self._tables = {name: table.cast_column(column, datasets.Image(decode=False)) for name, table in used.items()}
        self._places = [(name, row) for name, table in self._tables.items() for row in range(len(table))]
        self.items = self._index_rows(root, label)

    def content_hash(self, should_stop: ShouldStop) -> str:
        """Hash all names, labels and bytes."""
        digest = hashlib.sha256()
        for number, item in enumerate(self.items):
            if should_stop():
                raise Cancelled("Loading the images was stopped.")
            found = self.digest(number)
            digest.update(f"{item.name}\0{found}\0".encode())
        return digest.hexdigest()

    def digest(self, index: int) -> str:
        """Hash the bytes of one row's image."""
        try:
            with self._open(index) as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, UnreadableFile) as error:
            return f"unreadable: {error}"

    def is_high_bit_depth(self) -> bool:
        """Return whether an image has more than 8 bits, according to the headers."""
        return any(map(self._is_deep, range(len(self.items))))

    def read(self, index: int) -> DecodedImage:
        """Decode one row."""
        try:
            with self._open(index) as file:
                return raster.read_picture(file)
        except OSError as error:
            raise UnreadableFile(f"cannot be opened: {error.strerror or error}") from None

    def _index_rows(self, root: Path, label: str | None) -> list[SourceItem]:
        """Return the rows as items. If the library found one split only, the folders of the files may name more.

        (The library recognizes Train and train, but not Testing as a test set.)
        """
        names: list[str] = []
        numbers: list[int | None] = []
        for split, table in self._tables.items():
            paths = table.flatten().select_columns([f"{self._column}.path"])[f"{self._column}.path"]
            names += [_row_name(path, root, f"{split}/{row:06d}") for row, path in enumerate(paths)]
            numbers += table[label] if label else [None] * len(table)
        laid_out = parse_layout(names)
        by_folder = len(self._tables) == 1 and any(item.split for item in laid_out)
        splits = [
            item.split if by_folder else split_name(name)
            for item, (name, _) in zip(laid_out, self._places, strict=True)
        ]
        labels = [self.classes[number] if number is not None and number >= 0 else None for number in numbers]
        return [SourceItem(*facts) for facts in zip(names, labels, splits, strict=True)]

    def _open(self, index: int) -> io.BytesIO | io.BufferedReader:
        name, row = self._places[index]
        image = self._tables[name][row][self._column]
        if image and image["bytes"]:
            return io.BytesIO(image["bytes"])
        if image and image["path"]:
            return open(check_image(image["path"], self._root), "rb")
        raise UnreadableFile("the row has no image")

    def _is_deep(self, index: int) -> bool:
        try:
            with self._open(index) as file:
                return raster.is_deep(raster.open_picture(file))
        except (OSError, UnreadableFile):
            return False


def _column(features: Mapping[str, Any], kind: type) -> str | None:
    return next((name for name, feature in features.items() if isinstance(feature, kind)), None)


def _row_name(path: str | None, root: Path, otherwise: str) -> str:
    """Return the path of a row's file below the dataset's folder; rows with embedded images only have a number."""
    if path and Path(path).is_relative_to(root):
        return Path(path).relative_to(root).as_posix()
    return otherwise


def _folder(name: str, config: DataConfig) -> Path:
    """Return the folder of the dataset: a local path, or the snapshot of an ID."""
    local = Path(name).expanduser()
    if not (local.exists() or local.is_absolute() or name.startswith((".", "~"))):
        return _snapshot(name, config)
    if not local.exists():
        raise SourceNotFound(f"There is no file or folder '{local}'.", "Check the path after 'hf:'.")
    return local.resolve()


def _tables(path: Path, name: str) -> dict[str, Any]:
    """Return the dataset's tables by split."""
    try:
        with local_only(path, name):
            found = _read(path)
    except EmptySource:
        raise
    except _UNREADABLE as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        what = f"'{name}' cannot be read as a Hugging Face dataset: {reason}."
        raise EmptySource(what, HuggingFaceSource.expected) from error
    tables = dict(found) if isinstance(found, dict) else {"all": found}
    if not any(len(table) for table in tables.values()):
        raise EmptySource(f"The dataset '{name}' has no rows.", HuggingFaceSource.expected)
    return tables


def _read(path: Path) -> Any:
    """Open a saved dataset, a table, or a folder that the library can convert to tables; download nothing."""
    if any((path / name).exists() for name in ("dataset_dict.json", "state.json")):
        return datasets.load_from_disk(str(path))
    options = {
        "cache_dir": str(cache_root() / "tables"),
        "download_config": datasets.DownloadConfig(local_files_only=True),
    }
    if path.suffix in _TABLES:
        return datasets.load_dataset(_TABLES[path.suffix], data_files=str(path), **options)
    return datasets.load_dataset(str(path), **options)


def _snapshot(name: str, config: DataConfig) -> Path:
    """Return the folder of the wanted revision in the library's own cache; download it if the config allows."""
    try:
        found = huggingface_hub.snapshot_download(
            name, repo_type="dataset", revision=config.revision, local_files_only=not config.download
        )
    except (OSError, ValueError) as error:
        raise _not_found(error, name, config) from error
    return Path(found)


def _not_found(error: Exception, name: str, config: DataConfig) -> SourceNotFound:
    """Convert the library's error to a sentence with a remedy."""
    if isinstance(error, errors.HFValidationError):
        return SourceNotFound(
            f"'{name}' is neither a path nor a dataset ID such as '{DEFAULT}'.", "Check the text after 'hf:'."
        )
    if isinstance(error, errors.GatedRepoError):
        what = f"The dataset '{name}' is available only to users who have accepted its terms."
        return SourceNotFound(what, f"Accept them on its page and log in with 'hf auth login'. {_ELSEWHERE}")
    if isinstance(error, errors.RepositoryNotFoundError):
        what = f"There is no dataset '{name}' on the Hugging Face Hub, or it is private."
        return SourceNotFound(what, f"Check the ID; for a private dataset, log in with 'hf auth login'. {_ELSEWHERE}")
    if isinstance(error, errors.RevisionNotFoundError):
        return SourceNotFound(f"The dataset '{name}' has no revision '{config.revision}'.", "Check --revision.")
    if not config.download:
        what = f"The dataset '{name}' (revision '{config.revision}') is not on this computer."
        return SourceNotFound(what, f"CLI: add --download. App: select Allow download in Data. {_ELSEWHERE}")
    what = f"The dataset '{name}' could not be downloaded from the Hugging Face Hub."
    return SourceNotFound(what, f"Check the network connection, and HF_HUB_OFFLINE if it is set. {_ELSEWHERE}")
