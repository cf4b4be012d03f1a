"""Brings events into the log's order and drops those that were had before.

After a login with something to catch up, parts of it and live events come interleaved. Live events are held back until
the last part; then they follow, without those that the parts already brought. The cursor is the last number up to which
this device has everything. A few events may share one number (a group that ends with its last member), so those that
were had at the cursor itself are remembered.
"""

from mysticproto.errors import Code, ProtocolError
from mysticproto.model import CatchUp, Event, Welcome

MAX_HELD = 20_000
"""Live events held back during one catch-up."""
MAX_AT_CURSOR = 1_000
"""Events that may share one number."""


class EventOrder:
    """`cursor`: everything up to this number was passed on; -1 for a device that starts afresh."""

    def __init__(self, cursor: int) -> None:
        self.cursor = cursor
        self._at_cursor: list[Event] | None = None
        """The events passed on that carry the cursor's number; None: all there are."""
        self._held: list[Event] = []
        self._catching_up = False

    @property
    def catching_up(self) -> bool:
        """Whether live events are being held back."""
        return self._catching_up

    def welcomed(self, welcome: Welcome) -> None:
        """Starts a connection. A log that is shorter than what we know was put back, and counts from there again."""
        self._held.clear()
        self._catching_up = welcome.catching_up
        if not welcome.catching_up or welcome.upto < self.cursor:
            self._advance(welcome.upto)

    def live(self, event: Event) -> list[Event]:
        """What may be passed on now: the event, or nothing."""
        if not self._catching_up:
            return self._fresh((event,))
        if len(self._held) >= MAX_HELD:
            raise ProtocolError(Code.TOO_SLOW, "catching up takes too long")
        self._held.append(event)
        return []

    def caught_up(self, part: CatchUp) -> list[Event]:
        """What may be passed on after this part: its events, and after the last part those that were held back."""
        fresh = self._fresh(part.events)
        if part.more:
            return fresh
        self._catching_up = False
        if part.upto > self.cursor:
            self._advance(part.upto)
        held, self._held = self._held, []
        return fresh + self._fresh(tuple(held))

    def _advance(self, upto: int) -> None:
        if upto != self.cursor:
            self.cursor = upto
            self._at_cursor = None

    def _fresh(self, events: tuple[Event, ...]) -> list[Event]:
        return [event for event in events if self._is_fresh(event)]

    def _is_fresh(self, event: Event) -> bool:
        if event.seq > self.cursor:
            self.cursor = event.seq
            self._at_cursor = [event]
            return True
        if event.seq < self.cursor or self._at_cursor is None or len(self._at_cursor) >= MAX_AT_CURSOR:
            return False
        if event in self._at_cursor:
            return False
        self._at_cursor.append(event)
        return True
