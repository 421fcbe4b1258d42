"""Patients: where they come from, how splits keep them together, and that their names stay hidden."""

import csv
import json

import numpy as np
import pytest
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from engine.config import DataConfig, from_flat
from engine.data import load, patient_table
from engine.data.audit import audit
from engine.data.loading import check_folders, open_source
from engine.data.patient_names import find_known_name, hide_patient, judge_folders
from engine.data.patients import find_patients
from engine.errors import ConfigError, DataError
from engine.folders import cache_root
from engine.reports import run_report
from engine.reports.document import to_html
from engine.runs import create_run
from engine.training import job

PLAIN = [f"{name}/{number}.png" for name in ("glioma", "healthy") for number in range(20)]


@pytest.fixture
def dicom(tmp_path, noise):
    """Write a DICOM file: `dicom("P0/1.dcm", PatientID="P0")`."""
    count = iter(range(10_000))

    def write(name, **tags):
        data, stored = Dataset(), noise(next(count)).astype(np.uint16)
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = MRImageStorage
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = generate_uid()
        data.PhotometricInterpretation, data.SamplesPerPixel = "MONOCHROME2", 1
        data.Rows, data.Columns = stored.shape
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation = 15, 0
        data.PixelData = stored.tobytes()
        for keyword, value in {"WindowCenter": 128, "WindowWidth": 256, **tags}.items():
            setattr(data, keyword, value)
        file = tmp_path / "scans" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        data.save_as(file, enforce_file_format=True)
        return tmp_path / "scans"

    return write


def write_table(path, rows, header=("file", "patient"), delimiter=","):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    return str(path)


def groups_by_name(dataset):
    return {
        name: group for split in dataset.splits.values() for name, group in zip(split.names, split.groups, strict=True)
    }


def count_shared(dataset):
    """Count the patients that are in more than one split."""
    patients = [set(split.groups) - {""} for split in dataset.splits.values()]
    return sum(map(len, patients)) - len(set().union(*patients))


def both(name):
    return int(name.split("/")[1].split(".")[0]) // 5


# ---- tables --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "delimiter"),
    [
        (lambda name: name, ","),
        (lambda name: name.replace("/", "\\"), ";"),
        (lambda name: f"./{name}", "\t"),
        (str.upper, ","),
        (lambda name: f"scans/{name}", ","),
    ],
)
def test_a_table_names_the_patients_in_any_style_of_path(tree, tmp_path, config, change, delimiter):
    folder = tree(*PLAIN)
    table = write_table(tmp_path / "own.csv", [(change(name), f"p{both(name)}") for name in PLAIN], delimiter=delimiter)
    dataset = load(str(folder), config(groups=table, validation_share=0.25))
    assert dataset.patients.patients == 4
    assert dataset.patients.origins == {"table": 40}
    expected = {name: hide_patient(f"p{both(name)}") for name in PLAIN}
    assert groups_by_name(dataset) == expected
    assert count_shared(dataset) == 0
    assert len(dataset.validation) == len(dataset.test) == 10


@pytest.mark.parametrize("place", ["scans", "."])
def test_patients_csv_beside_the_images_is_found(tree, tmp_path, config, place):
    folder = tree(*(f"train/{name}" for name in PLAIN))
    rows = [("train", *name.split("/"), f"p{both(name)}") for name in PLAIN]
    write_table(tmp_path / place / "patients.csv", rows, header=("split", "class", "file", "patient"))
    dataset = load(str(folder), config())
    assert dataset.patients.patients == 4
    assert dataset.patients.known_share == 1


def test_a_bare_file_name_counts_only_where_it_is_unique(tree, tmp_path, config):
    folder = tree("a/1.png", "b/1.png", "a/2.png", "b/3.png")
    table = write_table(tmp_path / "own.csv", [("1.png", "x"), ("2.png", "y")])
    found = find_patients(open_source(config(source=str(folder))), config(groups=table)).groups
    assert found == ("", hide_patient("y"), "", "")


@pytest.mark.parametrize(
    ("header", "row", "encoding"),
    [
        ("File Name,Patient ID", "{name}.png,{patient}", "utf-8"),
        ("image_path;Subject", "{name};Müller {patient}", "cp1252"),
        ("file\tpatient", "{name}.PNG\tMüller {patient}", "utf-16"),
        ("split,file,patient", "train,{name}.png,{patient}", "utf-8-sig"),
        ("sep=;\nImage ID;Patient ID", "{name}.png;{patient}", "utf-8"),
    ],
)
def test_a_table_is_read_as_other_programs_write_it(header, row, encoding):
    rows = [row.format(name=f"img_{at}", patient=at // 2) for at in range(4)]
    table = patient_table.parse_table("\n".join([header, *rows]).encode(encoding), "table.csv")
    found = patient_table.match_table(table, [f"img_{at}.png" for at in range(5)], None)
    assert [bool(each) for each in found] == [True] * 4 + [False]
    assert found[0] == found[1] != found[2] == found[3]


def test_a_table_of_other_images_is_an_error_with_a_name_of_each_side(tree, tmp_path, config):
    table = write_table(tmp_path / "own.csv", [("other/7.png", "x")])
    with pytest.raises(DataError, match=r"the table has 'other/7\.png', the source has 'glioma/0\.png'"):
        load(str(tree(*PLAIN)), config(groups=table))


def test_a_found_table_of_other_images_is_a_note(tree, tmp_path, config):
    folder = tree(*PLAIN)
    write_table(tmp_path / "patients.csv", [("other/7.png", "x")])
    dataset = load(str(folder), config())
    assert dataset.patients.patients == 0
    assert any("patients.csv beside the images is not used" in note for note in dataset.notes)


def test_two_patients_of_one_file_are_refused(tree, tmp_path, config):
    table = write_table(tmp_path / "own.csv", [("glioma/0.png", "x"), ("glioma/0.png", "y")])
    with pytest.raises(DataError, match=r"gives two patients for 'glioma/0\.png'"):
        load(str(tree(*PLAIN)), config(groups=table))


# ---- names ---------------------------------------------------------------------------------------------------------


def test_a_pattern_names_the_patients(tree, config):
    folder = tree(*(f"glioma/x{number // 4}_{number}.png" for number in range(20)))
    dataset = load(str(folder), config(group_pattern=r"/(x\d+)_"))
    assert dataset.patients.patients == 5
    assert count_shared(dataset) == 0


def test_a_pattern_that_matches_nothing_is_an_error(tree, config):
    with pytest.raises(DataError, match=r"matches no image; the first one is 'glioma/0\.png'"):
        load(str(tree(*PLAIN)), config(group_pattern="(case[0-9]+)"))


@pytest.mark.parametrize(("pattern", "problem"), [("(", "not a regular expression"), ("x", "needs a group")])
def test_a_pattern_without_a_group_is_refused(pattern, problem):
    with pytest.raises(ValueError, match=problem):
        DataConfig(group_pattern=pattern)


@pytest.mark.parametrize(
    ("path", "patient"),
    [
        ("sub-01/ses-1/anat/sub-01_ses-1_T1w.png", "sub-01"),
        ("BraTS20_Training_001/BraTS20_Training_001_flair_80.png", "brats20_training_001"),
        ("BraTS19_CBICA_AAB_1_t1.png", "brats19_cbica_aab"),
        ("BraTS-GLI-00005-100-t1c.png", "brats-gli-00005"),
        ("IXI002-Guys-0828-T1.png", "ixi002"),
        ("OAS1_0001_MR1_mpr-1_100.png", "oas1_0001"),
        ("ADNI_002_S_0295_MR.png", "002_s_0295"),
        ("TCGA-CS-4941_19960909_11.tif", "tcga-cs-4941"),
        ("glioma/patient_3_slice_12.png", "patient_3"),
        ("Training/glioma_tumor/gg (12).jpg", ""),
        ("Testing/no_tumor/image(7).jpg", ""),
        ("sub/12.png", ""),
    ],
)
def test_names_of_known_datasets(path, patient):
    assert find_known_name(path) == patient


# ---- folders -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "role"),
    [
        ([f"sub-{number:02}" for number in range(6)], "patients"),
        ([f"P{number}" for number in range(5)], "patients"),
        ([f"patient_{number}" for number in range(2)], "patients"),
        ([f"patient_{letter}" for letter in "ABC"], "patients"),
        ([f"TCGA_CS_49{number}_19960909" for number in range(10, 14)], "patients"),
        ([f"AB{number:04}" for number in range(30)], "patients"),
        (["glioma_tumor", "meningioma_tumor", "no_tumor", "pituitary_tumor"], "classes"),
        ([f"grade{number}" for number in range(1, 5)], "classes"),
        (["0", "1", "2", "3"], "classes"),
        (["T1", "T2"], "classes"),
        ([f"AB{number:04}" for number in range(6)], "unsure"),
    ],
)
def test_folders_of_patients_and_of_classes(names, role):
    assert judge_folders(dict.fromkeys(names, 12)) == role


def test_folders_of_patients_are_no_classes(tree, config):
    """The case patients-on-both-sides."""
    folder = tree(*(f"sub-{patient:02}/slice_{number}.png" for patient in range(6) for number in range(10)))
    dataset = load(str(folder), config())
    assert (dataset.classes, dataset.patients.patients, count_shared(dataset)) == ((), 6, 0)
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 40, "validation": 10, "test": 10}
    assert dataset.unseen.all()
    assert any("6 folders are read as patients" in note for note in dataset.notes)


def test_folders_of_patients_within_classes(tree, config):
    kinds = {"glioma": 1, "healthy": 2}
    names = [
        f"{kind}/P{kinds[kind]}{patient}/{number}.png" for kind in kinds for patient in range(8) for number in "abc"
    ]
    dataset = load(str(tree(*names)), config(validation_share=0.25))
    assert dataset.classes == ("glioma", "healthy")
    assert dataset.patients.origins == {"folder": 48}
    assert (dataset.patients.patients, count_shared(dataset)) == (16, 0)
    assert dataset.counts() == {kind: {"train": 12, "validation": 6, "test": 6} for kind in kinds}


def test_uncertain_folders_are_asked_about(tree, config):
    folder = tree(*(f"AB{number // 10:04}/{number}.png" for number in range(60)))
    asked = config(source=str(folder))
    with pytest.raises(ConfigError, match=r"6 folders .* may be classes or patients.*--folders-are"):
        check_folders(asked)
    dataset = load(config=asked)
    assert len(dataset.classes) == 6
    assert any("may be classes or patients" in note for note in dataset.notes)
    check_folders(config(source=str(folder), folders_are="patients"))
    chosen = load(config=config(source=str(folder), folders_are="patients"))
    assert (chosen.classes, chosen.patients.patients, count_shared(chosen)) == ((), 6, 0)
    check_folders(config(source=str(folder), folders_are="classes"))
    assert load(config=config(source=str(folder), folders_are="classes")).patients.patients == 0


# ---- DICOM ---------------------------------------------------------------------------------------------------------


def test_patients_of_dicom_files_in_one_folder(dicom, config):
    """The case series_patient_leak."""
    for number in range(60):
        folder = dicom(f"{number}.dcm", PatientID=f"P{number // 12}")
    dataset = load(str(folder), config())
    assert (dataset.patients.patients, count_shared(dataset)) == (5, 0)
    assert dataset.patients.by_split == {"train": 3, "validation": 1, "test": 1}


def test_one_patient_is_written_in_any_case(dicom, config):
    for number in range(20):
        folder = dicom(f"{number}.dcm", PatientID=f"mrn{number // 4}" if number % 2 else f"MRN{number // 4} ")
    assert load(str(folder), config()).patients.patients == 5


@pytest.mark.parametrize("prefix", ["P", "ward "])
def test_folders_with_one_patient_id_each_are_patients(dicom, config, prefix):
    """The case patient_folders_leak; 'ward 3' alone would be no name of a patient."""
    for number in range(60):
        folder = dicom(f"{prefix}{number // 12}/{number}.dcm", PatientID=f"X{number // 12}")
    dataset = load(str(folder), config())
    assert (dataset.classes, dataset.patients.patients, count_shared(dataset)) == ((), 5, 0)


def test_folders_with_several_patient_ids_are_classes(dicom, config):
    for number in range(40):
        folder = dicom(f"P{number // 20}/{number}.dcm", PatientID=f"X{number // 4}")
    dataset = load(str(folder), config())
    assert (dataset.classes, dataset.patients.patients) == (("P0", "P1"), 10)


@pytest.mark.parametrize("anonymous", ["", "0", "Anonymous"])
def test_without_a_patient_id_the_study_counts_then_the_series(dicom, config, anonymous):
    for number in range(20):
        tag = "StudyInstanceUID" if number < 12 else "SeriesInstanceUID"
        folder = dicom(f"{number}.dcm", PatientID=anonymous, **{tag: f"1.2.{number // 4}"})
    assert load(str(folder), config()).patients.patients == 5


def test_one_patient_in_all_is_split_by_image(dicom, config):
    for number in range(20):
        folder = dicom(f"{number}.dcm", PatientID="P1")
    dataset = load(str(folder), config())
    assert len(dataset.validation) == len(dataset.test) == 2
    assert dataset.patients.in_both == 1
    assert "none of an unseen patient" in dataset.patients.note
    assert [note for note in dataset.notes if "drawn by patient" in note] == []
    assert any("2 of its images, drawn per class" in note for note in dataset.notes)


def test_no_identifier_is_stored_or_shown(dicom, config, tmp_path, monkeypatch, caplog):
    secret, name, dates = "MRN-7391640", "Doe^Jane", {"PatientBirthDate": "19530417", "StudyDate": "20190823"}
    for number in range(40):
        folder = dicom(f"{number}.dcm", PatientID=f"{secret}-{number // 5}", PatientName=name, **dates)
    events = []
    settings = {"size": 32, "filters": (4, 8), "latent": 4, "epochs": 1, "source": str(folder), "tracking": "offline"}
    run = create_run(from_flat(settings), "private", tmp_path / "runs")
    job.train(run=run, emit=events.append)
    shown = json.dumps(audit(config(source=str(folder))))
    dataset = load(str(folder), config(group_by="similarity"))
    assert dataset.patients.patients == 8
    report = run_report.describe_runs(run_report.examine_runs([run]), "Private", "", [])
    written = [*(tmp_path / "runs").rglob("*"), *cache_root().rglob("*")]
    assert any(file.suffix == ".wandb" for file in written)
    contents = [file.read_bytes() for file in written if file.is_file()]
    contents += [shown.encode(), repr(events).encode(), repr(dataset).encode(), repr(dataset.train).encode()]
    contents += [to_html(report).encode(), caplog.text.encode()]
    assert len(contents) > 10
    for secret_text in (secret, name, name.split("^")[0], *dates.values(), "1953-04-17"):
        assert not any(secret_text.encode() in content for content in contents)


def test_the_hash_is_keyed_and_stable_on_one_computer(monkeypatch, tmp_path):
    first = hide_patient("P1")
    assert hide_patient("P1") == first != hide_patient("P2")
    assert "P1" not in first
    monkeypatch.setenv("ENGRAM_CACHE", str(tmp_path / "other computer"))
    assert hide_patient("P1") != first
    assert hide_patient("") == ""


# ---- splits --------------------------------------------------------------------------------------------------------


def test_the_draw_does_not_depend_on_the_names_of_patients(tree, tmp_path, config):
    folder = tree(*PLAIN)
    prints = []
    for prefix in "pq":
        table = write_table(tmp_path / f"{prefix}.csv", [(name, f"{prefix}{both(name)}") for name in PLAIN])
        prints.append(load(str(folder), config(groups=table)).fingerprint)
    by_image = load(str(folder), config(groups=table, split_by="image"))
    assert prints[0] == prints[1] != by_image.fingerprint
    assert by_image.fingerprint == load(str(folder), config()).fingerprint
    assert count_shared(by_image) > 0


def test_a_validation_set_by_patient_beside_the_test_set_of_the_source(tree, tmp_path, config):
    names = [f"Training/{name}" for name in PLAIN] + [f"Testing/glioma/{number}.png" for number in range(100, 106)]
    rows = [(name, f"p{both(name[9:])}") for name in names[:40]]
    rows += [(names[40], "p1"), (names[41], "p1"), (names[42], "new"), (names[43], "new"), (names[44], "newer")]
    folder = tree(*names)
    Image.open(folder / names[0]).save(folder / names[44])
    dataset = load(str(folder), config(groups=write_table(tmp_path / "own.csv", rows), validation_share=0.25))
    assert not set(dataset.train.groups) & set(dataset.validation.groups)
    assert len(dataset.validation) == 10
    facts = dataset.patients
    assert (facts.patients, facts.in_both, facts.unseen, facts.known["test"]) == (6, 1, 2, 5)
    assert dataset.unseen.tolist() == [False, False, True, True, False, False]  # the fifth is leaked, the sixth unknown
    found = audit(dataset.config)
    numbers = ("patients", "patients_in_both", "test_unseen_patients", "test_known_patients", "patients_known_share")
    assert [found[name] for name in numbers] == [6, 1, 2, 5, round(45 / 46, 4)]
    assert found["patient_note"] == facts.note


def test_the_fixed_test_set_of_patients(tree, tmp_path, config):
    names = [f"{split}/{name}" for split in ("Training", "Testing") for name in PLAIN]
    rows = [(name, f"p{number // 4}") for number, name in enumerate(names[:-3])]
    table = write_table(tmp_path / "own.csv", rows)
    folder = str(tree(*names))
    dataset = load(folder, config(groups=table, test_patients=4, fold=2))
    assert [dataset.patients.by_split[name] for name in ("train", "validation", "test")] == [13, 3, 4]
    assert (dataset.patients.in_both, dataset.patients.note, dataset.held_out) == (0, "", ("validation", "test"))
    assert dataset.unseen.all()
    assert dataset.notes[0].endswith(" 3 images of unknown patients are left out.")
    other = load(folder, config(groups=table, test_patients=4, fold=3, split_seed=7))
    assert other.test.names == dataset.test.names
    assert not set(other.validation.groups) & set(dataset.validation.groups)
    found = audit(dataset.config)
    assert found["patients_by_split"] == {"train": 13, "validation": 3, "test": 4}
    assert sum(found["splits"][name]["n"] for name in ("train", "validation", "test")) == 77
    assert dataset.notes[0] in found["notes"]


def test_the_fixed_test_set_needs_enough_patients(tree, tmp_path, config):
    table = write_table(tmp_path / "own.csv", [(name, name[-6:-4]) for name in PLAIN])
    with pytest.raises(ConfigError, match="40 test patients and 5 folds need 45 known patients"):
        load(str(tree(*PLAIN)), config(groups=table, test_patients=40))
    with pytest.raises(ConfigError, match="Test patients is for a split by patient"):
        from_flat({"test_patients": 4, "split_by": "image"})


def test_a_split_by_patient_needs_patients(tree, config):
    with pytest.raises(ConfigError, match="no patient is known"):
        load(str(tree(*PLAIN)), config(split_by="patient"))


def test_unknown_patients_are_noted_and_phantoms_have_none(tree, config):
    facts = load(str(tree(*PLAIN)), config()).patients
    assert facts.note.startswith("Patients are unknown: images of one patient")
    assert [facts.note_on(part) for part in ("train", "test_unseen")] == ["", facts.note]
    assert load("phantom", config(phantom_count=24)).patients.note == ""


# ---- look-alikes ---------------------------------------------------------------------------------------------------


def test_look_alikes_stay_together_but_are_no_known_patients(tmp_path, config):
    rng = np.random.default_rng(0)
    for head in range(10):
        image = np.kron(rng.integers(0, 200, (6, 6)), np.ones((8, 8)))
        for number in range(4):
            pixels = np.clip(image + rng.integers(-3, 4, image.shape), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"{head}{number}.png")
    dataset = load(str(tmp_path), config(group_by="similarity", validation_share=0.2))
    heads = [{name[0] for name in split.names} for split in dataset.splits.values()]
    assert [len(found) for found in heads] == [6, 2, 2]
    assert sum(map(len, heads)) == 10
    assert (dataset.patients.patients, dataset.patients.origins) == (0, {"similarity": 40})
    assert not dataset.unseen.any()
    assert dataset.patients.note.startswith("Patients are unknown: look-alike images are kept in one set")
    plain = load(str(tmp_path), config(validation_share=0.2))
    assert any({name[0] for name in plain.train.names} & {name[0] for name in plain.test.names})


@pytest.mark.parametrize(
    ("folders", "file", "patients"),
    [(["HGG_0", "HGG_1"], "{}_{}.png", 2), (["grade1", "grade2"], "{}_{}.png", 0), (["HGG_0", "HGG_1"], "x{1}.png", 0)],
)
def test_numbered_folders_that_name_their_files_are_patients(tree, config, folders, file, patients):
    folder = tree(*(f"{name}/{file.format(name, at)}" for name in folders for at in range(6)))
    assert load(str(folder), config()).patients.patients == patients
