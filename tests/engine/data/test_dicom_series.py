"""DICOM files of one series: one window for all slices; localizers and derived images are left out."""

import numpy as np
import pytest

from engine.data import dicom_series, load, series_folder
from engine.data.decoded_image import UnreadableFile
from engine.data.dicom import read_scan
from engine.data.files import find_folder_of
from engine.data.loading import open_source

AXIAL, CORONAL = [1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1]
BRIGHTNESS = (1000, 400, 5)


@pytest.fixture
def series(dicom, tmp_path):
    """Write one file of a series into a folder and return the folder: `series("1.dcm", 400, SeriesInstanceUID="1.2")`.

    Its pixels rise from 0 to the brightness.
    """
    folder = tmp_path / "series"
    folder.mkdir()

    def write(name, brightness, **tags):
        stored = np.linspace(0, brightness, 256).reshape(16, 16).astype(np.uint16)
        values = {"SeriesInstanceUID": "1.2.3", "StudyInstanceUID": "1.2", "ImageOrientationPatient": AXIAL} | tags
        dicom(stored, **values).rename(folder / name)
        return folder

    return write


def brightest(folder, config):
    source = open_source(config(source=str(folder), slices="all"))
    return {item.name: round(float(source.read(at).gray.max()), 2) for at, item in enumerate(source.items)}


def test_slices_without_a_window_share_that_of_their_series(series, config):
    for number, brightness in enumerate(BRIGHTNESS):
        folder = series(f"{number}.dcm", brightness)
    white = np.percentile(np.concatenate([np.linspace(0, each, 256).astype(int) for each in BRIGHTNESS]), 99.9)
    assert brightest(folder, config) == {
        f"{number}.dcm": pytest.approx(min(1, each / white), abs=0.01) for number, each in enumerate(BRIGHTNESS)
    }


def test_a_dataset_has_the_contrast_of_the_series(series, config):
    for number, brightness in enumerate(BRIGHTNESS):
        folder = series(f"{number}.dcm", brightness)
    dataset = load(str(folder), config(slices="all"))
    found = {name: split.read([at]).max() for split in dataset.splits.values() for at, name in enumerate(split.names)}
    assert found == pytest.approx({"0.dcm": 1, "1.dcm": 0.4, "2.dcm": 0.005}, abs=0.02)


@pytest.mark.parametrize("tags", [{"SeriesInstanceUID": "1.2.4"}, {"ImageOrientationPatient": CORONAL}])
def test_another_series_or_direction_has_its_own_window(series, config, tags):
    for number, brightness in enumerate((1000, 400)):
        folder = series(f"{number}.dcm", brightness)
    for number, brightness in enumerate((100, 40), start=2):
        folder = series(f"{number}.dcm", brightness, **tags)
    found = brightest(folder, config)
    assert found == pytest.approx({"0.dcm": 1, "1.dcm": 0.4, "2.dcm": 1, "3.dcm": 0.4}, abs=0.01)


def test_the_windows_of_files_count_if_all_have_one(series, config):
    window = {"WindowCenter": 100, "WindowWidth": 201}
    for number, brightness in enumerate((1000, 100)):
        folder = series(f"{number}.dcm", brightness, **window)
    assert brightest(folder, config) == {"0.dcm": 1.0, "1.dcm": 0.5}
    source = open_source(config(source=str(folder)))
    series("2.dcm", 1000)
    assert brightest(folder, config) == pytest.approx({"0.dcm": 1, "1.dcm": 0.1, "2.dcm": 1}, abs=0.01)
    assert not source._series._shared


def test_the_window_of_a_series_is_in_quantities_and_inverted(series, config):
    folder = series("0.dcm", 1000, RescaleSlope=2, RescaleIntercept=-100)
    series("1.dcm", 500, RescaleSlope=4, RescaleIntercept=-100)
    source = open_source(config(source=str(folder)))
    assert [np.median(source.read(at).gray) for at in range(2)] == pytest.approx([0.5, 0.5], abs=0.01)
    for number in range(2):
        series(f"{number}.dcm", 1000 - 500 * number, PhotometricInterpretation="MONOCHROME1")
    source = open_source(config(source=str(folder)))
    assert [source.read(at).gray.min() for at in range(2)] == pytest.approx([0, 0.5], abs=0.01)


def test_the_series_changes_the_content_hash_and_one_file_alone_does_not(series, config, monkeypatch):
    folder = series("0.dcm", 1000)
    alone = open_source(config(source=str(folder))).content_hash()
    series("1.dcm", 400)
    together = open_source(config(source=str(folder))).content_hash()
    monkeypatch.setattr(dicom_series.SeriesWindows, "__contains__", lambda windows, name: False)
    assert open_source(config(source=str(folder))).content_hash() != together
    (folder / "1.dcm").unlink()
    assert open_source(config(source=str(folder))).content_hash() == alone


@pytest.mark.parametrize(
    "tags", [{"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, {"SeriesDescription": "3-plane localiser"}]
)
def test_localizers_are_left_out_if_there_is_anything_else(series, config, tags):
    folder = series("0.dcm", 1000, SeriesInstanceUID="1.2.9", **tags)
    assert list(brightest(folder, config)) == ["0.dcm"]
    series("1.dcm", 400)
    source = open_source(config(source=str(folder)))
    assert [item.name for item in source.items] == ["1.dcm"]
    assert [(each.name, each.reason) for each in source.skipped] == [("0.dcm", "a localizer")]


@pytest.mark.parametrize(("study", "kept"), [("1.2", ["1.dcm"]), ("1.9", ["0.dcm", "1.dcm"]), ("", ["0.dcm", "1.dcm"])])
def test_derived_images_are_left_out_if_their_study_has_originals(series, config, study, kept):
    derived = {"SeriesInstanceUID": "1.2.9", "StudyInstanceUID": study}
    folder = series("0.dcm", 1000, ImageType=["DERIVED", "SECONDARY", "MPR"], **derived)
    series("1.dcm", 400, ImageType=["ORIGINAL", "PRIMARY"], **({} if study else {"StudyInstanceUID": ""}))
    source = open_source(config(source=str(folder)))
    assert [item.name for item in source.items] == kept
    assert [each.reason for each in source.skipped] == ["a derived image, whose study has original ones"][
        : 2 - len(kept)
    ]


def test_a_slice_that_is_opened_alone_has_the_contrast_of_its_series(series, config):
    for number, brightness in enumerate(BRIGHTNESS):
        folder = series(f"{number}.dcm", brightness)
    series("other.dcm", 9, SeriesInstanceUID="1.2.4")
    (folder / "notes.txt").write_text("no DICOM file")
    scan = read_scan(folder / "1.dcm")
    assert scan.pixels.max() == pytest.approx(0.4, abs=0.02)
    assert scan.notes[0].startswith("Displayed with the window of its series, 0 to ")
    assert read_scan(folder / "1.dcm", alone=True).pixels.max() == 1
    assert read_scan(folder / "other.dcm").pixels.max() == 1


@pytest.mark.parametrize("tags", [{}, {"ImageOrientationPatient": CORONAL}, {"ImagePositionPatient": None}])
def test_slices_are_sorted_along_the_normal(series, config, tags):
    for name, place in (("a.dcm", 5), ("b.dcm", -5), ("d.dcm", 0), ("e.dcm", 10)):
        along = [0, -place, 0] if "ImageOrientationPatient" in tags else [0, 0, place]
        folder = series(name, 1000, **{"ImagePositionPatient": along, "InstanceNumber": place, **tags})
    series("c.dcm", 1000, SeriesInstanceUID="1.2.4")
    source = open_source(config(source=str(folder)))
    found = [item.name for item in source.items]
    # Coronal slices run along the normal too, from front to back.
    ordered = ["b.dcm", "d.dcm", "a.dcm", "e.dcm"]
    assert found == [*(ordered[::-1] if "ImageOrientationPatient" in tags else ordered), "c.dcm"]


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [("t1", [0]), ("2", [1]), ("1.2.7", [2]), ("post", [1]), ("ct", [2]), ("", [0, 1, 2]), ("flair", [])],
)
def test_a_series_is_chosen_by_number_description_uid_or_modality(series, config, wanted, kept):
    facts = [("1.2.5", "1", "T1", "MR"), ("1.2.6", "2", "T1 post", "MR"), ("1.2.7", "3", "Head", "CT")]
    for at, (uid, number, description, modality) in enumerate(facts):
        names = {"SeriesNumber": number, "SeriesDescription": description, "Modality": modality}
        folder = series(f"{at}.dcm", 1000, SeriesInstanceUID=uid, **names)
    source = open_source(config(source=str(folder), series=wanted))
    assert [item.name for item in source.items] == [f"{at}.dcm" for at in kept]
    assert all(
        f"no DICOM series with the number, description, UID or modality '{wanted}'" == each.reason
        for each in source.skipped
    )
    together = "The DICOM series HEAD, T1, T1 POST are used together; choose one with Series (--series)."
    assert (together in source.notes) == (not wanted)


def test_segmentations_are_never_trained_on(series, config):
    folder = series("seg.dcm", 1000, Modality="SEG")
    assert not open_source(config(source=str(folder))).items
    series("0.dcm", 1000, SeriesInstanceUID="1.2.4")
    source = open_source(config(source=str(folder)))
    assert [item.name for item in source.items] == ["0.dcm"]
    assert [each.reason for each in source.skipped] == ["a segmentation (DICOM SEG)"]


def test_one_of_several_series_of_a_disc_opens(series, tmp_path):
    for number in range(6):
        tags = {"SeriesInstanceUID": f"1.2.{number % 2}", "SeriesNumber": number % 2 + 1, "PixelSpacing": [1, 1]}
        tags |= {"SeriesDescription": ("T1", "T2")[number % 2], "ImagePositionPatient": [0, 0, number]}
        folder = series(f"{number}.dcm", 1000 * (number % 2 + 1), WindowCenter=1000, WindowWidth=2001, **tags)
    (folder / "disc").mkdir()
    for file in list(folder.glob("*.dcm")):
        file.rename(folder / "disc" / file.name)
    (folder / "DICOMDIR").write_bytes(b"index")
    with pytest.raises(
        UnreadableFile,
        match=r"the index of a disc \(DICOMDIR\) with 2 DICOM series; choose one.*"
        r"\(--series\): 1 · T1 \(3\), 2 · T2 \(3\)",
    ):
        series_folder.read_scan(folder)
    with pytest.raises(UnreadableFile, match=r"without a DICOM series 'flair'.*: 1 · T1 \(3\), 2 · T2 \(3\)"):
        series_folder.read_scan(folder, series="flair")
    assert series_folder.read_scan(folder, series="t2").pixels.max() == 1
    assert series_folder.read_scan(folder, series="1").pixels.max() == pytest.approx(0.5, abs=0.01)
    assert find_folder_of(folder / "DICOMDIR") == folder


def test_a_damaged_slice_does_not_spoil_the_series(series, config):
    for number, brightness in enumerate((1000, 400, 400)):
        folder = series(f"{number}.dcm", brightness)
    content = (folder / "2.dcm").read_bytes()
    (folder / "2.dcm").write_bytes(content[:-100])
    dataset = load(str(folder), config(slices="all"))
    assert [each.name for each in dataset.skipped] == ["2.dcm"]
    found = {name: split.read([at]).max() for split in dataset.splits.values() for at, name in enumerate(split.names)}
    assert found == pytest.approx({"0.dcm": 1, "1.dcm": 0.4}, abs=0.02)


def stacked(series, **tags):
    """Open a series of four slices whose tags come from a function of their number."""
    for at in range(4):
        own = {name: value(at) for name, value in tags.items()}
        folder = series(f"{at}.dcm", 100 + 100 * at, WindowCenter=200, WindowWidth=401, PixelSpacing=[1, 1], **own)
    return folder


def test_images_of_one_place_are_as_many_volumes(series):
    folder = stacked(series, ImagePositionPatient=lambda at: [0, 0, at // 2], InstanceNumber=lambda at: at)
    (folder / "twice.dcm").write_bytes((folder / "3.dcm").read_bytes())
    scan = series_folder.read_scan(folder)
    assert scan.pixels.max(axis=(1, 2)).round(2).tolist() == [0.25, 0.75]
    assert scan.notes[0] == "Its series holds 2 images of each place (times or echoes); volume 1 is shown."
    assert series_folder.read_scan(folder, 2).pixels.max(axis=(1, 2)).round(2).tolist() == [0.5, 1.0]
    with pytest.raises(UnreadableFile, match="3"):
        series_folder.read_scan(folder, 3)


def test_slices_without_positions_come_in_the_order_of_their_numbers(series):
    scan = series_folder.read_scan(stacked(series, InstanceNumber=lambda at: 10 - at))
    assert scan.pixels.max(axis=(1, 2)).round(2).tolist() == [1.0, 0.75, 0.5, 0.25]
    assert scan.grid is None
    assert "Its slices have no positions and come in the order of their numbers." in scan.notes


def test_a_gap_and_pixels_of_other_sizes_are_said(series):
    folder = stacked(series, ImagePositionPatient=lambda at: [0, 0, at + (at > 1)])
    assert series_folder.read_scan(folder).notes[-1].startswith("Its slices are not evenly spaced")
    series("4.dcm", 9, ImagePositionPatient=[0, 0, 9], PixelSpacing=[2, 1], WindowCenter=200, WindowWidth=401)
    with pytest.raises(UnreadableFile, match="pixels of different sizes"):
        series_folder.read_scan(folder)


@pytest.mark.parametrize(
    "tags",
    [{"WindowCenter": 40, "WindowWidth": 80}, {"PhotometricInterpretation": "MONOCHROME1", "PixelPaddingValue": 0}],
)
def test_slices_of_air_are_left_out_unless_all_are_wanted(dicom, tmp_path, config, tags):
    folder = tmp_path / "head"
    folder.mkdir()
    for number, radius in enumerate((0, 0.5, 4, 7, 0.5, 0)):
        rows, columns = np.mgrid[:16, :16] - 7.5
        stored = (np.arange(256).reshape(16, 16) % 7 + 20 + 900 * (np.hypot(rows, columns) < radius)).astype(np.uint16)
        if "PixelPaddingValue" in tags:  # dark tissue is stored with high values
            stored = 1000 - stored
            stored[0] = 0
        dicom(stored, SeriesInstanceUID="1.2.3", **tags).rename(folder / f"{number}.dcm")
    dataset = load(str(folder), config())
    assert {name for split in dataset.splits.values() for name in split.names} == {"2.dcm", "3.dcm"}
    assert "4 slices show too little of the head and are left out (see Slices, --slices)." in dataset.notes
    assert dataset.skipped == ()
    kept = open_source(config(source=str(folder), slices="all"))
    assert kept.read(0).gray.shape == (16, 16)
    assert kept.content_hash() != open_source(config(source=str(folder))).content_hash()
