"""Tiny settings that train in a second, for every test of the engine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.backend_process import BackendProcess
from tests.trained_runs import tiny_config

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tiny():
    """Make a tiny config: `tiny()`, `tiny(model="vae", epochs=3)`; what a model does not have is left out of it."""

    return tiny_config


@pytest.fixture(scope="session")
def run_on(tmp_path_factory):
    """Run code in a process that computes with a backend: `run_on("jax", "print(1)")` -> what it prints.

    Each backend has one process, which runs all such code: code must leave that process as it found it.
    """
    started, alive = [], {}

    def run(backend, code, *arguments):
        if backend not in alive or not alive[backend].is_alive():
            alive[backend] = BackendProcess(backend, tmp_path_factory.mktemp(backend) / "log")
            started.append(alive[backend])
        return alive[backend].run(code, *arguments)

    yield run
    for process in started:
        process.close()


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
