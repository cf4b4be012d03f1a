"""How far a transfer is, as it is told to whoever wants to see it, and why it came to nothing."""

import asyncio
from collections.abc import Callable

import msgspec
from msgspec import Struct

from mystic_client.session.heard import NotConnected
from mystic_client.session.speed import Speed

REPORT_EVERY_S = 0.1


class Progress(Struct, frozen=True):
    """How far a transfer of `path` is. Sizes in bytes.

    `state`: "waiting" (for the server), "hashing" (an upload's file, before it is sent), "running", "verifying",
    "done", "failed" or "cancelled". `received`: what has been hashed, received or sent.

    `verified` is False in the end if the server never said its hash; `blake3` is the hash of what there is, if it was
    computed. `note` says what went otherwise than expected. `over`: "tcp" or "udp", "" as long as that isn't known.
    `saved_to`: where it lies now, an upload in the shared folder; `seq`: the message that announces it. Of a whole
    folder: `files` that it has, of which `files_done` are here.

    `code` of a failure: an `errors.Code`, "not_connected", "cut", "wrong_hash", "too_many" or "disk".
    """

    path: str
    state: str
    size: int = 0
    received: int = 0
    speed_bytes_s: float = 0.0
    left_s: float | None = None
    saved_to: str = ""
    verified: bool = False
    error: str = ""
    code: str = ""
    note: str = ""
    over: str = ""
    blake3: bytes = b""
    seq: int = 0
    files: int = 0
    files_done: int = 0


Progressed = Callable[[Progress], None]


class Failed(Exception):
    """The transfer comes to nothing: a code for programs and a sentence for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def sentence_of(problem: Exception) -> str:
    """Why a transfer failed, for people."""
    if isinstance(problem, TimeoutError):
        return "the server does not answer"
    if isinstance(problem, OSError):
        return f"{problem.filename}: {problem.strerror}" if problem.filename else problem.strerror or str(problem)
    return str(problem)


def code_of(problem: Exception) -> str:
    """Why a transfer failed, for programs."""
    match problem:
        case Failed():
            return problem.code
        case NotConnected() | TimeoutError():
            return "not_connected"
    return "disk"


class Teller:
    """Tells `progressed` every change of state, and at most ten times a second how many bytes there are."""

    def __init__(self, path: str, progressed: Progressed) -> None:
        self.progress = Progress(path, "waiting")
        self._progressed = progressed
        self._speed = Speed()
        self._told_s = 0.0

    def start(self, state: str, received: int, size: int) -> None:
        """Bytes are about to move; the speed is measured from here."""
        self._speed.start(received, asyncio.get_running_loop().time())
        self.tell(state=state, received=received, size=size)

    def moved(self, received: int) -> None:
        """So many bytes there are now."""
        now_s = asyncio.get_running_loop().time()
        self._speed.moved(received, now_s)
        self.progress = msgspec.structs.replace(
            self.progress,
            received=received,
            speed_bytes_s=self._speed.bytes_s,
            left_s=self._speed.left_s(self.progress.size - received),
        )
        if now_s - self._told_s >= REPORT_EVERY_S:
            self._told_s = now_s
            self._progressed(self.progress)

    def tell(self, **changes: object) -> None:
        """Something else has changed."""
        self.progress = msgspec.structs.replace(self.progress, **changes)
        self._progressed(self.progress)

    def failed(self, problem: Exception) -> None:
        """That was the end of it."""
        self.tell(state="failed", left_s=None, error=sentence_of(problem), code=code_of(problem))
