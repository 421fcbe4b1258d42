"""`reconstruct` and `denoise` of volumes of which one is chosen, and of slices with one gray value."""

import json

import nibabel
import numpy as np
import pytest

from engine import cli, data

pytestmark = pytest.mark.usefixtures("loaded_once")

BLANK = "This slice has one gray value only."


@pytest.fixture(scope="module")
def root(trained, tmp_path_factory):
    """Return a folder with a tiny run, 'first'."""
    folder = tmp_path_factory.mktemp("runs")
    trained(fit="squash", epochs=1, at=folder / "first")
    return folder


@pytest.fixture
def volumes(tmp_path):
    """Two volumes: one whose middle slice is blank, and noise."""
    values = np.random.default_rng(0).integers(1, 100, (32, 32, 3, 2)).astype(np.int16)
    values[:, :, 1, 0] = 50
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "two.nii")
    return tmp_path / "two.nii"


@pytest.fixture
def call(root, capsys):
    """Call a command; what it printed."""

    def go(*words, status=0):
        assert cli.main([*map(str, words), "--runs", str(root)]) == status
        printed = capsys.readouterr()
        return printed.err if status else printed.out

    return go


def test_a_blank_slice_has_a_note_and_dashes(call, volumes, tmp_path):
    words = ["reconstruct", "first", volumes, "--out", tmp_path / "out"]
    found = json.loads(call(*words, "--json"))["images"][0]
    assert (found["psnr_db"], found["ssim"], found["notes"][-1]) == (None, None, BLANK)
    assert found["mse"] > 0
    printed = call(*words)
    assert [line.split()[-2:] for line in printed.splitlines() if line.startswith("two.nii ")] == [["—", "—"]]
    assert f"two.nii: {BLANK}" in printed
    other = json.loads(call(*words, "--slice", "0", "--json"))["images"][0]
    assert other["psnr_db"] > 0
    assert BLANK not in other["notes"]


def test_a_blank_slice_is_denoised_without_numbers(call, volumes, tmp_path):
    words = ["denoise", "first", volumes, "--against", "median", "--out", tmp_path / "out"]
    found = json.loads(call(*words, "--json"))
    assert found["notes"][-1] == BLANK
    assert {(each["psnr_db"], each["ssim"]) for each in found["methods"].values()} == {(None, None)}
    assert BLANK in call(*words)


@pytest.mark.parametrize("command", ["reconstruct", "denoise"])
def test_a_volume_is_chosen(call, volumes, tmp_path, command):
    out = tmp_path / "out"
    found = json.loads(call(command, "first", volumes, "--volume", "2", "--out", out, "--json"))
    notes = found["notes"] if command == "denoise" else found["images"][0]["notes"]
    assert "The file holds 2 volumes; volume 2 is shown." in notes
    assert BLANK not in notes
    refused = call(command, "first", volumes, "--volume", "3", "--out", out, status=2)
    assert "'two.nii' cannot be opened: it has no volume 3; it holds 2 volumes, counted from 1." in refused


def test_open_scan_takes_a_volume(volumes):
    first, second = data.open_scan(volumes), data.open_scan(volumes, volume=2)
    assert first.is_blank(1)
    assert not second.is_blank(1)
    np.testing.assert_array_equal(data.open_scan(volumes, volume=1).pixels, first.pixels)
