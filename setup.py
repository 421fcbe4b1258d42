"""Puts the documentation into the wheel, where the help window finds it; all else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithDocs(build_py):
    """Build that copies `docs` into the package of resources; an editable copy reads it where it is."""

    def run(self) -> None:
        """Copy the packages, and the documentation beside the other resources."""
        super().run()
        if not self.editable_mode:
            target = Path(self.build_lib) / "resources" / "docs"
            shutil.copytree(Path(__file__).with_name("docs"), target, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithDocs})
