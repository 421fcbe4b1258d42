"""How much of the seed study is done again."""

from engine.config.section import Section, setting


class StudyConfig(Section):
    """How much of the seed study is done again."""

    quick: bool = setting(
        False, "Quick", "Train the study's best autoencoder and best variational autoencoder only; search nothing."
    )
    trials_ae: int = setting(
        17, "Autoencoders", "Autoencoders to try, proposed by a search of the study's space.", "trials", ge=1, le=81
    )
    trials_vae: int = setting(
        61, "Variational ones", "Variational autoencoders to try, likewise.", "trials", ge=1, le=81
    )
