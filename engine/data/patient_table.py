"""Table of patients, such as `patients.csv`: which patient each image file belongs to.

The table has a header with the columns `file` and `patient`, perhaps also `split` and `class`, the folders that the
file lies in. Columns are separated by commas, semicolons or tabs. Paths may have backslashes, a leading `./`, and any
case; a bare file name counts where only one image has it.
"""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from engine.errors import DataError, SourceNotFound

FILE_NAME: Final = "patients.csv"
MAX_BYTES: Final = 2**24
_DELIMITERS: Final = (",", ";", "\t")
_FOLDERS: Final = ("split", "class")
_ALIASES: Final = {
    **dict.fromkeys(("file", "filename", "file_name", "path", "image"), "file"),
    **dict.fromkeys(("patient", "patient_id", "patientid", "subject", "subject_id", "participant_id"), "patient"),
    **dict.fromkeys(("class", "label"), "class"),
    "split": "split",
}


def read_patient_table(path: Path) -> dict[str, str]:
    """Read a table of patients.

    Returns:
        Name of a file as the table has it, with its folders -> patient; rows without a patient are left out.

    Raises:
        SourceNotFound: the file does not exist.
        DataError: it is not such a table, or gives two patients for one file.
    """
    if not path.is_file():
        raise SourceNotFound(f"There is no patient table {path}.", "Give the path of a CSV file.")
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{path.name} is too large for a table of patients.", "Give a smaller file.")
        text = path.read_text(encoding="utf-8-sig")
        rows = [row for row in csv.reader(text.splitlines(), delimiter=_find_delimiter(text)) if any(row)]
    except (UnicodeDecodeError, csv.Error):
        raise DataError(f"{path.name} is not a text file with columns.", "Save it as CSV in UTF-8.") from None
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror}).", "Check the permissions.") from None
    return _parse_rows(rows, path.name)


def _find_delimiter(text: str) -> str:
    header = text.lstrip().splitlines()[:1]
    return max(_DELIMITERS, key=lambda each: header[0].count(each)) if header else ","


def _parse_rows(rows: Sequence[list[str]], name: str) -> dict[str, str]:
    columns = [_ALIASES.get(cell.strip().casefold(), "") for cell in rows[0]] if rows else []
    if missing := [column for column in ("file", "patient") if column not in columns]:
        raise DataError(f"{name} has no column {' and no column '.join(missing)}.", "Its header must contain both.")
    found: dict[str, str] = {}
    for row in rows[1:]:
        cells = {column: cell.strip() for column, cell in zip(columns, row, strict=False) if column}
        if not cells.get("file") or not cells.get("patient"):
            continue
        file = "/".join(cells[column] for column in (*_FOLDERS, "file") if cells.get(column))
        if found.setdefault(file, cells["patient"]) != cells["patient"]:
            raise DataError(f"{name} gives two patients for '{file}'.", "Correct the table.")
    if not found:
        raise DataError(f"{name} names no patient.", "Fill in the columns file and patient.")
    return found


def match_table(table: Mapping[str, str], names: Sequence[str], folder: Path | None) -> list[str]:
    """Return the patient of each image, '' where the table does not have it.

    Args:
        table: the result of `read_patient_table`.
        names: paths of the images below their source.
        folder: the source, if it is a folder: the table's paths may also begin above it.
    """
    known = {_normalize(file): patient for file, patient in table.items()}
    paths = [_normalize(name) for name in names]
    parts = [part.casefold() for part in folder.resolve().parts[1:]] if folder is not None else []
    above = ["", *("/".join([*parts[start:], ""]) for start in reversed(range(len(parts))))]
    places = Counter(path.rsplit("/", 1)[-1] for path in paths)

    def find(path: str) -> str:
        """Look up one image: by its path, by its path with folders above the source, then by its name alone."""
        name = path.rsplit("/", 1)[-1]
        candidates = [*(prefix + path for prefix in above), *([name] if places[name] == 1 else [])]
        return next((known[each] for each in candidates if each in known), "")

    return list(map(find, paths))


def _normalize(path: str) -> str:
    """Return a path with '/' between folders, in lower case, without './', '//' and a leading '/'."""
    parts = path.replace("\\", "/").casefold().split("/")
    return "/".join(part for part in parts if part not in ("", "."))


def make_mismatch_error(table: Mapping[str, str], path: Path, first_name: str) -> DataError:
    """Return the error of a table that matches no image, with a name of each side."""
    return DataError(
        f"{path.name} matches no image: the table has '{next(iter(table))}', the source has '{first_name}'.",
        "Write the paths as they are below the source, in the column file or in the columns split, class and file.",
    )


def find_table(given: str, folder: Path | None) -> Path | None:
    """Return the given table, or `patients.csv` in the folder of the images or the one above; None without one."""
    if given:
        return Path(given).expanduser()
    places = (folder / FILE_NAME, folder.resolve().parent / FILE_NAME) if folder is not None else ()
    return next((place for place in places if place.is_file()), None)
