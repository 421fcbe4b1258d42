"""Where the images of a run come from."""

from pathlib import Path
from typing import Literal

from engine.config.section import Section, setting


class DataConfig(Section):
    """Where the images come from and how they are prepared."""

    source: str = setting(
        "phantom", "Source", "'phantom' (generated images), a folder of images, or 'hf:ID' for a Hugging Face dataset."
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


def resolve_source(source: str) -> str:
    """The same source from wherever it is asked for: a folder is named in full."""
    if source == "phantom" or source.startswith("hf:"):
        return source
    return str(Path(source).expanduser().resolve())
