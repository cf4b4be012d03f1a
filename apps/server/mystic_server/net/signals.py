"""StopSignals: SIGTERM and SIGINT as one more readable descriptor, so that they interrupt nothing."""

import contextlib
import signal
import socket
from collections.abc import Callable
from types import FrameType

from mystic_server.net.reactor import Reactor

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _ignore(number: int, frame: FrameType | None) -> None:
    """The wake-up descriptor says it all; without a handler the signal would end the process."""


class StopSignals:
    """Calls `told(name)` in the loop for every signal, until `close` gives the signals back."""

    def __init__(self, reactor: Reactor, told: Callable[[str], None]) -> None:
        self._reactor = reactor
        self._told = told
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._before = {number: signal.signal(number, _ignore) for number in SIGNALS}
        self._descriptor_before = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        reactor.register(self._ours, self)

    def ready(self, readable: bool, writable: bool) -> None:
        """The kernel wrote the numbers of the signals."""
        with contextlib.suppress(BlockingIOError):
            for number in self._ours.recv(64):
                if number in SIGNALS:
                    self._told(signal.Signals(number).name)

    def abort(self) -> None:
        """Nothing to give up."""

    def close(self) -> None:
        """Gives the signals back to whom they belonged."""
        self._reactor.unregister(self._ours)
        signal.set_wakeup_fd(self._descriptor_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._ours.close()
        self._theirs.close()
