"""Countdown: the server says how long it will still be there, and then stops."""

from collections.abc import Callable
from functools import partial

from mystic_server.hub.sessions import Clock, Timer

STEPS_S = (60, 30, 15, 3, 2, 1)
"""When it is said, seconds before the end."""


class Countdown:
    """`say(seconds)` at every step, then `end()`; started once, whoever asks again. `say(0)`: not after all."""

    def __init__(self, clock: Clock, say: Callable[[int], None], end: Callable[[], None]) -> None:
        self._clock = clock
        self._say = say
        self._end = end
        self._timers: list[Timer] = []

    def start(self) -> None:
        """Begins."""
        if self._timers:
            return
        later = self._clock.call_later
        self._timers = [later(STEPS_S[0] - seconds, partial(self._say, seconds)) for seconds in STEPS_S]
        self._timers.append(later(STEPS_S[0], self._over))

    def cancel(self) -> bool:
        """Ends it before its end; False: it had not begun."""
        if not self._timers:
            return False
        for timer in self._timers:
            timer.cancel()
        self._timers = []
        self._say(0)
        return True

    def _over(self) -> None:
        self._timers = []
        self._end()
