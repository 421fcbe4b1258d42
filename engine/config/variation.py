"""What is done to the images in training: changed copies, and noise to be taken out again."""

from typing import ClassVar, Literal

from pydantic import model_validator

from engine.config.section import Section, setting


class AugmentationConfig(Section):
    """How training images are changed, anew in every epoch; validation images never are."""

    fold: ClassVar[str] = "Augmentation"

    flip: float = setting(
        0.0, "Flip", "Probability of a mirrored image, left for right.", ge=0.0, le=1.0, advanced=True
    )
    shift: float = setting(
        0.0, "Shift", "Largest shift in each direction, as a share of the side.", ge=0.0, le=0.5, advanced=True
    )
    rotation: float = setting(
        0.0, "Rotation", "Largest turn to either side.", "degrees", ge=0.0, le=180.0, advanced=True
    )
    zoom: float = setting(
        0.0, "Zoom", "Largest zoom in or out: 0.1 is by a factor of up to 1.1.", ge=0.0, le=1.0, advanced=True
    )
    gamma: float = setting(
        0.0,
        "Gamma",
        "Largest bend of the gray values: 0.25 is an exponent between 1/1.25 and 1.25.",
        ge=0.0,
        le=2.0,
        advanced=True,
    )
    gain: float = setting(
        0.0, "Gain", "Largest share by which all gray values grow or shrink.", ge=0.0, le=0.9, advanced=True
    )


class NoiseConfig(Section):
    """Denoising: the model is given noisy images and learns to return the clean ones."""

    fold: ClassVar[str] = "Denoising"

    noise: Literal["none", "gaussian", "rician", "speckle", "poisson", "salt-and-pepper"] = setting(
        "none",
        "Noise",
        "Noise on the images the model is given, in training and for the validation loss; the clean ones are its goal.",
        advanced=True,
    )
    noise_low: float = setting(
        0.0,
        "Lowest noise",
        "Least level, drawn uniformly for each image; the data range is 1, so 25 of 255 gray values are 0.098.",
        ge=0.0,
        le=1.0,
        advanced=True,
    )
    noise_high: float = setting(
        0.1,
        "Highest noise",
        "Greatest level; of Gaussian and Rician noise the standard deviation, of salt and pepper the share of pixels.",
        ge=0.0,
        le=1.0,
        advanced=True,
    )

    @model_validator(mode="after")
    def _levels_are_in_order(self) -> "NoiseConfig":
        if self.noise_low > self.noise_high:
            raise ValueError(f"Lowest noise {self.noise_low:g} is above the highest, {self.noise_high:g}; swap them")
        return self
