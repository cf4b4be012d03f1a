"""Session: one user's place on a server, kept through breaks of the connection.

    run() --> Trying --> Online --> (lost) --> Waiting --> Trying --> ...            Ended
              dial,      read: the gate cleans,     back off                         refused, replaced,
              log in     `EventOrder` orders,                                        closed, dropped
                         answers go to who asked

Whoever owns the session hears of all this through one callback, in lists: what one read of the socket brought. Posts
live in the outbox until the server has them on disk, and go out again after a break under the same client id. The order
after a login is: what was missed (CatchUp), then what happened meanwhile. A question (`ask`) belongs to one connection
and fails with it.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from msgspec import Struct

from mystic_client.session.asks import Asks
from mystic_client.session.backoff import Backoff
from mystic_client.session.gate import clean
from mystic_client.session.hashes import Hashes
from mystic_client.session.heard import (
    Address,
    Ended,
    Heard,
    NotConnected,
    Online,
    OutboxFull,
    PostState,
    State,
    Trying,
    Waiting,
)
from mystic_client.session.identity import Identity
from mystic_client.session.link import Link, Lost, open_streams
from mystic_client.session.memory import Memory
from mystic_client.session.notebook import Notebook
from mystic_client.session.outbox import Entry, Outbox
from mystic_client.session.pins import Pins
from mystic_client.session.secure import FingerprintChanged, Security
from mystic_client.session.standing import Standing
from mystic_client.session.verdict import FINGERPRINT_CHANGED, LOST, Ending, is_final, of_nonsense
from mysticproto import model
from mysticproto.errors import Code, ProtocolError
from mysticproto.native import MAX_REQUEST_BYTES, encode_frame

__all__ = [
    "Address",
    "Ended",
    "Heard",
    "NotConnected",
    "Online",
    "OutboxFull",
    "PostState",
    "Session",
    "State",
    "Timing",
    "Trying",
    "Waiting",
]


class Timing(Struct, frozen=True):
    """How long a session waits for what, seconds."""

    login_s: float = 10.0
    """From the connection to the welcome."""
    ask_s: float = 10.0
    """For an answer."""
    ping_every_s: float = 20.0
    silence_s: float = 30.0
    """Without a single byte from the server the connection counts as lost; some pings fit into it."""
    logout_s: float = 2.0
    """For the server's farewell."""


class _Over(Exception):
    """The server ended the connection, or refused the login."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.ending = Ending(code, text)


class Session:
    """One user on one server. `heard` gets lists in order, cleaned, nothing twice; it must not block.

    `watch`: be announced and hear what happens; else the session only acts. `after`: the last sequence number that this
    device has (-1: start afresh), `resume`: the session it had. With a `memory` both come from there, per server.
    Without `retry` the first break is the end. `pins` are the servers that are known by their keys.
    """

    def __init__(
        self,
        address: Address,
        name: str,
        identity: Identity | None,
        heard: Callable[[list[Heard]], None],
        *,
        watch: bool = True,
        after: int = -1,
        resume: int = 0,
        retry: bool = True,
        memory: Memory | None = None,
        pins: Pins | None = None,
        timing: Timing | None = None,
    ) -> None:
        self.address = address
        self.name = name
        self.state: State = Trying(1)
        self.security = Security()
        """What protects the connection, or did so last; further ones to this server follow it."""
        self._heard = heard
        self._retry = retry
        self._pins = pins or Pins()
        self._timing = timing or Timing()
        self._standing = Standing(name, identity, memory, watch=watch, after=after, resume=resume)
        self.notebook = Notebook()
        self._outbox = Outbox()
        self._asks = Asks()
        self._hashes = Hashes()
        self._last_n = 0
        self._login_n = 0
        self._link: Link | None = None
        self._was_online = False
        self._online_since_s = 0.0
        self._news = asyncio.Event()
        self._hurry = asyncio.Event()
        self._work: asyncio.Task[Ended] | None = None
        self._stopped: Ended | None = None

    @property
    def cursor(self) -> int:
        """The last sequence number up to which this device has everything it may see; -1: it starts afresh."""
        return self._standing.order.cursor

    @property
    def session_id(self) -> int:
        """What the server calls this session, for `resume`; 0 before the first login."""
        return self._standing.session_id

    @property
    def server_id(self) -> bytes:
        """The id of the server that was last reached; empty before."""
        return self._standing.server_id

    @property
    def unanswered(self) -> int:
        """Posts in the outbox."""
        return len(self._outbox)

    async def run(self) -> Ended:
        """Connects, logs in, reads, and connects again, until something final happens. To be called once."""
        ended = self._stopped or Ended("dropped", "The session was given up.")
        try:
            if self._stopped is None:
                self._work = asyncio.create_task(self._keep_trying(), name="mystic-session")
                ended = await self._work
        except asyncio.CancelledError:
            if self._stopped is None:  # somebody cancelled `run` itself
                raise
            ended = self._stopped
        finally:
            self._finish(ended)
        return ended

    def post(self, to: model.Target, text: str, reply_to: int = 0) -> bytes:
        """Says something, now or as soon as there is a connection; returns its client id.

        `heard` gets the `PostState` "pending" before this returns, and later "sent" or "failed". Raises `OutboxFull`,
        and `NotConnected` after the end.
        """
        if isinstance(self.state, Ended):
            raise NotConnected(self.state.text)
        entry = self._outbox.add(to, text, reply_to)
        self._tell([entry.pending()])
        if entry.fits():
            self._send_post(entry)
        else:
            asyncio.get_running_loop().call_soon(self._refuse, entry)
        return entry.cid

    async def ask(self, make: Callable[[int], model.Request]) -> model.Reply:
        """The server's answer to the request that `make` builds with the number it is given.

        Answers in parts come as one, `Refused` is an answer like others. Raises `NotConnected`, also if the connection
        breaks meanwhile, and `TimeoutError`.
        """
        if self._link is None:
            raise NotConnected(_why_not(self.state))
        n = self._next_n()
        request = make(n)
        if len(encode_frame(request)) > MAX_REQUEST_BYTES:
            return model.Refused(n, Code.FRAME_TOO_LARGE, "That is too long.")
        answer = self._asks.open(n)
        self._link.send(request)
        try:
            async with asyncio.timeout(self._timing.ask_s):
                return await answer
        finally:
            self._asks.forget(n)

    async def online(self) -> None:
        """Waits until the session is logged in. Raises `NotConnected` if it ends instead."""
        while self._link is None:
            if isinstance(self.state, Ended):
                raise NotConnected(self.state.text)
            await self._news.wait()

    async def drained(self, at_most: int = 0) -> None:
        """Waits until at most so many posts are unanswered."""
        while len(self._outbox) > at_most:
            await self._news.wait()

    async def file_hash(self, path: str, size: int, modified_us: int) -> bytes:
        """Waits for the server's own BLAKE3 of a file (`FileHashed`); `NotConnected` if the connection breaks."""
        if self._link is None:
            raise NotConnected(_why_not(self.state))
        return await self._hashes.wait_for(path, size, modified_us)

    async def close(self) -> None:
        """Logs out, waiting for the farewell a little; then `run` returns `Ended("left", ...)`."""
        self._stopped = self._stopped or Ended("left", "You have left.")
        if self._work is None or self._work.done():
            return
        if self._link is not None:
            self._link.send(model.Logout(self._next_n()))
            await asyncio.wait({self._work}, timeout=self._timing.logout_s)
        self._work.cancel()
        await asyncio.wait({self._work})

    def drop(self) -> None:
        """Gives up at once without logging out: the server will believe that the session was lost."""
        self._stopped = self._stopped or Ended("dropped", "The session was given up.")
        if self._work is not None:
            self._work.cancel()

    def try_now(self) -> None:
        """Connects at once instead of waiting any longer; nothing happens unless the state is `Waiting`."""
        self._hurry.set()

    # The life of a session.

    async def _keep_trying(self) -> Ended:
        backoff = Backoff()
        attempt = 1
        while True:
            self._tell([Trying(attempt)])
            self._online_since_s = 0.0
            ending = await self._connection()
            if self._online_since_s:
                attempt = 0
                backoff.held(asyncio.get_running_loop().time() - self._online_since_s)
            ended = self._maybe_ended(ending)
            if ended is not None:
                return ended
            wait_s = backoff.failed()
            self._tell([Waiting(ending.text, wait_s)])
            await self._back_off(wait_s)
            attempt += 1

    async def _back_off(self, wait_s: float) -> None:
        """Waits, unless somebody is in a hurry."""
        self._hurry.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._hurry.wait()

    def _maybe_ended(self, ending: Ending) -> Ended | None:
        if self._stopped is not None:
            return self._stopped
        if is_final(ending, after_a_break=self._was_online):
            return Ended(ending.code, ending.text, ending.known, ending.seen)
        if not self._retry:
            code = "unreachable" if ending.code == LOST and not self._was_online else ending.code
            return Ended(code, ending.text)
        return None

    async def _connection(self) -> Ending:
        """One connection from dialling to its end."""
        try:
            link = Link(*await open_streams(self.address, self._pins))
        except Lost as lost:
            return Ending(LOST, str(lost))
        except FingerprintChanged as changed:
            return Ending(FINGERPRINT_CHANGED, str(changed), changed.known, changed.seen)
        self.security = link.security
        ending = Ending(LOST, "the connection was given up")
        try:
            await self._converse(link)
        except Lost as lost:
            ending = Ending(LOST, str(lost))
        except ProtocolError as problem:
            ending = of_nonsense(problem)
        except _Over as over:
            ending = over.ending
        finally:
            self._disconnected(ending.text)
            await link.close()
        return ending

    async def _converse(self, link: Link) -> None:
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._timing.login_s
        self._login_n = 0
        pinging = loop.create_task(self._ping(link))
        try:
            while True:
                online = self._link is not None
                self._heed(link, await link.read(self._timing.silence_s if online else deadline_s - loop.time()))
        finally:
            pinging.cancel()
            await asyncio.wait({pinging})

    async def _ping(self, link: Link) -> None:
        while True:
            await asyncio.sleep(self._timing.ping_every_s)
            link.send(model.Ping(self._next_n()))

    def _disconnected(self, reason: str) -> None:
        self._link = None
        self._outbox.disconnected()
        self._asks.disconnected(reason)
        self._hashes.disconnected(reason)
        self._standing.remember()

    def _finish(self, ended: Ended) -> None:
        self._stopped = ended
        unsent = self._outbox.give_up(ended.text)
        self._tell([*unsent, ended])
        self._standing.close()

    # What the server says.

    def _heed(self, link: Link, said: list[model.FromServer]) -> None:
        batch: list[Heard] = []
        try:
            for one in said:
                self._take(link, clean(one), batch)
        finally:
            if batch:
                self._tell(batch)

    def _take(self, link: Link, said: model.FromServer, batch: list[Heard]) -> None:
        match said:
            case model.Hello():
                self._log_in(link, said)
            case model.Welcome():
                self._welcomed(link, said, batch)
            case model.Refused(n, code, text) if n == self._login_n or not self._is_online:
                raise _Over(code, text)
            case model.Ok() | model.Refused():
                state = self._outbox.maybe_settle(said)
                if state:
                    batch.append(state)
                else:
                    self._asks.answered(said)
            case model.CatchUp():
                batch.extend(self._standing.order.caught_up(said))
            case model.FileHashed():
                self._hashes.heard(said)
                batch.append(said)
            case model.Notice():
                batch.append(said)
            case model.StoppingIn(seconds):
                batch.append(model.Notice(f"The server stops in {seconds} second{'s' * (seconds != 1)}."))
            case model.Bye(code, text):
                batch.append(said)
                raise _Over(code, text)
            case (
                model.Message()
                | model.UserJoined()
                | model.UserLeft()
                | model.GroupCreated()
                | model.GroupJoined()
                | model.GroupLeft()
                | model.GroupDeleted()
            ):
                batch.extend(self._standing.order.live(said))
            case model.Seen() | model.Roster():
                pass  # for older programs
            case model.FileStart():
                raise ProtocolError(Code.MALFORMED, "a file on the chat connection")
            case _:
                self._asks.answered(said)

    @property
    def _is_online(self) -> bool:
        return self._link is not None

    def _log_in(self, link: Link, hello: model.Hello) -> None:
        if self._login_n:
            raise ProtocolError(Code.MALFORMED, "a second greeting")
        self._login_n = self._next_n()
        link.send(self._standing.login(hello, self._login_n))

    def _welcomed(self, link: Link, welcome: model.Welcome, batch: list[Heard]) -> None:
        if self._link is not None or welcome.n != self._login_n:
            raise ProtocolError(Code.MALFORMED, "a second welcome")
        self._standing.welcomed(welcome)
        self._link = link
        self._online_since_s = asyncio.get_running_loop().time()
        batch.append(Online(welcome, self._was_online))
        if not self._was_online and (notice := link.security.notice(self.address)):
            batch.append(model.Notice(notice))
        self._was_online = True
        for entry in self._outbox.waiting():
            if entry.fits():
                self._send_post(entry)

    # What is told and sent.

    def _tell(self, batch: list[Heard]) -> None:
        for one in batch:
            if isinstance(one, Trying | Online | Waiting | Ended):
                self.state = one
        self._standing.remember()
        self._heard(batch)
        self._news.set()
        self._news = asyncio.Event()

    def _refuse(self, entry: Entry) -> None:
        state = self._outbox.maybe_refuse(
            entry.cid, f"it is too long: a message has at most {model.MAX_TEXT_BYTES} bytes"
        )
        if state:
            self._tell([state])

    def _send_post(self, entry: Entry) -> None:
        if self._link is None:
            return
        n = self._next_n()
        self._outbox.asked(n, entry)
        self._link.send(model.Post(n, entry.to, entry.text, entry.cid, entry.reply_to))

    def _next_n(self) -> int:
        self._last_n += 1
        return self._last_n


def _why_not(state: State) -> str:
    match state:
        case Waiting(reason):
            return f"there is no connection: {reason}"
        case Ended(_, text):
            return text
    return "there is no connection yet"
