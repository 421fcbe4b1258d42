"""Evaluation: the numbers are what one would compute by hand, whatever the batch size, and memory stays flat."""

import dataclasses
import sys

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import structural_similarity

from engine import backend, data, evaluation, runs
from engine.data import Split
from engine.errors import BackendError, ConfigError, DataError, RunDamaged
from engine.evaluation import scoring
from engine.evaluation.evaluator import bootstrap_interval
from engine.job_context import Cancelled, JobContext
from tests.trained_runs import TINY

pytestmark = pytest.mark.usefixtures("loaded_once")

KEYS = {
    "n",
    "mse",
    "mse_interval",
    "mae",
    "psnr_db",
    "psnr_db_interval",
    "patients",
    "mse_patient_interval",
    "psnr_db_patient_interval",
    "ssim",
    "ms_ssim",
    "ms_ssim_scales",
    "head_mse",
    "head_mae",
    "head_psnr_db",
    "head_ssim",
    "nats_per_image",
    "nats_per_pixel",
    "elbo_nats",
    "active_units",
    "kl_per_dimension",
    "reconstruction_nats",
    "kl_nats",
    "entropy_floor_nats",
    "loss",
    "batch_sum",
}


@pytest.fixture(scope="module", params=["ae", "vae"])
def run(request, trained):
    """Return a tiny run of each model."""
    beta = {"beta": 2.0} if request.param == "vae" else {}
    return trained(request.param, **beta)


@pytest.fixture
def folder_of_pictures(tmp_path):
    """Twelve images that are not square."""
    rng = np.random.default_rng(0)
    for number in range(12):
        Image.fromarray(rng.integers(0, 256, (50, 70), np.uint8)).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.fixture(scope="module")
def measured(run):
    return evaluation.evaluate(run)


def by_hand(run, images):
    """The numbers of some images, one image after the other, from their definitions."""
    model = evaluation.load_model(run)
    rows = [one_by_hand(model, image, index) for index, image in enumerate(images)]
    return {name: np.mean([row[name] for row in rows]) for name in rows[0]}


def one_by_hand(model, image, index):
    reconstructed = np.asarray(model.reconstruct(image[None]))[0, ..., 0].astype(float)
    original = image[..., 0].astype(float)
    mse = ((original - reconstructed) ** 2).mean()
    window = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    inside = original[(original > 0) & (original < 1)]
    numbers = {
        "mse": mse,
        "mae": np.abs(original - reconstructed).mean(),
        "psnr_db": 10 * np.log10(1 / mse),
        "ssim": structural_similarity(original, reconstructed, data_range=1, **window),
        "entropy_floor_nats": -(inside * np.log(inside) + (1 - inside) * np.log(1 - inside)).sum(),
    }
    if model.name == "vae":
        outputs = model(image[None])
        mean, log_var = (np.asarray(outputs[name])[0].astype(float) for name in ("mean", "log_var"))
        epsilon = np.random.Generator(np.random.Philox(key=[0, index])).standard_normal(len(mean), np.float32)
        z = (mean + np.exp(log_var / 2) * epsilon).astype(np.float32)
        p = 1 / (1 + np.exp(-np.asarray(model.decoder(z[None]))[0, ..., 0].astype(float)))
        numbers["reconstruction_nats"] = -(original * np.log(p) + (1 - original) * np.log(1 - p)).sum()
        numbers["kl_nats"] = (np.exp(log_var) + mean**2 - 1 - log_var).sum() / 2
        numbers["nats_per_image"] = numbers["reconstruction_nats"] + numbers["kl_nats"]
    return numbers


def test_result_has_the_promised_shape(run, measured):
    assert set(measured) == {"run", "model", "noise", "data_range", "splits", "patients"}
    assert measured["data_range"] == 1
    assert (measured["run"], measured["model"]) == (run.name, run.config.model.model)
    counts = {name: len(split) for name, split in evaluation.load_dataset(run).splits.items()}
    assert {name: part["n"] for name, part in measured["splits"].items()} == counts | {"test_clean": counts["test"]}
    assert all(set(part) == KEYS for part in measured["splits"].values())


@pytest.fixture
def patients_folder(tmp_path):
    """Six patients of three images in Training, two of them and a new one in Testing; unpatterned names are unknown."""
    rng = np.random.default_rng(0)
    names = [f"Training/patient_{patient}_{number}.png" for patient in range(6) for number in range(3)]
    names += [f"Testing/patient_{patient}_9.png" for patient in (0, 1, 7)] + ["Testing/other.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (32, 32), np.uint8)).save(tmp_path / name)
    return tmp_path


def test_unseen_patients_are_evaluated_apart(trained, patients_folder):
    run = trained()
    measured = evaluation.evaluate_with_references(run, str(patients_folder))
    assert {name: part["n"] for name, part in measured["splits"].items()} == {
        **{"train": 15, "validation": 3},
        **{"test": 4, "test_clean": 4, "test_unseen": 1},
    }
    assert measured["patients"]["patients"] == 7
    assert measured["patients"]["patients_in_both"] == 2
    images = evaluation.load_dataset(run, str(patients_folder))
    [row] = np.flatnonzero(images.unseen)
    assert images.test.names[row] == "Testing/patient_7_9.png"
    alone = by_hand(run, images.test.read([row]))
    assert measured["splits"]["test_unseen"]["mse"] == pytest.approx(alone["mse"], rel=2e-5)
    assert set(measured["yardsticks"]["pca"]) == set(measured["splits"])
    assert {name: part["patients"] for name, part in measured["splits"].items()} == {
        **{"train": 5, "validation": 1},
        **{"test": None, "test_clean": None, "test_unseen": 1},
    }
    intervals = {name: part["psnr_db_patient_interval"] for name, part in measured["splits"].items()}
    assert [name for name, interval in intervals.items() if interval] == ["train"]
    note = (
        "The patient of 3 of the 4 test images is known: 2 of these images are of patients in the training or "
        "validation set, 1 of unseen patients (test_unseen)."
    )
    assert note in measured["notes"]


def test_interval_over_patients_takes_a_patient_as_the_unit():
    rng = np.random.default_rng(0)
    patients = [f"p{number}" for number in range(40) for _ in range(10)]
    values = np.repeat(rng.normal(20, 1, 40), 10)
    low, high = bootstrap_interval(values, patients)
    assert high - low == pytest.approx(2 * 1.96 * values[::10].std() / np.sqrt(40), rel=0.1)
    assert (high + low) / 2 == pytest.approx(values.mean(), abs=0.05)
    apart = bootstrap_interval(values, [f"p{number}" for number in range(400)])
    assert apart[1] - apart[0] < (high - low) / 2
    assert bootstrap_interval(values, [*patients[:-1], ""]) is None
    assert bootstrap_interval(values[:10], patients[:10]) is None


def test_unknown_patients_are_noted(trained, folder_of_pictures):
    notes = evaluation.evaluate_with_references(trained(), str(folder_of_pictures))["notes"]
    assert any(note.startswith("Patients are unknown: ") for note in notes)


def test_the_patients_of_a_run_are_not_looked_for_in_other_images(trained, patients_folder, folder_of_pictures):
    run = trained("ae", at=folder_of_pictures.parent / "own-patients")
    content = run.read_json("config.json")
    content["data"] |= {"groups": str(patients_folder / "none.csv"), "group_pattern": "(none)"}
    run.write_json("config.json", content)
    assert evaluation.load_dataset(run, str(patients_folder)).patients.patients == 7


def test_numbers_equal_those_computed_by_hand(run, measured):
    images = evaluation.load_dataset(run)
    for name in ("validation", "test"):
        expected = by_hand(run, images.splits[name].read())
        for key, value in expected.items():
            assert measured["splits"][name][key] == pytest.approx(value, rel=2e-5), (name, key)


def test_loss_carries_beta_and_the_batch_sum_counts_as_the_study(run, measured):
    part = measured["splits"]["train"]
    if run.config.model.model == "ae":
        assert part["loss"] == part["mse"]
        assert part["nats_per_image"] is part["kl_nats"] is part["reconstruction_nats"] is part["batch_sum"] is None
    else:
        assert part["loss"] == pytest.approx(part["reconstruction_nats"] + 2 * part["kl_nats"])
        assert part["nats_per_image"] == pytest.approx(part["reconstruction_nats"] + part["kl_nats"])
        assert part["batch_sum"] == pytest.approx(part["loss"] * TINY["batch_size"])
        assert part["reconstruction_nats"] > part["entropy_floor_nats"]


def test_latent_dimensions_are_counted_one_by_one(run, measured):
    part = measured["splits"]["validation"]
    if run.config.model.model == "ae":
        assert part["active_units"] is part["kl_per_dimension"] is part["elbo_nats"] is part["nats_per_pixel"] is None
    else:
        assert len(part["kl_per_dimension"]) == TINY["latent"]
        assert sum(part["kl_per_dimension"]) == pytest.approx(part["kl_nats"], rel=1e-6)
        assert part["active_units"] == sum(kl > 0.01 for kl in part["kl_per_dimension"])
        assert part["elbo_nats"] == -part["nats_per_image"] == pytest.approx(-part["nats_per_pixel"] * 32 * 32)


@pytest.mark.parametrize("size", [16, 32, 5])
def test_no_number_depends_on_the_batch_size(run, measured, monkeypatch, size):
    monkeypatch.setattr(scoring, "BATCH", size)
    again = evaluation.evaluate(run)
    for name, part in measured["splits"].items():
        for key, value in part.items():
            same = value if value is None else pytest.approx(value, rel=1e-6, abs=1e-6)
            assert again["splits"][name][key] == same, key


class Watched(Split):
    """A split that remembers how many images were asked of it at once."""

    most = 0

    def read(self, which=slice(None)):
        images = super().read(which)
        Watched.most = max(Watched.most, len(images))
        return images


def test_images_are_read_batch_by_batch(run, monkeypatch):
    monkeypatch.setattr(scoring, "BATCH", 4)
    images = evaluation.load_dataset(run)
    split = images.train
    watched = Watched(*(getattr(split, field.name) for field in dataclasses.fields(Split)))
    evaluation.evaluate(run, dataclasses.replace(images, train=watched), ["train"])
    assert Watched.most == 4


def test_split_can_be_chosen(run, measured):
    assert evaluation.evaluate(run, splits=["test"])["splits"] == {"test": measured["splits"]["test"]}
    with pytest.raises(ConfigError, match="no split 'training'"):
        evaluation.evaluate(run, splits=["training"])


def test_empty_split_is_left_out(run):
    images = evaluation.load_dataset(run)
    nothing = dataclasses.replace(images.test, rows=images.test.rows[:0], labels=images.test.labels[:0])
    assert set(evaluation.evaluate(run, dataclasses.replace(images, test=nothing))["splits"]) == {"train", "validation"}


def test_other_images_go_through_the_runs_own_preparation(run, folder_of_pictures):
    images = evaluation.load_dataset(run, str(folder_of_pictures))
    own = run.config.data
    assert images.config == own.model_copy(update={"source": str(folder_of_pictures)})
    assert images.train.read().shape[1:] == (32, 32, 1)
    measured = evaluation.evaluate(run, str(folder_of_pictures))
    assert sum(measured["splits"][name]["n"] for name in images.splits) == 12
    assert evaluation.has_data_changed(run, images)
    assert not evaluation.has_data_changed(run, evaluation.load_dataset(run))


def test_missing_source_is_a_sentence(run, tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        evaluation.evaluate(run, str(tmp_path / "nowhere"))


def test_run_without_a_model_is_refused(tiny, tmp_path):
    with pytest.raises(RunDamaged, match="no saved model yet"):
        evaluation.evaluate(runs.create_run(tiny(), root=tmp_path))


def test_weights_are_loaded_on_any_backend_at_hand(monkeypatch):
    assert backend.find_backend("jax") == sys.modules["keras"].backend.backend()
    monkeypatch.delitem(sys.modules, "keras")
    for installed, wanted, chosen in ([("tensorflow", "torch"), "torch", "torch"], [("torch",), "jax", "torch"]):
        monkeypatch.setattr(backend, "installed", lambda found=installed: list(found))
        assert backend.find_backend(wanted) == chosen
    monkeypatch.setattr(backend, "installed", list)
    with pytest.raises(BackendError, match="No Keras backend"):
        backend.find_backend("tensorflow")


def test_stopped_evaluation_gives_nothing(run):
    with pytest.raises(Cancelled):
        evaluation.evaluate(run, data.load(config=run.config.data), context=JobContext(lambda: True))


def test_progress_tells_what_is_done(run):
    told = []
    evaluation.evaluate(run, splits=["train"], context=JobContext(on_progress=lambda *step: told.append(step)))
    total = len(evaluation.load_dataset(run).train)
    assert told[-1] == (f"Measuring {run.name} on train", total, total)


def test_leaked_and_clean_images_are_distinguished(run, measured):
    images = evaluation.load_dataset(run)
    keys = (images.train.keys[0], *images.test.keys[1:-1], images.validation.keys[0])
    mixed = dataclasses.replace(images, test=dataclasses.replace(images.test, keys=keys))
    parts = evaluation.evaluate(run, mixed, ["test", "test_leaked", "test_clean"])["splits"]
    assert {name: part["n"] for name, part in parts.items()} == {"test": 6, "test_leaked": 2, "test_clean": 4}
    each = by_hand(run, images.test.read()[[0, -1]])
    assert parts["test_leaked"]["mse"] == pytest.approx(each["mse"], rel=2e-5)
    whole = (2 * parts["test_leaked"]["mse"] + 4 * parts["test_clean"]["mse"]) / 6
    assert parts["test"]["mse"] == pytest.approx(whole)


def test_judgement_puts_baselines_beside_the_run(run, measured):
    judged = evaluation.evaluate_with_references(run)
    assert {key: judged[key] for key in measured} == measured
    assert list(judged["yardsticks"]) == ["pca", "mean", "identity"]
    for numbers in judged["yardsticks"].values():
        assert set(numbers) == set(measured["splits"])
    assert judged["yardsticks"]["pca"]["train"]["components"] == TINY["latent"]
    assert judged["yardsticks"]["identity"]["test"]["mse"] == 0
    assert judged["yardsticks"]["pca"]["test"]["mse"] < judged["yardsticks"]["mean"]["test"]["mse"]
    assert "test and test_clean are the same" in judged["notes"][0]
    assert f"{run.name} is worse than the PCA-8 baseline (" in judged["notes"][1]


def test_denoiser_is_measured_on_noisy_images_beside_its_input(trained):
    denoiser = trained(epochs=1, noise="gaussian", noise_low=0.2, noise_high=0.2)
    judged = evaluation.evaluate_with_references(denoiser, splits=["validation"])
    assert judged["noise"] == "gaussian"
    doing_nothing = judged["yardsticks"]["identity"]["validation"]["mse"]
    assert 0.01 < doing_nothing < 0.05
    last = denoiser.history()[-1]["val_loss"]
    assert judged["splits"]["validation"]["mse"] == pytest.approx(last, rel=1e-5)
