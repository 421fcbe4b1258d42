"""The methods that are set beside each other: runs and baselines, by name. Keras comes with the runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine import evaluation
from engine.data import Dataset
from engine.denoising import baselines
from engine.denoising.baselines import BASELINES, PCA, Denoiser
from engine.evaluation import references, scoring
from engine.evaluation.evaluator import Progress, make_subtask
from engine.evaluation.references import PCAReconstructor
from engine.messages import ShouldStop
from engine.runs import Run

NOTHING = "none"
COMPONENTS = 512


@dataclass(frozen=True, eq=False)
class Method:
    """One method.

    Args:
        name: of a run, or a key of `BASELINES`.
        title: as it is shown.
        kind: 'run' or 'baseline'.
        denoise: (n, height, width, 1) -> the same.
    """

    name: str
    title: str
    kind: str
    denoise: Denoiser


def from_run(run: Run, model: Any = None) -> Method:
    """A run's best model, loaded here where it is not given."""
    loaded = evaluation.load_model(run) if model is None else model
    return Method(run.name, run.name, "run", lambda images: scoring.reconstruct(loaded, images))


def identity_method() -> Method:
    """Leaving the noisy pictures as they are."""
    return _of_baseline(NOTHING)


def from_filters(names: Sequence[str], linear: PCAReconstructor | None) -> tuple[list[Method], dict[str, str]]:
    """The baselines of some names, and for those whose package is missing a sentence with the line that installs it.

    Args:
        names: keys of `BASELINES`; doing nothing is left out, it stands first anyhow.
        linear: principal components, where 'pca' is among them.
    """
    wanted = [name for name in names if name != NOTHING]
    missing = {
        name: f"{BASELINES[name].title} is not installed. Install it: {BASELINES[name].install}"
        for name in wanted
        if not BASELINES[name].is_installed()
    }
    return [_of_baseline(name, linear) for name in wanted if name not in missing], missing


def components(
    images: Dataset, runs: Sequence[Run], should_stop: ShouldStop, progress: Progress | None
) -> PCAReconstructor | None:
    """Principal components of the training images, as many as the first run with a latent has numbers, else 512."""
    sizes = [run.config.model.latent_size for run in runs]
    count = next((size for size in sizes if size), COMPONENTS)
    return references.fit_pca_reference(images, count, should_stop, make_subtask(progress, "Fitting PCA"))


def wants_components(names: Sequence[str]) -> bool:
    """Whether principal components are among the baselines."""
    return PCA in names


def by_name(methods: Sequence[Method]) -> Mapping[str, Method]:
    """The methods by their names; of two with one name, a run called 'nlm' say, the first."""
    found: dict[str, Method] = {}
    for method in methods:
        found.setdefault(method.name, method)
    return found


def _of_baseline(name: str, linear: PCAReconstructor | None = None) -> Method:
    title = references.title(len(linear.components)) if name == PCA and linear is not None else BASELINES[name].title
    return Method(name, title, "baseline", baselines.get_denoiser(name, linear))
