"""Tiny settings that train in a second, for every test of the engine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine import config

ROOT = Path(__file__).resolve().parents[2]
TINY = {
    "source": "phantom",
    "phantom_count": 36,
    "size": 32,
    "latent": 8,
    "filters": (4, 8),
    "epochs": 2,
    "batch_size": 8,
    "learning_rate": 1e-3,
}


@pytest.fixture
def tiny():
    """Make a tiny config: `tiny()`, `tiny(model="vae", epochs=3)`; what a model does not have is left out of it."""

    def make(**changes):
        sections = config.sections(changes.get("model", "ae")).values()
        known = {spec.name for section in sections for spec in config.fields(section)}
        return config.build({**{name: value for name, value in TINY.items() if name in known}, **changes})

    return make


@pytest.fixture
def start_python():
    """Start Python code in a fresh process and return it at once; ended with the test."""
    started = []

    def start(code, *arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
