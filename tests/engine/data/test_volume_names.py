"""Cases and series in the names of volumes, and the choice of one series."""

import pytest

from engine.data.volume_names import choose_series, parse_volume_names


def parse(*names):
    return [(each.case, each.series) for each in parse_volume_names(names)]


@pytest.mark.parametrize(
    ("name", "case", "series"),
    [
        ("BraTS20_Training_001/BraTS20_Training_001_t1ce.nii.gz", "brats20_training_001", "t1ce"),
        ("BraTS-GLI-00005-100/BraTS-GLI-00005-100-t2f.nii.gz", "brats-gli-00005", "t2f"),
        ("IXI002-Guys-0828-T1.nii.gz", "ixi002", "t1"),
        ("OAS1_0001_MR1/RAW/OAS1_0001_MR1_mpr-1_anon.hdr", "oas1_0001", "raw"),
        ("sub-01/anat/sub-01_ses-2_run-1_T1w.nii.gz", "sub-01", "t1w"),
        ("sub-01/ses-1/anat/sub-01_ses-1_ce-GAD_T1w.nii", "sub-01", "ce-gad_t1w"),
        ("imagesTr/X_000_0001.nii.gz", "X_000", "0001"),
        ("glioma/P01/T1.nii", "P01", "t1"),
        ("P01/nifti/T1.nii", "P01", "t1"),
        ("case7/case7_flair.nii", "case7", "flair"),
        ("case7_flair.nii", "case7", "flair"),
        ("glioma/x12.nii", "x12", ""),
        ("case_0001.nii", "case_0001", ""),
    ],
)
def test_a_name_says_case_and_series(name, case, series):
    assert parse(name) == [(case, series)]


def test_a_class_folder_is_no_case():
    assert parse("glioma/glioma_1.nii", "glioma/glioma_2.nii") == [("glioma_1", ""), ("glioma_2", "")]
    assert parse("glioma/glioma_1_t1.nii", "glioma/glioma_2_t1.nii") == [("glioma_1", "t1"), ("glioma_2", "t1")]
    assert parse("case7/case7_a_t1.nii", "case7/case7_a_t2.nii") == [("case7", "t1"), ("case7", "t2")]


def test_files_of_one_name_are_told_apart_by_folders_of_their_own():
    names = [f"train/case{number}/image.nii.gz" for number in range(2)]
    assert parse(*names) == [("case0", ""), ("case1", "")]
    classes = ["glioma/x1.nii", "glioma/x2.nii", "none/x1.nii"]
    assert parse(*classes) == [("x1", ""), ("x2", ""), ("x1", "")]
    assert [case for case, _ in parse("sub-01/ses-1/brain.nii", "sub-01/ses-2/brain.nii")] == ["sub-01", "sub-01"]


def test_words_that_recur_are_series():
    names = [f"s_{number}_{word}.nii" for number in (1, 2) for word in ("early", "late")]
    assert parse(*names) == [("s_1", "early"), ("s_1", "late"), ("s_2", "early"), ("s_2", "late")]
    assert parse("s_1_early.nii", "s_2_early.nii") == [("s_1_early", ""), ("s_2_early", "")]


def choose(names, wanted=""):
    found = choose_series(parse_volume_names(names), wanted)
    return [each.name for each in found.kept], dict(found.skipped), found.notes


def test_the_most_common_series_is_used_and_a_note_names_the_others():
    kept, skipped, (note,) = choose(["P1/T1.nii", "P1/FLAIR.nii", "P1/T2.nii", "P2/T2.nii"])
    assert kept == ["P1/T2.nii", "P2/T2.nii"]
    assert skipped == {
        "P1/T1.nii": "a volume of another series (t1, not t2)",
        "P1/FLAIR.nii": "a volume of another series (flair, not t2)",
    }
    assert "t2 is used; the others are flair, t1" in note


@pytest.mark.parametrize(
    ("names", "series"),
    [(["T2", "FLAIR", "T1", "T1ce"], "T1ce"), (["T2", "FLAIR", "T1gd"], "T1gd"), (["T2", "FLAIR"], "FLAIR")],
)
def test_undecided_t1_with_contrast_is_used_else_the_first(names, series):
    assert choose([f"P1/{name}.nii" for name in names])[0] == [f"P1/{series}.nii"]


def test_a_text_chooses_the_series():
    names = [f"P{number}/{word}.nii" for number in (1, 2) for word in ("t1", "t1ce", "t2")]
    kept, skipped, _ = choose(names, "T1")
    assert kept == ["P1/t1.nii", "P2/t1.nii"]
    assert skipped["P1/t2.nii"] == "a volume without 'T1' in its name"
    assert skipped["P1/t1ce.nii"] == "a volume of another series (t1ce, not t1)"
    assert choose(names, "t2")[::2] == (["P1/t2.nii", "P2/t2.nii"], ())


def test_cases_of_one_series_each_all_stay():
    names = ["P1/T1.nii", "P2/FLAIR.nii", "x.nii"]
    assert choose(names) == (names, {}, ())
