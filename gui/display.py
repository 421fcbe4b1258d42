"""Check whether a window can be shown. Qt ends the process if no display answers, so this runs before Qt starts.

python -m gui.display      exit status 0: a display answers; 1: none does, and a sentence on stderr says so
"""

import ctypes
import os
import sys
import threading
from collections.abc import Callable, Mapping

from engine.formatting import format_command

TIMEOUT_S = 5.0
ADVICE = "The command line works without a display: "


def find_obstacle(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return a sentence that says why no window can be shown here, or None if one can.

    Args:
        environment: the environment variables. `DISPLAY` names an X server, `WAYLAND_DISPLAY` a Wayland compositor;
            `QT_QPA_PLATFORM` chooses between them or names a platform that needs neither, such as `offscreen`.
    """
    platform = environment.get("QT_QPA_PLATFORM", "").partition(":")[0].partition(";")[0]
    if not sys.platform.startswith("linux") or platform not in ("", *_SERVERS):
        return None
    servers = [platform] if platform else _SERVERS
    silent = []
    for server in servers:
        reason = _silence(server, environment)
        if reason is None:
            return None
        silent.append(reason)
    reasons = "; ".join(filter(None, silent))
    found = f"no display was found{f' ({reasons})' if reasons else ''}"
    return f"The app cannot start: {found}. {ADVICE}{format_command('demo')}"


def _silence(server: str, environment: Mapping[str, str]) -> str | None:
    """Return why a server does not answer, empty if the environment names none; None if it answers."""
    variable, library, answers = _SERVERS[server]
    address = environment.get(variable)
    if not address:
        return ""
    if not _loads(library):
        return f"{library}, which Qt needs for {variable}={address}, is not installed"
    if _within(TIMEOUT_S, lambda: answers(address.encode())):
        return None
    return f"{variable} is {address} and nothing answers there"


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _within(timeout_s: float, answers: Callable[[], bool]) -> bool:
    """Return what `answers` returns, or False if it takes longer: a server may accept a connection and never reply."""
    replies: list[bool] = []
    thread = threading.Thread(target=lambda: replies.append(answers()), daemon=True)
    thread.start()
    thread.join(timeout_s)
    return bool(replies) and replies[0]


def _x_answers(name: bytes) -> bool:
    """Return whether an X server accepts a connection with its authorization, as Qt will make it."""
    xcb = ctypes.CDLL("libxcb.so.1")
    xcb.xcb_connect.argtypes, xcb.xcb_connect.restype = [ctypes.c_char_p, ctypes.c_void_p], ctypes.c_void_p
    xcb.xcb_connection_has_error.argtypes = xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(name, None)
    try:
        return not xcb.xcb_connection_has_error(connection)
    finally:
        xcb.xcb_disconnect(connection)


def _wayland_answers(name: bytes) -> bool:
    """Return whether a Wayland compositor accepts a connection."""
    wayland = ctypes.CDLL("libwayland-client.so.0")
    wayland.wl_display_connect.argtypes, wayland.wl_display_connect.restype = [ctypes.c_char_p], ctypes.c_void_p
    wayland.wl_display_disconnect.argtypes = [ctypes.c_void_p]
    display = wayland.wl_display_connect(name)
    if display:
        wayland.wl_display_disconnect(display)
    return bool(display)


_SERVERS = {
    "wayland": ("WAYLAND_DISPLAY", "libwayland-client.so.0", _wayland_answers),
    "xcb": ("DISPLAY", "libxcb.so.1", _x_answers),
}


def main() -> int:
    """Print why no window can be shown and return 1, or return 0 if one can."""
    obstacle = find_obstacle()
    if obstacle:
        sys.stderr.write(f"{obstacle}\n")
    return int(obstacle is not None)


if __name__ == "__main__":
    sys.exit(main())
