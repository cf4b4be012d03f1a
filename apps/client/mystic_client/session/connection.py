"""Session: one user's place on a server, kept through breaks of the connection.

    run() --> Trying --> Online --> (lost) --> Waiting --> Trying --> ...            Ended
              dial,      a `Dialogue`:           back off                            refused, replaced,
              log in     answers, events                                             closed, dropped

Whoever owns the session hears of all this through one callback, in lists: what one read of the socket brought. Posts
live in the outbox until the server has them on disk, and go out again after a break under the same client id; with a
`memory` they outlive the program too. What the owner was told is written down only then, so that a program that is
killed in between is told again. The order after a login is: what was missed (CatchUp), then what happened meanwhile. A
question (`ask`) belongs to one connection and fails with it.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

from mystic_client.session.affairs import Affairs
from mystic_client.session.backoff import Backoff
from mystic_client.session.daemon import in_daemon_thread
from mystic_client.session.dialogue import NOT_IN_THE_CLEAR, Dialogue, Over, Timing
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
from mystic_client.session.link import Interrupted, Link, Lost, open_streams
from mystic_client.session.memory import Memory
from mystic_client.session.notebook import Notebook
from mystic_client.session.outbox import TOO_LONG, Entry
from mystic_client.session.pins import Pins
from mystic_client.session.secure import FingerprintChanged, Security
from mystic_client.session.standing import Standing
from mystic_client.session.verdict import FINGERPRINT_CHANGED, LOST, RENEWED, Ending, is_final, of_nonsense
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

RTT_PROBES = 3
PARTING_S = 2.0


class Session:
    """One user on one server. `heard` gets lists in order, cleaned, nothing twice; it must not block.

    `watch`: be announced and hear what happens; else the session only acts. `after`: the last sequence number that this
    device has (-1: start afresh), `resume`: the session it had. With a `memory` both come from there, per server.
    Without `retry` the first break is the end. `pins` are the servers that are known by their keys.

    `password` proves the name until the server knows the device's key; it is never sent where others could read it.
    `shares_read`: others may learn what this user has read, and this user what others have.
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
        password: str = "",
        shares_read: bool = True,
    ) -> None:
        self.address = address
        self.name = name
        self.state: State = Trying(1)
        self.security = Security()
        """What protects the connection, or did so last; further ones to this server follow it."""
        self.peer_host = ""
        """The server's address in numbers, as the last connection had it."""
        self.rtt_s = 0.0
        """What `measure_rtt` found last; 0 before."""
        self._heard = heard
        self._retry = retry
        self._pins = pins or Pins()
        self._timing = timing or Timing()
        self._standing = Standing(
            name,
            identity,
            memory,
            watch=watch,
            after=after,
            resume=resume,
            password=password,
            shares_read=shares_read,
            pins=self._pins,
        )
        self._affairs = Affairs(self._standing, shares_read=shares_read)
        self._outbox = self._affairs.outbox
        self._dialogue: Dialogue | None = None
        self._former: Link | None = None
        """The connection that the next one takes over from: closed before that, it would be told to others as lost."""
        self._was_online = False
        self._is_telling = False
        self._news = asyncio.Event()
        self._hurry = asyncio.Event()
        self._work: asyncio.Task[Ended] | None = None
        self._stopped: Ended | None = None
        self._parting: set[asyncio.Task[None]] = set()

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
    def notebook(self) -> Notebook:
        """Drafts, open conversations and read positions of this place; filled when `Online` is told."""
        return self._affairs.notebook

    @property
    def unanswered(self) -> int:
        """Posts in the outbox that have not failed."""
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

    # What is said.

    def post(self, to: model.Target, text: str, reply_to: int = 0) -> bytes:
        """Says something, now or as soon as there is a connection; returns its client id.

        `heard` gets the `PostState` "pending" before this returns, and later "sent" or "failed". Raises `OutboxFull`,
        and `NotConnected` after the end.
        """
        self._refuse_after_the_end()
        entry = self._outbox.add(to, text, reply_to, lasting=self._online_dialogue is None)
        self._told_and_sent(entry)
        return entry.cid

    def retry(self, cid: bytes) -> bool:
        """Sends a post that has failed once more, under the same id, behind all others; `heard` gets its "pending".

        False: there is none of this id. Raises `OutboxFull`, and `NotConnected` after the end.
        """
        self._refuse_after_the_end()
        entry = self._outbox.maybe_retry(cid)
        if entry is None:
            return False
        self._told_and_sent(entry)
        return True

    def discard(self, cid: bytes) -> bool:
        """Gives a post up that has failed, or that waits for a connection. False: there is none, or it is under way."""
        return self._outbox.discard(cid)

    def mark(self, conversation: str, delivered: int = 0, read: int = 0) -> None:
        """Notes how far the user has got in a direct or group conversation (a `model.conversation_key`).

        It is told to the server soon, at most once a second for each conversation. What was delivered is noted anyway.
        """
        self._affairs.marks.note(conversation, delivered, read)
        if self._dialogue is not None:
            self._dialogue.send_marks()

    def share_reads(self, shares: bool) -> None:
        """Whether others may learn what this user reads from now on, and this user what others have.

        The server learns it with a login, so an open connection is replaced by another one.
        """
        if shares != self._standing.shares_read:
            self._affairs.share_reads(shares)
            if self._dialogue is not None:
                self._dialogue.interrupt()

    async def ask(self, make: Callable[[int], model.Request]) -> model.Reply:
        """The server's answer to the request that `make` builds with the number it is given.

        Answers in parts come as one, `Refused` is an answer like others. Raises `NotConnected`, also if the connection
        breaks meanwhile, and `TimeoutError`.
        """
        dialogue = self._connected()
        n = self._affairs.next_n()
        request = make(n)
        if isinstance(request, model.SetPassword) and dialogue.is_exposed:
            return model.Refused(n, Code.TLS_REQUIRED, NOT_IN_THE_CLEAR)
        if len(encode_frame(request)) > MAX_REQUEST_BYTES:
            return model.Refused(n, Code.FRAME_TOO_LARGE, "That is too long.")
        asks, loop = self._affairs.asks, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timing.ask_s) as patience:
                answer = asks.open(n, lambda: patience.reschedule(loop.time() + self._timing.ask_s))
                dialogue.send(request)
                return await answer
        finally:
            asks.forget(n)

    async def measure_rtt(self) -> float:
        """How long a word takes there and back, seconds: the best of three. Raises as `ask`."""
        loop = asyncio.get_running_loop()
        best_s = float("inf")
        for _ in range(RTT_PROBES):
            started_s = loop.time()
            await self.ask(model.Ping)
            best_s = min(best_s, loop.time() - started_s)
        self.rtt_s = best_s
        return best_s

    def maybe_file(self, kind: str) -> Path | None:
        """A file for what the owner keeps of this device's place on this server, from the first `Online` on; None if
        nothing can be kept, or another program has the place."""
        return self._standing.maybe_file(kind)

    def see_off(self, work: Callable[[], None]) -> None:
        """Lets something that nobody waits for any more come to its end in a thread; `close` gives it a moment."""
        self._part(in_daemon_thread(work))

    def _part(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="mystic-parting")
        self._parting.add(task)
        task.add_done_callback(self._parting.discard)

    # Waiting for it.

    async def online(self) -> None:
        """Waits until the session is logged in. Raises `NotConnected` if it ends instead."""
        while self._online_dialogue is None:
            self._refuse_after_the_end()
            await self._news.wait()

    async def drained(self, at_most: int = 0) -> None:
        """Waits until at most so many posts are unanswered."""
        while len(self._outbox) > at_most:
            await self._news.wait()

    async def file_hash(self, path: str, size: int, modified_us: int) -> bytes:
        """Waits for the server's own BLAKE3 of a file (`FileHashed`); `NotConnected` if the connection breaks."""
        self._connected()
        return await self._affairs.hashes.wait_for(path, size, modified_us)

    async def close(self) -> None:
        """Logs out, waiting for the farewell a little; then `run` returns `Ended("left", ...)`."""
        self._stopped = self._stopped or Ended("left", "You have left.")
        if self._parting:
            await asyncio.wait(self._parting, timeout=PARTING_S)
        if self._work is None or self._work.done():
            return
        dialogue = self._online_dialogue
        if dialogue is not None:
            dialogue.send_marks(all_of_them=True)
            dialogue.send(model.Logout(self._affairs.next_n()))
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
        self._tell([Trying(attempt)])
        while True:
            ending, held_s = await self._connection()
            if held_s:
                attempt = 0
                backoff.held(held_s)
            if ending.code == RENEWED and self._stopped is None:
                continue
            ended = self._maybe_ended(ending)
            if ended is not None:
                return ended
            wait_s = backoff.failed()
            self._tell([Waiting(ending.text, wait_s)])
            await self._back_off(wait_s)
            attempt += 1
            self._tell([Trying(attempt)])

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

    async def _connection(self) -> tuple[Ending, float]:
        """One connection from dialling to its end; and how long the session was logged in, in seconds."""
        try:
            link = Link(*await open_streams(self.address, self._pins))
        except Lost as lost:
            return Ending(LOST, str(lost)), 0.0
        except FingerprintChanged as changed:
            return Ending(FINGERPRINT_CHANGED, str(changed), changed.known, changed.seen), 0.0
        self.security = link.security
        self.peer_host = link.peer_host
        notice = "" if self._was_online else link.security.notice(self.address)
        dialogue = Dialogue(link, self._affairs, self._timing, self._tell, again=self._was_online, notice=notice)
        ending = Ending(LOST, "the connection was given up")
        self._dialogue = dialogue
        try:
            await dialogue.run()
        except Lost as lost:
            ending = Ending(LOST, str(lost))
        except ProtocolError as problem:
            ending = of_nonsense(problem)
        except Over as over:
            ending = over.ending
        except Interrupted:
            ending = Ending(RENEWED, "it is made anew")
        finally:
            self._dialogue = None
            self._affairs.disconnected(ending.text)
            self._let_former_go()
            if ending.code == RENEWED:
                self._former = link
            else:
                await link.close()
        online_since_s = dialogue.online_since_s
        return ending, asyncio.get_running_loop().time() - online_since_s if online_since_s else 0.0

    def _let_former_go(self) -> None:
        former, self._former = self._former, None
        if former is not None:
            self._part(former.close())

    @property
    def _online_dialogue(self) -> Dialogue | None:
        return self._dialogue if self._dialogue is not None and self._dialogue.is_online else None

    def _connected(self) -> Dialogue:
        dialogue = self._online_dialogue
        if dialogue is None:
            raise NotConnected(_why_not(self.state))
        return dialogue

    def _refuse_after_the_end(self) -> None:
        if isinstance(self.state, Ended):
            raise NotConnected(self.state.text)

    def _finish(self, ended: Ended) -> None:
        self._stopped = ended
        self._let_former_go()
        self._tell([*self._affairs.close(ended.text), ended])

    # What is told and sent.

    def _tell(self, batch: list[Heard]) -> None:
        """Lets the owner hear it, then writes down that they did; not while they hear something else."""
        for one in batch:
            match one:
                case Online():
                    self.state, self._was_online = one, True
                    self._let_former_go()
                case Trying() | Waiting() | Ended():
                    self.state = one
        was_telling, self._is_telling = self._is_telling, True
        try:
            self._heard(batch)
        finally:
            self._is_telling = was_telling
        if not was_telling:
            self._affairs.passed_on(batch)
        self._news.set()
        self._news = asyncio.Event()

    def _told_and_sent(self, entry: Entry) -> None:
        self._tell([entry.pending()])
        if not entry.fits():
            asyncio.get_running_loop().call_soon(self._refuse, entry)
        elif self._dialogue is not None:
            self._dialogue.send_posts()

    def _refuse(self, entry: Entry) -> None:
        state = self._outbox.maybe_refuse(entry.cid, TOO_LONG)
        if state:
            self._tell([state])


def _why_not(state: State) -> str:
    match state:
        case Waiting(reason):
            return f"there is no connection: {reason}"
        case Ended(_, text):
            return text
    return "there is no connection yet"
