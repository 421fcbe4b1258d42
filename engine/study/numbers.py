"""Each number of the study beside ours, on all scans and on clean ones, with a sentence where they differ and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.study import paper
from engine.study.findings import Best, Findings
from engine.study.tables import NOTHING, Table

CHOSEN_BY = "validation"
CLEAN = "test_clean"
SEARCH = {
    "bayesian": "a Bayesian search",
    "random": "a random search",
    "grid": "a grid search",
    "hyperband": "a Hyperband search",
}
NO_REPEATS = (
    "No point is tried twice; KerasTuner's own Bayesian search repeats points, so trials are not configurations."
)


@dataclass(frozen=True)
class Row:
    """One number: what the study says, what we find on the scans to choose by and on clean test scans, and why."""

    title: str
    paper: str
    here: str
    clean: str
    why: str


def rows(findings: Findings) -> list[Row]:
    """All numbers worth setting side by side."""
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


def table(found: list[Row]) -> Table:
    """The rows as a table of their own."""
    head = ["Number", "The study", "Here", "Clean scans", "Why they differ"]
    lines = [[row.title, row.paper, row.here, row.clean, row.why] for row in found]
    return Table("numbers", "The study's numbers and ours", head, lines)


def _part(best: Best, split: str) -> Mapping[str, Any]:
    return best.measured.get(split, {})


def _shown(value: float | None, form: str) -> str:
    return NOTHING if value is None else f"{value:{form}}"


def _pair(best: Best, key: str, form: str) -> tuple[str, str]:
    """A number on the scans to choose by and on the clean ones."""
    return _shown(_part(best, CHOSEN_BY).get(key), form), _shown(_part(best, CLEAN).get(key), form)


def _mse(best: Best) -> Row:
    told, here = paper.claim("ae").loss, _part(best, CHOSEN_BY)["mse"]
    why = f"Here {_times(here, told)} the study's. It is measured in the best epoch, on the scans that chose it."
    why += _on_training(best, "mse", ".6f")
    why += " Validation scans are drawn from the training folder, where one patient may have several slices."
    leaked, clean = _part(best, "test_leaked").get("mse"), _part(best, CLEAN).get("mse")
    if leaked and clean:
        why += (
            f" Test scans that were also trained on have {leaked:.6f}, those that were not {clean:.6f}: a mean over "
            "all of them says how many were leaked, not how good the model is."
        )
    return Row("AE, mean squared error", f"{told:.6f}", *_pair(best, "mse", ".6f"), why)


def _on_training(best: Best, key: str, form: str) -> str:
    """A sentence with the number on the scans that were trained on, for a study that does not say which it means."""
    value = _part(best, "train").get(key)
    return "" if value is None else f" On the scans that it was trained on it is {value:{form}}."


def _times(value: float, told: float) -> str:
    ratio = value / told
    return f"{ratio:.2f} times" if abs(ratio - 1) >= 0.01 else "the same as"


def _linear(findings: Findings) -> Row:
    """A linear map with as many numbers."""
    best, linear = findings.best["ae"], findings.linear
    here, clean = (linear.get(split, {}).get("mse") for split in (CHOSEN_BY, CLEAN))
    count, kept = linear[CHOSEN_BY]["components"], best.trial.config.model.latent_size or 0
    ratio = _part(best, CHOSEN_BY)["mse"] / linear[CHOSEN_BY]["mse"]
    with_as_many = f"as many numbers ({kept:,})" if count == kept else f"{count:,} numbers where the AE has {kept:,}"
    stands = "loses to" if ratio > 1 else "beats"
    why = (
        f"Principal components of the same training scans: a linear map with {with_as_many}. "
        f"The AE {stands} it: its error is {ratio:.2f} times as large."
    )
    return Row(f"PCA-{count}, mean squared error", NOTHING, _shown(here, ".6f"), _shown(clean, ".6f"), why)


def _batch_sum(best: Best) -> Row:
    size = best.trial.config.training.batch_size
    why = (
        "The study's loss is a sum over a batch of 16 scans. Such a sum grows with the batch: of two equal models, "
        "one trained with 32 seems twice as bad, so a search by it favours small batches. Ours is for batches of "
        f"{size}."
    )
    return Row(
        "VAE, loss as the study counts", f"{paper.claim('vae').loss:,.2f}", *_pair(best, "batch_sum", ",.2f"), why
    )


def _nats(best: Best) -> Row:
    claim, here = paper.claim("vae"), _part(best, CHOSEN_BY)["nats_per_image"]
    gap = here - claim.nats_per_image
    apart = "more than" if gap > 0 else "fewer than"
    trained = _on_training(best, "nats_per_image", ",.1f")
    why = (
        f"The same loss for one scan, {claim.loss:,.2f} / {claim.best.training.batch_size}. Ours has {abs(gap):,.0f} "
        f"nats {apart} the study's: cross-entropy and KL, whatever the weight of the KL in training.{trained}"
    )
    return Row("VAE, nats per image", f"{claim.nats_per_image:,.2f}", *_pair(best, "nats_per_image", ",.1f"), why)


def _floor(best: Best) -> Row:
    part = _part(best, CHOSEN_BY)
    share = part["entropy_floor_nats"] / part["nats_per_image"]
    above = part["nats_per_image"] - part["entropy_floor_nats"]
    why = (
        f"Gray values are no coin tosses: even a perfect copy costs their entropy. {share:.0%} of our nats are this "
        f"floor, which depends on the scans alone; only {above:,.0f} nats are the model's. Sets with other floors "
        "cannot be compared."
    )
    return Row("VAE, entropy floor, nats per image", NOTHING, *_pair(best, "entropy_floor_nats", ",.1f"), why)


def _above_floor(best: Best) -> Row:
    """What is left of the nats once the floor is taken away."""
    why = (
        "Nats less their floor: this is what the model answers for, and what may be compared between sets of scans. "
        "The study's floor is not known."
    )
    here, clean = (_shown(_excess(_part(best, split)), ",.1f") for split in (CHOSEN_BY, CLEAN))
    return Row("VAE, nats above the floor", NOTHING, here, clean, why)


def _excess(part: Mapping[str, Any]) -> float | None:
    return part["nats_per_image"] - part["entropy_floor_nats"] if part else None


def _latent(best: Best) -> list[Row]:
    """What the latent numbers carry, where it was measured."""
    kl = _pair(best, "kl_nats", ",.1f")
    size = best.trial.config.model.latent_size or 0
    why = f"What the {size:,} latent numbers say about a scan beyond the prior."
    found = [Row("VAE, KL, nats per image", NOTHING, *kl, why)]
    active = _part(best, CHOSEN_BY).get("active_units")
    if active is not None:
        idle = f"the other {size - active:,} carry nothing" if active < size else "none is idle"
        why = f"Latent numbers with a mean KL above 0.01 nats, of {size:,}; {idle}."
        found.append(Row("VAE, active latent numbers", NOTHING, *_pair(best, "active_units", ",.0f"), why))
    return found


def _leakage(findings: Findings) -> Row:
    counts, near = findings.audit["splits"]["test"], findings.audit["near"]["test"]
    tested, leaked = counts["n"], counts["test_in_train"]
    if leaked:
        why = (
            f"{leaked:,} of the {tested:,} test scans ({leaked / tested:.0%}) are, pixel for pixel, also training scans"
            f"{_by_bytes(counts)}. Only the others say what a model makes of scans it has not seen."
        )
    else:
        why = "No test scan is, pixel for pixel, among the training scans here."
    if near["near_train"]:
        why += (
            f" {near['near_train']:,} more are nearly so: resized, recompressed, turned or brightened copies; without "
            f"them, {near['near_clean']:,} are clean."
        )
    return Row("Test scans", f"{paper.facts()['test_images']:,}", f"{tested:,}", f"{counts['test_clean']:,}", why)


def _by_bytes(counts: Mapping[str, Any]) -> str:
    told = counts["test_in_train_bytes"]
    return "" if told is None else f"; the bytes of their files give away {told:,} of them"


def _break_even(model: str, best: Best, findings: Findings) -> Row:
    sweep = best.sweep
    place = sweep.break_even
    title = f"{model.upper()}, break-even noise σ"
    values = (NOTHING, _shown(place, ".3f")) if findings.split == CLEAN else (_shown(place, ".3f"), NOTHING)
    if place is None:
        why = f"No noise from σ {sweep.sigmas[0]:g} to {sweep.sigmas[-1]:g} makes the output as near as the noisy scan."
        return Row(title, NOTHING, *values, why)
    why = (
        "Under this noise the model's output is further from the clean scan than the noisy scan itself: it blurs "
        f"more than it cleans. From its error on clean scans, √m = {sweep.expected:.3f}, one expects it if the "
        "output hardly changed with the noise; cutting at black takes away part of the noise and moves it up."
    )
    return Row(title, NOTHING, *values, why)


def _epochs(model: str, findings: Findings) -> Row:
    trial = findings.best[model].trial
    told = paper.claim(model).best.training.epochs
    why = (
        "A trial's score is its best epoch, so more epochs cannot lose: a search over 'epochs' by such a score "
        "answers with the most, whatever it costs."
    )
    here = f"{trial.best['epoch']:g} of {trial.config.training.epochs}"
    return Row(f"{model.upper()}, best epoch", f"{told}", here, NOTHING, why)


def _count(model: str, findings: Findings) -> Row:
    told = {"ae": 17, "vae": 61}[model]
    done = sum(each.model == model and bool(each.best) for each in findings.trials)
    why = "Quick: only the study's best settings were trained, so nothing here says that they are the best."
    searched = findings.searches.get(model)
    if searched is not None:
        size = searched.space.size()
        space = "an endless space" if size is None else f"a space of {size:,} points"
        why = f"Trials with a score, by {SEARCH[searched.settings.algorithm]} of {space}. {NO_REPEATS}"
    return Row(f"{model.upper()}, trials", f"{told}", f"{done}", NOTHING, why)
