"""A Hugging Face dataset, by ID or local path. It and `table_columns` alone import `datasets`, which is slow to import.

A dataset with an ID is a snapshot of one revision, from the library's own cache; nothing is downloaded unless the
config allows it. `engine.data.table_columns` chooses the columns of images and classes. Engram's own readers decode the
images. No code of a dataset is ever run: the library cannot run any.
"""

import errno
import hashlib
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import datasets
import huggingface_hub
from huggingface_hub import errors
from huggingface_hub.utils.tqdm import disable_progress_bars

from engine.config import DataConfig
from engine.data import arrow_files, pictures
from engine.data.annotations import find_masks
from engine.data.dataset import Skipped
from engine.data.decoded_image import DecodedImage, UnreadableFile
from engine.data.huggingface_paths import check_image, local_only
from engine.data.layout import parse_layout
from engine.data.parallel import WORKERS, map_in_threads
from engine.data.parsing import MEMORY_BYTES_PER_FRAME, parse
from engine.data.source import SourceItem, natural_sort_key, split_name
from engine.data.table_columns import (
    EXPECTED,
    ClassColumn,
    choose_class_column,
    choose_image_column,
    find_patient_column,
    find_split_column,
)
from engine.errors import ConfigError, EmptySource, EngramError, SourceNotFound
from engine.folders import cache_root
from engine.job_context import UNATTENDED, JobContext

PREFIX: Final = "hf:"
DEFAULT: Final = "benschill/brain-tumor-collection"
_TABLES: Final = {".parquet": "parquet", ".arrow": "arrow"}
MAX_ROWS: Final = 2_000_000  # their names and classes take a gigabyte
_ONE_FILE: Final = 2**40  # bytes of a converted split before the library begins another file
_ELSEWHERE: Final = "Or download it on another computer and give its folder: hf:/path/to/folder."
_UNREADABLE: Final = (
    datasets.exceptions.DatasetsError,
    OSError,
    ValueError,
    RuntimeError,
    TypeError,
    AttributeError,
    LookupError,
    ImportError,
    MemoryError,
    UnreadableFile,
)

datasets.disable_progress_bars()  # they would overwrite the progress line of the CLI
disable_progress_bars()
for library in ("datasets", "huggingface_hub"):
    logging.getLogger(library).setLevel(logging.ERROR)


class HuggingFaceSource:
    """Source of the rows of all splits that have an image."""

    expected = EXPECTED
    question = ""
    plane = ""
    threads = WORKERS

    def __init__(self, config: DataConfig) -> None:
        name = config.source.removeprefix(PREFIX) or DEFAULT
        self._root = root = _folder(name, config)
        self.folder: Path | None = root if root.is_dir() else root.parent
        tables = _tables(root, name, config.config_name)
        used = {name: table for name, table in tables.items() if split_name(name)} or tables
        unused = "a split that is not train, validation or test"
        self.skipped = [Skipped(name, unused) for name in tables if name not in used]
        self._column, image_notes = choose_image_column(used, config.image_column, name)
        label, label_notes = choose_class_column(used, config.label_column, name)
        self.notes = (*image_notes, *label_notes)
        images = datasets.Image(decode=False)
        self._tables = {name: table.cast_column(self._column, images) for name, table in used.items()}
        self._places = [(name, row) for name, table in self._tables.items() for row in range(len(table))]
        self.classes: tuple[str, ...] = label.classes if label else ()
        self.items = self._index_rows(root, label)

    def content_hash(self, context: JobContext = UNATTENDED) -> str:
        """Hash all names, labels and bytes."""
        digest = hashlib.sha256()
        for number, item in enumerate(self.items):
            context.check()
            found = self.digest(number)
            digest.update(f"{item.name}\0{found}\0".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def digest(self, index: int) -> str:
        """Hash the bytes of one row's image."""
        try:
            found = self._find(index)
            if not isinstance(found, Path):
                return hashlib.sha256(found).hexdigest()
            with open(found, "rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, UnreadableFile) as error:
            return f"unreadable: {error}"

    def is_high_bit_depth(self, context: JobContext = UNATTENDED) -> bool:
        """Return whether an image has more than 8 bits, according to the headers."""
        return any(map_in_threads(self._is_deep, range(len(self.items)), context))

    def locate(self, index: int) -> Path | None:
        """Return None: the images are rows of tables."""
        return None

    def read(self, index: int) -> DecodedImage:
        """Decode one row."""
        try:
            found = self._find(index)
            return pictures.read_file(found) if isinstance(found, Path) else pictures.read_content(found)
        except OSError as error:
            raise UnreadableFile(f"cannot be opened: {error.strerror or error}") from None

    def _index_rows(self, root: Path, label: ClassColumn | None) -> list[SourceItem]:
        """Return the rows as items, without masks. If the library found one split only, the folders may name more.

        (The library recognizes Train and train, but not Testing as a test set.)
        """
        names: list[str] = []
        labels: list[str | None] = []
        for split, table in self._tables.items():
            paths = table.flatten().select_columns([f"{self._column}.path"])[f"{self._column}.path"]
            names += [_row_name(path, root, f"{split}/{row:06d}") for row, path in enumerate(paths)]
            labels += map(label.find_label, table[label.name]) if label else [None] * len(table)
        masked = self._skip_masks(names)
        laid_out = parse_layout([name for name in names if name not in masked])
        kept = [
            (place, own) for name, place, own in zip(names, self._places, labels, strict=True) if name not in masked
        ]
        self._places = [place for place, _ in kept]
        is_single = len(self._tables) == 1
        parts = find_split_column(self._tables) if is_single else {}
        by_folder = is_single and any(item.split for item in laid_out)
        patients = find_patient_column(self._tables)
        items = []
        for item, (place, own) in zip(laid_out, kept, strict=True):
            part = parts.get(place) or (item.split if by_folder else split_name(place[0]))
            label_of = item.label if masked else own
            items.append(SourceItem(item.name, label_of, part, item.folders, patients.get(place, "")))
        if masked:  # the library takes the folder of the masks for a class
            self.classes = tuple(sorted({item.label for item in items if item.label}, key=natural_sort_key))
        return items

    def _skip_masks(self, names: Sequence[str]) -> dict[str, str]:
        """List as skipped the masks among images that are files; return them with their images."""
        masked = find_masks(names).masked
        self.skipped += [
            Skipped(name, f"a mask of {image}" if image else "among masks") for name, image in masked.items()
        ]
        return masked

    def _find(self, index: int) -> bytes | Path:
        """Return the bytes of a row's image, or its file.

        Raises:
            UnreadableFile: it has neither, or the file lies outside the dataset.
        """
        name, row = self._places[index]
        image = self._tables[name][row][self._column]
        if image and image["bytes"]:
            return bytes(image["bytes"])
        if image and image["path"]:
            return Path(check_image(image["path"], self._root))
        raise UnreadableFile("the row has no image")

    def _is_deep(self, index: int) -> bool:
        try:
            found = self._find(index)
            return pictures.is_deep_file(found) if isinstance(found, Path) else pictures.is_deep_content(found)
        except (OSError, UnreadableFile):
            return False


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


def _tables(path: Path, name: str, config_name: str) -> dict[str, Any]:
    """Return the dataset's tables by split."""
    try:
        with local_only(path, name):
            found = _read_config(path, name, config_name)
    except _UNREADABLE as error:
        what = f"'{name}' cannot be read as a Hugging Face dataset: {_describe_error(error)}."
        raise EmptySource(what, HuggingFaceSource.expected) from error
    tables = dict(found) if isinstance(found, dict) else {"all": found}
    rows = sum(map(len, tables.values()))
    if not rows:
        raise EmptySource(f"The dataset '{name}' has no rows.", HuggingFaceSource.expected)
    if rows > MAX_ROWS:
        raise EmptySource(f"The dataset '{name}' has {rows:,} rows.", f"Use one of {MAX_ROWS:,} rows at most.")
    return tables


def _describe_error(error: BaseException) -> str:
    """Return what the library says; its words for errors inside of it say nothing to a user."""
    said = str(error).strip().splitlines()
    is_internal = isinstance(error, LookupError | AttributeError | TypeError | ArithmeticError)
    return "it is damaged, empty, or of an unusual form" if is_internal or not said else said[0].rstrip(".")


def _read_config(path: Path, name: str, config_name: str) -> Any:
    """Open the tables of one configuration. Raises ConfigError if it is not there, or if one must be chosen."""
    try:
        return _read(path, config_name)
    except _UNREADABLE:
        _check_config_name(path, name, config_name)
        raise


def _check_config_name(path: Path, name: str, config_name: str) -> None:
    """Raise an error that lists the configurations of a dataset, if one must be chosen or the chosen one is not there.

    Raises:
        ConfigError: so it is.
    """
    try:
        known = datasets.get_dataset_config_names(str(path))
    except _UNREADABLE:
        return
    advice = f"Choose one with --config-name: {', '.join(known)}."
    if config_name and config_name not in known:
        raise ConfigError(f"The dataset '{name}' has no configuration '{config_name}'.", advice)
    if not config_name and len(known) > 1:
        raise ConfigError(f"The dataset '{name}' has {len(known)} configurations.", advice)


def _read(path: Path, config_name: str) -> Any:
    """Open a saved dataset, a table, or a folder that the library can convert to tables; download nothing.

    Both may unpack to any size, so a limited process does it first.
    """
    is_saved = any((path / name).exists() for name in ("dataset_dict.json", "state.json"))
    kind = _TABLES.get(path.suffix.casefold())
    if config_name and (is_saved or kind):
        raise ConfigError(f"'{path.name}' has no configurations.", "Leave out --config-name.")
    size = arrow_files.measure(path)
    frames = 2 + size // MEMORY_BYTES_PER_FRAME
    if is_saved:
        parse(arrow_files.open_saved, None, path, size, frames=frames)
        # Its record may hide columns.
        return datasets.load_from_disk(str(path)).with_format(None)
    words = (kind or "", config_name, str(cache_root() / "tables"))
    builder = _make_builder(path, *words)
    if not Path(builder.cache_dir).is_dir():
        try:
            parse(convert, None, path, *words, size, frames=frames)
        finally:
            shutil.rmtree(f"{builder.cache_dir}.incomplete", ignore_errors=True)
    builder.download_and_prepare()
    return builder.as_dataset()


def convert(path: Path, kind: str, config_name: str, cache: str, size: int) -> None:
    """Convert a table, or a folder of files, to tables in the cache. Call it in a limited process.

    Raises:
        UnreadableFile: it cannot be converted, or becomes far larger than `size`, the bytes of its files.
    """
    arrow_files.count_all_memory()
    try:
        with local_only(path, path.name), arrow_files.limit_files(size):
            _make_builder(path, kind, config_name, cache).download_and_prepare(max_shard_size=_ONE_FILE)
    except (*_UNREADABLE, EngramError) as error:
        cause = error.__cause__ or error
        if getattr(cause, "errno", None) == errno.EFBIG:
            raise UnreadableFile("it unpacks to far more than it holds") from error
        raise UnreadableFile((str(cause).strip() or type(cause).__name__).splitlines()[0].rstrip(".")) from error


def _make_builder(path: Path, kind: str, config_name: str, cache: str) -> Any:
    """Return the library's converter of a table, or of a folder; nothing is read or downloaded yet."""
    options = {"cache_dir": cache, "download_config": datasets.DownloadConfig(local_files_only=True)}
    if kind:
        return datasets.load_dataset_builder(kind, data_files=str(path), **options)
    return datasets.load_dataset_builder(str(path), config_name or None, **options)


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
