"""Class and split of an image from the folders that it lies in.

    Training/glioma/1.jpg   Testing/glioma/1.jpg      split folders and class folders
    glioma/1.jpg            train/1.png  1.png        only one of them, or neither
    images/train/1.png      train/images/1.png        a folder that says only that it holds images

A folder whose name has a word for a split (`split_name`) holds that split; the first other folder of the path is the
class. Folders that wrap all others (as in unpacked archives) are ignored, and so are folders called images.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final

from engine.data.source import SourceItem, SplitName, has_split_word, is_split_word, split_name

FindSplit = Callable[[str], SplitName | None]
# Folders that say only that there are images in them.
PLAIN_FOLDERS: Final = frozenset(
    {"images", "image", "imgs", "img", "pictures", "slices", "png", "pngs", "jpg", "jpgs", "jpeg", "jpegimages"}
    | {"imagestr", "imagesval", "imagests"}
)


def parse_layout(names: Sequence[str]) -> list[SourceItem]:
    """Parse class and split of each image from its path.

    Args:
        names: relative paths with '/' between folders.

    Returns:
        An item for each name, in order.
    """
    folders = [name.split("/")[:-1] for name in names]
    find = _choose_rule(folders)
    while _is_wrapper(folders, find):
        folders = [parts[1:] for parts in folders]
    return [_make_item(name, parts, find) for name, parts in zip(names, folders, strict=True)]


def note_undecided_folders(items: Sequence[SourceItem]) -> tuple[str, ...]:
    """Return a sentence on the folders whose names have a word for a split and that were not taken for one."""
    found = {part for item in items if item.split is None for part in item.name.split("/")[:-1] if has_split_word(part)}
    if len(found) < 2:
        return ()
    named = ", ".join(f"'{part}'" for part in sorted(found)[:4])
    return (f"The folders {named} are not taken for splits; name them train, validation and test if they are.",)


def _choose_rule(folders: Sequence[list[str]]) -> FindSplit:
    """Return the rule by which a folder's name is a split.

    Several folders of one split, without a training set, are classes that share a word, such as test_positive and
    test_negative; then only a name that is nothing but the word counts.
    """
    named: dict[str, set[str]] = defaultdict(set)
    for part in {part for parts in folders for part in parts}:
        if split := split_name(part):
            named[split].add(part.casefold())
    loose = {part for parts in named.values() for part in parts if not is_split_word(part)}
    if "train" not in named and loose and any(len(parts) > 1 for parts in named.values()):
        return _find_exact_split
    return split_name


def _find_exact_split(text: str) -> SplitName | None:
    return split_name(text) if is_split_word(text) else None


def _is_wrapper(folders: Sequence[list[str]], find: FindSplit) -> bool:
    """Return whether all images lie in subfolders of one folder that names no split, or that holds all splits."""
    firsts = {parts[0] if len(parts) > 1 else "" for parts in folders}
    if len(firsts) != 1 or "" in firsts:
        return False
    inside = {split for parts in folders for part in parts[1:] if (split := find(part))}
    return len(inside) > 1 or find(firsts.pop()) is None


def _make_item(name: str, folders: Sequence[str], find: FindSplit) -> SourceItem:
    named = [part for part in folders if find(part)]
    named.sort(key=lambda part: not is_split_word(part))  # train_val/val is validation
    classes = [part for part in folders if part not in named and part.casefold() not in PLAIN_FOLDERS]
    return SourceItem(name, classes[0] if classes else None, find(named[0]) if named else None)
