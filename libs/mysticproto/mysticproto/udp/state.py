"""Where a transfer is, and why it ended: words that sender and receiver share."""

from enum import IntEnum, StrEnum


class State(StrEnum):
    """`DONE` and `FAILED` are final; a final transfer may still have a farewell to send (see `next_deadline`)."""

    WAITING = "waiting"  # for the handshake
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Reason(IntEnum):
    """Why a transfer failed, as the number in an ABORT. Only ever added to."""

    CANCELLED = 0
    NO_ANSWER = 1
    TIMED_OUT = 2
    STALLED = 3
    FILE_CHANGED = 4
    NOT_STORED = 5
    LIED = 6
    KEY_USED_UP = 7
    UNKNOWN = 255

    @property
    def sentence(self) -> str:
        """For people."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.CANCELLED: "cancelled",
    Reason.NO_ANSWER: "no datagram came back",
    Reason.TIMED_OUT: "nothing was heard from the other side for too long",
    Reason.STALLED: "no more of the file got through",
    Reason.FILE_CHANGED: "the file changed while it was sent",
    Reason.NOT_STORED: "the file could not be written",
    Reason.LIED: "the other side reported what it can't have received",
    Reason.KEY_USED_UP: "too many datagrams under one key",
    Reason.UNKNOWN: "the other side gave up",
}
