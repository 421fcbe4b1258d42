"""Give the processes of trials a framework that is imported at once and trains nothing.

A test puts this folder on PYTHONPATH. Python imports this module before the program, and every other process than a
trial's is left as it is.
"""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path

FILES = {"keras": "fake_keras.py", "tensorflow": "fake_tensorflow.py", "engine.training.trainer": "fake_fitting.py"}


class FakeFramework:
    """Finds the fakes before the packages whose names they have."""

    @staticmethod
    def find_spec(name, path=None, target=None) -> ModuleSpec | None:
        if name in FILES:
            return spec_from_file_location(name, Path(__file__).parent / FILES[name])
        return None


if "engine.search.trial_worker" in sys.orig_argv:
    sys.meta_path.insert(0, FakeFramework)
