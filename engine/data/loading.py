"""Loading of a source: from its name to its three splits."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.config import DataConfig
from engine.data import cache, patients, preparation, quality
from engine.data.dataset import Dataset, Skipped, Split
from engine.data.decoded_image import LEFT_OUT, UnreadableFile, large_image_lock
from engine.data.parallel import map_in_threads
from engine.data.patient_facts import count_patients, is_known
from engine.data.patients import PatientGroups
from engine.data.phantom_source import PhantomSource
from engine.data.quality import ImageFacts
from engine.data.source import Source, SourceItem, natural_sort_key
from engine.data.splitting import FOLDS, SplitItem, assign_splits
from engine.errors import ConfigError, EmptySource
from engine.job_context import UNATTENDED, JobContext, importing

_Prepared = tuple[NDArray[Any] | None, str, ImageFacts | None]


def load(
    source: str | os.PathLike[str] | None = None,
    config: DataConfig | None = None,
    *,
    context: JobContext = UNATTENDED,
) -> Dataset:
    """Load a dataset: decode and prepare it once, memory-map it from the cache afterwards.

    If a source has no validation set, `validation_share` of its training images is held out, stratified by class and
    seeded, with copies of one image on one side. If it has no test set, the same share is held out for that too.

    Args:
        source: 'phantom', a folder or zip archive of images, or 'hf:ID' for a Hugging Face dataset (an id or a local
            path); the config's if None.
        config: preparation and split; the defaults if None.
        context: asked between images whether to stop; receives the images done and in all while they are decoded.

    Returns:
        The dataset; its images stay on disk.

    Raises:
        SourceNotFound: the source does not exist.
        EmptySource: no image in it can be used.
        Cancelled: the caller asked to stop.
        DataError: the cache cannot be written.

    Example:
        >>> dataset = load("phantom", DataConfig(size=32, phantom_count=24))
        >>> {name: len(split) for name, split in dataset.splits.items()}
        {'train': 19, 'validation': 1, 'test': 4}
        >>> images = dataset.test.read([0])
        >>> images.shape, images.dtype.name, bool(0 <= images.min() <= images.max() <= 1)
        ((1, 32, 32, 1), 'float32', True)
    """
    config = config or DataConfig()
    config = config.model_copy(update={"source": str(source or config.source)})
    opened = open_source(config, context)
    writer = _StoreWriter(opened, config, context.with_title("Reading images"))
    stored = cache.fetch(_cache_key(opened.content_hash(context), config), writer.write)
    return _assemble(opened, config, stored, find_groups(opened, config, context))


def open_source(config: DataConfig, context: JobContext = UNATTENDED) -> Source:
    """List the items of a source without decoding them.

    The libraries of DICOM and of Hugging Face, whose import takes a while, are imported here and only for the sources
    that need them.
    """
    if config.source == "phantom":
        return PhantomSource(config)
    if not config.source.startswith("hf:"):
        from engine.data.folder import FolderSource

        return FolderSource(config, context)
    with importing():
        from engine.data.huggingface import HuggingFaceSource
    return HuggingFaceSource(config)


def check_source(config: DataConfig) -> None:
    """Check, before a run or file is created, that a source can be opened and lists images; decode none.

    Raises:
        SourceNotFound: the source does not exist.
        EmptySource: it lists no image.
    """
    opened = open_source(config)
    if not opened.items:
        raise make_empty_source_error(opened, config.source, collect_skipped(opened, ()))


def check_folders(config: DataConfig) -> None:
    """Check that the meaning of the folders is certain, where the user can still be asked.

    Raises:
        ConfigError: they may be classes or patients.
        DataError: the source cannot be opened.
    """
    if question := open_source(config).question:
        raise ConfigError(question, "Use --folders-are classes or --folders-are patients.")


def _cache_key(content: str, config: DataConfig) -> str:
    options = [preparation.VERSION, content, config.size, config.fit, config.normalisation]
    return hashlib.sha256(json.dumps(options).encode()).hexdigest()[:32]


class _StoreWriter:
    """Writer that decodes and prepares the items of a source into one file."""

    def __init__(self, source: Source, config: DataConfig, context: JobContext) -> None:
        self._source = source
        self._config = config
        self._context = context

    def write(self, folder: Path) -> cache.Index:
        """Write `images.npy`; threads decode, this one writes in item order, so memory stays flat."""
        deep = self._config.normalisation != "none" or self._source.is_high_bit_depth(self._context)
        dtype = np.dtype(np.uint16 if deep else np.uint8)
        items, keys, unusable = [], [], []
        facts: list[tuple[int, float]] = []
        numbers = range(len(self._source.items))
        threads = self._source.threads
        prepared = map_in_threads(lambda number: self._prepare(number, dtype), numbers, self._context, threads)
        with open(folder / "images.npy", "wb") as file:
            self._write_header(file, dtype, len(self._source.items))
            for number, (image, text, seen) in enumerate(prepared):
                if image is None or seen is None:
                    unusable.append((number, text))
                else:
                    file.write(image.tobytes())
                    items.append(number)
                    keys.append(text)
                    facts.append((seen.levels, seen.brightest))
                self._context.report(number + 1, len(self._source.items))
            if not items:
                raise make_empty_source_error(
                    self._source, self._config.source, collect_skipped(self._source, unusable)
                )
            file.seek(0)
            self._write_header(file, dtype, len(items))
            file.flush()
            os.fsync(file.fileno())
        return cache.Index(tuple(items), tuple(keys), tuple(unusable), tuple(facts))

    def _write_header(self, file: Any, dtype: np.dtype[Any], count: int) -> None:
        """Write a header that NumPy pads for a growing first axis, so the final count fits over the first."""
        size = self._config.size
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (count, size, size)}
        np.lib.format.write_array_header_1_0(file, header)

    def _prepare(self, number: int, dtype: np.dtype[Any]) -> _Prepared:
        """Return image, key and facts of one item, or None, the reason why there is no image, and None."""
        try:
            picture = self._source.read(number)
        except UnreadableFile as reason:
            return None, str(reason), None
        with large_image_lock(picture.gray.size):
            pixels: NDArray[Any] = picture.gray if picture.gray.dtype == np.uint8 else picture.unit()
            image = preparation.prepare(pixels, self._config, aspect=picture.aspect)
            seen = quality.examine(picture)
        return np.rint(image * np.iinfo(dtype).max).astype(dtype), picture.key(), seen


def collect_skipped(source: Source, unusable: Iterable[tuple[int, str]]) -> tuple[Skipped, ...]:
    """Return the files that a source skipped and those that could not be decoded, sorted by name."""
    failed = [(source.items[number], why) for number, why in unusable if why != LEFT_OUT]
    found = dict.fromkeys([*source.skipped, *(Skipped(item.file or item.name, why) for item, why in failed)])
    return tuple(sorted(found, key=lambda item: natural_sort_key(item.name)))


def note_left_out(unusable: Iterable[tuple[int, str]], config: DataConfig) -> tuple[str, ...]:
    """Return a sentence on the slices of volumes and series that are left out, if there are any."""
    count = sum(why == LEFT_OUT for _, why in unusable)
    what = "show no lesion" if config.slices == "lesion" else "show too little of the head"
    return (f"{count:,} slices {what} and are left out (see Slices, --slices).",) if count else ()


def make_empty_source_error(source: Source, name: str, skipped: Sequence[Skipped]) -> EmptySource:
    """Return the error of a source without a usable image."""
    what = f"There is no usable image in {name}."
    if skipped:
        first = f"'{skipped[0].name}' was skipped: {skipped[0].reason}"
        more = {0: "", 1: ", and 1 more was"}.get(len(skipped) - 1, f", and {len(skipped) - 1} more were")
        return EmptySource(what, f"{source.expected} {first}{more}.")
    return EmptySource(what, source.expected)


def find_groups(source: Source, config: DataConfig, context: JobContext) -> PatientGroups:
    """Find the patient of every item of a source, and estimate the others if the config says so.

    Raises:
        DataError: a given table or pattern cannot be used.
        ConfigError: a split by patient is requested, and no patient is known.
    """
    found = patients.find_patients(source, config, context)
    if config.group_by == "similarity":
        from engine.data.audit.look_alikes import estimate_patients  # the audit's modules import this one

        found = estimate_patients(source, found, context)
    patients.check_split_by(found.groups, config)
    return found


def _assemble(
    source: Source, config: DataConfig, stored: tuple[cache.Store, cache.Index], found: PatientGroups
) -> Dataset:
    store, index = stored
    items = [source.items[number] for number in index.items]
    groups = [found.groups[number] for number in index.items]
    members = list_split_members(source, index, found, config)
    labels = np.array([member.label for member in members], dtype=np.int64)
    splits = {}
    for name, indices in assign_splits(members, config).items():
        names, keys = tuple(items[row].name for row in indices), tuple(index.keys[row] for row in indices)
        rows = np.array(indices, dtype=np.int64)
        patient = tuple(groups[row] for row in indices)
        splits[name] = Split(name, labels[rows], names, keys, store, rows, patient)
    return Dataset(
        **splits,
        classes=source.classes,
        skipped=collect_skipped(source, index.unusable),
        fingerprint=_fingerprint(splits.values(), source.classes, config),
        source=config.source,
        config=config,
        notes=(
            *source.notes,
            *note_left_out(index.unusable, config),
            *found.notes,
            *_notes(members, splits.values(), config),
            *_describe(items, index, config),
        ),
        held_out=tuple(name for name in splits if name not in {"train", *(member.split for member in members)}),
        patients=count_patients(
            {name: list(zip(part.groups, part.keys, strict=True)) for name, part in splits.items()},
            found.origins,
            are_separate=config.source == "phantom",
        ),
        plane=source.plane,
    )


def _describe(items: Sequence[SourceItem], index: cache.Index, config: DataConfig) -> tuple[str, ...]:
    facts = [ImageFacts(*each) for each in index.facts]
    return quality.describe_dataset([item.name for item in items], index.keys, facts, config)


class Decoded(Protocol):
    """Protocol of a list of decoded images: the numbers of their items, and their keys."""

    @property
    def items(self) -> Sequence[int]:
        """Return the numbers of the items in the source."""
        ...

    @property
    def keys(self) -> Sequence[str]:
        """Return the hashes of the pixels."""
        ...


def list_split_members(source: Source, decoded: Decoded, found: PatientGroups, config: DataConfig) -> list[SplitItem]:
    """Return what decides the split of decoded images: key, label, source's split and patient if they count."""
    numbers = {name: number for number, name in enumerate(source.classes)}
    members = []
    for number, key in zip(decoded.items, decoded.keys, strict=True):
        item = source.items[number]
        label = -1 if item.label is None else numbers[item.label]
        group = found.groups[number] if config.split_by != "image" else ""
        members.append(SplitItem(key, label, None if config.test_patients else item.split, group))
    return members


def _fingerprint(splits: Iterable[Split], classes: tuple[str, ...], config: DataConfig) -> str:
    prepared = [preparation.VERSION, config.size, config.fit, config.normalisation]
    content = [[split.name, split.labels.tolist(), split.keys] for split in splits]
    return hashlib.sha256(json.dumps([prepared, classes, content]).encode()).hexdigest()


def _notes(members: Sequence[SplitItem], splits: Iterable[Split], config: DataConfig) -> tuple[str, ...]:
    """Return a sentence for each split that the source does not have."""
    if config.test_patients:
        return (describe_protocol({part.name: part.groups for part in splits}, len(members), config),)
    brought = {member.split for member in members}
    groups = {part.name: part.groups for part in splits}
    return tuple(
        describe_held_out(name, groups, config) for name in groups if name not in {"train", *brought} and groups[name]
    )


def describe_protocol(groups: Mapping[str, Sequence[str]], count: int, config: DataConfig) -> str:
    """Describe a split by `engine.data.splitting.split_patients`.

    Args:
        groups: split -> patient of each of its images.
        count: number of images of the source.
        config: the settings of the data.
    """
    sizes = {
        name: f"{len(set(filter(is_known, part))):,} patients ({len(part):,} images)" for name, part in groups.items()
    }
    left = count - sum(map(len, groups.values()))
    rest = f" {left:,} images of unknown patients are left out." if left else ""
    return (
        f"Split by patient whatever the folders say. Test: {sizes['test']}. Validation: fold {config.fold} of {FOLDS}, "
        f"{sizes['validation']}. Training: {sizes['train']}.{rest}"
    )


def describe_held_out(name: str, groups: Mapping[str, Sequence[str]], config: DataConfig) -> str:
    """Describe the images that are held out for a split that the source does not have.

    Args:
        name: the split.
        groups: split -> patient of each of its images.
        config: the settings of the data.
    """
    own = set(filter(None, groups[name]))
    # The images of one patient alone are drawn one by one.
    count = len(own) if config.split_by != "image" and own.isdisjoint(groups["train"]) else 0
    how = f"drawn by patient ({count:,} patient{'s' * (count > 1)})" if count else "drawn per class"
    return (
        f"The source has no {name} set: {len(groups[name])} of its images, {how} with seed {config.split_seed}, are "
        "held out for it."
    )
