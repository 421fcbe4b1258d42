"""Stand-in for Python in tests: lets a fork server run the command line, or starts the real interpreter.

`python -I -S fork_client.py PYTHON ADDRESS WORDS...`: it lends the server its standard streams, passes signals on, and
ends as the fork ends. The fork dies with it, also by `kill -9`.
"""

import json
import os
import signal
import struct
import sys
from _socket import AF_UNIX, SCM_RIGHTS, SOCK_SEQPACKET, SOL_SOCKET, socket


def main():
    """Run the command line."""
    python, address, *words = sys.argv[1:]
    server = socket(AF_UNIX, SOCK_SEQPACKET)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: server.send(bytes([number])))
    try:
        server.connect(address)
        request = json.dumps([words, os.getcwd(), dict(os.environ)]).encode()
        server.sendmsg([request], [(SOL_SOCKET, SCM_RIGHTS, struct.pack("3i", 0, 1, 2))])
        reply = server.recv(64)
    except OSError:  # no server, or more words than fit into a packet
        reply = b"refused"
    if reply == b"refused":
        os.execv(python, [python, *words])
    code = os.waitstatus_to_exitcode(int(reply))
    if code < 0:
        if -code != signal.SIGKILL:  # which has no other handler
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    main()
