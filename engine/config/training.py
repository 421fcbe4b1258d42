"""How the weights of a run are found."""

from typing import ClassVar, Literal

from engine.config.section import Section, setting


class TrainingConfig(Section):
    """How the weights are found."""

    fold: ClassVar[str] = "Optimiser and machine"

    epochs: int = setting(40, "Epochs", "Passes over the training images.", ge=1, le=10_000)
    batch_size: int = setting(16, "Batch size", "Images per step.", "images", ge=1, le=1024)
    learning_rate: float = setting(5e-4, "Learning rate", "Step size of the Adam optimiser.", ge=1e-7, le=1.0, log=True)
    schedule: Literal["constant", "cosine"] = setting(
        "constant",
        "Schedule",
        "Course of the learning rate: constant, or falling to zero along half a cosine by the last epoch. A run "
        "resumed to more epochs goes on where a run of so many would be.",
        advanced=True,
    )
    warm_up: float = setting(
        0.0,
        "Warm-up",
        "Share of all steps over which the learning rate first rises from zero; 0 is none.",
        ge=0.0,
        le=0.5,
        advanced=True,
    )
    clip_norm: float = setting(
        0.0,
        "Clip norm",
        "Largest norm of all gradients together; longer ones are shortened to it; 0 is no limit.",
        ge=0.0,
        le=1e6,
        advanced=True,
    )
    weight_decay: float = setting(
        0.0,
        "Weight decay",
        "Decoupled decay of the kernels (AdamW), as a share of the learning rate; biases and scales keep theirs.",
        ge=0.0,
        le=1.0,
        advanced=True,
    )
    ema: float = setting(
        0.0,
        "Weight averaging",
        "Momentum of the moving average of the weights that is validated and kept, such as 0.999; 0 keeps the last.",
        ge=0.0,
        le=0.99999,
        advanced=True,
    )
    seed: int = setting(
        0, "Seed", "Seed of the weights, of the order of images and of the sampling.", ge=0, le=2**31 - 1
    )
    backend: Literal["tensorflow", "torch", "jax"] = setting(
        "tensorflow", "Backend", "Framework that Keras computes with."
    )
    deterministic: bool = setting(
        True, "Deterministic", "Same settings, same bits: operations without a fixed order are replaced.", advanced=True
    )
    threads: int = setting(0, "Threads", "Processor threads to compute with; 0 takes all.", ge=0, le=512, advanced=True)
    tracking: Literal["off", "offline", "online"] = setting(
        "off",
        "Tracking",
        "Record settings and metrics for Weights & Biases: offline in the run's folder, from where `wandb sync` sends "
        "them later, or online, which needs a login. Never pictures, paths or names of people and machines.",
        advanced=True,
    )
