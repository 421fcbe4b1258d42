"""What the explorer answers about noise: equal seeds, equal images; numbers that can be checked; giving way."""

import numpy as np
import pytest

from engine import data, metrics, noise
from engine.denoising import baselines
from engine.denoising.level_cache import NoiseLevelCache
from engine.errors import ConfigError
from engine.evaluation import references, scoring
from engine.explorer.explorer import Explorer
from engine.messages import ApplyFilter, Denoise, DenoiseCurve, DenoiseDraft, ExportDenoised, never_stop

pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.fixture(scope="module")
def run(trained):
    return trained(epochs=1)


@pytest.fixture(scope="module")
def mirrored(trained):
    return trained("unet", epochs=1, mirrored=True, residual=True, norm="none")


@pytest.fixture(scope="module")
def image(run):
    return data.load(config=run.config.data).test.read([2])


@pytest.fixture
def explorer(tmp_path):
    return Explorer(tmp_path, lambda event: None, never_stop)


@pytest.fixture
def ask(run):
    def make(kind, **fields):
        place = {"number": 1, "panel": "denoise", "data": run.config.data, "split": "test", "indices": (2,)}
        return kind(**{**place, "runs": (str(run.path),), **fields})

    return make


def stack(image):
    return image[None, ..., None]


def test_noisy_denoised_and_numbers_are_of_one_image(explorer, ask, run, image):
    answer = explorer.answer(ask(Denoise, noise="rician", sigma=0.12, seed=3))
    found = answer.runs[str(run.path)]
    noisy, denoised = stack(answer.noisy), stack(found.denoised)
    assert np.array_equal(stack(answer.original), image)
    assert np.array_equal(noisy, noise.add_noise(image, "rician", 0.12, 3))
    assert answer.psnr_db == pytest.approx(metrics.psnr_db(image, noisy)[0])
    assert found.psnr_db == pytest.approx(metrics.psnr_db(image, denoised)[0])
    assert found.ssim == pytest.approx(metrics.ssim(image, denoised)[0])
    assert np.array_equal(stack(found.noisy), noisy)


def test_without_noise_the_noisy_image_is_the_original_and_has_no_ratio(explorer, ask, image):
    answer = explorer.answer(ask(Denoise, runs=(), sigma=0.0))
    assert np.array_equal(stack(answer.noisy), image)
    assert answer.psnr_db is None
    assert answer.ssim == pytest.approx(1.0)


def test_run_of_another_side_has_its_own_original_and_noise(explorer, ask, run):
    larger = run.config.data.model_copy(update={"size": 48})
    answer = explorer.answer(ask(Denoise, data=larger, sigma=0.1))
    found = answer.runs[str(run.path)]
    assert stack(answer.noisy).shape[1] == 48
    own = stack(found.original)
    assert own.shape[1] == 32
    assert np.array_equal(stack(found.noisy), noise.add_noise(own, "gaussian", 0.1, 0))


def test_scan_from_a_file_is_denoised(explorer, ask, tmp_path, image):
    from PIL import Image

    file = tmp_path / "mine.png"
    Image.fromarray((image[0, ..., 0] * 255).round().astype(np.uint8)).save(file)
    answer = explorer.answer(ask(Denoise, scan=str(file), indices=(), sigma=0.05))
    assert answer.name == "mine.png"
    assert stack(answer.original) == pytest.approx(image, abs=0.5 / 255)


def test_draft_of_a_model_without_a_quicker_way_is_its_image(explorer, ask, run):
    drafted = explorer.answer(ask(DenoiseDraft, sigma=0.1, seed=3)).runs[str(run.path)]
    found = explorer.answer(ask(Denoise, sigma=0.1, seed=3)).runs[str(run.path)]
    assert drafted.exact is True
    assert np.array_equal(stack(drafted.denoised), stack(found.denoised))


def test_draft_of_a_mirrored_model_is_one_pass_and_says_so(explorer, ask, mirrored, image, request):
    model = explorer.model(str(mirrored.path))[0]
    trained = model.get_weights()
    request.addfinalizer(lambda: model.set_weights(trained))  # other tests get this model too
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(0, 0.3, weight.shape) for weight in model.get_weights()])
    drafted = explorer.answer(ask(DenoiseDraft, runs=(str(mirrored.path),), sigma=0.1)).runs[str(mirrored.path)]
    noisy = noise.add_noise(image, "gaussian", 0.1, 0)
    assert drafted.exact is False
    once, whole = (np.asarray(made.predict_on_batch(noisy)) for made in (model.fast_variant(), model))
    assert stack(drafted.denoised) == pytest.approx(once, abs=1e-5)
    assert np.abs(once - whole).max() > 0.01


def test_curve_prepares_the_drafts_once(explorer, ask, mirrored, monkeypatch):
    kind, made = type(explorer.model(str(mirrored.path))[0]), []
    draft = kind.fast_variant
    monkeypatch.setattr(kind, "fast_variant", lambda model: (made.append(1), draft(model))[1])
    explorer.answer(ask(DenoiseCurve, runs=(str(mirrored.path),), sigmas=(0.1,)))
    assert made == [1]
    for sigma in (0.1, 0.2):
        explorer.answer(ask(DenoiseDraft, runs=(str(mirrored.path),), sigma=sigma))
    assert made == [1]


def test_draft_through_a_baseline_is_exact(explorer, ask):
    drafted = explorer.answer(ask(DenoiseDraft, runs=("pca:8",), sigma=0.1)).runs["pca:8"]
    assert drafted.exact is True


def test_curve_tells_the_error_of_no_denoising_and_of_the_run(explorer, ask, run):
    sigmas = (0.02, 0.1, 0.3)
    answer = explorer.answer(ask(DenoiseCurve, sigmas=sigmas))
    single = [explorer.answer(ask(Denoise, sigma=sigma)) for sigma in sigmas]
    assert answer.noisy_mse == pytest.approx([each.mse for each in single])
    assert list(answer.noisy_mse) == sorted(answer.noisy_mse)
    found = answer.runs[str(run.path)]
    assert found.mse == pytest.approx([each.runs[str(run.path)].mse for each in single], rel=1e-4)


def test_curve_yields_and_continues_where_it_was(explorer, ask, monkeypatch):
    drawn = []
    computed = NoiseLevelCache._computed
    monkeypatch.setattr(NoiseLevelCache, "_computed", lambda *words: (drawn.append(1), computed(*words))[1])
    request = ask(DenoiseCurve, sigmas=(0.1, 0.2))
    explorer.should_stop = lambda: len(drawn) >= 3
    assert explorer.answer(request) is None
    assert len(drawn) == 3
    explorer.should_stop = never_stop
    assert len(explorer.answer(request).noisy_mse) == 2
    assert len(drawn) == 4


def test_draft_between_two_levels_of_a_curve_takes_no_pass_and_says_so(explorer, ask, mirrored, image, monkeypatch):
    model, key = explorer.model(str(mirrored.path))[0], str(mirrored.path)
    explorer.answer(ask(DenoiseCurve, runs=(key,), sigmas=(0.1, 0.12, 0.3), seed=3))
    passes = []
    monkeypatch.setattr(scoring, "reconstruct", lambda *words: passes.append(1))
    drafted = explorer.answer(ask(DenoiseDraft, runs=(key,), sigma=0.11, seed=3)).runs[key]
    assert (passes, drafted.exact) == ([], False)
    low, high = (np.asarray(model.predict_on_batch(noise.add_noise(image, "gaussian", s, 3))) for s in (0.1, 0.12))
    assert stack(drafted.denoised) == pytest.approx((low + high) / 2, abs=1e-5)


@pytest.mark.parametrize("other", [{"seed": 4}, {"noise": "rician"}, {"indices": (1,)}, {"sigma": 0.2}])
def test_draft_of_anything_else_than_the_curve_s_is_computed(explorer, ask, run, other):
    explorer.answer(ask(DenoiseCurve, sigmas=(0.1, 0.12, 0.3), seed=3))
    asked = {"sigma": 0.11, "seed": 3, **other}
    drafted = explorer.answer(ask(DenoiseDraft, **asked)).runs[str(run.path)]
    found = explorer.answer(ask(Denoise, **asked)).runs[str(run.path)]
    assert drafted.exact is True
    assert np.array_equal(stack(drafted.denoised), stack(found.denoised))


def test_unknown_noise_is_a_sentence(explorer, ask):
    with pytest.raises(ConfigError, match="no noise type 'hail'"):
        explorer.answer(ask(Denoise, noise="hail", sigma=0.1))


@pytest.mark.parametrize("method", ["none", "median", "nlm", "pca"])
def test_classical_method_is_given_the_same_noisy_image(explorer, ask, image, run, method):
    answer = explorer.answer(ask_without_runs(ask, ApplyFilter, method=method, sigma=0.1, seed=5, components=8))
    linear = references.fit_pca_reference(data.load(config=run.config.data), 8)
    wanted = baselines.get_denoiser(method, linear)(noise.add_noise(image, "gaussian", 0.1, 5))
    assert stack(answer.denoised) == pytest.approx(wanted, abs=1e-6)
    assert answer.psnr_db == pytest.approx(metrics.psnr_db(image, wanted)[0], abs=1e-4)
    assert answer.method == method


def ask_without_runs(ask, kind, **fields):
    request = ask(Denoise, runs=())
    return kind(**{**request.model_dump(exclude={"command", "runs", "sigma"}), **fields})


def test_curve_has_filters_beside_runs_and_computes_them_once(explorer, ask, run, monkeypatch):
    key, sigmas = str(run.path), (0.0, 0.2)
    answer = explorer.answer(ask(DenoiseCurve, runs=(key,), filters=("gaussian", "pca"), components=4, sigmas=sigmas))
    assert list(answer.runs) == [key, "gaussian", "pca"]
    filtered = explorer.answer(ask_without_runs(ask, ApplyFilter, method="gaussian", sigma=0.2))
    assert answer.runs["gaussian"].mse[1] == pytest.approx(filtered.mse)
    monkeypatch.setattr(metrics, "mse", lambda *_: pytest.fail("computed again"))
    again = explorer.answer(ask(DenoiseCurve, runs=(key,), filters=("gaussian",), sigmas=sigmas))
    assert again.runs["gaussian"] == answer.runs["gaussian"]


@pytest.mark.parametrize(("name", "begins"), [("f.pdf", b"%PDF"), ("f.svg", b"<?xml"), ("f.png", b"\x89PNG")])
def test_figure_is_light_and_has_every_text(explorer, ask, run, tmp_path, name, begins):
    key = str(run.path)
    region = {"kind": "ellipse", "points": ((0.3, 0.3), (0.6, 0.6))}
    words = {"titles": {key: "my run"}, "notes": {key: "lesion 40%"}, "lines": ("A warning.",), "heading": "Head 7"}
    request = ask(ExportDenoised, runs=(key,), filters=("median",), path=str(tmp_path / name), region=region, **words)
    assert explorer.answer(request).path == str(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    assert content.startswith(begins)
    if name == "f.svg":
        text = content.decode()
        assert all(word in text for word in ("my run", "lesion 40%", "A warning.", "Head 7", "result − original"))
        assert "#ffffff" in text
        assert "#1b1f26" in text  # dark text, where the dark theme has its card
