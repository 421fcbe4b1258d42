"""Table of patients, such as `patients.csv`: which patient each image file belongs to.

The table has a header with the columns `file` and `patient`, perhaps also `split` and `class`, the folders that the
file lies in. Columns are separated by commas, semicolons or tabs; the text is UTF-8, UTF-16 or Windows-1252. Paths may
have backslashes, a leading `./`, any case, and no suffix; a bare file name counts where only one image has it.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from engine.errors import DataError, SourceNotFound
from engine.formatting import decode_table

FILE_NAME: Final = "patients.csv"
MAX_BYTES: Final = 2**24
_DELIMITERS: Final = (",", ";", "\t")
_FOLDERS: Final = ("split", "class")
_ALIASES: Final = {  # of names without what is no letter
    **dict.fromkeys(("file", "filename", "filepath", "path"), "file"),
    **dict.fromkeys(("image", "imagename", "imagefile", "imagepath", "imageid", "slice", "scan"), "file"),
    **dict.fromkeys(("patient", "patientid", "subject", "subjectid", "participant", "participantid"), "patient"),
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
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror}).", "Check the permissions.") from None
    return parse_table(content, path.name)


def parse_table(content: bytes, name: str) -> dict[str, str]:
    """Parse the content of a table, as `read_patient_table`.

    Raises:
        DataError: it is not such a table, or gives two patients for one file.
    """
    try:
        text = decode_table(content)
        rows = [row for row in csv.reader(text.splitlines(), delimiter=_find_delimiter(text)) if any(row)]
    except (UnicodeDecodeError, csv.Error):
        raise DataError(f"{name} is not a text file with columns.", "Save it as CSV in UTF-8.") from None
    return _parse_rows(rows, name)


def _find_delimiter(text: str) -> str:
    header = text.lstrip().splitlines()[:1]
    return max(_DELIMITERS, key=lambda each: header[0].count(each)) if header else ","


def _parse_rows(rows: Sequence[list[str]], name: str) -> dict[str, str]:
    columns = [_ALIASES.get("".join(filter(str.isalpha, cell.casefold())), "") for cell in rows[0]] if rows else []
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
    is_flat = not any("/" in path for path in paths)  # then the folders of the table are not there
    rows = ((file.rsplit("/", 1)[-1] if is_flat else file, patient) for file, patient in known.items())
    names_known = _list_unique(rows)
    places = Counter(path.rsplit("/", 1)[-1] for path in paths)
    stems = Counter(name.rpartition(".")[0] for name in places.elements())

    def find(path: str) -> str:
        """Look up one image: by its path, by its path with folders above the source, then by its name alone."""
        name = path.rsplit("/", 1)[-1]
        stem = name.rpartition(".")[0]
        candidates = [prefix + path for prefix in above]
        if found := next((known[each] for each in candidates if each in known), ""):
            return found
        if places[name] == 1 and name in names_known:
            return names_known[name]
        return names_known.get(stem, "") if stem and stems[stem] == 1 else ""

    return list(map(find, paths))


def _list_unique(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return name -> patient, without the names that several rows have."""
    found: dict[str, list[str]] = {}
    for name, patient in rows:
        found.setdefault(name, []).append(patient)
    return {name: patients[0] for name, patients in found.items() if len(patients) == 1}


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
