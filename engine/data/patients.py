"""Patients of a source: which images are of one patient, from a table, from names, from headers, or from folders.

The first of these that knows the patient of an image counts. Only opaque names leave this module: hashes with a secret
of this computer, equal for equal patients.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.config import DataConfig
from engine.data import patient_names, patient_table
from engine.data.patient_facts import is_known
from engine.data.source import Source
from engine.data.splitting import FOLDS
from engine.errors import ConfigError, DataError
from engine.job_context import UNATTENDED, JobContext


@dataclass(frozen=True)
class PatientGroups:
    """The patients of some images.

    Args:
        groups: for each item of the source, an opaque name of its patient, '' if unknown.
        origins: what named the patients -> number of images: 'table', 'pattern', 'name', 'header', 'volume', 'folder',
            'similarity'.
        notes: sentences on automatic decisions.
    """

    groups: tuple[str, ...]
    origins: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def find_patients(source: Source, config: DataConfig, context: JobContext = UNATTENDED) -> PatientGroups:
    """Find the patient of every item of a source.

    Raises:
        DataError: the given table or pattern cannot be used, or matches no image.
        ConfigError: a split by patient is requested, and no patient is known.
    """
    names = [item.name for item in source.items]
    found, origins = [""] * len(names), [""] * len(names)
    table, notes = _match_table(source, config, names)
    finders: dict[str, Callable[[list[int]], Sequence[str]]] = {
        "table": lambda rest: [table[index] for index in rest],
        "pattern": lambda rest: _match_pattern(config.group_pattern, [names[index] for index in rest]),
        "name": lambda rest: [patient_names.find_known_name(names[index]) for index in rest],
        "header": lambda rest: patient_names.read_patients([source.locate(index) for index in rest], context),
        "volume": lambda rest: [source.items[index].case for index in rest],
        "folder": lambda rest: [source.items[index].patient for index in rest],
    }
    for origin, find in finders.items():
        rest = [index for index, patient in enumerate(found) if not patient]
        for index, patient in zip(rest, find(rest), strict=True):
            found[index], origins[index] = patient, origin if patient else ""
    groups = tuple(map(patient_names.hide_patient, found))
    return PatientGroups(groups, dict(Counter(filter(None, origins))), notes)


def check_split_by(groups: Sequence[str], config: DataConfig) -> None:
    """Check that a split by patient is possible where it is requested.

    Raises:
        ConfigError: no patient is known, or too few for the requested test set and five folds.
    """
    known = len(set(filter(is_known, groups)))
    if config.test_patients and known < config.test_patients + FOLDS:
        raise ConfigError(
            f"{config.test_patients:,} test patients and {FOLDS} folds need {config.test_patients + FOLDS:,} known "
            f"patients; the images in {config.source} have {known:,}.",
            "Set Test patients to a smaller number, or give a patient table (--groups).",
        )
    if config.split_by == "patient" and not any(groups):
        raise ConfigError(
            f"The images in {config.source} cannot be split by patient: no patient is known.",
            "Give a patient table (--groups) or a patient pattern (--group-pattern), or set Split by to image.",
        )


def _match_table(source: Source, config: DataConfig, names: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the patient of each image by the given table, or by one beside the images; and notes on it."""
    path = patient_table.find_table(config.groups, source.folder)
    if path is None or not names:
        return [""] * len(names), ()
    try:
        table = patient_table.read_patient_table(path)
        found = patient_table.match_table(table, names, source.folder)
        if not any(found):
            raise patient_table.make_mismatch_error(table, path, names[0])
    except DataError as error:
        if config.groups:
            raise
        return [""] * len(names), (f"{path.name} beside the images is not used: {error.what}",)
    return found, ()


def _match_pattern(pattern: str, names: Sequence[str]) -> list[str]:
    """Return the first group of the pattern in each name, '' without a match.

    Raises:
        DataError: it matches none.
    """
    if not pattern or not names:
        return [""] * len(names)
    matches = [re.search(pattern, name) for name in names]
    found = [next((group for group in match.groups() if group), "") if match else "" for match in matches]
    if not any(found):
        raise DataError(
            f"The patient pattern '{pattern}' matches no image; the first one is '{names[0]}'.",
            "Write it for the path below the source, with '/' between folders.",
        )
    return found
