"""Settings of images: source and preparation, augmentation, noise in training, noise on a single image."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import model_validator

from engine.config.section import Section, setting


class DataConfig(Section):
    """Source of the images and their preparation."""

    source: str = setting(
        "phantom",
        "Source",
        "'phantom' (generated images), a folder or zip archive of images, or 'hf:ID' for a Hugging Face dataset.",
    )
    size: int = setting(128, "Size", "Side length of the square images that the model sees.", "px", ge=32, le=512)
    fit: Literal["letterbox", "squash"] = setting(
        "letterbox",
        "Resize mode",
        "Letterbox: keep the aspect ratio, pad with black. Squash: stretch to a square, as in the reference study.",
    )
    normalisation: Literal["none", "percentile", "z-score"] = setting(
        "none",
        "Intensity scaling",
        "None: intensities as stored. Percentile: the 0.1–99.9 percentile range becomes 0–1. Z-score: mean ± 3 "
        "SD of the head becomes 0–1.",
        option="--intensity",
        aliases=("--normalisation", "--normalization"),
    )
    validation_share: float = setting(
        0.1,
        "Validation fraction",
        "Fraction of the training images held out for validation; the epoch with the lowest validation loss is kept.",
        ge=0.02,
        le=0.5,
    )
    split_seed: int = setting(
        0, "Split seed", "Seed of the split into training and validation images.", ge=0, le=2**31 - 1, advanced=True
    )
    phantom_count: int = setting(
        600,
        "Phantoms",
        "Number of synthetic (phantom) images to generate; the last sixth is the test set.",
        ge=24,
        le=100_000,
    )
    phantom_seed: int = setting(0, "Phantom seed", "Seed of the phantom generator.", ge=0, le=2**31 - 1, advanced=True)
    download: bool = setting(
        False,
        "Allow download",
        "Download the dataset from the Hugging Face Hub if it is not on this computer.",
        advanced=True,
    )
    revision: str = setting(
        "main", "Revision", "Revision (branch, tag or commit) of the Hugging Face dataset.", advanced=True
    )
    config_name: str = setting(
        "",
        "Configuration",
        "Configuration of a Hugging Face dataset that has several; empty: the only one.",
        advanced=True,
    )
    image_column: str = setting(
        "",
        "Image column",
        "Column of a Hugging Face dataset that holds the images; empty: chosen by type and name.",
        advanced=True,
    )
    label_column: str = setting(
        "",
        "Label column",
        "Column of a Hugging Face dataset that holds the classes; empty: chosen by type and name.",
        advanced=True,
    )
    split_by: Literal["auto", "image", "patient"] = setting(
        "auto",
        "Split by",
        "Auto: keep each patient in one set where patients are known. Image: ignore patients. Patient: refuse images "
        "without any known patient.",
        advanced=True,
    )
    test_patients: int = setting(
        0,
        "Test patients",
        "Whole patients in the test set, the same for every seed and fold; the rest form five folds, and images of "
        "unknown patients are left out. 0: the splits of the source.",
        ge=0,
        le=100_000,
        advanced=True,
    )
    fold: int = setting(
        1,
        "Validation fold",
        "Fold of the other patients that is the validation set, 1 to 5; used with Test patients.",
        ge=1,
        le=5,
        advanced=True,
    )
    groups: str = setting(
        "",
        "Patient table",
        "CSV file with the columns file and patient, perhaps also split and class; 'patients.csv' beside the images is "
        "found without it.",
        advanced=True,
    )
    group_pattern: str = setting(
        "",
        "Patient pattern",
        "Regular expression for the path of an image; its first group is the patient, as in '(case[0-9]+)_'.",
        advanced=True,
    )
    group_by: Literal["known", "similarity"] = setting(
        "known",
        "Group images by",
        "Known: patients from a table, names or files. Similarity: also estimate groups of look-alike images where the "
        "patient is unknown.",
        advanced=True,
    )
    folders_are: Literal["auto", "classes", "patients"] = setting(
        "auto", "Folders are", "Meaning of the folders of images, if it is not obvious.", advanced=True
    )
    plane: Literal["axial", "coronal", "sagittal", "stored"] = setting(
        "axial",
        "Slice plane",
        "Plane of the slices of NIfTI volumes. Stored: along the third axis of the file, as are all volumes without an "
        "orientation.",
        advanced=True,
    )
    slices: Literal["brain", "lesion", "all"] = setting(
        "brain",
        "Slices",
        "Slices of volumes and DICOM series to use. Brain: those in which the head covers a fifth of the area that it "
        "covers in the fullest slice. Lesion: those that the mask beside them marks. All: every slice.",
        advanced=True,
    )
    slice_step: int = setting(
        1, "Slice step", "Use every k-th slice of a volume; 1 uses all.", ge=1, le=1000, advanced=True
    )
    series: str = setting(
        "",
        "Series",
        "Series to use: for volumes a text in their names, such as 'flair' (empty: one series of each case is chosen); "
        "for DICOM files the number, description, UID or modality of the series (empty: all).",
        advanced=True,
    )

    @model_validator(mode="after")
    def _test_patients_need_patients(self) -> "DataConfig":
        if self.test_patients and self.split_by == "image":
            raise ValueError("Test patients is for a split by patient; set Split by to auto or patient")
        return self

    mask_label: int = setting(
        0,
        "Mask label",
        "Value of the lesion in masks of several labels beside the images; 0: all but the background.",
        ge=0,
        le=65_535,
        advanced=True,
    )

    @model_validator(mode="after")
    def _pattern_has_a_group(self) -> "DataConfig":
        try:
            groups = re.compile(self.group_pattern).groups
        except re.error as error:
            raise ValueError(f"Patient pattern '{self.group_pattern}' is not a regular expression: {error}") from None
        if self.group_pattern and not groups:
            raise ValueError(f"Patient pattern '{self.group_pattern}' needs a group in parentheses for the patient")
        return self


def resolve_source(source: str) -> str:
    """Return the source in a form that does not depend on the working directory: a folder as its full path."""
    if source == "phantom" or source.startswith("hf:") or "://" in source or not source.strip():
        return source
    return str(Path(source).expanduser().resolve())


def resolve_paths(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings whose source and patient table do not depend on the working directory."""
    found = dict(values)
    if "source" in found:
        found["source"] = resolve_source(found["source"])
    if found.get("groups"):
        found["groups"] = str(Path(found["groups"]).expanduser().resolve())
    return found


def shorten_paths(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of the data for a record: a path in the home folder without the name of this folder.

    Examples:
        >>> shorten_paths({"source": str(Path.home() / "scans"), "size": 64})
        {'source': '~/scans', 'size': 64}
    """
    return _change_paths(values, _shorten)


def expand_paths(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings of the data from a record, with the full paths; the inverse of `shorten_paths`."""
    return _change_paths(values, lambda path: str(Path(path).expanduser()) if path.startswith("~/") else path)


def _change_paths(values: Mapping[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    """Change the source, behind the prefix of Hugging Face if it has it, and the patient table."""
    found = dict(values)
    for name in ("source", "groups"):
        if isinstance(path := found.get(name), str):
            prefix = "hf:" if path.startswith("hf:") else ""
            found[name] = prefix + change(path.removeprefix(prefix))
    return found


def _shorten(path: str) -> str:
    try:
        return (Path("~") / Path(path).relative_to(Path.home())).as_posix()
    except (ValueError, RuntimeError):  # it lies elsewhere, or there is no home folder
        return path


NoiseKind = Literal["gaussian", "rician", "speckle", "poisson", "salt-and-pepper", "ghosting", "rings"]


class AugmentationConfig(Section):
    """Random changes to the training images, new in every epoch; validation images are never changed."""

    group: ClassVar[str] = "Augmentation"

    flip: float = setting(
        0.0, "Flip", "Probability of mirroring an image left to right.", ge=0.0, le=1.0, advanced=True
    )
    shift: float = setting(
        0.0, "Shift", "Maximum shift in each direction, as a fraction of the image side.", ge=0.0, le=0.5, advanced=True
    )
    rotation: float = setting(
        0.0, "Rotation", "Maximum rotation in either direction.", "degrees", ge=0.0, le=180.0, advanced=True
    )
    zoom: float = setting(
        0.0, "Zoom", "Maximum zoom in or out; 0.1 means a factor of up to 1.1.", ge=0.0, le=1.0, advanced=True
    )
    gamma: float = setting(
        0.0,
        "Gamma",
        "Random gamma correction; 0.25 means an exponent between 1/1.25 and 1.25.",
        ge=0.0,
        le=2.0,
        advanced=True,
    )
    gain: float = setting(0.0, "Gain", "Random intensity scaling; 0.1 means ±10%.", ge=0.0, le=0.9, advanced=True)


class NoiseConfig(Section):
    """Denoising: the model receives noisy images and learns to return the noise-free ones."""

    group: ClassVar[str] = "Denoising"

    noise: Literal["none", NoiseKind, "gaussian-or-rician"] = setting(
        "none",
        "Noise type",
        "Noise added to the input images in training and validation; the target is the noise-free image.",
        advanced=True,
    )
    noise_low: float = setting(
        0.0,
        "Minimum noise level",
        "The level is drawn uniformly for each image between minimum and maximum, on the 0–1 intensity scale "
        "(25/255 = 0.098).",
        ge=0.0,
        le=1.0,
        advanced=True,
    )
    noise_high: float = setting(
        0.1,
        "Maximum noise level",
        "SD for Gaussian and Rician noise, fraction of pixels for salt and pepper.",
        ge=0.0,
        le=1.0,
        advanced=True,
    )

    @model_validator(mode="after")
    def _levels_are_in_order(self) -> "NoiseConfig":
        if self.noise_low > self.noise_high:
            raise ValueError(
                f"Minimum noise level {self.noise_low:g} is above the maximum, {self.noise_high:g}; swap them"
            )
        return self


class DenoiseConfig(Section):
    """Noise added to an image to compare methods, and the measurement of a lesion in it."""

    noise: Literal["none", NoiseKind] = setting(
        "gaussian", "Noise type", "Type of noise to add to the image; 'none' if it is noisy already."
    )
    sigma: float = setting(
        0.1,
        "Noise level σ",
        "Noise level on the 0–1 intensity scale (25/255 = 0.098): SD of Gaussian noise before clipping to 0–1, "
        "or fraction of pixels for salt and pepper.",
        ge=0.0,
        le=1.0,
    )
    seed: int = setting(0, "Seed", "Seed of the noise; the same seed gives the same noise.", ge=0, le=2**31 - 1)
    rim: int = setting(
        4,
        "Background ring",
        "Width of the ring around the lesion that serves as the reference for its contrast.",
        "px",
        ge=1,
        le=64,
    )
    least_retention: float = setting(
        0.8,
        "Retention threshold",
        "Warn if a method retains less than this fraction of the lesion's contrast.",
        ge=0.0,
        le=1.0,
        advanced=True,
    )
