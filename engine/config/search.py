"""How a search looks for settings. What varies is its space: see `engine.search.space`."""

from typing import Literal

from engine.config.section import Section, setting


class SearchConfig(Section):
    """How trials are proposed and how many there are."""

    algorithm: Literal["bayesian", "random", "grid", "hyperband"] = setting(
        "bayesian",
        "Algorithm",
        "Bayesian asks a Gaussian process where a better loss may lie; hyperband trains many for few epochs and goes "
        "on with the best third.",
    )
    tuner: Literal["keras-tuner", "wandb"] = setting(
        "keras-tuner",
        "Tuner",
        "Who proposes: KerasTuner on this machine, or a W&B sweep, which needs its server and a login.",
        advanced=True,
    )
    trials: int = setting(
        20, "Trials", "How many configurations are tried in all, those from before included.", ge=1, le=100_000
    )
    seed: int = setting(
        0, "Seed", "Seed of the proposals, and of every trial's weights, order and sampling.", ge=0, le=2**31 - 1
    )
    parallel: int = setting(
        1,
        "At a time",
        "Trials that run side by side; their threads share the processor, their cards are dealt in turn.",
        ge=1,
        le=256,
        advanced=True,
    )
    cluster: str = setting(
        "",
        "Cluster",
        "Where trials run: empty for this machine; the address of a Dask scheduler, such as tcp://head:8786; slurm, "
        "pbs, sge, lsf, oar, moab or htcondor for jobs of that queue; local for a cluster on this machine.",
        advanced=True,
    )
    spare: bool = setting(
        True,
        "Process in reserve",
        "Start the next trial's process while one trains, so that it need not wait for its framework; it holds 0.4 to "
        "0.8 GB of memory.",
        advanced=True,
    )
    early_stopping: bool = setting(
        False,
        "Stop hopeless trials",
        "End a trial whose best validation loss is worse than the median of the others at the same epoch.",
        advanced=True,
    )
    epochs_scale: float = setting(
        1.0,
        "Epochs scale",
        "Train this share of every trial's epochs, to try a search out; the trials keep the epochs they stand for.",
        ge=0.001,
        le=1.0,
        advanced=True,
    )
