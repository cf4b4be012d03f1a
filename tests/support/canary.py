"""Two who chat while somebody else misbehaves, and what must hold afterwards.

    with watched(tmp_path, "[limits]\\nlogin_timeout_s = 1") as watch:
        ... do something terrible to watch.address ...

In the end, and whenever `watch.check()` is called: the pair still chats, the server is the same process, has reported
no fault, and has given back all descriptors.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.native_peer import NativePeer
from tests.support.processes import descriptors, resident_bytes
from tests.support.server_process import ServerProcess, running_server
from tests.support.waiting import until


class Watch:
    """The server, and the pair."""

    def __init__(self, server: ServerProcess, ana: NativePeer, bob: NativePeer) -> None:
        self.server = server
        self.address = (server.host, server.port)
        self.ana = ana
        self.bob = bob
        self._pid = server.pid
        self._said = 0
        self.chat()
        self._descriptors = descriptors(self._pid)

    def chat(self) -> None:
        """One message each way."""
        for author, reader in ((self.ana, self.bob), (self.bob, self.ana)):
            self._said += 1
            text = f"canary {self._said}"
            author.post(text)
            reader.hear(text)

    def check(self) -> None:
        """See the module."""
        self.chat()
        assert self.server.is_running and self.server.pid == self._pid
        printed = self.server.printed()
        assert "Traceback" not in printed and "  fault  " not in printed, printed
        until(
            lambda: descriptors(self._pid) <= self._descriptors,
            lambda: f"{descriptors(self._pid)} descriptors are open, {self._descriptors} were",
        )

    def memory_bytes(self) -> int:
        """What the server has in memory."""
        return resident_bytes(self._pid)

    def until_printed(self, words: str) -> None:
        """Waits until the server has said so."""
        until(
            lambda: words in self.server.printed(),
            lambda: f"{words!r} was never printed:\n{self.server.printed()}",
        )


def wait_for_end(server: ServerProcess) -> None:
    """Waits until a server that was told to stop has stopped, and judges it."""
    until(lambda: not server.is_running, lambda: f"the server goes on:\n{server.printed()}")
    server.stop()


@contextmanager
def watched(folder: Path, settings: str = "") -> Iterator[Watch]:
    """A server with these settings (TOML), and the pair; checked in the end."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "mystic.toml"
    config.write_text(settings, encoding="utf-8")
    with running_server(folder, "--config", str(config)) as server:
        address = (server.host, server.port)
        with NativePeer(address) as ana, NativePeer(address) as bob:
            ana.log_in("canary-a")
            bob.log_in("canary-b")
            watch = Watch(server, ana, bob)
            yield watch
            watch.check()
