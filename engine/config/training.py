"""Settings of the training."""

from typing import ClassVar, Final, Literal

from engine.config.section import Section, setting

AUTO_BACKEND: Final = "auto"
BACKEND_TITLES: Final = {"tensorflow": "TensorFlow", "torch": "PyTorch", "jax": "JAX"}


class TrainingConfig(Section):
    """Optimizer, schedule, seed and machine of the training."""

    group: ClassVar[str] = "Optimizer and machine"

    epochs: int = setting(40, "Epochs", "Passes over the training images.", ge=1, le=10_000)
    batch_size: int = setting(16, "Batch size", "Images per optimizer step.", "images", ge=1, le=1024)
    learning_rate: float = setting(5e-4, "Learning rate", "Step size of the Adam optimizer.", ge=1e-7, le=1.0, log=True)
    schedule: Literal["constant", "cosine"] = setting(
        "constant",
        "Schedule",
        "Learning-rate schedule: constant, or cosine decay to 0 at the last epoch. If you extend a run, the "
        "schedule is recomputed for the new number of epochs.",
        advanced=True,
    )
    warm_up: float = setting(
        0.0,
        "Warm-up",
        "Fraction of all steps during which the learning rate rises linearly from 0; 0 = none.",
        ge=0.0,
        le=0.5,
        advanced=True,
    )
    clip_norm: float = setting(
        0.0,
        "Gradient clipping",
        "Maximum global gradient norm; larger gradients are scaled down to it. 0 = no clipping.",
        ge=0.0,
        le=1e6,
        advanced=True,
    )
    weight_decay: float = setting(
        0.0,
        "Weight decay",
        "Decoupled decay of the kernels (AdamW), as a fraction of the learning rate; biases and scales do not decay.",
        ge=0.0,
        le=1.0,
        advanced=True,
    )
    ema: float = setting(
        0.0,
        "EMA of weights",
        "Decay of the exponential moving average of the weights, used for validation and saving, such as 0.999. "
        "0 = off.",
        ge=0.0,
        le=0.99999,
        advanced=True,
    )
    seed: int = setting(0, "Seed", "Seed of the weights, the image order and the sampling.", ge=0, le=2**31 - 1)
    backend: Literal["auto", "tensorflow", "torch", "jax"] = setting(
        "tensorflow",
        "Backend",
        "Keras backend: TensorFlow, PyTorch or JAX. auto: the fastest of those installed for this model on this "
        "machine, measured once in a few steps. JAX is made for GPUs and slow on a CPU.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = setting(
        "float32",
        "Precision",
        "Number format of the layers in training. bfloat16 is faster where the CPU or GPU computes with it, and less "
        "exact; weights, optimizer, validation and the saved model stay float32. auto: bfloat16 on PyTorch if the "
        "hardware supports it, else float32.",
        advanced=True,
    )
    deterministic: bool = setting(
        True,
        "Deterministic",
        "Use deterministic operations, so that the same settings and backend give bit-identical results; may "
        "be slower.",
        advanced=True,
    )
    threads: int = setting(0, "Threads", "Number of CPU threads; 0 = all.", ge=0, le=512, advanced=True)
    tracking: Literal["off", "offline", "online"] = setting(
        "off",
        "Tracking",
        "Record settings and metrics for Weights & Biases. Offline: in the run's folder, for `wandb sync` to "
        "upload later. Online: needs a login. Images, paths, and names of people or machines are never recorded.",
        advanced=True,
    )
