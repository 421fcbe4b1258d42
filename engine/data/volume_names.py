"""Names of volumes: the case that each is of, its series (T1, FLAIR, ...), and which files of a folder are read."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Final

from engine.config import DataConfig
from engine.data.annotations import Annotations, find_masks, has_mask_name
from engine.data.dataset import Skipped
from engine.data.files import pair_suffix
from engine.data.layout import PLAIN_FOLDERS
from engine.data.patient_names import find_known_name
from engine.data.source import natural_sort_key

_ENDING: Final = re.compile(
    r"\.(?:nii|hdr|img)(?:\.gz)?$|\.(?:dcm|dicom|ima|mgz|mgh|nrrd|nhdr|mha|mhd)$", re.IGNORECASE
)
_WORD: Final = re.compile(
    r"(?:ce)?t1(?:w|n|c|ce|gd|km|wce|post|pre|map|rho)?|t2(?:w|f|star|starw|map)?|flair|flairw|pd|pdw|dwi|adc|fa|md|swi|"
    r"mra|mprage|mp2rage|bold|asl|cbf|cbv|dti|dsc|stir|gre|tof|bravo|spgr|inplanet[12]",
    re.IGNORECASE,
)
_CHANNEL: Final = re.compile(r"(.+)_(\d{4})")
_NNUNET: Final = frozenset({"imagestr", "imagests", "imagesval"})
_CONTRAST: Final = re.compile(r"(?:.*_)?(?:ce[_-].*t1w?|(?:ce)?t1(?:w?ce|c|gd|km|post))(?:_.*)?", re.IGNORECASE)
_PLACE: Final = re.compile(r"(?:sub|ses|run)-[A-Za-z0-9]+", re.IGNORECASE)
# Folders inside that of a case that say only what kind of files they hold.
_GENERIC: Final = PLAIN_FOLDERS | {"anat", "func", "dwi", "perf", "raw", "processed", "nii", "nifti", "mri", "scans"}


@dataclass(frozen=True)
class VolumeName:
    """What the name of a volume says.

    Args:
        name: relative path.
        case: the case that it is of.
        series: series in small letters; empty if the name has none.
    """

    name: str
    case: str
    series: str


@dataclass(frozen=True)
class SeriesChoice:
    """The volumes of one series of each case, the others with the reasons, and notes on the choice."""

    kept: tuple[VolumeName, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def parse_volume_names(names: Sequence[str]) -> list[VolumeName]:
    """Parse the case and the series of each volume.

    Examples:
        >>> [(each.case, each.series) for each in parse_volume_names(["P1/T1.nii", "P1/T2.nii", "x_7.nii"])]
        [('P1', 't1'), ('P1', 't2'), ('x_7', '')]
    """
    parts = [_split_stem(name) for name in names]
    recurring = _find_recurring_words(names, parts)
    stems = _find_recurring_stems(names, parts)
    found = []
    for name, (stem, series) in zip(names, parts, strict=True):
        own = series
        if not own and stem in stems:
            stem, own = "", stem
        elif not own and (word := _last_word(stem)) in recurring:
            stem, own = stem[: -len(word) - 1], word
        found.append((name, stem, (own or _find_series_folder(name)).casefold()))
    folders: dict[str, list[str]] = defaultdict(list)
    for name, _, series in found:
        folders[str(PurePosixPath(name).parent)].append(series)
    return _tell_apart([VolumeName(name, _find_case(name, stem, folders), series) for name, stem, series in found])


def _tell_apart(volumes: Sequence[VolumeName]) -> list[VolumeName]:
    """Name cases by their folders where each has a folder of its own, in which the files are called alike.

    Examples:
        >>> [each.case for each in parse_volume_names(["a1/image.nii", "a2/image.nii"])]
        ['a1', 'a2']
    """
    cases: dict[str, set[str]] = defaultdict(set)
    folders: dict[str, set[str]] = defaultdict(set)
    for each in volumes:
        cases[str(PurePosixPath(each.name).parent)].add(each.case)
        folders[each.case].add(str(PurePosixPath(each.name).parent))
    alike = {
        case
        for case, places in folders.items()
        if len({_find_folder(place) for place in places}) > 1 and all(len(cases[place]) == 1 for place in places)
    }
    return [
        replace(each, case=folder)
        if each.case in alike
        and not find_known_name(each.name)
        and (folder := _find_folder(str(PurePosixPath(each.name).parent)))
        else each
        for each in volumes
    ]


def _find_folder(place: str) -> str:
    """Return the innermost folder of a path that says more than what kind of files it holds; empty if none does."""
    return next((part for part in reversed(PurePosixPath(place).parts) if part.casefold() not in _GENERIC), "")


def choose_series(volumes: Sequence[VolumeName], wanted: str) -> SeriesChoice:
    """Choose one series of each case.

    Args:
        volumes: the volumes.
        wanted: text that must occur in the name of a file; empty if any may be taken.
    """
    named = [each for each in volumes if wanted.casefold() in PurePosixPath(each.name).name.casefold()]
    named_set = {each.name for each in named}
    skipped = [
        (each.name, f"a volume without '{wanted}' in its name") for each in volumes if each.name not in named_set
    ]
    cases: dict[str, set[str]] = defaultdict(set)
    for each in named:
        cases[each.case].add(each.series)
    if not any(len(found - {""}) > 1 for found in cases.values()):
        return SeriesChoice(tuple(named), tuple(skipped))
    chosen = _rank(Counter(each.series for each in named if each.series), wanted.casefold())[0]
    kept = [each for each in named if each.series in {chosen, ""}]
    others = [each for each in named if each.series not in {chosen, ""}]
    skipped += [(each.name, f"a volume of another series ({each.series}, not {chosen})") for each in others]
    listed = ", ".join(sorted({each.series for each in others}, key=natural_sort_key)[:8])
    note = f"Of the series of each case, {chosen} is used; the others are {listed} (choose one with Series, --series)."
    return SeriesChoice(tuple(kept), tuple(skipped), (note,))


def _rank(counts: Counter[str], wanted: str) -> list[str]:
    """Return the series, best first: the wanted, the most common, T1 with contrast, a known word, the first by name."""
    return sorted(
        counts,
        key=lambda series: (
            series != wanted,
            -counts[series],
            not _CONTRAST.fullmatch(series),
            not _WORD.fullmatch(series),
            natural_sort_key(series),
        ),
    )


def _stem(name: str) -> str:
    return _ENDING.sub("", PurePosixPath(name).name)


def _split_stem(name: str) -> tuple[str, str]:
    """Return the stem of a name without the series, and the series that its words or its dataset name."""
    stem, folder = _stem(name), PurePosixPath(name).parent.name
    if folder.casefold() in _NNUNET and (match := _CHANNEL.fullmatch(stem)):
        return match[1], match[2]
    if stem.casefold().startswith("sub-"):
        entities = stem.split("_")
        rest = [entity for entity in entities if not _PLACE.fullmatch(entity)]
        return "_".join(entity for entity in entities if _PLACE.fullmatch(entity)), "_".join(rest)
    tokens = re.split(r"([ _.-]+)", stem)
    for at in range(0, len(tokens), 2):
        if _WORD.fullmatch(tokens[at]):
            return "".join(tokens[: max(0, at - 1)]), "_".join(tokens[at::2])
    return stem, ""


def _last_word(stem: str) -> str:
    """Return the last word of a stem of several; empty if it has digits."""
    tokens = re.split(r"[ _.-]", stem)
    return tokens[-1] if len(tokens) > 1 and tokens[-1].isalpha() else ""


def _find_recurring_words(names: Sequence[str], parts: Sequence[tuple[str, str]]) -> set[str]:
    """Return the last words that tell several files of one beginning apart, in more than one case."""
    siblings: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, (stem, series) in zip(names, parts, strict=True):
        if not series and (word := _last_word(stem)):
            siblings[str(PurePosixPath(name).parent), stem[: -len(word)]].append(word)
    counts = Counter(word for words in siblings.values() if len(words) > 1 for word in words)
    return {word for word, count in counts.items() if count > 1}


def _find_recurring_stems(names: Sequence[str], parts: Sequence[tuple[str, str]]) -> set[str]:
    """Return the names that tell the files of a folder apart and recur in other folders, as brain.mgz does."""
    inside: dict[str, set[str]] = defaultdict(set)
    for name, (stem, series) in zip(names, parts, strict=True):
        inside[str(PurePosixPath(name).parent)].add(stem if not series else "")
    counts = Counter(stem for stems in inside.values() if len(stems) > 1 for stem in stems)
    return {stem for stem, count in counts.items() if count > 1} - {""}


def _find_series_folder(name: str) -> str:
    """Return the first folder inside that of a known case, such as RAW; empty if it has digits, as dates have."""
    parts = PurePosixPath(name).parent.parts
    inside = next((parts[at + 1 :] for at, part in enumerate(parts) if find_known_name(part)), ())
    words = [part for part in inside if not _PLACE.fullmatch(part)]
    return words[0] if words and not re.search(r"\d", words[0]) and words[0].casefold() != "anat" else ""


def _find_case(name: str, stem: str, folders: dict[str, list[str]]) -> str:
    """Return the case of a volume: a known name, its folder if that holds one case, or the beginning of its name."""
    if known := find_known_name(name):
        return known
    path = PurePosixPath(name)
    folder = _find_folder(str(path.parent))
    own = folders[str(path.parent)]
    is_case_folder = len(set(own)) == len(own) and (len(own) == 1 or "" not in own)
    if folder and (not stem or (is_case_folder and stem.casefold().startswith(folder.casefold()))):
        return folder
    return stem or _stem(name)


DERIVATIVES: Final = "derivatives"


@dataclass(frozen=True)
class FileListing:
    """The files of a folder that are read, and their masks.

    Args:
        names: the files.
        annotations: the masks.
        cases: name of a volume -> its case; empty if the files are images.
        frames: name of a DICOM file of several frames -> their number.
        notes: sentences on automatic decisions.
        plane: plane of the slices of volumes, 'stored' for that of the file; empty if the files are images.
    """

    names: list[str]
    annotations: Annotations
    cases: Mapping[str, str] = field(default_factory=dict)
    frames: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    plane: str = ""


def list_volumes(
    names: Sequence[str], frames: Mapping[str, int], config: DataConfig
) -> tuple[FileListing, list[Skipped]]:
    """Choose the volumes to read.

    Args:
        names: all volumes.
        frames: name of a DICOM file -> its frames.
        config: its series, plane and slices are used.

    Returns:
        The volumes, and the others with the reasons (without masks, which the listing has).
    """
    names = _join_pairs(names)
    found = find_masks(names)
    if not all(map(has_mask_name, names)):
        found.masked.update({name: "" for name in names if has_mask_name(name) and name not in found.masked})
    rest = [name for name in names if name not in found.masked]
    derived = [name for name in rest if DERIVATIVES in PurePosixPath(name).parts]
    skipped = []
    if len(derived) < len(rest):
        skipped = [Skipped(name, "a volume among derivatives") for name in derived]
        rest = [name for name in rest if name not in derived]
    # Series of DICOM files were chosen by their headers.
    choice = choose_series(parse_volume_names(rest), "" if frames else config.series)
    kept = list(choice.kept)
    skipped += [Skipped(name, reason) for name, reason in choice.skipped]
    if config.slices == "lesion":
        skipped += [
            Skipped(each.name, "a volume without a mask beside it") for each in kept if each.name not in found.masks
        ]
        kept = [each for each in kept if each.name in found.masks]
    plane = "stored" if all(each.name in frames for each in kept) else config.plane
    shown = "as stored" if plane == "stored" else plane
    count = f"{len(kept):,} volume{'s' * (len(kept) != 1)}"
    note = f"The images are slices of {count} ({shown}, one intensity window for each volume)."
    cases = {each.name: each.case for each in kept}
    return FileListing([each.name for each in kept], found, cases, frames, (note, *choice.notes), plane), skipped


def _join_pairs(names: Sequence[str]) -> list[str]:
    """Return names with one file for each pair of a header and an image."""
    headers = {_pair_stem(name) for name in names if pair_suffix(Path(name)) == ".hdr"}
    return [name for name in names if pair_suffix(Path(name)) != ".img" or _pair_stem(name) not in headers]


def _pair_stem(name: str) -> str:
    plain = name[:-3] if name.casefold().endswith(".gz") else name
    return plain[:-4].casefold()
