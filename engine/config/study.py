"""How much of the seed study is done again."""

from engine.config.section import Section, setting


class StudyConfig(Section):
    """How much of the seed study is done again."""

    quick: bool = setting(
        False, "Quick", "Train the study's best autoencoder and best variational autoencoder only; search nothing."
    )
    trials_ae: int = setting(
        17, "Autoencoders", "Autoencoders to try, drawn from the study's search space.", "trials", ge=1, le=81
    )
    trials_vae: int = setting(
        61, "Variational ones", "Variational autoencoders to try, drawn from the space.", "trials", ge=1, le=81
    )
    trials_seed: int = setting(
        0, "Seed of the draw", "Seed of the order in which the space is tried.", ge=0, le=2**31 - 1, advanced=True
    )
