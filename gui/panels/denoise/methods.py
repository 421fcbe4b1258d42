"""What takes noise out: runs, and the classical methods beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.denoising.baselines import BASELINES, PCA
from gui.run_record import RunRecord

NOTHING = "none"
SHORT = {"gaussian": "Gaussian", "median": "Median", "nlm": "NL means", "tv": "TV"}
DEFAULT_COMPONENTS = 512


@dataclass(frozen=True)
class Methods:
    """Runs by their paths and classical methods by their keys, each with its title; which models the runs have now."""

    runs: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    epochs: tuple[int, ...] = ()
    components: int = DEFAULT_COMPONENTS

    def title(self, key: str) -> str:
        """The name of a method on screen."""
        return self.runs.get(key) or self.filters.get(key) or key


def filters(components: int) -> dict[str, str]:
    """The classical methods that are installed, by key, with their titles; the least first."""
    titles = {
        key: SHORT.get(key, each.title) for key, each in BASELINES.items() if key != NOTHING and each.is_installed()
    }
    return {key: f"PCA-{components}" if key == PCA else title for key, title in titles.items()}


def of_runs(records: list[RunRecord]) -> Methods:
    """These runs with their best models, and all classical methods; PCA with as many numbers as the first one's latent.

    Two equal lists of runs are equal methods, so that nothing is asked for twice.
    """
    sizes = [record.config.model.latent_size for record in records if record.config]
    components = next((size for size in sizes if size), DEFAULT_COMPONENTS)
    return Methods(
        {str(record.run.path): record.name for record in records},
        filters(components),
        tuple(record.best.epoch if record.best else 0 for record in records),
        components,
    )
