"""Metrics of a trained run on whole splits: the results of `evaluate`. Imports Keras when it loads the model."""

from collections.abc import Sequence
from typing import Any

from engine import backend, config, data
from engine.config import DataConfig, TrainingConfig
from engine.data import Dataset
from engine.evaluation import interpretation, references
from engine.evaluation.evaluator import SUBSETS, Evaluator, Numbers, check_split_names
from engine.job_context import UNATTENDED, JobContext
from engine.protocols import EngramModel
from engine.runs import Run

__all__ = ["SUBSETS", "evaluate", "evaluate_with_references", "has_data_changed", "load_dataset", "load_model"]


def evaluate(
    run: Run,
    source: str | Dataset | None = None,
    splits: Sequence[str] | None = None,
    *,
    context: JobContext = UNATTENDED,
) -> dict[str, Any]:
    """Evaluate the best model of a run on every image of its splits.

    Args:
        run: the run.
        source: images to evaluate on, prepared with the run's settings: a name of a source, or a dataset from
            `load_dataset`; the run's own source if None.
        splits: which of 'train', 'validation', 'test', 'test_leaked' (test images that are also in train or
            validation, pixel for pixel), 'test_clean' (the others) and 'test_unseen' (test images of known patients
            without images in train or validation); if None, those that are not empty.
        context: asked between batches whether to stop; receives the progress.

    Returns:
        {"run", "model", "noise", "data_range", "splits": {split: numbers}, "patients"}. "patients" has the numbers of
        patients as in `engine.data.audit.audit`. The numbers are means over the n images of a split; one that does not
        apply to the model, or is not finite, is None:

        noise: type of the noise on the input of a run that learned to denoise, 'none' for all others; its numbers
            compare the outputs for noisy images with the noise-free reference.
        n: images.
        mse, mae, psnr_db, ssim, ms_ssim: reconstruction against original, intensities from 0 to 1 (data range 1);
            psnr_db is the mean of the images' decibels.
        ms_ssim_scales: how many of the five scales fit the images (`engine.metrics.ms_ssim`).
        head_mse, head_mae, head_psnr_db, head_ssim: the same over the pixels of the head (`engine.metrics.head_mask`).
        mse_interval, psnr_db_interval: [low, high], the 95% confidence interval of the mean over images, from its
            standard error.
        patients: number of patients; None if that of an image is unknown.
        mse_patient_interval, psnr_db_patient_interval: [low, high], the 95% confidence interval of the same mean from a
            bootstrap of whole patients; None if the patient of an image is unknown.
        nats_per_image: reconstruction_nats + kl_nats, the negative evidence lower bound whatever the run's beta is.
        nats_per_pixel, elbo_nats: that by the number of pixels, and with its sign changed.
        reconstruction_nats, kl_nats: its two parts, from one seeded sample of the latent code per image.
        entropy_floor_nats: lower limit of reconstruction_nats for any model: the pixels' own binary entropy.
        active_units: number of latent dimensions with more than 0.01 nats of KL.
        kl_per_dimension: the KL of each latent dimension, mean over images.
        loss: the loss that the run minimizes (MSE, or nats with its beta).
        batch_sum: that loss summed over a batch of the run's size, as the reference study counts nats.

    Raises:
        EngramError: the run has no model, or the images cannot be read.
        Cancelled: the caller asked to stop.

    Example:
        numbers = engine.evaluate(run, splits=["test"])["splits"]["test"]
        print(numbers["psnr_db"], numbers["psnr_db_interval"])
    """
    return _result_to_dict(run, *_evaluate(run, source, splits, context))


def evaluate_with_references(
    run: Run,
    source: str | Dataset | None = None,
    splits: Sequence[str] | None = None,
    *,
    context: JobContext = UNATTENDED,
) -> dict[str, Any]:
    """Evaluate the best model of a run and its baselines. Arguments and errors as in `evaluate`.

    Returns:
        The result of `evaluate`, and "yardsticks": {baseline: {split: numbers}} with 'pca' (the PCA-k baseline of the
        model's latent size, fitted to the same training images; "components" is its number of components),
        'mean' (the mean training image for every image) and 'identity' (the unprocessed input); a model without a
        latent code has no 'pca'. "notes" are sentences on leakage and on the comparison with the baselines.

    Example:
        found = engine.evaluation.evaluate_with_references(run, splits=["test"])
        print(found["yardsticks"]["pca"]["test"]["psnr_db"], found["notes"])
    """
    examiner, measured = _evaluate(run, source, splits, context)
    beside = references.evaluate_references(examiner, run.config)
    notes = [*filter(None, (interpretation.leakage(examiner.images), examiner.images.patients.note))]
    if has_data_changed(run, examiner.images):
        notes.append(
            f"PCA and the mean image are computed from the current training images in {examiner.images.source}."
        )
    notes += interpretation.compare_with_references(run.name, run.config, measured, beside)
    return {**_result_to_dict(run, examiner, measured), "yardsticks": beside, "notes": notes}


def _evaluate(
    run: Run, source: str | Dataset | None, splits: Sequence[str] | None, context: JobContext
) -> tuple[Evaluator, dict[str, Numbers]]:
    check_split_names(splits)
    model = load_model(run)
    loaded = source if isinstance(source, Dataset) else load_dataset(run, source, context=context)
    examiner = Evaluator(loaded, splits, context, run.config.noise)
    return examiner, examiner.evaluate(model, run.name, run.config.training.batch_size)


def _result_to_dict(run: Run, examiner: Evaluator, measured: dict[str, Numbers]) -> dict[str, Any]:
    settings = run.config
    described = {"run": run.name, "model": settings.model.model, "noise": settings.noise.noise, "data_range": 1.0}
    return {**described, "splits": measured, "patients": examiner.images.patients.to_json()}


def load_dataset(run: Run, source: str | None = None, *, context: JobContext = UNATTENDED) -> Dataset:
    """Load images with a run's preparation: its own, or those of another source.

    Raises:
        DataError: they cannot be read.
        Cancelled: the caller asked to stop.

    Example:
        dataset = engine.evaluation.load_dataset(run)
        assert dataset.config.size == run.config.data.size
    """
    settings = run.config
    if source is not None:
        plain = DataConfig()
        # How the run's own images are named says nothing about others.
        own = {name: getattr(plain, name) for name in ("groups", "group_pattern", "folders_are", "series")}
        settings = config.from_flat({"source": source, **own}, settings)
    return data.load(config=settings.data, context=context)


def has_data_changed(run: Run, loaded: Dataset) -> bool:
    """Return whether the run was trained on other images than these, or with another split."""
    trained_on = run.provenance.get("data", {}).get("fingerprint", loaded.fingerprint)
    return bool(trained_on != loaded.fingerprint)


def load_model(run: Run) -> EngramModel:
    """Load the best model of a run on the available backend: its weights load on any.

    Raises:
        RunDamaged: it cannot be read.
        BackendError: no backend is installed.

    Example:
        model = engine.load_model(run)
        model.summary()
    """
    settings = {"backend": backend.find_backend(run.config.training.backend), "deterministic": False}
    return backend.import_on_backend("engine.models", TrainingConfig.model_validate(settings)).load(run)
