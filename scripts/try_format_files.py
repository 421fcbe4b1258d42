"""Open every file that pydicom and nibabel ship with, and print a Markdown table of what opens and what is refused.

Exit status 1 if a refusal holds words of Python. The table in docs/reference/formats.md was printed by this script.
"""

import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

import nibabel
import pydicom

from engine import data
from engine.errors import EngramError

# Only files that lie here: pydicom would download others.
FOLDERS = {
    "pydicom": Path(pydicom.__file__).parent / "data" / "test_files",
    "nibabel": Path(nibabel.__file__).parent / "tests" / "data",
}
NO_DATA = {".py", ".pyc", ".m", ".rst", ".dump", ".txt"}
PYTHON_WORDS = re.compile(r"Traceback|Error\b|NoneType|object|argument|codec|subscript|buffer|dtype|\bstr\b|\bint\b")
WORKERS = 2


def list_files() -> Iterator[tuple[str, Path]]:
    """Yield the package and the path of every file."""
    for package, folder in FOLDERS.items():
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix not in NO_DATA and path.name != "README":
                yield package, path


def try_file(path: Path) -> str:
    """Return what happens when a file is opened."""
    try:
        scan = data.open_scan(path)
    except EngramError as error:
        sentence = str(error).split(" cannot be opened: ", 1)[-1]
        return f"refused: {sentence.split(' Engram opens ')[0]}"
    slices = f"{len(scan)} slices" if len(scan) > 1 else "1 slice"
    return f"opened: {slices} of {scan.pixels.shape[2]} × {scan.pixels.shape[1]}"


def main() -> int:
    """Print the table; return the exit status."""
    files = list(list_files())
    with ThreadPoolExecutor(WORKERS) as pool:
        results = list(pool.map(lambda file: try_file(file[1]), files))
    print("| package | file | result |\n| --- | --- | --- |")
    rows = zip(files, results, strict=True)
    for (package, folder, result), group in groupby(rows, lambda row: (row[0][0], row[0][1].parent, row[1])):
        names = [path.relative_to(FOLDERS[package]).as_posix() for (_, path), _ in group]
        more = f" to `{Path(names[-1]).name}` ({len(names)} files)" if len(names) > 1 else ""
        assert folder.is_dir()
        print(f"| {package} | `{names[0]}`{more} | {result} |")
    opened = sum(result.startswith("opened") for result in results)
    print(f"\n{opened} of {len(results)} files open; the others are refused.")
    return int(any(PYTHON_WORDS.search(result) for result in results))


if __name__ == "__main__":
    sys.exit(main())
