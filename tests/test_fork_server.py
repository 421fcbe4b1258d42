"""A fork of the server looks like a process of its own to whoever started it."""

import json
import os
import select
import signal
import subprocess
import sys

import pytest

from tests.conftest import PYTHON

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="forks are waited for by pidfd (Linux)")
SEEN = """
import json, os, sys
print(json.dumps([sys.argv, os.getcwd(), os.environ.get("SEEN"), sys.stdin.read(), "tensorflow" in sys.modules]))
sys.stderr.write("words")
sys.exit(7)
"""
WAITING = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"


def test_fork_has_arguments_folder_environment_streams_and_status(forking_python, tmp_path):
    environment = {**os.environ, "SEEN": "yes"}
    done = subprocess.run(
        [forking_python, "-c", SEEN, "a", "b c"],
        cwd=tmp_path,
        env=environment,
        input=b"lines",
        capture_output=True,
        check=False,
    )
    assert json.loads(done.stdout) == [["-c", "a", "b c"], str(tmp_path), "yes", "lines", True]
    assert (done.returncode, done.stderr) == (7, b"words")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_fork_and_is_its_status(forking_python, number):
    with subprocess.Popen([forking_python, "-c", WAITING], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        fork = os.pidfd_open(int(process.stdout.readline()))
        process.send_signal(number)
        assert process.wait(60) == -number
    assert select.select([fork], [], [], 60)[0], "the fork lives on"
    os.close(fork)


def test_fork_that_kills_itself_ends_by_that_signal(forking_python):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert subprocess.run([forking_python, "-c", code], check=False).returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    "changes",
    [{"KERAS_BACKEND": "jax"}, {"PYTHONPATH": "/elsewhere"}, {"OMP_NUM_THREADS": "1"}],
    ids=lambda each: next(iter(each)),
)
def test_command_that_would_start_otherwise_gets_a_real_process(forking_python, changes):
    code = "import sys; print('tensorflow' in sys.modules, sys.executable)"
    said = subprocess.run(
        [forking_python, "-c", code], env={**os.environ, **changes}, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["False", PYTHON]
    assert sys.executable == PYTHON
