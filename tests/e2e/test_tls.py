"""The server and the commands over TLS, as real processes, at an address of this machine that is not loopback."""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from mystic_client.session.pins import FILE as KNOWN_SERVERS
from mystic_server.net.certificate import FILE as CERTIFICATE
from mysticproto.model import UserJoined
from tests.e2e.programs import Program, mystic
from tests.server.net.tls_peer import client_context
from tests.support.canary import watched
from tests.support.native_peer import Gone, NativePeer
from tests.support.server_process import ServerProcess

CONTENT = os.urandom(5 * 1024 * 1024 + 17)


def own_address() -> str:
    """Of the interface that leads out; nothing is sent. Empty if there is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.254", 9))
        except OSError:
            return ""
        return str(sock.getsockname()[0])


HOST = own_address()
pytestmark = pytest.mark.skipif(not HOST or HOST.startswith("127."), reason="there is no address but loopback")


@contextmanager
def serving(folder: Path, *words: str, port: int = 0) -> Iterator[ServerProcess]:
    server = ServerProcess(folder, *words)
    server.host, server.port = HOST, port
    server.start()
    try:
        yield server
    finally:
        if server.is_running:
            server.stop()


def printed_fingerprint(server: ServerProcess) -> str:
    """The one of the latest start."""
    found = re.findall(r"tls +fingerprint ((?:[0-9a-f]{2}:){31}[0-9a-f]{2})$", server.printed(), re.MULTILINE)
    return str(found[-1])


def test_commands_are_encrypted_and_the_key_is_remembered(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with serving(tmp_path / "server") as server:
        fingerprint = printed_fingerprint(server)
        first = mystic(home, server.address, "ana", "send", "hello")
        assert first.returncode == 0, first.stderr
        assert f"First connection to {server.address}" in first.stderr and fingerprint in first.stderr
        assert (home / KNOWN_SERVERS).read_text().startswith(f"{server.address} {fingerprint} ")
        second = mystic(home, server.address, "ana", "send", "hello again")
        assert (second.returncode, second.stderr) == (0, "")
        with Program(home, server.address, "ana", "tail", "--last", "2") as tail:
            tail.says_all("hello", "hello again")
        port = server.port
    with serving(tmp_path / "server", port=port) as server:
        assert printed_fingerprint(server) == fingerprint, "kept over restarts"
        assert mystic(home, server.address, "ana", "users").returncode == 0


def test_a_conversation_in_which_one_is_encrypted_and_one_is_not(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server, NativePeer((server.host, server.port)) as bob:
        bob.log_in("bob")
        with Program(tmp_path / "home", server.address, "ana", "chat") as ana:
            ana.says("First connection")
            bob.wait_for(UserJoined, lambda event: event.user.name == "ana")
            ana.type("hello, bob")
            bob.hear("hello, bob")
            bob.post("hello, ana")
            ana.says("hello, ana")


def test_a_download_is_whole_and_verified(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with serving(tmp_path / "server") as server:
        (server.shared / "large.bin").write_bytes(CONTENT)
        fetched = mystic(home, server.address, "ana", "get", "large.bin", "-o", str(tmp_path / "copy"))
        assert fetched.returncode == 0, fetched.stderr
        assert (tmp_path / "copy").read_bytes() == CONTENT


def test_another_certificate_is_a_full_stop_until_it_is_trusted(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with serving(tmp_path / "server") as server:
        assert mystic(home, server.address, "ana", "send", "before").returncode == 0
        known, port = printed_fingerprint(server), server.port
    (tmp_path / "server" / "data" / CERTIFICATE).unlink()
    with serving(tmp_path / "server", port=port) as server:
        seen = printed_fingerprint(server)
        assert seen != known
        stopped = mystic(home, server.address, "ana", "send", "secret")
        assert stopped.returncode == 1
        assert known in stopped.stderr and seen in stopped.stderr and " trust" in stopped.stderr
        assert known in (home / KNOWN_SERVERS).read_text()
        trusted = mystic(home, server.address, "ana", "trust")
        assert trusted.returncode == 0, trusted.stderr
        assert mystic(home, server.address, "ana", "send", "after").returncode == 0
        with Program(home, server.address, "ana", "tail", "--last", "5") as tail:
            tail.says("after")
            assert [line.rpartition(" ")[2] for line in tail.output] == ["before", "after"]


def test_a_server_without_tls_is_used_in_the_clear_unless_it_had_it_before(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        assert mystic(tmp_path / "old", server.address, "ana", "send", "before").returncode == 0
        known, port = printed_fingerprint(server), server.port
    with serving(tmp_path / "server", "--tls", "off", port=port) as server:
        new = mystic(tmp_path / "new", server.address, "bob", "send", "hello")
        assert new.returncode == 0 and "not encrypted" in new.stderr
        stopped = mystic(tmp_path / "old", server.address, "ana", "send", "secret")
        assert stopped.returncode == 1 and known in stopped.stderr


def test_a_full_server_says_so_to_those_who_know_it_by_its_key(tmp_path: Path) -> None:
    """And does not look like another one."""
    home = tmp_path / "home"
    config = tmp_path / "mystic.toml"
    config.write_text("[limits]\nmax_connections = 2\n")
    with serving(tmp_path / "server", "--config", str(config)) as server:
        assert mystic(home, server.address, "ana", "send", "hello").returncode == 0
        place = (server.host, server.port)
        with NativePeer(place) as bob, NativePeer(place, greet=False):
            bob.log_in("bob")
            refused = mystic(home, server.address, "ana", "send", "hello")
            assert refused.returncode == 3 and "fingerprint" not in refused.stderr


def test_an_older_wire_inside_tls(tmp_path: Path) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(serving(tmp_path / "server"))
        bob = stack.enter_context(NativePeer((server.host, server.port)))
        bob.log_in("bob")
        plain = stack.enter_context(socket.create_connection((server.host, server.port), timeout=20))
        old = stack.enter_context(client_context().wrap_socket(plain))
        old.sendall(b"vera")
        bob.wait_for(UserJoined, lambda event: event.user.name == "vera")
        old.sendall(b"hello from long ago")
        bob.hear("hello from long ago")


def test_a_damaged_certificate_stops_the_start(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "server")
    server.data.mkdir()
    (server.data / CERTIFICATE).write_text("nonsense")
    with pytest.raises(AssertionError, match=rf"{CERTIFICATE} is damaged"):
        server.start()
    assert "Traceback" not in server.printed()


NONSENSE = {
    "nothing": b"",
    "words": b"hello",
    "a hello": bytes.fromhex("030100c8010000c40303") + bytes(200),
    "a lot": b"\x16" * 100_000,
}


@pytest.mark.parametrize("tail", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_that_begins_as_tls_harms_nobody(tmp_path: Path, tail: bytes) -> None:
    with watched(tmp_path) as watch, NativePeer(watch.address, greet=False) as stranger:
        with contextlib.suppress(Gone):
            stranger.raw(b"\x16" + tail)
        with contextlib.suppress(OSError):
            stranger.sock.shutdown(socket.SHUT_WR)
        stranger.raw_to_end()
        watch.chat()


def test_two_hundred_stalled_handshakes_disturb_nobody(tmp_path: Path) -> None:
    """They are closed after a while; `watch` sees that all descriptors come back."""
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"
    with watched(tmp_path) as watch, ExitStack() as stack:
        stalled = [stack.enter_context(socket.create_connection(watch.address)) for _ in range(200)]
        for number, sock in enumerate(stalled):
            sock.sendall(hello[: 1 + number % len(hello)])
        watch.chat()
        plain = stack.enter_context(socket.create_connection(watch.address, timeout=20))
        rude = stack.enter_context(client_context().wrap_socket(plain))
        os.write(rude.fileno(), b"in the clear all of a sudden")
        with contextlib.suppress(OSError):
            assert rude.recv(100) == b""
        watch.chat()
        for sock in stalled:
            sock.settimeout(20)
            assert sock.recv(100) == b""
