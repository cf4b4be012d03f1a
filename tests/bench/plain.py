"""python -m tests.bench.plain FILE CONTROL: the kernel's own TCP and nothing else.

Sends the file to everybody who connects and says something, with the congestion control CONTROL. Prints its port.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

SEND_BYTES = 1 << 20


def main(path: str, control: str) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            sock, _ = listening.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, control.encode())
            threading.Thread(target=_serve, args=(sock, path), daemon=True).start()


def _serve(sock: socket.socket, path: str) -> None:
    with sock, open(path, "rb") as file:
        sock.recv(1)
        at, size = 0, os.fstat(file.fileno()).st_size
        try:
            while at < size:
                at += os.sendfile(sock.fileno(), file.fileno(), at, SEND_BYTES)
        except ConnectionError:
            pass  # the reader had enough


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
