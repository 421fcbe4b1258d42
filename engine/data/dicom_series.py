"""Series of DICOM files in a folder: what is no image to train on, and one intensity window for each series.

Files without a window of their own are displayed from their 0.1 to their 99.9 percentile. Slices of one series that
were stretched one by one would differ in contrast, and slices of air would show noise. So all slices of a series (of
one SeriesInstanceUID and direction) share the percentiles of the series, unless each brings its own window. Which of
them show enough of the head is known when the series is measured.
"""

import re
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.data import dicom
from engine.data.decoded_image import LEFT_OUT, DecodedImage, UnreadableFile
from engine.data.dicom_geometry import read_direction, read_place
from engine.data.dicom_header import DAMAGE, Header, holds_regions
from engine.data.dicom_pixels import read_layout
from engine.data.dicom_values import has_own_contrast, is_inverted
from engine.data.files import PICTURE_SUFFIXES, detect_format
from engine.data.parallel import map_in_threads
from engine.data.parsing import parse
from engine.data.series_choice import SeriesFacts, select_series
from engine.data.volumes import have_enough_head
from engine.job_context import UNATTENDED, JobContext

_LOCALIZER: Final = re.compile(r"locali[sz]er|\bscout\b|\bsurvey\b|3[- ]?plane", re.IGNORECASE)
_LOCALIZER_TYPES: Final = frozenset({"LOCALIZER", "SCOUT"})
_NO_SCANS: Final = {
    "SEG": "a segmentation (DICOM SEG)",
    "RTSTRUCT": "contours (RT Structure Set)",
    "RTDOSE": "a distribution of dose (RT Dose)",
}
_DAMAGED: Final = "its header cannot be decoded; the file is damaged or incomplete"
SeriesKey = tuple[str, tuple[float, ...]]


@dataclass(frozen=True)
class SliceHeader:
    """What the header of a DICOM file says.

    Args:
        study: StudyInstanceUID, empty if it has none.
        series: SeriesInstanceUID and direction.
        frames: number of frames.
        kind: 'original', 'derived' or 'localizer'.
        has_contrast: whether it brings its own window, or needs none.
        place: position along the normal, or else its number in the series; None if it has neither.
        names: number, description and modality of the series.
        bright: 1 if high values are bright, -1 if low ones are; 0 for color.
    """

    study: str
    series: SeriesKey
    frames: int
    kind: str
    has_contrast: bool
    place: float | None = None
    names: tuple[str, str, str] = ("", "", "")
    bright: int = 0

    @property
    def facts(self) -> SeriesFacts:
        """Return what names the series."""
        return SeriesFacts(self.series[0], *self.names)


def read_headers(
    folder: Path, names: Sequence[str], context: JobContext = UNATTENDED
) -> tuple[dict[str, SliceHeader], dict[str, str]]:
    """Return the headers of the DICOM files among some files, and what is wrong with those that have no image."""
    others = [name for name in names if Path(name).suffix.casefold() not in PICTURE_SUFFIXES]
    read = map_in_threads(lambda name: _parse_header(folder / name), others, context)
    found = dict(zip(others, read, strict=True))
    headers = {name: header for name, header in found.items() if isinstance(header, SliceHeader)}
    return headers, {name: problem for name, problem in found.items() if isinstance(problem, str)}


def find_unwanted(headers: dict[str, SliceHeader], wanted: str) -> dict[str, str]:
    """Return the files that are no images to train on, with the reasons.

    Localizers are left out if there is anything else; derived images if their study has originals too, unless their
    series was chosen.

    Args:
        headers: name of a file -> its header.
        wanted: text that chooses series, see `select_series`; empty for all.
    """
    scans = {name: header for name, header in headers.items() if header.names[2] not in _NO_SCANS}
    found = {name: _NO_SCANS[header.names[2]] for name, header in headers.items() if name not in scans}
    if wanted:
        chosen = set(select_series({name: header.facts for name, header in scans.items()}, wanted))
        reason = f"no DICOM series with the number, description, UID or modality '{wanted}'"
        return found | {name: reason for name in scans if name not in chosen}
    return found | _find_unwanted_kinds(scans)


def note_series(headers: dict[str, SliceHeader]) -> tuple[str, ...]:
    """Return a sentence on the series that are used together, if they differ in their descriptions."""
    found = sorted({header.names[1] for header in headers.values()} - {""})
    if len(found) < 2:
        return ()
    named = ", ".join(found[:8]) + ("" if len(found) <= 8 else f" and {len(found) - 8} more")
    return (f"The DICOM series {named} are used together; choose one with Series (--series).",)


def _find_unwanted_kinds(headers: dict[str, SliceHeader]) -> dict[str, str]:
    originals = {header.study for header in headers.values() if header.kind == "original" and header.study}
    only_localizers = all(header.kind == "localizer" for header in headers.values())
    found = {}
    for name, header in headers.items():
        if header.kind == "localizer" and not only_localizers:
            found[name] = "a localizer"
        elif header.kind == "derived" and header.study in originals:
            found[name] = "a derived image, whose study has original ones"
    return found


def sort_slices(names: Sequence[str], headers: dict[str, SliceHeader]) -> list[str]:
    """Return names with the slices of each series and folder by position, in the place of the first of them."""
    firsts: dict[tuple[SeriesKey, str], int] = {}
    keys = {}
    for at, name in enumerate(names):
        keys[name] = at, 0.0, at
        header = headers.get(name)
        if header and header.frames == 1 and header.series[0] and header.place is not None:
            keys[name] = firsts.setdefault((header.series, name.rpartition("/")[0]), at), header.place, at
    return sorted(names, key=keys.__getitem__)


def find_between(names: Sequence[str], headers: dict[str, SliceHeader], step: int) -> list[str]:
    """Return the slices of series that are not every k-th one of their series and folder, from the first one on."""
    seen: dict[tuple[SeriesKey, str], int] = defaultdict(int)
    between = []
    for name in names:
        if name in headers and headers[name].series[0]:
            key = headers[name].series, name.rpartition("/")[0]
            if seen[key] % step:
                between.append(name)
            seen[key] += 1
    return between


@dataclass(frozen=True)
class _Measured:
    """What a series was measured for: its black and white, None if it has no numbers, and the slices without a head."""

    span: tuple[float, float] | None
    airy: frozenset[str] = frozenset()


class SeriesWindows:
    """Intensity windows of the series in a folder whose files do not all have one; threads may share it.

    Args:
        folder: the folder.
        headers: name of a file -> its header.
        skips_air: whether slices that show too little of the head are left out.
    """

    def __init__(self, folder: Path, headers: dict[str, SliceHeader], skips_air: bool = False) -> None:
        self._folder, self._headers, self._skips_air = folder, headers, skips_air
        groups: dict[SeriesKey, list[str]] = defaultdict(list)
        for name, header in headers.items():
            if header.frames == 1 and header.series[0]:
                groups[header.series].append(name)
        self._members = {key: names for key, names in groups.items() if len(names) > 1}
        self._series = {name: key for key, names in self._members.items() for name in names}
        self._shared = {
            key for key, names in self._members.items() if not all(headers[name].has_contrast for name in names)
        }
        self._locks = {key: threading.Lock() for key in self._members}
        self._measured: dict[SeriesKey, _Measured] = {}

    def __contains__(self, name: str) -> bool:
        return self._series.get(name) in self._shared

    def skips_air(self, name: str) -> bool:
        """Return whether a file is left out if it shows too little of the head."""
        key = self._series.get(name)
        return self._skips_air and key is not None and all(self._headers[each].bright for each in self._members[key])

    def read(self, name: str) -> DecodedImage:
        """Decode one file with the window of its series.

        Raises:
            UnreadableFile: it cannot be decoded, or is left out (`LEFT_OUT`).
        """
        if self.skips_air(name) and name in self._measure(name).airy:
            raise UnreadableFile(LEFT_OUT)
        return DecodedImage(**parse(dicom.read_picture, self._folder / name, self.find_span(name), True))

    def find_span(self, name: str) -> tuple[float, float] | None:
        """Return the values that are black and white in the series of a file; None if each file has its own."""
        return self._measure(name).span if name in self else None

    def _measure(self, name: str) -> _Measured:
        key = self._series[name]
        with self._locks[key]:
            if key not in self._measured:
                self._measured[key] = self._measure_series(self._members[key], self.skips_air(name))
        return self._measured[key]

    def _measure_series(self, names: Sequence[str], skips_air: bool) -> _Measured:
        """Return the 0.1 and 99.9 percentiles of a series, and the slices that show too little of the head."""
        samples: dict[str, NDArray[np.float64]] = {}
        for name in names:
            try:
                samples[name] = parse(dicom.sample_values, self._folder / name, len(names))
            except UnreadableFile:
                continue
        span = dicom.join_samples(list(samples.values()))
        if span is None or not skips_air:
            return _Measured(span)
        return _Measured(span, frozenset(_find_airy(samples, span, self._headers[names[0]].bright)))


def _find_airy(samples: dict[str, NDArray[Any]], span: tuple[float, float], bright: int) -> list[str]:
    """Return the slices that show too little of the head, as `engine.data.volumes.find_head_slices` does."""
    shown = {
        name: bright * np.nan_to_num(np.clip(values, *span), nan=span[bright < 0]) for name, values in samples.items()
    }
    mean = np.concatenate(list(shown.values())).mean()
    enough = have_enough_head(np.array([np.mean(values > mean) for values in shown.values()]))
    return [name for name, is_used in zip(shown, enough, strict=True) if not is_used] if enough.any() else []


def _parse_header(file: Path) -> SliceHeader | str | None:
    """Return the header of a DICOM file, or what is wrong with it; None if it is of another format."""
    try:
        return SliceHeader(**parse(read_slice_header, file)) if detect_format(file) == "dicom" else None
    except UnreadableFile as error:
        return str(error)
    except OSError:
        return _DAMAGED


def read_slice_header(file: Path) -> SliceHeader:
    """Return the header of a DICOM file.

    Raises:
        UnreadableFile: it is damaged, or has no image.
    """
    try:
        is_scan = not holds_regions(file)
        header = dicom.open_header(file) if is_scan else dicom.open_data(file, stop_before_pixels=True)
        names = header.text("SeriesNumber"), header.text("SeriesDescription"), header.text("Modality")
        if not is_scan and names[2] in _NO_SCANS:
            return SliceHeader(header.text("StudyInstanceUID"), ("", ()), 1, "original", True, names=names)
        layout = read_layout(header)
        is_gray = str(header.data.get("PhotometricInterpretation", "")).startswith("MONOCHROME")
        return SliceHeader(
            header.text("StudyInstanceUID"),
            (header.text("SeriesInstanceUID"), read_direction(header)),
            layout.frames,
            _find_kind(header),
            not is_gray or has_own_contrast(header, layout),
            read_place(header),
            names,
            (-1 if is_inverted(header) else 1) if is_gray else 0,
        )
    except DAMAGE as error:
        raise UnreadableFile(_DAMAGED) from error


def _find_kind(header: Header) -> str:
    types = [str(part).strip().upper() for part in header.value("ImageType") or ()]
    if _LOCALIZER_TYPES & set(types) or _LOCALIZER.search(header.text("SeriesDescription")):
        return "localizer"
    return "derived" if {"DERIVED", "SECONDARY"} & set(types[:2]) else "original"
