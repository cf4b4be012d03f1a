"""Files over TCP on this machine, beside nginx: throughput, the server's CPU, and chat while 20 people download."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Protocol

from mysticproto.model import FileHashed
from tests.bench.nginx import is_installed, running_nginx, version
from tests.bench.report import Row
from tests.bench.server import MeasuredServer, running_server
from tests.bench.sink import Drained, as_lines, drain, fetch_request, http_request, sink_command
from tests.support.native_peer import NativePeer

FILE = "file.bin"
SHARED_MEMORY = Path("/dev/shm")
FULL_BYTES = 1 << 30
SMALL_BYTES = 1 << 28
CROWD = 20
ROUNDS = {1: 9, CROWD: 3}
"""By clients; of the servers in turn, so that what else the machine does meets them all. The median counts."""
CHAT_POSTS = 400
CHAT_GAP_S = 0.01
GIB = 1 << 30


class FileServer(Protocol):
    """Who is measured."""

    @property
    def address(self) -> tuple[str, int]: ...

    def cpu_s(self) -> float: ...


class Downloads:
    """Leave for some people to fetch the file once each. Close it."""

    def __init__(self, server: MeasuredServer, clients: int) -> None:
        self._peers = [NativePeer(server.address) for _ in range(clients)]
        try:
            for at, peer in enumerate(self._peers):
                peer.log_in(f"reader{at}", watch=False)
            self.requests = [fetch_request(peer.ticket(FILE).ticket) for peer in self._peers]
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for peer in self._peers:
            peer.end()
            peer.close()

    def __enter__(self) -> Downloads:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def run(quick: bool) -> list[Row]:
    """A row for each server and number of clients, then one for chat alone and one for chat beside 20 downloads."""
    rows: list[Row] = []
    with shared_file(SMALL_BYTES if quick else FULL_BYTES) as (folder, size), ExitStack() as running:
        mystic = running.enter_context(running_server(shared=folder))
        others: dict[str, FileServer] = {}
        if is_installed():
            for workers in (1, os.cpu_count() or 1):
                others[f"{version()}, {workers} worker"] = running.enter_context(running_nginx(folder, workers))
        else:
            print("tcp: nginx is not installed, so there is nothing to compare with.", file=sys.stderr)
        wait_for_the_hash(mystic)
        for clients, rounds in ROUNDS.items():
            rows += _compare(mystic, others, clients, 1 if quick else rounds, size)
        rows += [_chat_row(mystic, downloads) for downloads in (0, CROWD)]
    return rows


@contextmanager
def shared_file(wanted_bytes: int) -> Iterator[tuple[Path, int]]:
    """A folder in memory with one file, and its size: smaller than wanted, and told, if there is no room."""
    parent = SHARED_MEMORY if SHARED_MEMORY.is_dir() else None
    with TemporaryDirectory(prefix="mystic-bench-", dir=parent) as name:
        size = wanted_bytes
        while size > SMALL_BYTES and shutil.disk_usage(name).free < 2 * size:
            size //= 2
        if size < wanted_bytes:
            print(f"tcp: there is room for a file of {size >> 20} MiB only.", file=sys.stderr)
        part = os.urandom(1 << 20)
        with Path(name, FILE).open("wb") as file:
            for at in range(size >> 20):
                file.write(at.to_bytes(8) + part[8:])
        yield Path(name), size


def wait_for_the_hash(server: MeasuredServer) -> None:
    """The first ticket makes the server hash the file: that is not a part of sending it."""
    with NativePeer(server.address) as peer:
        peer.log_in("first", watch=False)
        if not peer.ticket(FILE).blake3:
            peer.wait_for(FileHashed)


def _compare(
    mystic: MeasuredServer, others: dict[str, FileServer], clients: int, rounds: int, size: int
) -> Iterator[Row]:
    got: dict[str, list[tuple[Drained, float]]] = {name: [] for name in ("mystic", *others)}
    for _ in range(rounds):
        with Downloads(mystic, clients) as downloads:
            got["mystic"].append(_fetch(mystic, downloads.requests, size))
        for name, server in others.items():
            got[name].append(_fetch(server, [http_request(FILE)] * clients, size))
    best_rate = max(_rate(got[name]) for name in got if name != "mystic") if others else float("nan")
    least_cpu = min(_cpu(got[name]) for name in got if name != "mystic") if others else float("nan")
    for name, figures in got.items():
        yield {
            "server": name,
            "clients": clients,
            "GiB/s": round(_rate(figures), 2),
            "of the best other": round(_rate(figures) / best_rate, 2),
            "server CPU s/GiB": round(_cpu(figures), 3),
            "of the least other": round(_cpu(figures) / least_cpu, 2),
            "receiver CPU s/GiB": round(median(one.cpu_s / one.bytes for one, _ in figures) * GIB, 3),
        }


def _fetch(server: FileServer, requests: list[bytes], size: int) -> tuple[Drained, float]:
    before_s = server.cpu_s()
    got = drain(server.address, requests, size)
    return got, server.cpu_s() - before_s


def _rate(figures: list[tuple[Drained, float]]) -> float:
    return median(one.bytes / one.seconds for one, _ in figures) / GIB


def _cpu(figures: list[tuple[Drained, float]]) -> float:
    """Of all rounds, since one has few of the clock's steps."""
    return sum(cpu_s for _, cpu_s in figures) / sum(one.bytes for one, _ in figures) * GIB


# Chat.


def _chat_row(server: MeasuredServer, downloads: int) -> Row:
    """Somebody posts, and somebody else hears it."""
    with Downloads(server, downloads) as readers, NativePeer(server.address) as ana, NativePeer(server.address) as bob:
        ana.log_in("ana")
        bob.log_in("bob")
        if downloads:
            with _running_sink(server, readers.requests) as sink:
                trips_ms = sorted(_round_trips(ana, bob, lambda _: sink.poll() is not None))
        else:
            trips_ms = sorted(_round_trips(ana, bob, lambda posts: posts >= CHAT_POSTS))
    return {
        "server": "mystic, chat",
        "clients": downloads,
        "posts": len(trips_ms),
        "p50 ms": round(_at(trips_ms, 0.5), 1),
        "p99 ms": round(_at(trips_ms, 0.99), 1),
        "max ms": round(trips_ms[-1], 1),
    }


def _round_trips(ana: NativePeer, bob: NativePeer, is_over: Callable[[int], bool]) -> Iterator[float]:
    """Milliseconds from what one says to the other's hearing it, until the downloads are over."""
    for at in itertools.count():
        if is_over(at):
            return
        began = time.perf_counter()
        ana.post(f"post {at}")
        bob.hear(f"post {at}")
        yield (time.perf_counter() - began) * 1000
        time.sleep(CHAT_GAP_S)


@contextmanager
def _running_sink(server: MeasuredServer, requests: list[bytes]) -> Iterator[subprocess.Popen[str]]:
    sink = subprocess.Popen(sink_command(server.address), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert sink.stdin
        sink.stdin.write(as_lines(requests))
        sink.stdin.close()
        yield sink
    finally:
        sink.kill()
        sink.wait()
        if sink.stdout:
            sink.stdout.close()


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
