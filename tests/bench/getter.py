"""python -m tests.bench.getter HOST PORT PATH OVER FOLDER: what `mystic get` does, with a clock.

Says one line of JSON: seconds from asking for the file to having it, verified, under its name; bytes, and how it came.
The interpreter's start and the login are left out, since a chat client has them behind itself.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

from mystic_client.cli.visit import Place, visiting
from mystic_client.config import Config, Settings
from mystic_client.session.heard import Address
from mystic_client.session.progress import Progress
from mystic_client.session.transfers import download


async def get(place: Place, path: str, over: str, folder: Path) -> dict[str, object]:
    """Fetches, and tells how it went."""
    async with visiting(place) as visit:
        began, cpu_before_s = time.perf_counter(), _cpu_s()
        done: Progress = await download(visit.session, path, folder, lambda _: None, over=over)
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
    host, port, path, over, folder = sys.argv[1:]
    where = Place(Address(host, int(port)), "getter", Config(Settings(), Path(folder, "state")))
    print(json.dumps(asyncio.run(get(where, path, over, Path(folder, "files")))), flush=True)
