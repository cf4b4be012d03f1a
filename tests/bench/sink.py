"""The receiver that all servers send to, and the requests that make them send."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from msgspec import Struct

from mysticproto.model import Fetch
from mysticproto.native import NativeClient
from tests.bench.server import BenchError
from tests.support.compiled import NotCompiled, compiled

PROGRAM = Path(__file__).with_name("sink.c")
LIMIT_S = 600.0


class Drained(Struct, frozen=True):
    """What a sink has got. `marks`: the bytes so far at regular times."""

    seconds: float
    bytes: int
    ended: int
    cpu_s: float
    marks: list[int] = []


def sink_command(address: tuple[str, int], limit_s: float = LIMIT_S, mark_s: float = 0.0) -> list[str]:
    """The sink's words; it takes `as_lines` of requests. Raises `BenchError` if it can't be compiled."""
    try:
        program = compiled(PROGRAM)
    except NotCompiled as problem:
        raise BenchError(str(problem)) from None
    return [program, address[0], str(address[1]), str(limit_s), str(mark_s)]


def as_lines(requests: list[bytes]) -> str:
    """Requests as the sink takes them, one connection each."""
    return "".join(f"{request.hex()}\n" for request in requests)


def drained(said: str) -> Drained:
    """What a sink said. Raises `BenchError` if it ended without a word."""
    try:
        figures = json.loads(said)
    except json.JSONDecodeError:
        raise BenchError("the receiver has failed") from None
    return Drained(**figures)


def drain(address: tuple[str, int], requests: list[bytes], size: int) -> Drained:
    """Fetches here and now, one connection for each request, until the server has closed all.

    Raises `BenchError` if fewer than `size` bytes came on average.
    """
    done = subprocess.run(
        sink_command(address), input=as_lines(requests), stdout=subprocess.PIPE, text=True, check=False
    )
    got = drained(done.stdout)
    if got.bytes < size * len(requests):
        raise BenchError(f"{got.bytes} of {size * len(requests)} bytes came")
    return got


def http_request(path: str) -> bytes:
    """For a web server, which closes afterwards."""
    return f"GET /{path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode()


def fetch_request(ticket: bytes) -> bytes:
    """For Mystic's own wire: the opening and the ticket, on a connection of its own."""
    wire = NativeClient()
    return wire.opening() + wire.request(Fetch(1, ticket, 0))
