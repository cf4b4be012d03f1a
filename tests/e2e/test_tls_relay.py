"""Somebody in between who has a key of their own: what a device signs for them opens no other server."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.programs import mystic
from tests.e2e.test_tls import HOST, pytestmark, serving
from tests.server.net.tls_peer import client_context
from tests.support.certificates import server_tls

__all__ = ["pytestmark"]


@contextlib.contextmanager
def relay(target: tuple[str, int], *, encrypts: bool) -> Iterator[str]:
    """Passes one connection on, decrypted and perhaps encrypted anew; at which address."""
    with socket.create_server((HOST, 0)) as listener:
        passing = threading.Thread(target=_pass_one_on, args=(listener, target, encrypts))
        passing.start()
        try:
            yield f"{HOST}:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            passing.join()


def _pass_one_on(listener: socket.socket, target: tuple[str, int], encrypts: bool) -> None:
    try:
        client, _ = listener.accept()
    except OSError:
        return
    with server_tls("relay").context.wrap_socket(client, server_side=True) as theirs:
        plain = socket.create_connection(target)
        with client_context().wrap_socket(plain) if encrypts else plain as ours, contextlib.suppress(OSError):
            _pump(theirs, ours)


def _pump(one: ssl.SSLSocket, other: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        for source, sink in ((one, other), (other, one)):
            selector.register(source, selectors.EVENT_READ, sink)
        while True:
            for key, _ in selector.select():
                assert isinstance(key.fileobj, socket.socket)
                data = _read(key.fileobj)
                if not data:
                    return
                key.data.sendall(data)


def _read(sock: socket.socket) -> bytes:
    data = sock.recv(65536)
    while data and isinstance(sock, ssl.SSLSocket) and sock.pending():
        data += sock.recv(65536)
    return data


@pytest.mark.parametrize("encrypts", [False, True])
def test_a_login_that_is_passed_on_is_refused(tmp_path: Path, encrypts: bool) -> None:
    home = tmp_path / "home"
    with serving(tmp_path / "server") as server:
        assert mystic(home, server.address, "ana", "send", "hello").returncode == 0
        with relay((server.host, server.port), encrypts=encrypts) as address:
            passed_on = mystic(home, address, "ana", "send", "to another server, as I believe")
        assert passed_on.returncode == 1 and "signature" in passed_on.stderr
        assert "another server" not in mystic(home, server.address, "ana", "history").stdout
