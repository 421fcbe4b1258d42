"""Methods to compare: runs and baselines, by name. Keras is imported with the runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine import evaluation
from engine.data import Dataset
from engine.denoising import baselines
from engine.denoising.baselines import BASELINES, PCA, Denoiser
from engine.evaluation import references, scoring
from engine.evaluation.references import PCAReconstructor
from engine.job_context import UNATTENDED, JobContext
from engine.protocols import ImageModel
from engine.runs import Run

NOTHING = "none"
COMPONENTS = 512


@dataclass(frozen=True, eq=False)
class Method:
    """One method.

    Args:
        name: name of a run, or a key of `BASELINES`.
        title: its name in the app.
        kind: 'run' or 'baseline'.
        denoise: (n, height, width, 1) -> the same.
    """

    name: str
    title: str
    kind: str
    denoise: Denoiser


def from_run(run: Run, model: ImageModel | None = None) -> Method:
    """Return the method of a run's best model, which is loaded unless given."""
    loaded = evaluation.load_model(run) if model is None else model
    return Method(run.name, run.name, "run", lambda images: scoring.reconstruct(loaded, images))


def identity_method() -> Method:
    """Return the method that leaves noisy images unchanged."""
    return _of_baseline(NOTHING)


def from_filters(names: Sequence[str], linear: PCAReconstructor | None) -> tuple[list[Method], dict[str, str]]:
    """Return the baselines of some names, and for each missing package a sentence with its install command.

    Args:
        names: keys of `BASELINES`; no denoising is skipped, since it always comes first.
        linear: PCA components, if 'pca' is among the names.
    """
    wanted = [name for name in names if name != NOTHING]
    missing = {
        name: f"{BASELINES[name].title} is not installed. Install it: {BASELINES[name].install}"
        for name in wanted
        if not BASELINES[name].is_installed()
    }
    return [_of_baseline(name, linear) for name in wanted if name not in missing], missing


def components(images: Dataset, runs: Sequence[Run], context: JobContext = UNATTENDED) -> PCAReconstructor:
    """Fit PCA components to the training images: as many as the latent size of the first run that has one, else 512.

    Raises:
        Cancelled: the caller asked to stop.
    """
    sizes = [run.config.model.latent_size for run in runs]
    count = next((size for size in sizes if size), COMPONENTS)
    return references.fit_pca_reference(images, count, context.with_title("Fitting PCA"))


def wants_components(names: Sequence[str]) -> bool:
    """Return whether the PCA baseline is among the names."""
    return PCA in names


def by_name(methods: Sequence[Method]) -> Mapping[str, Method]:
    """Map names to methods; of two methods with one name, such as a run called 'nlm', the first counts."""
    found: dict[str, Method] = {}
    for method in methods:
        found.setdefault(method.name, method)
    return found


def _of_baseline(name: str, linear: PCAReconstructor | None = None) -> Method:
    title = references.title(len(linear.components)) if name == PCA and linear is not None else BASELINES[name].title
    return Method(name, title, "baseline", baselines.get_denoiser(name, linear))
