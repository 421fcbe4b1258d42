"""Settings of a search and of a reproduction. Which settings a search varies: see `engine.search.space`."""

from typing import Literal

from engine.config.section import Section, setting


class SearchConfig(Section):
    """Algorithm of a search and number of its trials."""

    algorithm: Literal["bayesian", "random", "grid", "hyperband"] = setting(
        "bayesian",
        "Algorithm",
        "Bayesian: proposals from a Gaussian-process model of the loss. Random: drawn at random. Grid: every "
        "combination in order. Hyperband: many short trials, of which the best third continue.",
    )
    tuner: Literal["keras-tuner", "wandb"] = setting(
        "keras-tuner",
        "Tuner",
        "KerasTuner (local), or a W&B sweep, which needs a W&B login and sends each trial's settings and loss to "
        "its server.",
        advanced=True,
    )
    trials: int = setting(20, "Trials", "Total number of trials, including those already done.", ge=1, le=100_000)
    seed: int = setting(
        0, "Seed", "Seed of the proposals, and of each trial's weights, image order and sampling.", ge=0, le=2**31 - 1
    )
    parallel: int = setting(
        1,
        "Parallel trials",
        "Number of trials to run at once; CPU threads are shared and GPUs are assigned in turn.",
        ge=1,
        le=256,
        advanced=True,
    )
    cluster: str = setting(
        "",
        "Cluster",
        "Where trials run. Empty: this machine. An address such as tcp://head:8786: that Dask scheduler. slurm, "
        "pbs, sge, lsf, oar, moab or htcondor: jobs of that queue. local: a Dask cluster on this machine.",
        advanced=True,
    )
    spare: bool = setting(
        True,
        "Pre-start next trial",
        "Start the next trial's process while one trains, so that the backend is already loaded; needs 0.4 to "
        "0.8 GB of memory.",
        advanced=True,
    )
    early_stopping: bool = setting(
        False,
        "Prune trials (median rule)",
        "Stop a trial early if its best validation loss is worse than the median of the other trials at the same "
        "epoch.",
        advanced=True,
        option="--prune",
        aliases=("--early-stopping",),
    )
    epochs_scale: float = setting(
        1.0,
        "Epoch scale",
        "Run each trial for this fraction of its epochs, as a quick test of a search. The trials still record "
        "the full number; their scores are not comparable with full trials.",
        ge=0.001,
        le=1.0,
        advanced=True,
    )


class StudyConfig(Section):
    """Extent of a reproduction of the reference study."""

    quick: bool = setting(
        False,
        "Quick",
        "Train only the reference study's best autoencoder and best variational autoencoder, without a search.",
    )
    trials_ae: int = setting(
        17,
        "AE trials",
        "Number of autoencoder trials in the search of the reference study's space.",
        "trials",
        ge=1,
        le=81,
    )
    trials_vae: int = setting(
        61,
        "VAE trials",
        "Number of variational autoencoder trials in the search of the reference study's space.",
        "trials",
        ge=1,
        le=81,
    )
