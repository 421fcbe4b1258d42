"""How optimistic each way of splitting the same images is: by image, without copies, and by patient.

    python bench/protocols.py --data DATA [--folds 5]
    python bench/protocols.py --data DATA --preset study-ae --size 64 --epochs 10 --folds 1 --runs DIR

The images are those of known patients. Every protocol has as many training, validation and test images as
`--test-patients 40 --fold K`; it draws units of images that stay together, in an order that only the fold decides.
Without a preset PCA and the mean image are measured, with one a model is trained for each protocol and fold.
"""

import argparse
import hashlib
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine import config, data, evaluation, runs
from engine.backend import import_on_backend
from engine.config import DataConfig, RunConfig
from engine.data import Dataset, Split, loading
from engine.data.audit import audit, look_alikes
from engine.data.disjoint_sets import DisjointSets
from engine.data.patients import PatientGroups
from engine.evaluation import references
from engine.evaluation.evaluator import Evaluator, Numbers
from engine.job_context import UNATTENDED, JobContext
from engine.messages import discard_event
from engine.training.job import EventRecorder

PATIENT = "by patient"
COMPONENTS = 512
Units = Mapping[str, Hashable]


def main() -> None:
    options = parse()
    base = config.preset(options.preset or "study-ae")
    size = {"size": options.size} if options.size else {}
    drawn = config.from_flat({"source": options.data, "test_patients": 40, **size}, base)
    units = dict(list_units(drawn.data))
    print(
        f"{'split':<36}{'model':<12}{'fold':>5}{'images':>8}{'patients':>9}{'PSNR, dB':>10}{'95% CI over patients':>22}"
    )
    for fold in range(1, options.folds + 1):
        settings = config.from_flat({"fold": fold, **({"epochs": options.epochs} if options.epochs else {})}, drawn)
        whole = data.load(config=settings.data)
        for name in options.only or (*units, PATIENT):
            images = whole if name == PATIENT else draw(whole, units[name], fold)
            named = f"{options.preset}-{name}-{fold}"
            found = train(settings, images, named, options.runs) if options.preset else linear(images)
            for title, numbers in found.items():
                low, high = numbers["psnr_db_patient_interval"]
                print(
                    f"{name:<36}{title:<12}{fold:>5}{numbers['n']:>8}{numbers['patients']:>9}{numbers['psnr_db']:>10.2f}"
                    f"{low:>14.2f} to {high:.2f}  MSE {numbers['mse']:.6f} nats {numbers['nats_per_image']}",
                    flush=True,
                )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--preset", default="")
    parser.add_argument("--size", type=int)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--only", action="append", help="name of a way of splitting (repeatable)")
    return parser.parse_args()


def list_units(settings: DataConfig) -> Iterator[tuple[str, Units]]:
    """Yield the name of each protocol, and for each image what stays together with it."""
    found = audit(settings.model_copy(update={"test_patients": 0}))
    source = loading.open_source(settings)
    names = [item.name for item in source.items]
    alike = look_alikes.estimate_patients(source, PatientGroups(("",) * len(names)), UNATTENDED).groups
    identical, near = join(found["groups"]), join(found["groups"] + found["near"]["groups"])
    yield "by image", {name: name for name in names}
    yield "by image, copies together", {name: identical.find(name) for name in names}
    yield "by image, near-duplicates together", {name: near.find(name) for name in names}
    yield "by image, look-alikes together", {n: group or near.find(n) for n, group in zip(names, alike, strict=True)}


def join(groups: Sequence[Mapping[str, Any]]) -> DisjointSets[str]:
    sets = DisjointSets[str]()
    for group in groups:
        first, *others = [member["name"] for member in group["members"]]
        for other in others:
            sets.join(first, other)
    return sets


def draw(whole: Dataset, units: Units, fold: int) -> Dataset:
    """Return the images of a dataset, split into as many images by units in a random order."""
    parts = list(whole.splits.values())
    names = [name for part in parts for name in part.names]
    members: dict[Hashable, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        members[units[name]].append(index)
    order = [list(members.values())[number] for number in np.random.default_rng(fold).permutation(len(members))]
    taken: dict[str, list[int]] = {"test": [], "validation": [], "train": []}
    for unit in order:
        fits = (part for part in taken if len(taken[part]) + len(unit) <= len(whole.splits[part]))
        taken[next(fits, "train")] += unit
    joined = [np.concatenate([part.labels for part in parts]), np.concatenate([part.rows for part in parts])]
    keys, groups = ([each for part in parts for each in getattr(part, field)] for field in ("keys", "groups"))
    splits = {
        name: Split(
            name,
            joined[0][rows],
            tuple(names[row] for row in rows),
            tuple(keys[row] for row in rows),
            whole.train.store,
            joined[1][rows],
            tuple(groups[row] for row in rows),
        )
        for name, rows in taken.items()
    }
    mark = hashlib.sha256(repr([whole.fingerprint, taken]).encode()).hexdigest()
    return replace(whole, **splits, fingerprint=mark)


def linear(images: Dataset) -> dict[str, Numbers]:
    """Measure PCA, and the mean image, on the test images."""
    fitted = references.fit_pca_reference(images, COMPONENTS)
    average = references.PCAReconstructor(fitted.mean, fitted.components[:0])
    models = {references.title(COMPONENTS): fitted, "mean image": average}
    return {title: Evaluator(images, ["test"]).evaluate(model, title, 1)["test"] for title, model in models.items()}


def train(settings: RunConfig, images: Dataset, name: str, root: Path | None) -> dict[str, Numbers]:
    """Train a model on such images, unless its run is there, and measure it on the test images."""
    name = name.replace(" ", "-").replace(",", "")
    run = next((each for each in runs.list_runs(root) if each.name == name and each.model_path.exists()), None)
    if run is None:
        run = runs.create_run(settings, name, root)
        trainer = import_on_backend("engine.training.trainer", settings.training)
        with EventRecorder(run, discard_event) as recorder:
            trainer.fit(run, settings, images, recorder, JobContext())
    measured = evaluation.evaluate(run, images, ["test"])
    return {settings.model.model: measured["splits"]["test"]}


if __name__ == "__main__":
    main()
