"""`app`: open the window, or put it into the applications of the desktop."""

import importlib
import os
import plistlib
import shutil
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from PIL import Image

from engine import __version__
from engine.child_process import HOME, module_command, run_process
from engine.cli.console import CommandResult
from engine.durable import remove_folder
from engine.errors import SourceNotFound, StorageError

REMOVED = "The shortcut is removed:"
INSTALLED = "Engram is among the applications of your desktop now:"


def add_app(command: ArgumentParser) -> None:
    """Add the options of `app`."""
    command.description = (
        "Open the app. It needs a display; all other commands do not. --install-shortcut adds Engram with its icon to "
        "the applications of your desktop (Linux, macOS and Windows), for your user alone."
    )
    command.add_argument("paths", nargs="*", metavar="PATH", help="folder of images, image, volume or run to open")
    choice = command.add_mutually_exclusive_group()
    for name, text in (("install", "add Engram to the applications of the desktop"), ("remove", "remove it from them")):
        choice.add_argument(f"--{name}-shortcut", action="store_const", dest="shortcut", const=name, help=text)


def run(options: Namespace) -> CommandResult:
    """Open the window until it is closed, or change the shortcut."""
    if options.shortcut:
        files = install() if options.shortcut == "install" else remove()
        title = INSTALLED if options.shortcut == "install" else REMOVED
        text = "\n".join([title, *map(str, files)]) if files else "There is no shortcut to remove."
        return CommandResult(text, {"files": [str(file) for file in files]})
    for path in options.paths:
        if not Path(path).expanduser().exists():
            raise SourceNotFound(f"'{path}' does not exist.", "Give a folder of images, an image, a volume or a run.")
    place = ["--runs", str(options.runs)] if options.runs else []
    # The engine does not depend on the window; this command alone starts it.
    status = importlib.import_module("gui.launch").main([*place, "--", *options.paths])
    return CommandResult("", None, status)


ICONS: Final = HOME / "resources" / "app"
SUMMARY: Final = "Train, inspect and stress-test autoencoders on brain MRI slices"
ICO_SIZES: Final = [(size, size) for size in (16, 24, 32, 48, 64, 128, 256)]
DESKTOP_ENTRY: Final = """\
[Desktop Entry]
Type=Application
Name=Engram
GenericName=Autoencoders on brain MRI
Comment={summary}
Exec={command} %F
Icon=engram
Terminal=false
StartupWMClass=engram
MimeType=application/dicom;
Categories=Science;MedicalSoftware;
"""
# Reads its arguments from the environment: no quoting rule stands between a path and PowerShell.
LINK_SCRIPT: Final = (
    "$link = (New-Object -ComObject WScript.Shell).CreateShortcut($env:ENGRAM_LINK);"
    "$link.TargetPath = $env:ENGRAM_TARGET; $link.Arguments = $env:ENGRAM_ARGUMENTS;"
    "$link.IconLocation = $env:ENGRAM_ICON; $link.Description = $env:ENGRAM_SUMMARY; $link.Save()"
)


def app_command(platform: str = sys.platform) -> list[str]:
    """Return the command that opens the app with this Python, without a console on Windows."""
    called, *module = module_command("engine", "app")
    python = Path(called)
    if platform == "win32" and python.with_name("pythonw.exe").exists():
        python = python.with_name("pythonw.exe")
    main = HOME / "main.py"
    return [str(python), *([str(main)] if main.exists() else module)]


def install(platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Write the shortcut of this user; return its files.

    Raises:
        StorageError: it cannot be written.
    """
    write: Callable[[list[str], Sequence[Path]], None]
    write = {"darwin": _write_bundle, "win32": _write_link}.get(platform, _write_entry)
    files = locate(platform, environment)
    try:
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
        write(app_command(platform), files)
    except (OSError, subprocess.SubprocessError) as error:
        raise StorageError(f"The shortcut cannot be written ({error}).", "Check that the folder is yours.") from None
    return files


def remove(platform: str = sys.platform, environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Remove the shortcut of this user; return the files that it had."""
    found = [file for file in locate(platform, environment) if file.exists()]
    for file in found:
        if file.is_dir():
            remove_folder(file)
        else:
            file.unlink()
    return found


def locate(platform: str, environment: Mapping[str, str]) -> list[Path]:
    """Return the files of the shortcut: the entry first, then its icons."""
    home = Path(environment.get("HOME") or Path.home())
    if platform == "darwin":
        return [home / "Applications" / "Engram.app"]
    if platform == "win32":
        programs = Path(environment.get("APPDATA") or home / "AppData" / "Roaming")
        local = Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
        menu = programs / "Microsoft" / "Windows" / "Start Menu" / "Programs"
        return [menu / "Engram.lnk", local / "engram" / "engram.ico"]
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    icons = data / "icons" / "hicolor"
    vector, image = icons / "scalable" / "apps" / "engram.svg", icons / "256x256" / "apps" / "engram.png"
    return [data / "applications" / "engram.desktop", vector, image]


def _write_entry(command: list[str], files: Sequence[Path]) -> None:
    entry, *icons = files
    entry.write_text(
        DESKTOP_ENTRY.format(summary=SUMMARY, command=" ".join(map(_quote_exec, command))), encoding="utf-8"
    )
    for icon in icons:
        shutil.copyfile(ICONS / icon.name, icon)


def _quote_exec(word: str) -> str:
    """Quote a word as the specification of desktop entries says: twice, for the string and for the argument."""
    for sign in '\\"`$':
        word = word.replace(sign, "\\" + sign)
    return '"' + word.replace("\\", "\\\\").replace("%", "%%") + '"'


def _write_bundle(command: list[str], files: Sequence[Path]) -> None:
    contents = files[0] / "Contents"
    for name in ("MacOS", "Resources"):
        (contents / name).mkdir(parents=True, exist_ok=True)
    names = {"CFBundleName": "Engram", "CFBundleExecutable": "engram", "CFBundleIconFile": "engram.icns"}
    facts = {"CFBundleIdentifier": "engram.app", "CFBundleVersion": __version__, "NSHighResolutionCapable": True}
    with (contents / "Info.plist").open("wb") as file:
        plistlib.dump({**names, **facts, "CFBundlePackageType": "APPL"}, file)
    with Image.open(ICONS / "engram.png") as icon:
        icon.save(contents / "Resources" / "engram.icns")
    program = contents / "MacOS" / "engram"
    words = " ".join("'" + word.replace("'", "'\\''") + "'" for word in command)
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    program.chmod(0o755)


def _write_link(command: list[str], files: Sequence[Path]) -> None:
    link, icon_file = files
    with Image.open(ICONS / "engram.png") as icon:
        icon.save(icon_file, sizes=ICO_SIZES)
    facts = {"LINK": link, "TARGET": command[0], "ARGUMENTS": subprocess.list2cmdline(command[1:])}
    facts |= {"ICON": icon_file, "SUMMARY": SUMMARY}
    environment = {f"ENGRAM_{name}": str(value) for name, value in facts.items()}
    shell = ["powershell", "-NoProfile", "-NonInteractive", "-Command", LINK_SCRIPT]
    run_process(shell, environment).check_returncode()
