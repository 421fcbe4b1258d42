"""Whether a display answers is known before Qt starts, and said in one sentence."""

import os
import shutil
import socket
import subprocess
import sys

import pytest

from engine.formatting import format_command
from gui import display
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux may be without a display")


@pytest.fixture
def x_server():
    """Return a function that listens where an X server would and gives its DISPLAY."""
    listening = []

    def listen():
        for number in range(200, 300):
            server = socket.socket()
            listening.append(server)
            try:
                server.bind(("127.0.0.1", 6000 + number))
            except OSError:
                continue
            server.listen()
            return server, f"127.0.0.1:{number}"
        raise AssertionError("no port is free")

    yield listen
    for server in listening:
        server.close()


def test_no_display_is_said_with_what_works_without_one():
    assert (
        display.find_obstacle({})
        == f"The app cannot start: no display was found. {display.ADVICE}{format_command('demo')}"
    )


@pytest.mark.parametrize("variable", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_a_display_that_nobody_serves_is_named(variable):
    sentence = display.find_obstacle({variable: ":4711"})
    assert f"({variable} is :4711 and nothing answers there)" in sentence


def test_a_server_that_takes_the_connection_and_never_speaks_does_not_answer(x_server, monkeypatch):
    monkeypatch.setattr(display, "TIMEOUT_S", 0.2)
    _, address = x_server()
    assert f"DISPLAY is {address} and nothing answers there" in display.find_obstacle({"DISPLAY": address})


def test_a_missing_system_library_is_named(monkeypatch):
    monkeypatch.setitem(display._SERVERS, "xcb", ("DISPLAY", "libnowhere.so.1", None))
    assert "libnowhere.so.1, which Qt needs for DISPLAY=:0, is not installed" in display.find_obstacle(
        {"DISPLAY": ":0"}
    )


def test_a_platform_without_a_screen_needs_no_display():
    assert display.find_obstacle({"QT_QPA_PLATFORM": "offscreen"}) is None


def test_the_chosen_platform_is_the_one_that_must_answer():
    assert "WAYLAND_DISPLAY" not in display.find_obstacle({"QT_QPA_PLATFORM": "xcb", "WAYLAND_DISPLAY": "w"})


def test_a_real_display_answers():
    if not shutil.which("Xvfb"):
        pytest.skip("there is no virtual display here: apt-get install xvfb")
    read, write = os.pipe()
    server = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-nolisten", "tcp"], pass_fds=[write])
    os.close(write)
    try:
        with os.fdopen(read) as answer:
            number = answer.readline().strip()
        assert display.find_obstacle({"DISPLAY": f":{number}"}) is None
    finally:
        server.kill()
        server.wait()


@pytest.mark.parametrize("arguments", [["main.py"], ["-m", "gui.display"]])
def test_programs_end_with_the_sentence_and_without_qt(arguments):
    environment = {name: value for name, value in os.environ.items() if name != "QT_QPA_PLATFORM"}
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment | {"DISPLAY": ":4711"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.strip() == display.find_obstacle({"DISPLAY": ":4711"})


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_and_version_need_neither_a_display_nor_qt(option, run_python):
    blocked = "import sys; sys.modules['PySide6'] = None; sys.argv = ['engram', sys.argv[1]]"
    code = f"{blocked.replace('sys.argv[1]', repr(option))}; from gui import launch; launch.main()"
    assert "ngram" in run_python(code)


def test_qt_that_cannot_be_loaded_is_a_sentence(run_python):
    code = """
import sys; sys.modules['PySide6'] = None
from gui import launch
try: launch.main([])
except SystemExit as end: print(end.code)
"""
    assert "Qt could not be loaded" in run_python(code)
