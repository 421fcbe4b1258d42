"""A process that has imported TensorFlow and the engine, and forks a child for each command line (Linux).

A child process of the engine spends seconds on that import and less on what a test wants of it. TensorFlow starts its
threads with its first computation; the server computes nothing, so its forks are sound.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from engine import backend
from tests import disk, graphs

ROOT = Path(__file__).resolve().parents[1]
PACKET_BYTES = 1 << 20
# What Python or a framework reads when it starts: a command with other values needs a process of its own.
READ_AT_START = ("PYTHON", "KERAS", "TF_", "XLA", "CUDA", "OMP", "OPENBLAS", "MKL", "LD_", "LANG", "LC_", "MPL")
OTHER_BACKENDS = {"torch", "jax", "none"}
NOT_COMPARED = {"PYTHONUNBUFFERED", "KERAS_BACKEND", "PYTHONPATH"}
MODULES = ("engine.training.trainer", "engine.training.job", "engine.search.job", "engine.reproduction.job")


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what decides how Python and its frameworks start; the checkout itself may be in PYTHONPATH or not."""
    found = {name: value for name, value in environment.items() if name.startswith(READ_AT_START)}
    paths = dict.fromkeys(environment.get("PYTHONPATH", "").split(os.pathsep))
    return {
        **{name: value for name, value in found.items() if name not in NOT_COMPARED},
        "PYTHONPATH": os.pathsep.join(path for path in paths if path and path != str(ROOT)),
    }


# Before Keras is imported, which adds to it.
AT_START = _read_at_start(os.environ)


class ForkServer:
    """The parent's side: starts the server and names the program that tests start in place of Python.

    Args:
        folder: the folder for its socket, its program and its log.
    """

    def __init__(self, folder: Path) -> None:
        address, self.program = folder / "socket", folder / "python"
        client = [sys.executable, "-I", "-S", str(ROOT / "tests" / "fork_client.py"), sys.executable, str(address)]
        self.program.write_text(f'#!/bin/sh\nexec {shlex.join(client)} "$@"\n', encoding="utf-8")
        self.program.chmod(0o755)
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tests.fork_server", str(address)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdout.readline() == b"ready\n", (folder / "log").read_text()

    def close(self) -> None:
        """End the server and its forks."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class _Server:
    """The loop that takes command lines and tells how their forks end."""

    def __init__(self, address: str) -> None:
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listening.bind(address)
        self._listening.listen(64)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listening, selectors.EVENT_READ, self._accept)
        self._selector.register(0, selectors.EVENT_READ, self._end)
        self._pids: dict[socket.socket, int] = {}
        self._words: list[str] | None = None

    def serve(self) -> list[str]:
        """Serve until the tests end. Returns the command line in each fork."""
        while self._words is None:
            for key, _ in self._selector.select():
                is_registered = self._words is None and self._selector.get_map().get(key.fd) is key
                if is_registered:  # not by a fork, nor for a client of which the event before took leave
                    key.data(key.fileobj)
        return self._words

    def _end(self, _: int) -> None:
        for pid in self._pids.values():
            os.kill(pid, signal.SIGKILL)
        os._exit(0)

    def _accept(self, listening: socket.socket) -> None:
        client, _ = listening.accept()
        request, descriptors, _, _ = socket.recv_fds(client, PACKET_BYTES, 3)
        words, folder, environment = json.loads(request) if request else ([], "", {})
        if not _can_fork(words, environment):
            if request:
                client.send(b"refused")
            client.close()
        elif (pid := os.fork()) == 0:
            client.close()
            self._become(descriptors, folder, environment)
            self._words = words
        else:
            self._pids[client] = pid
            self._selector.register(client, selectors.EVENT_READ, self._hear)
            self._selector.register(os.pidfd_open(pid), selectors.EVENT_READ, self._tell_end(client, pid))
        for descriptor in descriptors:
            os.close(descriptor)

    def _hear(self, client: socket.socket) -> None:
        """Pass on a signal; kill the fork of a client that is gone."""
        said = client.recv(1)
        os.kill(self._pids[client], said[0] if said else signal.SIGKILL)
        if not said:
            self._selector.unregister(client)

    def _tell_end(self, client: socket.socket, pid: int):
        def tell_end(descriptor: int) -> None:
            _, status = os.waitpid(pid, 0)
            self._selector.unregister(descriptor)
            os.close(descriptor)
            if client in self._selector.get_map():
                self._selector.unregister(client)
                with _gone_clients_ignored():
                    client.send(str(status).encode())
            client.close()
            del self._pids[client]

        return tell_end

    def _become(self, descriptors: list[int], folder: str, environment: dict[str, str]) -> None:
        """Make this fork look like a process of its own: its streams, folder, environment and signals."""
        for key in [*self._selector.get_map().values()]:
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
            elif key.fd:
                os.close(key.fd)
        self._selector.close()
        for number, (name, descriptor) in enumerate(zip(("stdin", "stdout", "stderr"), descriptors, strict=True)):
            os.dup2(descriptor, number)
            former = getattr(sys, name)
            stream = os.fdopen(number, former.mode, encoding=former.encoding, errors=former.errors, closefd=False)
            stream.reconfigure(line_buffering=former.line_buffering)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
        os.setsid()
        signal.signal(
            signal.SIGINT, signal.default_int_handler
        )  # a shell's background job ignores it, and so its children
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        graphs.simplify()


@contextmanager
def _gone_clients_ignored() -> Iterator[None]:
    try:
        yield
    except OSError:
        return


def _can_fork(words: list[str], environment: dict[str, str]) -> bool:
    """Return whether a fork of this process is what a new process would be."""
    is_of_another = OTHER_BACKENDS.intersection([*words, environment.get("KERAS_BACKEND")])
    return not is_of_another and _read_at_start(environment) == AT_START and _parse(words) is not None


def _parse(words: list[str]) -> tuple[str, str, list[str]] | None:
    """Return '-m' or '-c', the module or code, and its arguments; None for anything else."""
    rest = [*words]
    while rest and rest[0] in ("-P", "-W"):
        del rest[: 1 + (rest[0] == "-W")]
    return (rest[0], rest[1], rest[2:]) if len(rest) > 1 and rest[0] in ("-m", "-c") else None


def _run(words: list[str]) -> None:
    """Run a command line in this process, which is a fork."""
    if "-W" in words:
        warnings.simplefilter("ignore")
    kind, what, arguments = _parse(words)
    if kind == "-m":
        sys.argv = [what, *arguments]
        sys.modules.pop(what, None)
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.argv = ["-c", *arguments]
        main = sys.modules["__main__"]
        main.__dict__.update(__spec__=None, __file__=None)
        exec(compile(what, "<string>", "exec"), main.__dict__)


def _end(status: object) -> None:
    """End this process as Python does, but leave a framework as it is: to take it apart takes long."""
    if not isinstance(status, int | None):
        sys.stderr.write(f"{status}\n")
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with _gone_clients_ignored():
            stream.flush()
    os._exit(status or 0)


def _main() -> None:
    program = Path(sys.argv[1]).with_name("python")
    for module in MODULES:
        backend.preload(module, "tensorflow")
        importlib.import_module(module)
    sys.executable = str(program)  # the children of a fork are forks too
    disk.spare()
    gc.freeze()
    server = _Server(sys.argv[1])
    os.write(1, b"ready\n")
    words = server.serve()
    try:
        _run(words)
    except SystemExit as end:
        _end(end.code)
    _end(0)


if __name__ == "__main__":
    _main()
