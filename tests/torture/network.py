"""The suite without a network: in a namespace of its own that has the loopback device alone."""

import ctypes
import fcntl
import socket
import struct
import subprocess
import sys

from tests.torture.common import ROOT, Tally, environment, last_words, require_root

_NEW_NETWORK, _SET_FLAGS, _UP = 0x40000000, 0x8914, 1  # CLONE_NEWNET, SIOCSIFFLAGS, IFF_UP of Linux


def enter() -> None:
    """Move this process into a new network namespace, and bring up its loopback device."""
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "unshare")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        fcntl.ioctl(device, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP))


def run(words: list[str]) -> Tally:
    """Run the suite, or the part of it that pytest's words select."""
    tally = Tally("network")
    if obstacle := require_root():
        print(f"Skipped: {obstacle}")
        return tally
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", *words]
    said = []
    pipes = {"stdout": subprocess.PIPE, "text": True, "preexec_fn": enter}
    with subprocess.Popen(command, cwd=ROOT, env=environment(QT_QPA_PLATFORM="offscreen"), **pipes) as suite:
        for line in suite.stdout:
            print(line, end="", flush=True)
            said.append(line)
    tally.note(f"the suite: {last_words(said[-1])}", f"exit status {suite.returncode}" if suite.returncode else "")
    return tally
