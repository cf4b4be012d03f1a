"""Wires for tests of the hub: native frames, and each with one manner of the older wires."""

from __future__ import annotations

from mysticproto.model import Bye, Event, Login, Passing, Ping, Refused, Reply, Request, Seen, Welcome
from mysticproto.native import NativeWire, encode_frame
from mysticproto.wire import Chunks, Item, Local, Role


class RawFiles(NativeWire):
    """Files stand in line as they are."""

    name = "raw files"
    file_coding = "raw"


class Base64Files(NativeWire):
    """Files stand in line as base64."""

    name = "base64 files"
    file_coding = "base64"


class Personal(NativeWire):
    """Every peer is told by itself; what, and in which role, is kept."""

    name = "personal"
    is_personal = True
    pairs = True

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[Event | Passing, Role]] = []

    def answer(self, request: Request | None, reply: Reply | Passing | Bye) -> Chunks:
        return (encode_frame(reply),) if isinstance(reply, Seen) else super().answer(request, reply)

    def tell(self, event: Event | Passing, role: Role, now: float) -> Chunks:
        self.told.append((event, role))
        return (encode_frame(event),)


class Follower(NativeWire):
    """Is told the whole roster."""

    name = "follower"
    follows_roster = True


class Unframed(NativeWire):
    """Reading it must not be put off."""

    name = "unframed"
    is_framed = False
    pings = False


class Paired(NativeWire):
    """Has two connections; on the second nothing is told. What it says at the end is kept."""

    name = "paired"
    pings = False
    pairs = True

    def __init__(self) -> None:
        super().__init__()
        self.welcomes: list[str] = []
        self.byes: list[str] = []

    def answer(self, request: Request | None, reply: Reply | Passing | Bye) -> Chunks:
        if isinstance(reply, Welcome):
            self.welcomes.append(reply.text)
        if isinstance(reply, Bye):
            self.byes.append(reply.code)
        return super().answer(request, reply)


class Curious(NativeWire):
    """Asks something by itself after every welcome, and twice after every answered ping of the peer."""

    name = "curious"

    def __init__(self) -> None:
        super().__init__()
        self._asks: list[Request] = []

    def answer(self, request: Request | None, reply: Reply | Passing | Bye) -> Chunks:
        if isinstance(request, Ping) and request.n < 100:
            self._asks += [Ping(100 + request.n), Ping(200 + request.n)]
        elif isinstance(request, Login) and isinstance(reply, Welcome):
            self._asks.append(Ping(1000))
        return super().answer(request, reply)

    def take_follow_ups(self) -> list[Request]:
        asks, self._asks = self._asks, []
        return asks


class Final(NativeWire):
    """Has said its last words when a login was refused."""

    name = "final"

    def __init__(self) -> None:
        super().__init__()
        self.is_over = False

    def answer(self, request: Request | None, reply: Reply | Passing | Bye) -> Chunks:
        if self.is_over:
            return ()
        if isinstance(request, Login) and isinstance(reply, Refused):
            self.is_over = True
        return super().answer(request, reply)


class Clockwork(NativeWire):
    """Says "tick" and asks for a ping whenever its time has come, every second after it has been wound up."""

    name = "clockwork"

    def __init__(self) -> None:
        super().__init__()
        self.due_s: float | None = None
        self.calls = 0

    def feed(self, data: bytes, now: float) -> list[Item]:
        items = super().feed(data, now)
        self.calls += not data
        if self.due_s is not None and now >= self.due_s:
            self.due_s = now + 1.0
            items += [Local((encode_frame(Bye("tick", "tick")),)), Ping(7)]
        return items

    def next_deadline(self) -> float | None:
        return self.due_s
