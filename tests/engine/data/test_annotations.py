"""Masks and boxes among the images of a folder."""

import pytest

from engine.data import load
from engine.data.annotations import find_boxes, find_masks, note_derived


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("images/0.png", "masks/0.png"),
        ("images/0.png", "masks/0_mask.png"),
        ("images/0.jpg", "Ground Truth/0.PNG"),
        ("0.png", "masks/0.png"),
        ("images/train/0.png", "masks/train/0.png"),
        ("train/images/0.png", "train/labels/0.png"),
        ("glioma/0.png", "glioma_mask/0.png"),
        ("imagesTr/case_1_0000.png", "labelsTr/case_1.png"),
        ("images/img_1.png", "masks/mask_1.png"),
        ("images/0.png", "masks/0_tumor.png"),
        ("images/0.png", "annotations/trimaps/0.png"),
        ("p0_flair.png", "p0_seg.png"),
        ("a/b (1).png", "a/b (1)_mask_1.png"),
        ("x/TCGA_1.tif", "x/TCGA_1_mask.tif"),
        ("7.png", "label_7.png"),
        ("x1.png", "x1_lesion.png"),
        ("x1.png", "x1-lesion-0.png"),
        ("p1_t1.nii.gz", "p1_lesion.nii.gz"),
        ("p1_t1.nii.gz", "p1_tumor_core.nii.gz"),
        ("x1_lesion.png", "x1_lesion_mask.png"),
        *(
            (f"x{mark}1.png", f"x{mark}1{end}.png")
            for mark in "_-"
            for end in ("_mask", "-mask", "_seg", "_segmentation")
        ),
        *(("x1.png", f"x1_{word}.png") for word in ("label", "labels", "lesion", "roi", "annotation", "gt")),
    ],
)
def test_mask_beside_its_image_is_found(image, mask):
    other = [name.replace("0", "8").replace("1", "9").replace("7", "6") for name in (image, mask)]
    found = find_masks([image, *other, mask])
    assert found.masked[mask] == image
    assert found.masks[image] == [mask]


@pytest.mark.parametrize(
    "names",
    [
        ("mask/0.png", "no_mask/0.png"),
        ("glioma/0.png", "no_mask/0.png"),
        ("masks/0.png", "masks/1.png"),
        ("unlabeled/0.png", "labeled/0.png"),
        ("p1_seg.png", "p10_flair.png"),
        ("segmental/0.png", "images/0.png"),
        ("train/0.png", "test/0.png"),
        ("p0_normal.png", "p0_lesion.png"),
        ("0_lesion.png", "1_lesion.png"),
        ("lesion/0.png", "normal/0.png"),
        ("x_mask.png", "y_gt.png"),
    ],
)
def test_image_is_not_taken_for_a_mask(names):
    assert find_masks(names).masked == {}


def test_one_mask_belongs_to_all_images_that_share_its_name():
    found = find_masks(["p_t1.png", "p_flair.png", "p_seg.png"])
    assert found.masks == {"p_t1.png": ["p_seg.png"], "p_flair.png": ["p_seg.png"]}


def test_mask_without_an_image_is_none_to_train_on():
    found = find_masks(["images/0.png", "masks/0.png", "masks/extra.png"])
    assert found.masked == {"masks/0.png": "images/0.png", "masks/extra.png": ""}


def test_yolo_file_belongs_to_the_image_of_its_name():
    found = find_boxes(["labels/train/0.txt", "labels/classes.txt", "notes.md"], ["images/train/0.png", "images/1.png"])
    assert found == {"labels/train/0.txt": "images/train/0.png"}


@pytest.mark.parametrize("form", ["images/{0}.png masks/{0}.png", "p{0}_flair.png p{0}_seg.png"])
def test_masks_are_not_trained_on(tree, config, form):
    pairs = [form.format(number).split() for number in range(12)]
    folder = tree(*(image for image, _ in pairs), *(mask for _, mask in pairs))
    dataset = load(str(folder), config())
    assert {name for split in dataset.splits.values() for name in split.names} == {image for image, _ in pairs}
    assert dataset.classes == ()
    assert {(each.name, each.reason) for each in dataset.skipped} == {
        (mask, f"a mask of {image}") for image, mask in pairs
    }


def test_names_with_the_same_unknown_ending_are_noted(tree, config):
    pairs = [f"{number}{end}.png" for number in range(5) for end in ("", "_overlay")]
    notes = load(str(tree(*pairs)), config()).notes
    assert notes[0].startswith("5 images are called like another one with '_overlay' at the end, such as 0_overlay.png")
    assert note_derived(pairs[:8]) == ()
    assert note_derived([f"p{number}_{kind}.png" for number in range(9) for kind in ("t1", "t2")]) == ()
    assert note_derived([f"gg{end}.png" for end in ("", *(f" ({number})" for number in range(9)))]) == ()


def test_a_hump_and_a_name_alone_mark_masks():
    assert find_masks(["a/1.png", "a/1Mask.png", "b/t1.nii.gz", "b/t2.nii.gz", "b/seg.nii.gz"]).masks == {
        "a/1.png": ["a/1Mask.png"],
        "b/t1.nii.gz": ["b/seg.nii.gz"],
        "b/t2.nii.gz": ["b/seg.nii.gz"],
    }
    many = [f"{number}.png" for number in range(9)]
    assert not find_masks([*many, "mask.png"]).masked
