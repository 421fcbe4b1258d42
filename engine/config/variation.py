"""What is done to images: changed copies and noise to be taken out again in training, noise on a single scan."""

from typing import ClassVar, Literal

from pydantic import model_validator

from engine.config.section import Section, setting

NoiseKind = Literal["gaussian", "rician", "speckle", "poisson", "salt-and-pepper", "ghosting", "rings"]


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

    noise: Literal["none", NoiseKind] = setting(
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


class DenoiseConfig(Section):
    """Noise on a scan, to see what a method makes of it, and how a lesion in it is watched."""

    noise: NoiseKind = setting("gaussian", "Noise", "Kind of the noise that is put on the clean scan.")
    sigma: float = setting(
        0.1,
        "Sigma",
        "Level of the noise in units of the data range, which is 1: 25 of 255 gray values are 0.098. Of Gaussian noise "
        "the standard deviation before gray values are cut to [0, 1]; of salt and pepper the share of pixels.",
        ge=0.0,
        le=1.0,
    )
    seed: int = setting(0, "Seed", "Seed of the noise: equal seeds give equal noise.", ge=0, le=2**31 - 1)
    rim: int = setting(
        4, "Rim", "Width of the band round a lesion that its contrast is measured against.", "px", ge=1, le=64
    )
    least_retention: float = setting(
        0.8,
        "Least retention",
        "Share of a lesion's contrast under which a method is warned of.",
        ge=0.0,
        le=1.0,
        advanced=True,
    )
