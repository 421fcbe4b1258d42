"""Published numbers next to ours, on all images and on deduplicated ones, with an explanation of the differences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.reproduction import published
from engine.reproduction.evaluator import BestRun, StudyResults
from engine.reproduction.tables import NOTHING, StudyTable

CHOSEN_BY = "validation"
CLEAN = "test_clean"
SEARCH = {
    "bayesian": "a Bayesian search",
    "random": "a random search",
    "grid": "a grid search",
    "hyperband": "a Hyperband search",
}
NO_REPEATS = (
    "Each configuration is tried once. KerasTuner's own Bayesian search repeats configurations, so the reference study "
    "may have fewer configurations than trials."
)


@dataclass(frozen=True)
class ComparedNumber:
    """One number: in the study, on the validation images, on the deduplicated test images, and an explanation."""

    title: str
    published: str
    ours: str
    clean: str
    why: str

    def to_json(self) -> dict[str, str]:
        """Return the number as the study's record holds it: title, paper, here, clean, why."""
        return {"title": self.title, "paper": self.published, "here": self.ours, "clean": self.clean, "why": self.why}


def rows(findings: StudyResults) -> list[ComparedNumber]:
    """Return all compared numbers."""
    ae, vae = findings.best["ae"], findings.best["vae"]
    return [
        _mse(ae),
        _linear(findings),
        _batch_sum(vae),
        _nats(vae),
        _floor(vae),
        _above_floor(vae),
        *_latent(vae),
        _leakage(findings),
        *(_break_even(model, best, findings) for model, best in findings.best.items()),
        *(_epochs(model, findings) for model in findings.best),
        *(_count(model, findings) for model in findings.best),
    ]


def table(found: list[ComparedNumber]) -> StudyTable:
    """Return the rows as a table."""
    head = ["Number", "Reference study", "Here", "Deduplicated test images", "Explanation"]
    lines = [[row.title, row.published, row.ours, row.clean, row.why] for row in found]
    return StudyTable("numbers", "Published numbers and your results", head, lines)


def _part(best: BestRun, split: str) -> Mapping[str, Any]:
    return best.measured.get(split, {})


def _shown(value: float | None, form: str) -> str:
    return NOTHING if value is None else f"{value:{form}}"


def _pair(best: BestRun, key: str, form: str) -> tuple[str, str]:
    """Format a number for the validation images and for the deduplicated test images."""
    return _shown(_part(best, CHOSEN_BY).get(key), form), _shown(_part(best, CLEAN).get(key), form)


def _mse(best: BestRun) -> ComparedNumber:
    reported, here = published.claim("ae").loss, _part(best, CHOSEN_BY)["mse"]
    why = (
        f"Here {_times(here, reported)} the reference study's. Measured at the best epoch, on the images that were "
        "used to choose it."
    )
    why += _on_training(best, "mse", ".6f")
    why += " Validation images come from the training folder, where one patient may have several slices."
    leaked, clean = _part(best, "test_leaked").get("mse"), _part(best, CLEAN).get("mse")
    if leaked and clean:
        why += (
            f" Leaked test images have {leaked:.6f}, deduplicated ones {clean:.6f}: a mean over all of them "
            "depends on how many are leaked, not only on the model."
        )
    return ComparedNumber("AE, mean squared error", f"{reported:.6f}", *_pair(best, "mse", ".6f"), why)


def _on_training(best: BestRun, key: str, form: str) -> str:
    """Return a sentence with the number on the training images, since the study does not say which images it means."""
    value = _part(best, "train").get(key)
    return "" if value is None else f" On the training images it is {value:{form}}."


def _times(value: float, reported: float) -> str:
    ratio = value / reported
    return f"{ratio:.2f} times" if abs(ratio - 1) >= 0.01 else "the same as"


def _linear(findings: StudyResults) -> ComparedNumber:
    """Compare with the PCA-k baseline."""
    best, linear = findings.best["ae"], findings.linear
    here, clean = (linear.get(split, {}).get("mse") for split in (CHOSEN_BY, CLEAN))
    count, kept = linear[CHOSEN_BY]["components"], best.trial.config.model.latent_size or 0
    ratio = _part(best, CHOSEN_BY)["mse"] / linear[CHOSEN_BY]["mse"]
    with_as_many = (
        f"the same latent size ({kept:,})"
        if count == kept
        else f"{count:,} components where the AE has a latent size of {kept:,}"
    )
    stands = "worse" if ratio > 1 else "better"
    why = (
        f"PCA of the same training images, with {with_as_many}. The AE is {stands} than PCA: its MSE is "
        f"{ratio:.2f}× that of PCA."
    )
    return ComparedNumber(f"PCA-{count}, mean squared error", NOTHING, _shown(here, ".6f"), _shown(clean, ".6f"), why)


def _batch_sum(best: BestRun) -> ComparedNumber:
    size = best.trial.config.training.batch_size
    why = (
        "The reference study's loss is a sum over a batch of 16 images. A summed loss grows with batch size: "
        "with 32 images it is twice as large for an equally good model, so a search on it favors small batches. "
        f"Ours is for batches of {size}."
    )
    return ComparedNumber(
        "VAE, batch-sum loss", f"{published.claim('vae').loss:,.2f}", *_pair(best, "batch_sum", ",.2f"), why
    )


def _nats(best: BestRun) -> ComparedNumber:
    claim, here = published.claim("vae"), _part(best, CHOSEN_BY)["nats_per_image"]
    gap = here - claim.nats_per_image
    apart = "more than" if gap > 0 else "less than"
    trained = _on_training(best, "nats_per_image", ",.1f")
    why = (
        f"The same loss per image: {claim.loss:,.2f} ÷ {claim.best.training.batch_size}. Ours is {abs(gap):,.0f} "
        f"nats {apart} the reference study's: cross-entropy and the full KL, whatever the KL weight in "
        f"training.{trained}"
    )
    return ComparedNumber(
        "VAE, nats per image", f"{claim.nats_per_image:,.2f}", *_pair(best, "nats_per_image", ",.1f"), why
    )


def _floor(best: BestRun) -> ComparedNumber:
    part = _part(best, CHOSEN_BY)
    share = part["entropy_floor_nats"] / part["nats_per_image"]
    above = part["nats_per_image"] - part["entropy_floor_nats"]
    why = (
        "Intensities between 0 and 1 have non-zero cross-entropy with themselves, so even a perfect "
        f"reconstruction does not reach 0 nats. {share:.0%} of our nats are this entropy floor, which depends "
        f"only on the images; the other {above:,.0f} nats depend on the model. Datasets with different floors "
        "cannot be compared."
    )
    return ComparedNumber(
        "VAE, entropy floor, nats per image", NOTHING, *_pair(best, "entropy_floor_nats", ",.1f"), why
    )


def _above_floor(best: BestRun) -> ComparedNumber:
    """Return the nats above the entropy floor."""
    why = (
        "Nats minus the entropy floor: the part that depends on the model, and the only one comparable between "
        "datasets. The reference study's floor is not known."
    )
    here, clean = (_shown(_excess(_part(best, split)), ",.1f") for split in (CHOSEN_BY, CLEAN))
    return ComparedNumber("VAE, nats per image above the floor", NOTHING, here, clean, why)


def _excess(part: Mapping[str, Any]) -> float | None:
    return part["nats_per_image"] - part["entropy_floor_nats"] if part else None


def _latent(best: BestRun) -> list[ComparedNumber]:
    """Return the rows on the latent dimensions, as far as they were measured."""
    kl = _pair(best, "kl_nats", ",.1f")
    size = best.trial.config.model.latent_size or 0
    why = f"Information in the {size:,} latent dimensions about an image, beyond the prior."
    found = [ComparedNumber("VAE, KL, nats per image", NOTHING, *kl, why)]
    active = _part(best, CHOSEN_BY).get("active_units")
    if active is not None:
        idle = f"the other {size - active:,} are inactive" if active < size else "none is inactive"
        why = f"Latent dimensions with a mean KL above 0.01 nats, out of {size:,}; {idle}."
        found.append(
            ComparedNumber("VAE, active latent dimensions", NOTHING, *_pair(best, "active_units", ",.0f"), why)
        )
    return found


def _leakage(findings: StudyResults) -> ComparedNumber:
    counts, near = findings.audit["splits"]["test"], findings.audit["near"]["test"]
    tested, leaked = counts["n"], counts["test_in_train"]
    if leaked:
        why = (
            f"{leaked:,} of the {tested:,} test images ({leaked / tested:.0%}) are exact copies of training or "
            f"validation images{_by_bytes(counts)}. Only the others show how a model does on unseen images."
        )
    else:
        why = "No test image is an exact copy of a training or validation image here."
    if near["near_train"]:
        why += (
            f" {near['near_train']:,} more are near-duplicates (resized, recompressed, rotated, brighter or "
            f"darker); {near['near_clean']:,} remain without either."
        )
    return ComparedNumber(
        "Test images", f"{published.load_published()['test_images']:,}", f"{tested:,}", f"{counts['test_clean']:,}", why
    )


def _by_bytes(counts: Mapping[str, Any]) -> str:
    reported = counts["test_in_train_bytes"]
    return "" if reported is None else f"; {reported:,} of them are byte-identical files"


def _break_even(model: str, best: BestRun, findings: StudyResults) -> ComparedNumber:
    sweep = best.sweep
    place = sweep.break_even
    title = f"{model.upper()}, break-even noise level σ"
    values = (NOTHING, _shown(place, ".3f")) if findings.split == CLEAN else (_shown(place, ".3f"), NOTHING)
    if place is None:
        why = (
            f"At no noise level from σ = {sweep.sigmas[0]:g} to {sweep.sigmas[-1]:g} is the output as close to "
            "the noise-free image as the noisy image is."
        )
        return ComparedNumber(title, NOTHING, *values, why)
    why = (
        "Below this noise level, the model's output is farther from the noise-free image than the noisy image "
        "itself: it blurs more than it denoises. If the output did not change with the noise, break-even would "
        f"be at the root of its MSE on noise-free images, {sweep.expected:.3f}; clipping at 0 removes some of the "
        "noise and raises the break-even level."
    )
    return ComparedNumber(title, NOTHING, *values, why)


def _epochs(model: str, findings: StudyResults) -> ComparedNumber:
    trial = findings.best[model].trial
    reported = published.claim(model).best.training.epochs
    why = (
        "Trials are ranked by their best epoch, so more epochs can never rank worse: a search over 'epochs' ends "
        "at the largest value, whatever it costs."
    )
    here = f"{trial.best['epoch']:g} of {trial.config.training.epochs}"
    return ComparedNumber(f"{model.upper()}, best epoch", f"{reported}", here, NOTHING, why)


def _count(model: str, findings: StudyResults) -> ComparedNumber:
    reported = {"ae": 17, "vae": 61}[model]
    done = sum(each.model == model and bool(each.best) for each in findings.trials)
    why = "Quick: only the reference study's best settings were trained, so this does not show that they are the best."
    searched = findings.searches.get(model)
    if searched is not None:
        size = searched.space.size()
        space = "an unlimited search space" if size is None else f"a search space of {size:,} configurations"
        why = f"Trials with a score, from {SEARCH[searched.settings.algorithm]} of {space}. {NO_REPEATS}"
    return ComparedNumber(f"{model.upper()}, trials", f"{reported}", f"{done}", NOTHING, why)
