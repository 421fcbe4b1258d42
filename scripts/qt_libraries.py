"""Find Qt's system libraries that are missing on this Linux, and install them where we may.

Usage: python scripts/qt_libraries.py      exit status 0: Qt can load; 1: the line to type has been printed.
"""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

# What Qt loads -> the Debian package that holds it. Offscreen first, then what a window on X11 or Wayland needs.
PACKAGES = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfreetype.so.6": "libfreetype6",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
}
FONT_PACKAGE = "fonts-dejavu-core"
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")


def loads(library: str) -> bool:
    """Tell whether the dynamic loader finds a library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_font() -> bool:
    """Tell whether any scalable font is installed: without one, Qt draws boxes instead of words."""
    folders = (Path(folder).expanduser() for folder in FONT_FOLDERS)
    return any(path.suffix.lower() in {".ttf", ".otf"} for folder in folders for path in folder.rglob("*"))


def missing_packages() -> list[str]:
    """Name the Debian packages whose libraries or fonts are not there."""
    missing = [package for library, package in PACKAGES.items() if not loads(library)]
    return missing if has_font() else [*missing, FONT_PACKAGE]


def administrator() -> list[str] | None:
    """Return the words to put before apt-get, or None when we may not install."""
    if os.geteuid() == 0:
        return []
    try:
        subprocess.run(["sudo", "-n", "true"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return ["sudo", "-n"]


def install(packages: list[str], prefix: list[str]) -> None:
    """Install Debian packages without asking anything."""
    apt_get = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    for words in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        subprocess.run([*apt_get, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=False)


def main() -> int:
    """Check, install where allowed, and say what is left to do."""
    if not sys.platform.startswith("linux"):
        return 0
    missing = missing_packages()
    prefix = administrator()
    if missing and prefix is not None and shutil.which("apt-get"):
        print(f"Installing system libraries for Qt: {' '.join(missing)}", flush=True)
        install(missing, prefix)
        missing = missing_packages()
    if missing:
        print("The window needs system libraries that are missing here. On Debian or Ubuntu, type:")
        print(f"    sudo apt-get install -y --no-install-recommends {' '.join(missing)}")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
