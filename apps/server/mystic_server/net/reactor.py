"""The reactor: one thread that waits for descriptors and times, and never for anything else.

A tick: select until the next timer; every ready handler runs, those last whose peer has only room again; due timers
run; then the tick's end, where what the handlers left behind is sent on (log batches, then the peers' queues), so that
many messages cost one write.

Problem: a handler with a bug must not stop the server. Every handler runs inside one net; what it raises is reported
with the handler, which is told to `abort`. Nothing else in the server catches what it does not expect.
"""

import contextlib
import heapq
import itertools
import selectors
import time
from collections.abc import Callable
from functools import partial
from typing import Protocol

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE

_LONGEST_WAIT_S = 60.0


class Watched(Protocol):
    """What has a descriptor: a socket, or something around one."""

    def fileno(self) -> int:
        """Negative once it is closed."""


class Handler(Protocol):
    """Who is told that a descriptor is ready."""

    def ready(self, readable: bool, writable: bool) -> None:
        """Uses what is ready; MUST NOT wait."""

    def abort(self) -> None:
        """Gives up after `ready` or a timer raised; MUST NOT raise."""


class Timer:
    """A call at a time; `cancel` makes it not happen."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callable[[], None]) -> None:
        self.when = when
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """May be called at any time, also afterwards."""
        self.callback = None


class Reactor:
    """See the module. `reported(error)` is called for what a handler or timer raised."""

    def __init__(self, reported: Callable[[BaseException], None]) -> None:
        self._selector = selectors.DefaultSelector()
        self._handlers: dict[int, Handler] = {}  # by descriptor
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._tick_ends: list[Callable[[], None]] = []
        self._reported = reported
        self._running = False
        self.now = time.monotonic()
        """Seconds of the monotonic clock, read once per tick."""
        self.has_news = False
        """Whether anybody said something in this tick, rather than only having room again."""
        self.longest_stall_s = 0.0
        """The longest that one tick took; the longest that any peer had to wait for the loop."""

    @property
    def elapsed_s(self) -> float:
        """How long this tick has taken so far."""
        return time.monotonic() - self.now

    def register(self, sock: Watched, handler: Handler, events: int = READ) -> None:
        """Starts watching."""
        self._handlers[self._selector.register(sock, events, handler).fd] = handler

    def modify(self, sock: Watched, handler: Handler, events: int) -> None:
        """Watches for other events; none at all is allowed."""
        if events:
            try:
                self._handlers[self._selector.modify(sock, events, handler).fd] = handler
            except KeyError:
                self.register(sock, handler, events)
        else:
            self.unregister(sock)

    def unregister(self, sock: Watched) -> None:
        """Stops watching, from this moment on; nothing happens if it wasn't watched, or is closed."""
        with contextlib.suppress(KeyError, ValueError):
            del self._handlers[self._selector.unregister(sock).fd]

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        """Calls once, `delay_s` from this tick's time."""
        return self.call_at(self.now + delay_s, callback)

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Calls once at a time of `now`'s clock."""
        timer = Timer(when, callback)
        heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    def guard(self, handler: Handler, callback: Callable[[], None]) -> None:
        """Calls at once, in the handler's name: if it raises, that is reported and the handler told to give up."""
        try:
            callback()
        except Exception as error:
            self._reported(error)
            self._call(handler.abort)

    def at_tick_end(self, callback: Callable[[], None]) -> None:
        """Calls at the end of every tick, in the order of these calls."""
        self._tick_ends.append(callback)

    def run(self) -> None:
        """Runs until `stop`."""
        self._running = True
        while self._running:
            self.tick()

    def stop(self) -> None:
        """Ends `run` after this tick."""
        self._running = False

    def close(self) -> None:
        """Gives back the selector's descriptor."""
        self._selector.close()

    def tick(self) -> None:
        """One round; see the module."""
        ready = self._selector.select(self._wait_s())
        started = self.now = time.monotonic()
        with_room = []
        for key, mask in ready:
            if mask == WRITE:
                with_room.append(key)
            else:
                self._call_ready(key, mask)
        self.has_news = len(with_room) < len(ready)
        for key in with_room:
            self._call_ready(key, WRITE)
        self._run_timers()
        for callback in self._tick_ends:
            self._call(callback)
        self.longest_stall_s = max(self.longest_stall_s, time.monotonic() - started)

    def _call_ready(self, key: selectors.SelectorKey, mask: int) -> None:
        handler: Handler = key.data
        if self._handlers.get(key.fd) is handler:  # unless another handler has ended it in this tick
            self.guard(handler, partial(handler.ready, bool(mask & READ), bool(mask & WRITE)))

    def _wait_s(self) -> float:
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        if not self._timers:
            return _LONGEST_WAIT_S
        return min(_LONGEST_WAIT_S, max(0.0, self._timers[0][0] - time.monotonic()))

    def _run_timers(self) -> None:
        while self._timers and self._timers[0][0] <= self.now:
            callback = heapq.heappop(self._timers)[2].callback
            if callback:
                self._call(callback)

    def _call(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception as error:
            self._reported(error)
