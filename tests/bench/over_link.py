"""One download over an emulated link, from A to B: by the kernel's TCP, or by Mystic."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from tests.bench.files import memory_folder
from tests.bench.server import BenchError, running_server
from tests.bench.sink import as_lines, drained, sink_command
from tests.support.netlab import A_ADDRESS, Lab, Line, Side, laboratory

GET_LIMIT_S = 300.0
REQUEST = b"x"


class Got(Struct, frozen=True):
    """What `getter` says."""

    seconds: float
    bytes: int
    cpu_s: float
    over: str
    verified: bool
    trouble: str


def by_kernel(line: Line, file: Path, control: str, limit_s: float) -> float:
    """Mbit/s of one download by TCP, from before the connection to the last byte or until `limit_s`."""
    with laboratory(line) as lab:
        address = start_plain(lab, file, control)
        got = drained(lab.run(Side.B, sink_command(address, limit_s), given=as_lines([REQUEST])))
    if got.bytes < file.stat().st_size and got.seconds < limit_s * 0.9:
        raise BenchError(f"{control} brought {got.bytes} bytes only")
    return mbit_s(got.bytes, got.seconds)


def by_mystic(line: Line, file: Path, over: str) -> float:
    """Mbit/s of one download by Mystic, from the request to the verified file."""
    with laboratory(line) as lab, mystic_at(lab, file.parent) as address, memory_folder() as folder:
        said = lab.run(Side.B, getter_command(address, over, folder), timeout_s=GET_LIMIT_S)
    return mbit_s(file.stat().st_size, judged(said, over, file).seconds)


def mbit_s(size: int, seconds: float) -> float:
    return size * 8e-6 / seconds


def start_plain(lab: Lab, file: Path, control: str) -> tuple[str, int]:
    """Starts a server that knows nothing but TCP at A; its address."""
    words = [sys.executable, "-m", "tests.bench.plain", str(file), control]
    plain = lab.start(Side.A, words, stdout=subprocess.PIPE, text=True)
    assert plain.stdout
    port = plain.stdout.readline()
    if not port:
        raise BenchError(f"there is no congestion control {control}")
    return A_ADDRESS, int(port)


@contextmanager
def mystic_at(lab: Lab, shared: Path) -> Iterator[tuple[str, int]]:
    """Mystic's own server at A; its address."""
    with running_server(shared=shared, host=A_ADDRESS, launch=partial(lab.start, Side.A)) as server:
        yield server.address


def getter_command(address: tuple[str, int], over: str, folder: str) -> list[str]:
    return [sys.executable, "-m", "tests.bench.getter", address[0], str(address[1]), over, folder]


def judged(said: str, over: str, file: Path) -> Got:
    """What a getter said. Raises `BenchError` if it is not the whole file, verified, as it was to come."""
    got = Got(**json.loads(said))
    if got.bytes != file.stat().st_size or not got.verified or got.over != over:
        raise BenchError(f"{got.bytes} bytes came over {got.over} instead of {over}: {got.trouble}")
    return got
