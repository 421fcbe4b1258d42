"""Folders of volumes: their slices are the images."""

from collections import Counter
from pathlib import Path

import nibabel
import numpy as np
import pytest

from engine.data import audit, load, nifti, prepare, volumes
from engine.data.files import check_folder
from engine.data.loading import find_groups, open_source
from engine.data.named_slice import open_image, split_slice
from engine.data.quality import describe_use
from engine.data.volumes import VolumeReader
from engine.errors import EmptySource, ScanError
from engine.job_context import UNATTENDED
from tests.engine.data.conftest import write_nifti


def make_head(seed=0, shape=(12, 14, 10)):
    """A ball in the middle, with texture; its first and last slices along every axis are air."""
    grid = np.stack(np.meshgrid(*(np.linspace(-1, 1, side) for side in shape), indexing="ij"), -1)
    inside = np.linalg.norm(grid, axis=-1) < 0.8
    return (inside * np.random.default_rng(seed).uniform(300, 600, shape)).astype(np.float32)


@pytest.fixture
def volume(tmp_path):
    """Write a volume below a folder and return the folder: `volume("P1/T1.nii.gz", values)`."""

    def write(name, values=None, affine=None, kind=nibabel.Nifti1Image):
        file = tmp_path / "volumes" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        values = make_head(sum(map(ord, name))) if values is None else values
        write_nifti(file, values, affine, kind)
        return tmp_path / "volumes"

    return write


def names_of(dataset):
    return [name for split in dataset.splits.values() for name in split.names]


def image_of(dataset, name):
    return next(
        split.read([split.names.index(name)])[0, ..., 0] for split in dataset.splits.values() if name in split.names
    )


def reasons_of(dataset):
    return {each.name: each.reason for each in dataset.skipped}


def test_each_slice_is_an_image_with_the_name_of_its_file(volume, config):
    volume("glioma/a.nii")
    folder = volume("healthy/b.nii.gz")
    check_folder(str(folder))
    dataset = load(str(folder), config(slices="all"))
    assert sorted(names_of(dataset)) == sorted(
        f"{name}#{number}" for name in ("glioma/a.nii", "healthy/b.nii.gz") for number in range(1, 11)
    )
    assert dataset.classes == ("glioma", "healthy")
    assert dataset.patients.patients == 2
    assert dataset.train.store.dtype == np.uint16


@pytest.mark.parametrize(("plane", "axis"), [("sagittal", 0), ("coronal", 1), ("axial", 2), ("stored", 2)])
def test_the_plane_of_the_slices(volume, config, plane, axis):
    values = make_head()
    dataset = load(str(volume("a.nii", values)), config(slices="all", plane=plane))
    assert dataset.plane == plane
    assert len(names_of(dataset)) == values.shape[axis]
    middle = values.take(values.shape[axis] // 2, axis)
    expected = middle.T if plane == "stored" else middle.T[::-1, ::-1]
    source = open_source(config(source=dataset.source, slices="all", plane=plane))
    shown = source.read(values.shape[axis] // 2).gray
    np.testing.assert_allclose(shown, np.clip(expected / np.percentile(values, 99.9), 0, 1), atol=1e-5)


def test_planes_follow_the_affine_and_not_the_order_of_the_axes(volume, config):
    affine = np.array([[0, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]], dtype=float)  # axes grow to A, S, R
    folder = volume("a.nii", make_head(shape=(9, 10, 11)), affine)
    counts = {plane: len(names_of(load(str(folder), config(slices="all", plane=plane)))) for plane in PLANES}
    assert counts == {"sagittal": 11, "coronal": 9, "axial": 10, "stored": 11}
    for plane, count in counts.items():
        assert nifti.count_slices(folder / "a.nii", plane) == count


PLANES = ("sagittal", "coronal", "axial", "stored")


def test_pixels_are_made_square_by_the_spacing(volume, config):
    folder = volume("a.nii", make_head(shape=(12, 12, 12)), np.diag([1.0, 2.0, 1.0, 1.0]))
    image = image_of(load(str(folder), config(slices="all", size=48)), "a.nii#6")
    height, width = (np.ptp(np.flatnonzero(image.max(axis=axis))) + 1 for axis in (1, 0))
    assert height == pytest.approx(2 * width, abs=3)


def test_all_slices_of_a_volume_share_one_window(volume, config):
    values = make_head()
    values[:, :, 5] *= 0.5
    dataset = load(str(volume("a.nii", values)), config(slices="all"))
    dark, bright = (image_of(dataset, f"a.nii#{number}").max() for number in (6, 5))
    assert dark < 0.6 < 0.9 < bright
    assert image_of(dataset, "a.nii#1").max() == 0


def test_slices_with_little_of_the_head_are_left_out_with_a_note(volume, config):
    folder = volume("a.nii")
    dataset = load(str(folder), config())
    assert sorted(names_of(dataset)) == [f"a.nii#{number}" for number in range(3, 9)]
    assert dataset.skipped == ()
    note = "4 slices show too little of the head and are left out (see Slices, --slices)."
    assert note in dataset.notes
    assert note in audit.audit(config(source=str(folder)))["notes"]


def test_every_kth_slice(volume, config):
    dataset = load(str(volume("a.nii")), config(slices="all", slice_step=4))
    assert sorted(names_of(dataset)) == ["a.nii#1", "a.nii#5", "a.nii#9"]


def test_slices_with_a_lesion(volume, config):
    mask = np.zeros((12, 14, 10), np.uint8)
    mask[5, 5, 3:6] = 4
    volume("P1/P1_t1.nii")
    volume("P2/P2_t1.nii")
    folder = volume("P1/P1_seg.nii", mask)
    dataset = load(str(folder), config(slices="lesion"))
    assert sorted(names_of(dataset)) == [f"P1/P1_t1.nii#{number}" for number in (4, 5, 6)]
    assert reasons_of(dataset)["P2/P2_t1.nii"] == "a volume without a mask beside it"
    assert dataset.notes[0] == "The images are slices of 1 volume (axial, one intensity window for each volume)."
    mask[5, 5, 7] = 4
    volume("P1/P1_seg.nii", mask)
    assert len(names_of(load(str(folder), config(slices="lesion")))) == 4
    mask[5, 5, 7] = 2
    volume("P1/P1_seg.nii", mask)
    assert names_of(load(str(folder), config(slices="lesion", mask_label=2))) == ["P1/P1_t1.nii#8"]


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("BraTS20_Training_001/BraTS20_Training_001_t1.nii.gz", "BraTS20_Training_001/BraTS20_Training_001_seg.nii.gz"),
        ("imagesTr/X_001_0000.nii.gz", "labelsTr/X_001.nii.gz"),
        ("sub-01/anat/sub-01_T1w.nii", "derivatives/lesions/sub-01/anat/sub-01_label-lesion_mask.nii"),
        ("sub-01/anat/sub-01_T1w.nii", "lesions/of_another_mask.nii"),
        ("sub-01/anat/sub-01_T1w.nii", "derivatives/fs/sub-01/anat/sub-01_T1w.nii"),
    ],
)
def test_masks_and_derivatives_are_no_images(volume, config, image, mask):
    volume(image)
    dataset = load(str(volume(mask)), config())
    assert {name.split("#")[0] for name in names_of(dataset)} == {image}
    assert list(reasons_of(dataset)) == [mask]


def test_slices_of_a_case_stay_in_one_set(volume, config):
    for number in range(10):
        for series in ("T1", "T2"):
            folder = volume(f"glioma/P{number}/{series}.nii")
    dataset = load(str(folder), config(validation_share=0.2))
    assert (dataset.patients.patients, dataset.patients.in_both) == (10, 0)
    owners = [{name.split("/")[1] for name in split.names} for split in dataset.splits.values()]
    assert [len(found) for found in owners] == [6, 2, 2]
    assert len(set.union(*owners)) == 10
    assert not any("T1" in name for name in reasons_of(dataset))


def test_a_pair_of_header_and_image_is_one_volume(volume, config):
    folder = volume("a.hdr", kind=nibabel.Nifti1Pair)
    before = open_source(config(source=str(folder)))
    assert {item.file for item in before.items} == {"a.hdr"}
    assert before.skipped == []
    content = before.content_hash()
    voxels = folder / "a.img"
    voxels.write_bytes(voxels.read_bytes()[:-4] + b"\1\0\0\0")
    assert open_source(config(source=str(folder))).content_hash() != content


def test_a_volume_is_decoded_and_hashed_once(volume, config, monkeypatch):
    volume("a.nii")
    folder = volume("b.nii")
    decoded, hashed = Counter(), Counter()
    parse, digest = volumes.parse_volume, volumes._hash_files

    def count_decoded(read, path, *options):
        decoded[path.name] += 1
        return parse(read, path, *options)

    def count_hashed(path):
        hashed[path.name] += 1
        return digest(path)

    monkeypatch.setattr(volumes, "parse_volume", count_decoded)
    monkeypatch.setattr(volumes, "_hash_files", count_hashed)
    load(str(folder), config())
    assert decoded == hashed == {"a.nii": 1, "b.nii": 1}


def test_volumes_that_take_too_much_memory_are_forgotten(volume, config, monkeypatch):
    for name in ("a.nii", "b.nii", "c.nii"):
        folder = volume(name)
    monkeypatch.setattr(volumes, "MAX_BYTES", 2 * make_head().nbytes)
    reader = VolumeReader(folder, config(slices="all"), {})
    for name in ("a.nii", "b.nii", "a.nii", "c.nii"):
        reader.read(name, 1)
    assert [name in reader._entries for name in ("a.nii", "b.nii", "c.nii")] == [True, False, True]


def test_a_damaged_volume_is_skipped_once(volume, config):
    volume("a.nii.gz")
    folder = volume("b.nii")
    volume("c.nii")
    content = (folder / "b.nii").read_bytes()
    (folder / "b.nii").write_bytes(content[:-1000])
    (folder / "c.nii").write_bytes(content[:40] + b"\xff" * 16 + content[56:])
    dataset = load(str(folder), config())
    assert {name.split("#")[0] for name in names_of(dataset)} == {"a.nii.gz"}
    assert [(each.name, each.reason[:13]) for each in dataset.skipped] == [
        ("b.nii", "it is damaged"),
        ("c.nii", "it is damaged"),
    ]


def test_volumes_among_images_stay_skipped(tree, config):
    folder = tree("1.png", "2.png", "3.png")
    before = load(str(folder), config())
    write_nifti(folder / "a.nii", make_head())
    dataset = load(str(folder), config())
    assert dataset.fingerprint == before.fingerprint
    assert reasons_of(dataset)["a.nii"].startswith("a volume; a dataset takes one image from each file, or")


def test_settings_of_volumes_change_nothing_about_images(tree, config):
    folder = str(tree(*(f"{number}.png" for number in range(8))))
    plain = load(folder, config())
    other = load(folder, config(plane="coronal", slices="all", slice_step=3, series="t1"))
    assert other.fingerprint == plain.fingerprint
    assert open_source(other.config).content_hash() == open_source(plain.config).content_hash()


def test_every_setting_of_volumes_changes_the_content(volume, config):
    folder = str(volume("case_t1.nii", make_head(shape=(12, 12, 12))))
    changed = ({}, {"plane": "coronal"}, {"slices": "all"}, {"slice_step": 2})
    hashes = [open_source(config(source=folder, **each)).content_hash() for each in changed]
    assert len(set(hashes)) == len(changed)


def test_no_volume_of_the_series(volume, config):
    with pytest.raises(EmptySource, match="a volume without 'flair' in its name"):
        load(str(volume("a_t1.nii")), config(series="flair"))


def test_frames_of_dicom_files_are_images(dicom, config, tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(3):
        stored = make_head(number).transpose(2, 0, 1).astype(np.uint16)
        dicom(stored, PatientID=f"P{number}").rename(folder / f"{number}.dcm")
    dataset = load(str(folder), config(validation_share=0.3))
    assert sorted(names_of(dataset)) == [f"{case}.dcm#{number}" for case in range(3) for number in range(3, 9)]
    assert (dataset.patients.patients, dataset.patients.in_both) == (3, 0)
    assert dataset.notes[0] == "The images are slices of 3 volumes (as stored, one intensity window for each volume)."
    groups = find_groups(open_source(dataset.config), dataset.config, UNATTENDED)
    assert groups.origins == {"header": 30}


def test_a_record_counts_files_and_images(volume, config):
    for name in ("P1/T1.nii", "P1/T2.nii", "P2/T1.nii"):
        folder = volume(name)
    found = describe_use(load(str(folder), config()))
    assert found["images"] == 12
    assert found["left_out"] == "2 of 3 files are used as images: 1 is a volume of another series."


def test_the_file_of_a_slice_is_its_volume(volume, config):
    source = open_source(config(source=str(volume("a.nii"))))
    assert source.locate(4) == Path(source.folder) / "a.nii"


def test_volumes_of_freesurfer_are_slices_and_label_maps_are_not(config, tmp_path):
    for seed in range(3):
        folder = tmp_path / f"sub-{seed}" / "mri"
        folder.mkdir(parents=True)
        head = make_head(seed).astype(np.float32)
        for name, values in (("T1", head), ("aseg", np.round(head / head.max() * 9)), ("brain", head)):
            nibabel.save(nibabel.MGHImage(values.astype(np.float32), np.diag([1, 1, 2, 1])), folder / f"{name}.mgz")
    dataset = load(str(tmp_path), config(slices="all"))
    names = [name for split in dataset.splits.values() for name in split.names]
    assert len(names) == 3 * 10
    assert {name.partition("#")[0].rpartition("/")[2] for name in names} == {"T1.mgz"}
    image = image_of(dataset, "sub-1/mri/T1.mgz#4")
    expected = image_of(load(str(tmp_path), config(slices="all", plane="sagittal")), "sub-1/mri/T1.mgz#4")
    assert image.shape == expected.shape
    assert not np.array_equal(image, expected)


def test_the_slice_of_a_name_is_that_of_the_dataset(volume, config, tmp_path):
    folder = volume("case1.nii.gz", make_head(1))
    for plane in ("axial", "sagittal"):
        settings = config(plane=plane, slices="all")
        dataset = load(str(folder), settings)
        scan, index = open_image(str(folder / "case1.nii.gz#4"), settings)
        shown = prepare(scan, settings, index)
        np.testing.assert_allclose(shown, image_of(dataset, "case1.nii.gz#4"), atol=1e-4)
    with pytest.raises(ScanError, match=r"case1.nii.gz has no slice 99. Its slices are numbered from 1 to 12."):
        open_image(str(folder / "case1.nii.gz#99"), settings)
    (folder / "case1.nii.gz").rename(folder / "a#4")
    assert split_slice(str(folder / "a#4")) == (str(folder / "a#4"), 0)
