"""Where the images of a run come from."""

from pathlib import Path
from typing import Literal

from engine.config.section import Section, setting


class DataConfig(Section):
    """Where the images come from and how they are prepared."""

    source: str = setting("phantom", "Source", "'phantom', a folder of images, or 'hf:ID' for a Hugging Face data set.")
    size: int = setting(128, "Size", "Side of the square images the models see.", "px", ge=32, le=512)
    fit: Literal["letterbox", "squash"] = setting(
        "letterbox", "Fit", "Letterbox keeps the proportions and pads with black; squash stretches, as the study did."
    )
    normalisation: Literal["none", "percentile", "z-score"] = setting(
        "none",
        "Intensity",
        "None keeps the file's gray values; percentile maps 0.1-99.9 % to [0, 1]; z-score maps "
        "mean ± 3 standard deviations of the head to [0, 1].",
    )
    validation_share: float = setting(
        0.1, "Validation share", "Share of the training images held out to choose by.", ge=0.02, le=0.5
    )
    split_seed: int = setting(
        0, "Split seed", "Seed of the split into train and validation.", ge=0, le=2**31 - 1, advanced=True
    )
    phantom_count: int = setting(
        600, "Phantoms", "Number of phantom slices to make; the last sixth of them are the test set.", ge=24, le=100_000
    )
    phantom_seed: int = setting(0, "Phantom seed", "Seed of the phantom generator.", ge=0, le=2**31 - 1, advanced=True)
    download: bool = setting(
        False,
        "Allow download",
        "Let the Hugging Face library fetch a data set that is not on this machine yet.",
        advanced=True,
    )
    revision: str = setting("main", "Revision", "Revision of the Hugging Face data set.", advanced=True)


def absolute(source: str) -> str:
    """The same source from wherever it is asked for: a folder is named in full."""
    if source == "phantom" or source.startswith("hf:"):
        return source
    return str(Path(source).expanduser().resolve())
