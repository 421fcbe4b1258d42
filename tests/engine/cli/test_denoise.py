"""`denoise` and `denoise-curve` on phantoms with a tiny run: the numbers, the files, the sentences."""

import csv
import json
import math

import numpy as np
import pytest
from PIL import Image

from engine import cli, config, data, lesions, metrics, noise
from engine.cli import analysis_options
from engine.cli.denoise_curve import sigmas
from engine.data.phantom import phantom
from engine.denoising import filters
from engine.denoising.baselines import BASELINES
from engine.errors import ConfigError
from engine.figures import DISCLAIMER
from tests.trained_runs import TINY

pytestmark = pytest.mark.usefixtures("loaded_once")

HEAD = "split,class,file,x_center,y_center,width,height\n"


@pytest.fixture(scope="module")
def root(trained, tmp_path_factory):
    """Return a folder with a tiny run, 'first', one that letterboxes, 'boxed', one with validation images, 'held'."""
    folder = tmp_path_factory.mktemp("runs")
    trained(fit="squash", epochs=1, at=folder / "first")
    trained(fit="letterbox", epochs=1, at=folder / "boxed")
    trained(fit="squash", epochs=1, validation_share=0.4, at=folder / "held")
    return folder


@pytest.fixture(scope="module")
def scans(tmp_path_factory):
    """Sixteen phantoms to train on and eight to test on, the first of these also in train; boxes.csv beside them."""
    folder, rows = tmp_path_factory.mktemp("scans"), [HEAD]
    for index in range(24):
        made = phantom(64, 5, index)
        split = "Testing" if index >= 16 else "Training"
        file = folder / split / f"{index}.png"
        file.parent.mkdir(exist_ok=True)
        pixels = np.rint(made.image * 255).astype(np.uint8)
        Image.fromarray(pixels).save(file)
        if index == 16:
            Image.fromarray(pixels).save(folder / "Training" / "copy.bmp")
        if lesions.area(made.mask) >= 40:
            down, across = np.nonzero(made.mask)
            box = (across.min(), across.max() + 1, down.min(), down.max() + 1)
            left, right, top, bottom = (value / 64 for value in box)
            numbers = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
            rows.append(f"{split},,{index}.png,{','.join(f'{value:.3f}' for value in numbers)}\n")
    (folder / "boxes.csv").write_text("".join([*rows, "Testing,,99.png,none,0.5,0.1,0.1\n"]))
    return folder


@pytest.fixture
def call(root, capsys):
    """Call a command; its JSON, or with `status=2` what it said on stderr."""

    def go(*words, status=0):
        assert cli.main([*map(str, words), "--runs", str(root), "--json"]) == status
        printed = capsys.readouterr()
        if status:
            assert printed.out == ""
            assert "Traceback" not in printed.err
            return printed.err
        return json.loads(printed.out)

    return go


@pytest.fixture
def picture(tmp_path):
    made = phantom(32, 0, 2, "glioma_tumor")
    path = tmp_path / "head.png"
    Image.fromarray(np.rint(made.image * 255).astype(np.uint8)).save(path)
    return path


def test_denoise_measures_every_method_on_the_same_noisy_image(call, picture, tmp_path):
    out = tmp_path / "pictures"
    words = ["--noise", "rician", "--sigma", "0.08", "--seed", "3", "--roi", "8,9,10,8"]
    found = call("denoise", "first", picture, *words, "--against", "gaussian,nlm", "--out", out)
    assert list(found["methods"]) == ["none", "first", "gaussian", "nlm"]
    assert (found["noise"], found["sigma"], found["seed"]) == ("rician", 0.08, 3)
    clean = data.prepare(data.open_scan(str(picture)), config.from_flat({**TINY, "fit": "squash"}).data)
    noisy = noise.add_noise(clean[None, ..., None], "rician", 0.08, 3)
    nothing = found["methods"]["none"]
    assert nothing["psnr_db"] == pytest.approx(metrics.psnr_db(clean[None], noisy[..., 0])[0])
    kept = lesions.retention(clean, noisy[0, ..., 0], lesions.ellipse((32, 32), 8, 9, 10, 8))
    assert nothing["retention"] == pytest.approx(kept.value)
    assert nothing["retention_interval"] == pytest.approx(list(kept.interval))
    assert nothing["warning"] == ""
    assert found["methods"]["gaussian"]["psnr_db"] > nothing["psnr_db"]
    files = found["files"]
    assert {"original", "noisy", "first", "nlm", "nlm-difference", "comparison"} <= set(files)
    for path in files.values():
        with Image.open(path) as image:
            assert DISCLAIMER in image.text["Description"]
    with Image.open(files["noisy"]) as image:
        drawn = np.asarray(image.convert("L"), np.float64)[8:512:16, 8:512:16]
    np.testing.assert_allclose(drawn, 255 * noisy[0, ..., 0], atol=2.5)


def test_denoise_says_when_a_model_is_worse_than_no_denoising(call, picture, tmp_path):
    found = call("denoise", "first", picture, "--sigma", "0.001", "--roi", "8,9,10,8", "--out", tmp_path)
    said = found["methods"]["first"]["warning"]
    assert said.startswith("first is worse than no denoising on this image (PSNR ")
    assert "Do not interpret pathology in this image." in said


def test_denoise_takes_principal_components_of_the_runs_own_images(call, picture, tmp_path):
    found = call("denoise", "first", picture, "--against", "pca", "--out", tmp_path)
    assert found["methods"]["pca"]["title"] == "PCA-8"
    assert "retention" not in found["methods"]["pca"]


def test_denoise_writes_the_map_of_the_90_percent_interval(call, root, picture, tmp_path, capsys):
    words = ["--sigma", "0.1", "--interval", "--out", tmp_path]
    found = call("denoise", "held", picture, *words)
    interval = found["interval"]
    assert (interval["noise"], interval["sigma"], interval["scans"]) == ("gaussian", 0.1, 12)
    assert 0.8 < interval["coverage"] < 1
    assert 0 < interval["mean_half_width"] < 1
    with Image.open(found["files"]["interval"]) as image:
        assert image.width > image.height, "the color bar is at the right"
        assert DISCLAIMER in image.text["Description"]
    cli.main([*map(str, ["denoise", "held", picture, *words, "--runs", root])])
    assert interval["sentence"] in capsys.readouterr().out


def test_interval_of_a_noisy_image_is_for_the_estimated_level(call, picture, tmp_path):
    found = call("denoise", "held", picture, "--noise", "none", "--interval", "--out", tmp_path)
    assert found["interval"]["sigma"] == pytest.approx(found["noise_estimate"]["gaussian"], rel=0.06)
    assert "(estimated in this image)" in found["interval"]["sentence"]
    assert "interval" not in call("denoise", "held", picture, "--out", tmp_path)
    volume = tmp_path / "volume.nii.gz"
    said = call("denoise", "held", picture, "--interval", "--volume-out", volume, status=2)
    assert "--interval needs a folder for its map (--out)." in said


def test_missing_package_is_said_and_does_not_keep_the_others_back(call, picture, tmp_path, monkeypatch):
    monkeypatch.setattr(filters, "bm3d_package", None)
    found = call("denoise", "first", picture, "--against", "bm3d,median", "--out", tmp_path)
    assert list(found["methods"]) == ["none", "first", "median"]
    assert found["missing"] == {"bm3d": "BM3D is not installed. Install it: pip install bm3d"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--roi", "1,2,3"], "is not a valid region"),
        (["--roi", "90,90,5,5"], "outside the image"),
        (["--roi", "rectangle:-5,-5,60,60"], "whole image"),
        (["--noise", "snow"], "Noise type (--noise) must be one of none, gaussian"),
        (["--sigma", "25"], "Noise level σ (--sigma) must be a number from 0 to 1"),
        (["--rim", "0"], "Background ring (--rim) must be"),
        (["--against", "nml"], "There is no baseline 'nml'"),
        (["--slice", "4"], "slice"),
    ],
)
def test_denoise_refuses_with_a_sentence(call, picture, tmp_path, words, said):
    assert said in call("denoise", "first", picture, *words, "--out", tmp_path, status=2)


def test_curve_has_every_method_at_every_level_and_marks_where_lesions_are_lost(call, scans, tmp_path):
    out = tmp_path / "curves"
    words = ["--data", scans, "--boxes", scans / "boxes.csv", "--sigmas", "0.1,10/255", "--split", "test"]
    found = call("denoise-curve", "first", *words, "--against", "none,nlm", "--out", out)
    assert list(found["methods"]) == ["none", "first", "nlm"]
    assert found["sigmas"] == pytest.approx([0, 10 / 255, 0.1])
    assert found["scans"] == 8
    assert found["patient_note"].startswith("Patients are unknown: images of one patient")
    assert 0 < found["measurable_lesions"] <= found["lesions"] <= 8
    assert any("x_center is 'none'" in problem for problem in found["problems"])
    nothing, nlm, first = (found["methods"][name] for name in ("none", "nlm", "first"))
    assert nothing["psnr_db"][0] is None, "equal pictures have no decibels"
    assert nothing["retention"][0] == pytest.approx(1)
    assert nlm["psnr_db"][2] > nothing["psnr_db"][2]
    assert first["retention"][0] < 0.8, "a run of one epoch knows no lesion"
    assert first["lesions_below"][0] > 0
    worst = first["worst"][0][0]
    assert worst["retention"] == min(each["retention"] for each in first["worst"][0])
    assert (scans / worst["scan"]).is_file()
    low, high = nlm["psnr_db_interval"][1]
    assert low < nlm["psnr_db"][1] < high
    rows = list(csv.DictReader((out / "curves.csv").read_text().splitlines()))
    assert {row["measure"] for row in rows} == {"mse", "psnr_db", "ssim", "retention"}
    assert len(rows) == 3 * 3 * 4
    assert (out / "curves.pdf").read_bytes().startswith(b"%PDF")
    with Image.open(out / "curves.png") as image:
        assert DISCLAIMER in image.text["Description"]


def test_curve_refuses_a_table_of_other_images_and_matches_one_written_elsewhere(call, scans, tmp_path):
    table = (scans / "boxes.csv").read_text()
    words = ["--data", scans, "--sigmas", "0.1", "--split", "test", "--boxes", tmp_path / "boxes.csv"]
    (tmp_path / "boxes.csv").write_text(table.replace(",,", ",Elsewhere,"))
    assert "the first image '" in call("denoise-curve", "first", *words, status=2)
    training = [row for row in table.splitlines() if not row.startswith("Testing")]
    (tmp_path / "boxes.csv").write_text("\n".join(training))
    assert "No image of the test split has a box" in call("denoise-curve", "first", *words, status=2)
    (tmp_path / "boxes.csv").write_text(table.replace("Testing,,", "TESTING,,.\\"))
    assert call("denoise-curve", "first", *words)["lesions"] > 0


def test_curve_measures_the_lesions_of_masks_beside_the_images(call, scans, tmp_path):
    for index in range(16, 24):
        made = phantom(64, 5, index)
        for folder, pixels in (("images", made.image), ("masks", made.mask)):
            file = tmp_path / "test" / folder / f"{index}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.rint(pixels * 255.0).astype(np.uint8)).save(file)
    words = ["--data", tmp_path, "--sigmas", "0.1", "--split", "test"]
    found = call("denoise-curve", "first", *words)
    assert found["scans"] == 8
    assert 0 < found["measurable_lesions"] <= found["lesions"]
    said = call("denoise-curve", "first", *words, "--mask-label", "7", status=2)
    assert "No mask has a part of pixel value 7" in said


def test_worst_lesion_is_seen_again_with_what_is_said_of_it(call, scans, tmp_path):
    """Scan, region and seed of the table give the same image, and nearly the same number, to `denoise`."""
    words = ["--data", scans, "--boxes", scans / "boxes.csv", "--sigmas", "0.1", "--split", "test"]
    worst = call("denoise-curve", "first", *words)["methods"]["first"]["worst"][1][0]
    roi = ",".join(map(str, worst["roi"]))
    again = ["--sigma", "0.1", "--seed", worst["seed"], "--roi", roi, "--out", tmp_path]
    found = call("denoise", "first", scans / worst["scan"], *again)
    assert found["methods"]["first"]["retention"] == pytest.approx(worst["retention"], abs=0.1)


def test_curve_takes_the_clean_test_images_and_says_where_each_method_breaks_even(root, scans, capsys):
    words = ["denoise-curve", "first", "--data", scans, "--sigmas", "0.05,0.3,0.9", "--against", "tv", "--runs", root]
    assert cli.main([*map(str, words)]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"7 images of test_clean of {scans}, gaussian noise")
    assert "first: break-even at σ = " in text
    assert "contrast retained" not in text


def test_fewer_images_can_be_requested(call, scans):
    found = call("denoise-curve", "first", "--data", scans, "--sigmas", "0.1", "--split", "train", "--scans", "3")
    assert (found["part"], found["scans"]) == ("train", 3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["first", "boxed"], "different preprocessing: resize mode squash and letterbox"),
        (["first", "--sigmas", "much"], "'much' is not a valid noise level for --sigmas"),
        (["first", "--sigmas", "1/0"], "is not a valid noise level"),
        (["first", "--sigmas", "2"], "must be numbers from 0 to 1"),
        (["first", "--sigmas", "nan"], "must be numbers from 0 to 1"),
        (["first", "--sigmas", "0"], "at least one above 0"),
        (["first", "--scans", "few"], "must be a whole number"),
        (["first", "--boxes", "nowhere.csv"], "There is no box file"),
        (["nobody"], "nobody"),
    ],
)
def test_curve_refuses_with_a_sentence(call, words, said):
    is_missing = said in ("There is no box file", "nobody")
    assert said in call("denoise-curve", *words, status=3 if is_missing else 2)


def test_levels_are_read_as_numbers_and_as_fractions():
    assert sigmas("0, 10/255,0.1") == pytest.approx([0, 10 / 255, 0.1])
    with pytest.raises(ConfigError):
        sigmas("")


def test_every_baseline_is_named_in_the_help():
    assert analysis_options.BASELINE_NAMES.split(", ") == list(BASELINES)


def test_decibels_of_equal_images_are_null_in_json(call, picture, tmp_path):
    found = call("denoise", "first", picture, "--sigma", "0", "--out", tmp_path)
    assert found["methods"]["none"]["psnr_db"] is None
    assert found["methods"]["none"]["ssim"] == pytest.approx(1)
    assert math.isfinite(found["methods"]["first"]["psnr_db"])
    assert "noisy input: identical to the noise-free image" in found["methods"]["first"]["warning"]


def test_noisy_image_is_denoised_without_a_reference(call, picture, tmp_path):
    """Nothing is added; the noise is estimated, what was removed is measured, and errors are null."""
    found = call(
        "denoise", "first", picture, "--noise", "none", "--against", "gaussian", "--bits", "8", "--out", tmp_path
    )
    clean = data.prepare(data.open_scan(str(picture)), config.from_flat({**TINY, "fit": "squash"}).data)
    run = found["methods"]["first"]
    assert (run["psnr_db"], run["ssim"]) == (None, None)
    assert run["residual"]["verdict"] in ("white", "structure", "noise-left")
    assert "trained on noise-free images" in run["warning"]
    assert "residual" not in found["methods"]["none"]
    assert found["noise_estimate"]["gaussian"] > 0
    files = found["files"]
    assert "noisy" not in files
    assert "first-residual" in files
    with Image.open(files["original-8bit"]) as image:
        np.testing.assert_allclose(np.asarray(image), 255 * clean, atol=0.6)


def test_noisy_image_is_told_in_words(root, picture, tmp_path, capsys):
    words = ["first", str(picture), "--noise", "none", "--out", str(tmp_path), "--runs", str(root)]
    assert cli.main(["denoise", *words]) == 0
    said = capsys.readouterr().out
    assert "no noise added. Estimated noise: σ = 0." in said
    assert "PSNR and SSIM are unknown" in said


def test_curve_needs_noise(call, scans):
    assert "A curve needs noise" in call("denoise-curve", "first", "--data", scans, "--noise", "none", status=2)
