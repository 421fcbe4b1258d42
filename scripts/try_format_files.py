"""Open every file that pydicom and nibabel ship with, and print a Markdown table by kind: what opens, what is refused.

Exit status 1 if a refusal holds words of Python. With --all it prints a line for every file. The table in
docs/reference/formats.md was printed by this script.
"""

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nibabel
import pydicom

from engine import data
from engine.data.files import is_dicom_content
from engine.errors import EngramError

# Only files that lie here: pydicom would download others.
PACKAGES = {"pydicom": Path(pydicom.__file__).parent / "data", "nibabel": Path(nibabel.__file__).parent}
NO_DATA = {".py", ".pyc", ".m", ".rst", ".dump", ".txt"}
KINDS = {
    "Philips PAR / REC": (".par", ".rec"),
    "AFNI HEAD / BRIK": (".head", ".brik", ".brik.gz"),
    "streamlines (TrackVis, MRtrix)": (".trk", ".tck"),
    "MINC": (".mnc",),
    "NIfTI, CIFTI": (".nii", ".nii.gz"),
    "header of a pair": (".hdr",),
    "FreeSurfer volume": (".mgz", ".mgh"),
    "GIFTI surface": (".gii", ".gii.gz"),
    "ECAT": (".v",),
    "DICOM, compressed with gzip": (".dcm.gz", "zipmr.gz"),
}
PYTHON_WORDS = re.compile(r"Traceback|Error\b|NoneType|object|argument|codec|subscript|buffer|dtype|\bstr\b|\bint\b")
WORKERS = 2


def list_files() -> Iterator[tuple[str, Path]]:
    """Yield the package and the path of every file."""
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*")):
            is_data = package == "pydicom" or path.parent.name == "data"
            if is_data and path.is_file() and path.suffix not in NO_DATA and not path.name.startswith(("README", ".")):
                yield package, path


def find_kind(path: Path) -> str:
    """Return the kind of a file: by its name, or what a DICOM file holds and how it is compressed."""
    name = path.name.casefold()
    if named := next((kind for kind, suffixes in KINDS.items() if name.endswith(suffixes)), ""):
        return named
    if not is_dicom_content(path):
        return "other files"
    if name.startswith("dicomdir"):
        return "DICOMDIR"
    head = pydicom.dcmread(path, force=True, stop_before_pixels=True, specific_tags=["Rows"])
    if not head.get("Rows"):
        return "DICOM without an image"
    syntax = head.file_meta.get("TransferSyntaxUID")
    return f"DICOM, {syntax.name if syntax is not None and syntax.is_encapsulated else 'not compressed'}"


def try_file(path: Path) -> str:
    """Return what happens when a file is opened: its slices, or the refusal."""
    try:
        scan = data.open_scan(path)
    except EngramError as error:
        sentence = str(error).split(" cannot be opened: ", 1)[-1].split(" Engram opens ")[0]
        return f"refused: {sentence.split('(--series)')[0].rstrip('; (')}"
    return f"opened: {len(scan)} × {scan.pixels.shape[1]} × {scan.pixels.shape[2]}"


def main() -> int:
    """Print the table; return the exit status."""
    files = list(list_files())
    with ThreadPoolExecutor(WORKERS) as pool:
        results = list(pool.map(lambda file: try_file(file[1]), files))
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (package, path), result in zip(files, results, strict=True):
        found[package, find_kind(path)].append(result)
        if "--all" in sys.argv:
            print(f"{package}: {path.relative_to(PACKAGES[package])}: {result}")
    print("| package | kind | files | opened | refused with |\n| --- | --- | --- | --- | --- |")
    for (package, kind), members in sorted(found.items()):
        refusals = Counter(result.removeprefix("refused: ") for result in members if result.startswith("refused"))
        listed = "; ".join(f"“{sentence}”" + f" × {count}" * (count > 1) for sentence, count in refusals.most_common())
        print(f"| {package} | {kind} | {len(members)} | {len(members) - refusals.total()} | {listed} |")
    opened = sum(result.startswith("opened") for result in results)
    print(f"\n{opened} of {len(results)} files open; the others are refused.")
    return int(any(PYTHON_WORDS.search(result) for result in results))


if __name__ == "__main__":
    sys.exit(main())
