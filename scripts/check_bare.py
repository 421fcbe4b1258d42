"""Fail if a package of an optional extra can be imported: then the bare lane would prove nothing.

Usage: python scripts/check_bare.py      exit status 0: only what `make set-up` installs is here
"""

import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
INSTALLED_BY_SET_UP = "dev"
# Where the module is not the package's name with underscores.
MODULES = {
    "mkdocs-material": "material",
    "pyjpegls": "jpeg_ls",
    "pylibjpeg-openjpeg": "openjpeg",
    "python-gdcm": "gdcm",
    "simpleitk": "SimpleITK",
    "umap-learn": "umap",
}


def name_of(requirement: str) -> str:
    """Return the bare name of a requirement such as `dask[complete]>=2025.1`."""
    return requirement.partition(";")[0].translate(str.maketrans("[<>=!~", "      ")).split()[0].lower()


def list_extra_packages() -> list[str]:
    """Name the packages that only an extra brings."""
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = {name_of(line) for line in [*project["dependencies"], *extras[INSTALLED_BY_SET_UP]]}
    names = {name_of(line) for extra, lines in extras.items() if extra != INSTALLED_BY_SET_UP for line in lines}
    return sorted(names - wanted)


def can_import(package: str) -> bool:
    """Tell whether a package can be imported here."""
    return find_spec(MODULES.get(package, package.replace("-", "_"))) is not None


def main() -> int:
    """Name the extras that are installed; return 1 then, else 0."""
    packages = list_extra_packages()
    found = [package for package in packages if can_import(package)]
    if found:
        print(f"This environment holds more than `make set-up` installs: {', '.join(found)}.", file=sys.stderr)
        print("Remove .venv and run `make set-up`.", file=sys.stderr)
        return 1
    print(f"Not installed, as it should be: {', '.join(packages)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
