"""Dialogue: one connection, from the greeting to whatever ends it.

It answers the greeting with a login, keeps the line alive, and deals with everything that the server says: answers go
to who asked, events are brought into order, and `tell` gets the rest in lists, what one read of the socket brought.
"""

import asyncio
from collections.abc import Callable

from msgspec import Struct

from mystic_client.session.affairs import Affairs
from mystic_client.session.gate import clean
from mystic_client.session.heard import Heard, Online
from mystic_client.session.link import Link
from mystic_client.session.verdict import Ending
from mysticproto import model
from mysticproto.errors import Code, ProtocolError

NOT_IN_THE_CLEAR = (
    "The connection is not encrypted, so the password was not sent: others on the way could have read it. "
    "The server's operator can allow encryption."
)


class Timing(Struct, frozen=True):
    """How long a session waits for what, seconds."""

    login_s: float = 10.0
    """From the connection to the welcome."""
    ask_s: float = 10.0
    """For an answer, or its next part."""
    ping_every_s: float = 20.0
    silence_s: float = 30.0
    """Without a single byte from the server the connection counts as lost; some pings fit into it."""
    logout_s: float = 2.0
    """For the server's farewell."""


class Over(Exception):
    """The server ended the connection or refused the login, or its answer to the login would be of no use."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.ending = Ending(code, text)


class Dialogue:
    """`online_since_s`: the loop's time of the welcome, 0 before it. `again`: there was a welcome before."""

    def __init__(
        self,
        link: Link,
        affairs: Affairs,
        timing: Timing,
        tell: Callable[[list[Heard]], None],
        *,
        again: bool,
        notice: str = "",
    ) -> None:
        self.online_since_s = 0.0
        self._link = link
        self._affairs = affairs
        self._timing = timing
        self._tell = tell
        self._again = again
        self._notice = notice
        self._login_n = 0
        self._marking: asyncio.TimerHandle | None = None

    @property
    def is_online(self) -> bool:
        """Whether the session is logged in."""
        return self.online_since_s > 0

    @property
    def is_exposed(self) -> bool:
        """Whether others may read along."""
        return self._link.security.is_exposed

    async def run(self) -> None:
        """Until the connection breaks (`Lost`), makes no sense (`ProtocolError`), is over (`Over`) or interrupted."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._timing.login_s
        pinging = loop.create_task(self._ping())
        try:
            while True:
                patience_s = self._timing.silence_s if self.is_online else deadline_s - loop.time()
                self._heed(await self._link.read(patience_s))
        finally:
            self._stop_marking()
            pinging.cancel()
            await asyncio.wait({pinging})

    def interrupt(self) -> None:
        """Ends `run` with `Interrupted`, and leaves the connection open."""
        self._link.interrupt()

    def send(self, request: model.Request) -> None:
        """Sends a request; its number must be one of the affairs'."""
        self._link.send(request)

    def send_posts(self) -> None:
        """Sends what waits in the outbox, as much of it as may be under way; the rest by itself later."""
        if not self.is_online:
            return
        outbox = self._affairs.outbox
        for entry in outbox.sendable():
            n = self._affairs.next_n()
            outbox.asked(n, entry)
            self._link.send(model.Post(n, entry.to, entry.text, entry.cid, entry.reply_to))

    def send_marks(self, *, all_of_them: bool = False) -> None:
        """Says how far the user has got, as far as it is time to; the rest by itself later.

        During a catch-up nothing is said: should the program be killed, it will all come again.
        """
        self._stop_marking()
        if not self.is_online or self._affairs.standing.order.catching_up:
            return
        loop = asyncio.get_running_loop()
        marks = self._affairs.marks
        for mark in marks.take_due(loop.time(), self._affairs.next_n, all_of_them=all_of_them):
            self._link.send(mark)
        due_s = marks.maybe_due_at_s()
        if due_s is not None:
            self._marking = loop.call_at(due_s, self.send_marks)

    def _stop_marking(self) -> None:
        if self._marking is not None:
            self._marking.cancel()
        self._marking = None

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(self._timing.ping_every_s)
            self._link.send(model.Ping(self._affairs.next_n()))

    # What the server says.

    def _heed(self, said: list[model.FromServer]) -> None:
        batch: list[Heard] = []
        try:
            for one in said:
                self._take(clean(one), batch)
        finally:
            if batch:
                self._tell(batch)
            self.send_posts()
            self.send_marks()

    def _take(self, said: model.FromServer, batch: list[Heard]) -> None:
        match said:
            case model.Hello():
                batch.extend(self._log_in(said))
            case model.Welcome():
                self._welcomed(said, batch)
            case model.Refused(n, code, text) if n == self._login_n or not self.is_online:
                raise Over(code, text)
            case model.Ok() | model.Refused():
                self._settled(said, batch)
            case model.CatchUp():
                batch.extend(self._affairs.standing.order.caught_up(said))
            case model.FileHashed():
                self._affairs.hashes.heard(said)
                batch.append(said)
            case model.Notice() | model.Marked() | model.FolderChanged():
                batch.append(said)
            case model.StoppingIn(seconds):
                batch.extend([said, model.Notice(_countdown(seconds))])
            case model.Bye(code, text):
                batch.append(said)
                raise Over(code, text)
            case model.Seen() | model.Roster():
                pass  # for older programs
            case model.FileStart():
                raise ProtocolError(Code.MALFORMED, "a file on the chat connection")
            case _ if isinstance(said, model.Event):
                batch.extend(self._affairs.standing.order.live(said))
            case _:
                self._affairs.asks.answered(said)

    def _log_in(self, hello: model.Hello) -> list[Heard]:
        if self._login_n:
            raise ProtocolError(Code.MALFORMED, "a second greeting")
        self._login_n = self._affairs.next_n()
        fingerprint = self._link.security.fingerprint
        told = self._affairs.greeted(hello.server_id, fingerprint)
        login = self._affairs.standing.login(hello, self._login_n, fingerprint)
        if login.password and self.is_exposed:
            raise Over(Code.TLS_REQUIRED, NOT_IN_THE_CLEAR)
        self._link.send(login)
        return [*told]

    def _welcomed(self, welcome: model.Welcome, batch: list[Heard]) -> None:
        if self.is_online or welcome.n != self._login_n:
            raise ProtocolError(Code.MALFORMED, "a second welcome")
        self._affairs.standing.welcomed(welcome)
        self.online_since_s = asyncio.get_running_loop().time()
        batch.append(Online(welcome, self._again))
        batch.extend(model.Notice(text) for text in (self._notice, self._affairs.standing.take_notice()) if text)
        batch.extend(self._affairs.take_restored())

    def _settled(self, reply: model.Ok | model.Refused, batch: list[Heard]) -> None:
        state = self._affairs.outbox.maybe_settle(reply)
        if state is not None:
            batch.append(state)
        elif not self._affairs.marks.answered(reply.n):
            self._affairs.asks.answered(reply)


def _countdown(seconds: int) -> str:
    if seconds == 0:
        return "The server goes on after all."
    return f"The server stops in {seconds} second{'s' * (seconds != 1)}."
