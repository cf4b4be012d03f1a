"""Countdown: the server says how long it will still be there, and then stops."""

from collections.abc import Callable
from functools import partial

from mystic_server.hub.sessions import Clock

STEPS_S = (60, 30, 15, 3, 2, 1)
"""When it is said, seconds before the end."""


class Countdown:
    """`say(seconds)` at every step, then `end()`; started once, whoever asks again."""

    def __init__(self, clock: Clock, say: Callable[[int], None], end: Callable[[], None]) -> None:
        self._clock = clock
        self._say = say
        self._end = end
        self._has_begun = False

    def start(self) -> None:
        """Begins."""
        if self._has_begun:
            return
        self._has_begun = True
        for seconds in STEPS_S:
            self._clock.call_later(STEPS_S[0] - seconds, partial(self._say, seconds))
        self._clock.call_later(STEPS_S[0], self._end)
