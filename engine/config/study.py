"""Settings of a reproduction of the reference study."""

from engine.config.section import Section, setting


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
