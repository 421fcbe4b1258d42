"""The sentences beside the study's numbers follow from what was measured."""

from types import SimpleNamespace

import pytest

from engine import config, evaluation
from engine.config import SearchConfig, StudyConfig
from engine.denoising.noise_sweep import SweepSummary
from engine.job_context import UNATTENDED, Cancelled
from engine.reproduction import comparison, published, tables
from engine.reproduction.evaluator import SIGMAS, StudyEvaluator
from engine.reproduction.tables import StudyTable, runs_table
from engine.reproduction.trials import SearchSummary, from_run
from engine.result_cache import ResultCache
from engine.search import space_file

AE = {"mse": 0.005}
VAE = {"nats_per_image": 6183.0, "entropy_floor_nats": 5700.0, "kl_nats": 75.0, "batch_sum": 98928.0}
VAE |= {"active_units": 100, "mse": 0.006}


def best(model, part, **more):
    settings = config.preset(f"seed-{model}")
    trial = SimpleNamespace(config=settings, best={"epoch": 39.0}, loss=0.005, model=model)
    splits = {"validation": part, "test_clean": {**part, **more.get("clean", {})}}
    if "leaked" in more:
        splits["test_leaked"] = more["leaked"]
    noisy = [sigma**2 for sigma in SIGMAS]
    return SimpleNamespace(
        trial=trial, measured=splits, sweep=SweepSummary(9, SIGMAS, noisy, [0.0025] * len(SIGMAS), 0.0025)
    )


@pytest.fixture
def findings():
    return SimpleNamespace(
        chosen=StudyConfig(quick=True),
        trials=[],
        searches={},
        split="test_clean",
        best={"ae": best("ae", AE, leaked={"mse": 0.004}, clean={"mse": 0.012}), "vae": best("vae", VAE)},
        linear={"validation": {"mse": 0.0025, "components": 512}, "test_clean": {"mse": 0.006}},
        audit={
            "splits": {"test": {"n": 394, "test_in_train": 210, "test_in_train_bytes": 3, "test_clean": 184}},
            "near": {"test": {"near_train": 4, "near_clean": 180}},
        },
    )


def row(findings, title):
    return next(each for each in comparison.rows(findings) if each.title == title)


def test_mse_beside_the_studys_with_leaked_and_clean_apart(findings):
    found = row(findings, "AE, mean squared error")
    assert (found.published, found.ours, found.clean) == ("0.003926", "0.005000", "0.012000")
    assert "Here 1.27 times the reference study's." in found.why
    assert "Leaked test images have 0.004000, deduplicated ones 0.012000" in found.why


def test_pca_says_who_loses(findings):
    assert "The AE is worse than PCA: its MSE is 2.00× that of PCA." in row(findings, "PCA-512, mean squared error").why
    findings.linear["validation"]["mse"] = 0.01
    assert "The AE is better than PCA: its MSE is 0.50×" in row(findings, "PCA-512, mean squared error").why
    findings.linear["validation"]["components"] = 40
    assert "40 components where the AE has a latent size of 512" in row(findings, "PCA-40, mean squared error").why


def test_batch_sum_nats_and_floor(findings):
    assert row(findings, "VAE, batch-sum loss").published == "97,322.52"
    nats = row(findings, "VAE, nats per image")
    assert (nats.published, nats.ours) == ("6,082.66", "6,183.0")
    assert "Ours is 100 nats more than the reference study's" in nats.why
    assert "the other 483 nats depend on the model" in row(findings, "VAE, entropy floor, nats per image").why
    assert row(findings, "VAE, nats per image above the floor").ours == "483.0"
    assert "the other 412 are inactive" in row(findings, "VAE, active latent dimensions").why


def test_leakage_by_pixels_by_bytes_and_nearly(findings):
    found = row(findings, "Test images")
    assert (found.published, found.ours, found.clean) == ("394", "394", "184")
    assert "210 of the 394 test images (53%)" in found.why
    assert "3 of them are byte-identical files" in found.why
    assert "4 more are near-duplicates" in found.why
    findings.audit["splits"]["test"] |= {"test_in_train": 0, "test_in_train_bytes": None, "test_clean": 394}
    findings.audit["near"]["test"]["near_train"] = 0
    assert row(findings, "Test images").why == "No test image is an exact copy of a training or validation image here."


def test_break_even_is_measured_and_beside_what_one_expects(findings):
    found = row(findings, "AE, break-even noise level σ")
    assert found.clean == "0.050"
    assert "its MSE on noise-free images, 0.050" in found.why
    still = SweepSummary(9, SIGMAS, [1.0] * len(SIGMAS), [2.0] * len(SIGMAS), 2.0)
    findings.best["ae"].sweep = still
    assert "At no noise level from σ = 0.01 to 0.3" in row(findings, "AE, break-even noise level σ").why


def test_quick_and_searched_trials_are_distinguished(findings):
    assert "this does not show that they are the best" in row(findings, "AE, trials").why
    findings.searches = {"ae": SearchSummary(published.claim("ae").space, SearchConfig(), [])}
    assert row(findings, "AE, trials").published == "17"
    assert "from a Bayesian search of a search space of 81 configurations" in row(findings, "AE, trials").why


def test_space_says_where_it_differs_from_the_studys(findings):
    findings.best["ae"].trial.point = {name: 3 for name in published.claim("ae").space.names}
    assert all(row[2] == "3, not searched" for row in tables._space(1, "ae", findings).rows)
    base = config.preset("study-ae")
    described = {"latent": [256, 512], "epochs": [10, 20, 40], "learning_rate": {"low": 1e-4, "high": 1e-2}}
    searched = SearchSummary(space_file.parse(described | {"filters": [[8, 16]]}, base), SearchConfig(), [])
    findings.searches = {"ae": searched}
    found = {row[0]: row[1:] for row in tables._space(1, "ae", findings).rows}
    assert found["Epochs"] == ["10, 20, 40", "as in the reference study"]
    assert found["Latent size"] == ["512, 1024, 2048", "256, 512"]
    assert found["Learning rate"][1] == "0.0001 to 0.01"
    assert found["Batch size"][1] == "3, not searched"
    assert found["Filters"] == ["–", "8×16"]


def test_table_is_written_for_people_and_for_programs():
    table = StudyTable("a", "A title", ["x", "n"], [["1|2", "12,345.5"], ["16, 32", "–"]])
    assert table.csv().splitlines()[1:] == ["x,n", "1|2,12345.5", '"16, 32",']
    assert "| 1\\|2 | 12,345.5 |" in table.markdown()
    assert "| --- | ---: |" in table.markdown()


def test_runs_without_a_score_are_listed_last(write_run):
    runs = [write_run("a", [], state="failed"), write_run("b", [0.5]), write_run("c", [0.25])]
    table = runs_table([*map(from_run, runs)])
    assert [line[0] for line in table.rows] == ["c", "b", "a"]
    assert table.rows[-1][2] == "failed"
    assert table.rows[-1][-2] == "–"


def test_stop_while_images_are_read_ends_the_measuring(write_run, monkeypatch, tmp_path):
    def stop(*words, **more):
        raise Cancelled

    monkeypatch.setattr(evaluation, "load_dataset", stop)
    trials = [from_run(write_run("a", [1.0])), from_run(write_run("b", [1.0], model="vae"))]
    with pytest.raises(Cancelled):
        StudyEvaluator(StudyConfig(), {}, ResultCache(tmp_path / "x"), UNATTENDED).read(trials)
