"""python -m tests.bench.getter HOST PORT OVER FOLDER: what `mystic get` does, with a clock.

Says one line of JSON: seconds from asking for the file to having it, verified, under its name; bytes, and how it came.
What happens once is left out, since a chat client has it behind itself: the interpreter's start, the login, and the
start of the server's process for datagrams, for which a small file comes first.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from pathlib import Path

from mystic_client.cli.visit import Place, visiting
from mystic_client.config import Config, Settings
from mystic_client.session.heard import Address
from mystic_client.session.progress import Progress
from mystic_client.session.transfers import download
from tests.bench.files import FILE, SMALL_FILE


async def get(place: Place, over: str, folder: Path) -> dict[str, object]:
    """Fetches, and tells how it went."""
    async with visiting(place) as visit:
        await download(visit.session, SMALL_FILE, folder, lambda _: None, over=over)
        began, cpu_before_s = time.perf_counter(), _cpu_s()
        done: Progress = await download(visit.session, FILE, folder, lambda _: None, over=over)
        seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "bytes": done.received,
        "cpu_s": _cpu_s() - cpu_before_s,
        "over": done.over,
        "verified": done.verified,
        "trouble": " ".join(filter(None, (done.error, done.note))),
    }


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    host, port, over, folder = sys.argv[1:]
    where = Place(Address(host, int(port)), f"getter{os.getpid()}", Config(Settings(), Path(folder, "state")))
    print(json.dumps(asyncio.run(get(where, over, Path(folder, "files")))), flush=True)
