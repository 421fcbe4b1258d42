"""The shortcut on Linux, and what it would be on macOS and Windows."""

import configparser
import plistlib
import subprocess

import pytest
from PIL import Image

from engine.cli import app, parser


@pytest.fixture
def environment(tmp_path):
    return {"HOME": str(tmp_path)}


def test_linux_has_an_entry_and_icons(tmp_path, environment):
    files = app.install("linux", environment)
    assert all(file.is_file() and tmp_path in file.parents for file in files)
    entry = configparser.ConfigParser(interpolation=None)
    entry.optionxform = str
    entry.read(files[0], encoding="utf-8")
    facts = entry["Desktop Entry"]
    assert (facts["Type"], facts["Name"], facts["Icon"]) == ("Application", "Engram", "engram")
    assert facts["Exec"].endswith(" %F")
    assert app.app_command("linux")[0] in facts["Exec"]
    assert app.remove("linux", environment) == files
    assert not any(file.exists() for file in files)
    assert app.remove("linux", environment) == []


@pytest.mark.parametrize(
    ("word", "written"),
    [("/a b/python", '"/a b/python"'), ("100%", '"100%%"'), ('a"$b', r'"a\\"\\$b"'), ("a\\b", r'"a\\\\b"')],
)
def test_words_of_the_entry_are_quoted_as_its_specification_says(word, written):
    assert app._quote_exec(word) == written


def test_macos_has_a_bundle(environment):
    (bundle,) = app.install("darwin", environment)
    with (bundle / "Contents" / "Info.plist").open("rb") as file:
        facts = plistlib.load(file)
    program = bundle / "Contents" / "MacOS" / facts["CFBundleExecutable"]
    assert program.stat().st_mode & 0o111
    with Image.open(bundle / "Contents" / "Resources" / facts["CFBundleIconFile"]) as icon:
        assert icon.format == "ICNS"
    assert app.remove("darwin", environment) == [bundle]
    assert not bundle.exists()


def test_windows_has_a_link_and_an_icon(tmp_path, monkeypatch):
    calls = []

    def run(command, environment):
        calls.append((command, environment))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(app, "run_process", run)
    environment = {"APPDATA": str(tmp_path / "Roaming"), "LOCALAPPDATA": str(tmp_path / "Local")}
    link, icon = app.install("win32", environment)
    ((command, given),) = calls
    assert command[0] == "powershell"
    assert (given["ENGRAM_LINK"], given["ENGRAM_ICON"]) == (str(link), str(icon))
    assert link.parts[-3:] == ("Start Menu", "Programs", "Engram.lnk")
    with Image.open(icon) as drawn:
        assert (256, 256) in drawn.info["sizes"]


def test_command_opens_the_window_or_changes_the_shortcut(monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr("gui.launch.main", lambda words: opened.append(words) or 7)
    file = tmp_path / "a.dcm"
    file.touch()
    outcome = app.run(parser.parse(["app", str(file), "--runs", str(tmp_path)]))
    assert (outcome.status, outcome.render(as_json=False)) == (7, "")
    assert opened == [["--runs", str(tmp_path), "--", str(file)]]
    monkeypatch.setattr(app, "install", lambda: [tmp_path / "engram.desktop"])
    assert str(tmp_path / "engram.desktop") in app.run(parser.parse(["app", "--install-shortcut"])).text
    assert len(opened) == 1
