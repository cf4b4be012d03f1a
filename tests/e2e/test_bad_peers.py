"""Peers that are silent, stuck, too many or gone, and a server without descriptors: they harm nobody else."""

from __future__ import annotations

import resource
import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mysticproto.errors import Code
from mysticproto.model import Bye, CatchUp, GetHistory, Login, Message, Ping, ToGlobal, UserLeft
from mysticproto.native import PREAMBLE, encode_frame
from tests.support.canary import Watch, watched
from tests.support.native_peer import Gone, NativePeer
from tests.support.processes import descriptors

FAST = "[limits]\nmessages_per_second = 1e6\nmessages_burst = 1000000\n"
FAST += "text_bytes_per_second = 1e9\ntext_bytes_burst = 1000000000\n"
PATIENCE_S = 20.0
needs_prlimit = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of others are set on Linux alone")


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    with watched(tmp_path, FAST) as watch:
        yield watch


@contextmanager
def many(watch: Watch, count: int) -> Iterator[list[socket.socket]]:
    """So many connections that say nothing."""
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(watch.address, PATIENCE_S)) for _ in range(count)]


def wait_until_closed(sockets: list[socket.socket], count: int) -> list[socket.socket]:
    """Waits until the server has closed so many; returns the others."""
    still = list(sockets)
    deadline = time.monotonic() + PATIENCE_S
    while len(still) > len(sockets) - count:
        assert time.monotonic() < deadline, f"{len(sockets) - len(still)} of {len(sockets)} were closed"
        for sock in select.select(still, [], [], 1.0)[0]:
            assert sock.recv(1) == b""
            still.remove(sock)
    return still


# Silent.


def test_of_too_many_silent_ones_the_oldest_go(tmp_path: Path) -> None:
    """And somebody who is only slow to begin gets in."""
    with watched(tmp_path, "[limits]\nsilent_connections = 10\n") as watch:
        with many(watch, 30) as silent:
            still = wait_until_closed(silent, 20)
            with NativePeer(watch.address, greet=False) as slow:
                wait_until_closed(still, 1)
                slow.raw(PREAMBLE)
                slow.log_in("slow")
                watch.chat()


def test_who_says_nothing_is_closed_in_time(tmp_path: Path) -> None:
    with watched(tmp_path, "[limits]\nsilent_timeout_s = 0.5\n") as watch:
        with many(watch, 5) as silent:
            silent[0].sendall(PREAMBLE[:4])  # is still nothing
            wait_until_closed(silent, 5)


def test_who_does_not_log_in_is_sent_away_in_time(tmp_path: Path) -> None:
    with watched(tmp_path, "[limits]\nlogin_timeout_s = 0.5\n") as watch:
        for half in (b"", encode_frame(Login(1, "slow"))[:-1]):
            with NativePeer(watch.address) as undecided:
                undecided.raw(half)
                last_words = undecided.read_to_end()
                assert last_words is not None and last_words.code == Code.LOGIN_TIMEOUT


def test_who_is_idle_is_sent_away_and_who_pings_is_not(tmp_path: Path) -> None:
    with watched(tmp_path, "[limits]\nidle_timeout_s = 2.0\n") as watch:
        with NativePeer(watch.address) as idle:
            idle.log_in("idle")
            while not select.select([idle.sock], [], [], 0.2)[0] or not idle_has_gone(idle):
                watch.ana.ping()
                watch.bob.ping()
        left = watch.bob.wait_for(UserLeft)
        assert (left.user.name, left.cause) == ("idle", "lost")


def idle_has_gone(idle: NativePeer) -> bool:
    return idle.wait_for(Bye).code == Code.IDLE


# Too many.


def test_who_finds_no_room_is_told_so(tmp_path: Path) -> None:
    with watched(tmp_path, "[limits]\nmax_connections = 12\n") as watch:
        with many(watch, 10):
            for _ in range(20):
                with NativePeer(watch.address) as refused:
                    last_words = refused.read_to_end()
                    assert last_words is not None and last_words.code == Code.SERVER_FULL
            watch.chat()
        watch.check()
        with NativePeer(watch.address) as late:
            late.log_in("late")


@needs_prlimit
def test_without_descriptors_those_who_are_here_go_on(watch: Watch) -> None:
    """Whoever comes meanwhile waits at the door, and is let in when there is room."""
    limits = resource.prlimit(watch.server.pid, resource.RLIMIT_NOFILE)
    used = descriptors(watch.server.pid)
    (watch.server.shared / "note.txt").write_text("hello")
    resource.prlimit(watch.server.pid, resource.RLIMIT_NOFILE, (used + 20, limits[1]))
    with many(watch, 60) as waiting:
        watch.until_printed("No new connections for a second")
        for _ in range(10):
            watch.chat()
        assert descriptors(watch.server.pid) <= used + 20
        assert waiting
    with NativePeer(watch.address) as late:
        late.log_in("late")
    resource.prlimit(watch.server.pid, resource.RLIMIT_NOFILE, limits)
    with NativePeer(watch.address) as download:
        download.fetch(watch.ana.ticket("note.txt").ticket)
        assert download.take_raw() == b"hello"


def test_who_connects_and_breaks_leaves_nothing(watch: Watch) -> None:
    for number in range(500):
        peer = NativePeer(watch.address, greet=number % 3 == 0)
        if number % 5 == 0:
            peer.raw(b"GET / HTTP/1.0\r\n\r\n")
        if number % 2:
            peer.reset()
        else:
            peer.close()
    watch.check()


def test_who_logs_in_and_breaks_leaves_nothing(watch: Watch) -> None:
    """With answers and a file on their way."""
    (watch.server.shared / "big.bin").write_bytes(bytes(5_000_000))
    for number in range(60):
        with NativePeer(watch.address) as peer, NativePeer(watch.address) as download:
            peer.log_in(f"fleeting{number}")
            download.fetch(peer.ticket("big.bin").ticket)
            peer.send(*map(Ping, range(100)))
            download.reset()
            peer.reset()
    for number in range(60):
        watch.ana.wait_for(UserLeft, lambda left, number=number: left.user.name == f"fleeting{number}")  # type: ignore[misc]


# Stuck.


def test_a_reader_that_stops_is_cut_off_and_finds_the_rest_later(watch: Watch) -> None:
    """The kernels hold some megabytes for it, then the server one, then it is disconnected."""
    key = Ed25519PrivateKey.generate()
    with NativePeer(watch.address, receive_buffer_bytes=4096) as stuck:
        welcome = stuck.log_in("stuck", key)
        before = watch.memory_bytes()
        texts = talk_until_gone(watch, "stuck")
        assert watch.memory_bytes() - before < 16 * 1024 * 1024
        with pytest.raises(Gone):
            while True:
                stuck.wait_for(Message)
        seen = max((said.seq for said in stuck.said if isinstance(said, Message)), default=welcome.upto)
        heard = stuck.texts()
    assert heard == texts[: len(heard)] and len(heard) < len(texts)
    with NativePeer(watch.address) as again:
        again.log_in("stuck", key, resume=welcome.session, after=seen)
        while (part := again.wait_for(CatchUp)).more:
            heard += [event.text for event in part.events if isinstance(event, Message)]
        heard += [event.text for event in part.events if isinstance(event, Message)]
    assert heard == texts


def talk_until_gone(watch: Watch, name: str) -> list[str]:
    """Ana says a lot and bob hears it, until that user is lost; returns what was said."""
    texts: list[str] = []
    while not any(isinstance(said, UserLeft) and said.user.name == name for said in watch.bob.said):
        texts.append(f"{len(texts):08} " + "x" * 30_000)
        watch.ana.post(texts[-1], ToGlobal())
        watch.bob.hear(texts[-1])
        watch.bob.said = [said for said in watch.bob.said if not isinstance(said, Message)]
        assert len(texts) < 2_000, "it was never cut off"
    return texts


def test_who_never_reads_answers_is_not_answered_any_more(watch: Watch) -> None:
    """Its requests wait in its own kernel, and the server's memory stays as it is."""
    for number in range(50):
        watch.ana.post(f"{number} " + "x" * 10_000)
    before = watch.memory_bytes()
    with NativePeer(watch.address, receive_buffer_bytes=4096) as greedy:
        greedy.log_in("greedy")
        greedy.sock.settimeout(0.5)
        with pytest.raises((Gone, TimeoutError)):
            while True:
                greedy.raw(b"".join(encode_frame(GetHistory(n, ToGlobal(), 0, 50)) for n in range(1000)))
        for _ in range(5):
            watch.chat()
        assert watch.memory_bytes() - before < 16 * 1024 * 1024


def test_a_download_that_stops_is_ended(tmp_path: Path) -> None:
    """A slow one is not: as long as some bytes go it may take its time."""
    with watched(tmp_path, "[limits]\nfile_progress_timeout_s = 1.0\n") as watch:
        (watch.server.shared / "big.bin").write_bytes(bytes(20_000_000))
        with NativePeer(watch.address, receive_buffer_bytes=4096) as stuck:
            stuck.fetch(watch.ana.ticket("big.bin").ticket)
            watch.until_printed("did not get big.bin")
