"""Where a server listens besides its main port, as it says itself."""

from __future__ import annotations

import re
import time

from tests.support.server_process import ServerProcess

PATIENCE_S = 20.0
_READY = re.compile(r"^mystic: ready on (.*):(\d+)$", re.MULTILINE)


def own_ports(server: ServerProcess, count: int) -> list[tuple[str, int]]:
    """The addresses behind the main port, in the order of `--listen`."""
    deadline = time.monotonic() + PATIENCE_S
    while len(found := _READY.findall(server.printed())) < count + 1:
        assert time.monotonic() < deadline, server.printed()
    return [(host, int(port)) for host, port in found[1 : count + 1]]
