"""Settings of each model. A new model adds its class here, and its name to `AnyModel`."""

from typing import Annotated, ClassVar, Literal, Union, get_args

from pydantic import Field, model_validator

from engine.config.section import Section, setting

SIDE_MOST = 512
Activation = Literal["leaky-relu", "relu", "elu", "gelu", "silu"]
Norm = Literal["batch", "layer", "group", "none"]
MIRRORED_TEXT = (
    "Test-time flip averaging: average the outputs for the image and its mirror image (twice as slow). Train "
    "with --flip."
)
NORM_TEXT = "Normalization after each convolution: batch, layer or group normalization, or none."


class ModelConfig(Section):
    """Base of the settings of every model; its subclasses below add the fields."""

    group: ClassVar[str] = "Layers"
    loss_unit: ClassVar[str] = ""  # unit of the training loss, empty if it has none

    @property
    def latent_size(self) -> int | None:
        """Return the latent size; None for a model without a bottleneck."""
        return getattr(self, "latent", None)

    @property
    def size_multiple(self) -> int:
        """Return the number that the side of the images must be a multiple of."""
        return 1


class BottleneckConfig(ModelConfig):
    """Settings of a model that encodes every image as a latent code."""

    latent: int = setting(
        512,
        "Latent size",
        "Number of latent dimensions: how many values the bottleneck holds for each image.",
        ge=1,
        le=16384,
    )


class ConvolutionConfig(ModelConfig):
    """Settings of convolutional layers."""

    filters: tuple[int, ...] = setting(
        (32, 64, 128, 256, 512),
        "Filters",
        "Filters per encoder block, first to last; the decoder uses the reverse order.",
        min_length=1,
        max_length=8,
        advanced=True,
    )
    kernel_size: int = setting(
        3, "Kernel size", "Side length of every convolution kernel.", "px", ge=1, le=11, advanced=True
    )
    depth: int = setting(1, "Depth", "Convolutions per block.", ge=1, le=8, advanced=True)
    activation: Activation = setting(
        "leaky-relu", "Activation", "Activation function after each convolution.", advanced=True
    )
    leaky_slope: float = setting(
        0.2, "Leaky ReLU slope", "Slope of the leaky ReLU for negative values.", ge=0.0, le=1.0, advanced=True
    )
    norm: Norm = setting("batch", "Normalization", NORM_TEXT, advanced=True)

    @model_validator(mode="after")
    def _validate_filters(self) -> "ConvolutionConfig":
        if any(not 1 <= count <= 4096 for count in self.filters):
            raise ValueError("Each number of filters must be between 1 and 4,096")
        return self


class StridedConvConfig(ConvolutionConfig):
    """Settings of strided convolutions; each divides the side of the image by its stride."""

    stride: int = setting(2, "Stride", "Downsampling factor of each encoder block.", ge=2, le=4, advanced=True)

    @property
    def size_multiple(self) -> int:
        """Return the total stride: every block divides the side by the stride."""
        return int(self.stride ** len(self.filters))

    @model_validator(mode="after")
    def _strides_are_sane(self) -> "StridedConvConfig":
        if self.size_multiple > SIDE_MOST:
            raise ValueError(
                f"{len(self.filters)} blocks with stride {self.stride} shrink the image by a factor of "
                f"{self.size_multiple:,}, to less than one pixel; use fewer filters or a smaller stride"
            )
        if self.kernel_size < self.stride and self.stride > 2:  # kernel 1 at stride 2 was always allowed
            raise ValueError(
                f"Kernel size {self.kernel_size} leaves gaps at stride {self.stride}; use at least {self.stride}"
            )
        return self


class AutoencoderConfig(StridedConvConfig, BottleneckConfig):
    """The reference study's autoencoder: five strided convolutions, a dense latent, five transposed ones; MSE."""

    model: Literal["ae"] = setting("ae", "Model", "Autoencoder")


class ELBOConfig(BottleneckConfig):
    """Settings of a model trained on the evidence lower bound: binary cross-entropy plus KL, in nats per image."""

    group: ClassVar[str] = "Layers and loss"
    loss_unit: ClassVar[str] = "nats"
    beta: float = setting(
        1.0, "KL weight β", "Weight of the KL term; 1 gives the evidence lower bound (ELBO).", ge=0.0, le=100.0
    )
    kl_warm_up: int = setting(
        0,
        "KL warm-up",
        "Number of epochs over which the KL weight rises linearly to β. The validation loss always uses the full β.",
        "epochs",
        ge=0,
        le=10_000,
        advanced=True,
    )
    free_bits: float = setting(
        0.0,
        "Free bits",
        "KL per latent dimension that is not penalized during training. The reported KL is not clipped.",
        "nats",
        ge=0.0,
        le=10.0,
        advanced=True,
    )


class VariationalConfig(StridedConvConfig, ELBOConfig):
    """The reference study's variational autoencoder: the same stacks, reparameterized; cross-entropy + KL."""

    model: Literal["vae"] = setting("vae", "Model", "Variational autoencoder")


class ResidualVariationalConfig(ConvolutionConfig, ELBOConfig):
    """The best linear VAE, and residual blocks that add what it misses; binary cross-entropy + KL."""

    model: Literal["residual-vae"] = setting("residual-vae", "Model", "Residual variational autoencoder")
    filters: tuple[int, ...] = setting(
        (32, 64, 128, 256),
        "Filters",
        "Filters at each resolution, first to last; the first is a quarter of the image side, each next one half "
        "of the one before.",
        min_length=1,
        max_length=8,
        advanced=True,
    )
    depth: int = setting(
        1,
        "Depth",
        "Residual blocks (two convolutions each) per resolution, in the encoder and in the decoder.",
        ge=1,
        le=8,
        advanced=True,
    )
    activation: Activation = setting(
        "silu", "Activation", "Activation function before each convolution.", advanced=True
    )
    norm: Norm = setting("none", "Normalization", NORM_TEXT, advanced=True)

    @property
    def size_multiple(self) -> int:
        """Return the total downsampling: by 4 for the first resolution, by 2 for every other one."""
        return int(4 * 2 ** (len(self.filters) - 1))


class SkipAutoencoderConfig(StridedConvConfig):
    """An autoencoder with skip connections: no bottleneck, so without noise it learns to copy its input; MSE."""

    model: Literal["skip-ae"] = setting("skip-ae", "Model", "Skip autoencoder")


class UNetConfig(ConvolutionConfig):
    """The U-Net: skip connections at each resolution, so without noise it learns to copy its input; MSE."""

    model: Literal["unet"] = setting("unet", "Model", "U-Net")
    filters: tuple[int, ...] = setting(
        (16, 32, 64, 128),
        "Filters",
        "Filters at each resolution, from the full image down.",
        min_length=1,
        max_length=8,
        advanced=True,
    )
    depth: int = setting(
        2, "Depth", "Convolutions per resolution, in the encoder and in the decoder.", ge=1, le=8, advanced=True
    )
    norm: Norm = setting("batch", "Normalization", NORM_TEXT, advanced=True)
    residual: bool = setting(
        False, "Residual", "The network predicts the change to its input instead of the whole image.", advanced=True
    )
    mirrored: bool = setting(False, "Flip averaging", MIRRORED_TEXT, advanced=True)

    @property
    def size_multiple(self) -> int:
        """Return the total downsampling: by 2 between two resolutions."""
        return int(2 ** (len(self.filters) - 1))


class ResidualConfig(ConvolutionConfig, BottleneckConfig):
    """Principal components of augmented images, and a small U-Net that adds what they miss; MSE."""

    model: Literal["residual-ae"] = setting("residual-ae", "Model", "Residual autoencoder")
    filters: tuple[int, ...] = setting(
        (24, 48, 96),
        "Filters",
        "Filters of the U-Net at each resolution; the first is half the image side, each next one half of the "
        "one before.",
        min_length=1,
        max_length=8,
        advanced=True,
    )
    depth: int = setting(
        2, "Depth", "Residual blocks per resolution, in the encoder and in the decoder.", ge=1, le=8, advanced=True
    )
    activation: Activation = setting(
        "gelu", "Activation", "Activation function before each convolution.", advanced=True
    )
    norm: Norm = setting("none", "Normalization", NORM_TEXT, advanced=True)
    linear_passes: int = setting(
        6,
        "PCA augmentation passes",
        "Augmented copies of each training image that the PCA is fitted to before epoch 1 (as many as fit into 1 GB).",
        "passes",
        ge=1,
        le=100,
        advanced=True,
    )
    consistent: bool = setting(
        True,
        "Consistent",
        "Restrict the network's correction to what the PCA subspace cannot represent, so that encoding a "
        "reconstruction returns the same latent code. Turn off for denoising.",
        advanced=True,
    )
    mirrored: bool = setting(False, "Flip averaging", MIRRORED_TEXT, advanced=True)

    @property
    def size_multiple(self) -> int:
        """Return the total downsampling: by 2 for every resolution."""
        return int(2 ** len(self.filters))


AnyModel = Annotated[
    Union[  # noqa: UP007
        AutoencoderConfig,
        VariationalConfig,
        ResidualVariationalConfig,
        SkipAutoencoderConfig,
        UNetConfig,
        ResidualConfig,
    ],
    Field(discriminator="model"),
]
MODELS: dict[str, type[ModelConfig]] = {
    kind.model_fields["model"].default: kind for kind in get_args(get_args(AnyModel)[0])
}


def model_title(name: str) -> str:
    """Return the name of a model on screen, such as 'Variational autoencoder' for 'vae'."""
    return str(MODELS[name].model_fields["model"].description)
