"""Line: the join of one session with the store that it fills.

What the session hears goes into the store; what the user does goes to the session, and its answers into the store
again. Nothing is drawn here: `changed` tells the app that something is to be shown.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, Protocol

from mystic_client.model.folder import Listing
from mystic_client.model.receipts import readers
from mystic_client.model.store import Store
from mystic_client.model.talk import GLOBAL
from mystic_client.model.timeline import Entry
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
from mystic_client.tui.keeper import Keeper, sentence
from mysticproto import model

HISTORY_PAGE: Final = 100
GREETING: Final = "Welcome, {}! F1 or /help shows what you can do."
"""For servers that have no words of their own."""
HOLE_PAGE: Final = model.MAX_HISTORY_PAGE


class Speaks(Protocol):
    """What a line needs of a session (`session.connection.Session`)."""

    address: Address
    name: str
    state: State

    async def run(self) -> Ended: ...
    def post(self, to: model.Target, text: str, reply_to: int = 0) -> bytes: ...
    async def ask(self, make: Callable[[int], model.Request]) -> model.Reply: ...
    async def close(self) -> None: ...
    def drop(self) -> None: ...
    def try_now(self) -> None: ...


class Line:
    """See the module. `was_online`: whether there ever was a connection; `waiting_until_s` while there is none."""

    def __init__(self, name: str, now_us: Callable[[], int], changed: Callable[[], None]) -> None:
        self.store = Store(name)
        self.state: State = Trying(1)
        self.was_online = False
        self.retry_at_s = 0.0
        self.now_us, self._changed = now_us, changed
        self._session: Speaks | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.keeper = Keeper(self.ask)

    def attach(self, session: Speaks) -> None:
        """The session that was made with `heard` as its callback."""
        self._session = session

    @property
    def session(self) -> Speaks:
        assert self._session is not None, "a line is attached before it is used"
        return self._session

    def try_now(self) -> None:
        """Tries to connect at once."""
        self.session.try_now()

    # What the session hears.

    def heard(self, items: list[Heard]) -> None:
        """Takes in what the session heard, in order."""
        for item in items:
            self._take(item)
        self._changed()

    def _take(self, item: Heard) -> None:
        match item:
            case Online(welcome, again):
                self.state, self.was_online = item, True
                self.store.welcomed(welcome)
                if not again:
                    self.store.note(welcome.text or GREETING.format(welcome.user.name), self.now_us(), key=GLOBAL)
                self._spawn(self._list())
            case Waiting(_, retry_in_s):
                self.state = item
                self.retry_at_s = asyncio.get_running_loop().time() + retry_in_s
            case Trying() | Ended():
                self.state = item
            case PostState(cid, "sent"):
                self.store.sent(cid, item.seq, item.time_us, item.unknown, item.away)
            case PostState(cid, "failed"):
                self.store.failed(cid, item.error)
            case PostState() | model.FileHashed() | model.Marked():
                pass
            case model.Notice(text) | model.Bye(_, text):
                self.store.note(text, self.now_us(), key=GLOBAL)
                if self.store.front != GLOBAL:
                    self.store.note(text, self.now_us())
            case _:
                self.store.heard(item)

    # What the user does.

    def say(self, key: str, text: str, to: model.Target | None = None) -> None:
        """Posts in a conversation, or to everybody as a broadcast."""
        talk = self.store.talks[key]
        if len(text.encode()) > model.MAX_TEXT_BYTES:
            self.store.note("That is too long for a message.", self.now_us(), "error", key)
        else:
            try:
                cid = self.session.post(to or talk.target, text)
            except (OutboxFull, NotConnected) as problem:
                self.store.note(str(problem), self.now_us(), "error", key)
            else:
                kind = "broadcast" if isinstance(to, model.ToEveryone) else "message"
                self.store.posted(key, cid, text, self.now_us(), kind)
        self._changed()

    def retry(self, cid: bytes = b"") -> None:
        """Posts what failed once more: one message, or all of the conversation in front."""
        key = self.store.front
        failed = [e.cid for e in self.store.talks[key].timeline.on_the_way() if e.state == "failed"]
        for one in [cid] if cid else failed:
            entry = self.store.take_back(key, one)
            if entry is not None:
                self.say(key, entry.text, model.ToEveryone() if entry.kind == "broadcast" else None)

    def give_up(self, cid: bytes) -> None:
        """Takes a message off that failed."""
        self.store.take_back(self.store.front, cid)
        self._changed()

    async def edit(self, message: int, text: str) -> None:
        """Puts another text in the place of a message of one's own."""
        reply = await self.ask(lambda n: model.Edit(n, message, text))
        if not isinstance(reply, model.Ok):
            self.complain(reply)

    async def delete(self, message: int) -> None:
        """Takes a message away."""
        reply = await self.ask(lambda n: model.Delete(n, message))
        if not isinstance(reply, model.Ok):
            self.complain(reply)

    async def show_readers(self, key: str, entry: Entry) -> None:
        """Says who has read a message."""
        reply = await self.ask(lambda n: model.GetReceipts(n, key))
        if isinstance(reply, model.Receipts):
            self.store.note(readers(reply.marks, entry.place, entry.author_id), self.now_us(), key=key)
            self._changed()
        else:
            self.complain(reply)

    def fetch_past(self, key: str) -> None:
        """Fetches the next page of a conversation's past, if there is one and it isn't on its way."""
        talk = self.store.talks.get(key)
        if talk is None or not talk.wants_history or not isinstance(self.state, Online):
            return
        limit = HOLE_PAGE if talk.history == "hole" else HISTORY_PAGE
        before, of = talk.before, talk.target
        self.store.asking_history(key)
        self._spawn(self._past(key, of, before, limit))

    async def _past(
        self, key: str, of: model.ToGlobal | model.ToUsers | model.ToGroup, before: int, limit: int
    ) -> None:
        reply = await self.ask(lambda n: model.GetHistory(n, of, before, limit))
        if isinstance(reply, model.History):
            self.store.history(key, reply.events, reply.more)
        else:
            self.store.no_history(key)
        self._changed()

    async def _list(self) -> None:
        """Asks who is here and which groups there are."""
        self.store.roster.asked()
        users = await self.ask(lambda n: model.ListUsers(n, known=True))
        groups = await self.ask(model.ListGroups)
        if isinstance(users, model.Users) and isinstance(groups, model.Groups):
            self.store.listed(users.users, groups.groups)
        self._changed()

    # Groups.

    async def create(self, name: str, focus: bool, members: tuple[str, ...] | None = None) -> None:
        """Makes a group and turns to it: a kept one with `members`, though they be none, else a room."""
        kept = members is not None
        await self._enter(lambda n: model.CreateGroup(n, name, focus, kept, members or ()))

    async def join(self, name: str, focus: bool) -> None:
        """Joins a group and turns to it."""
        await self._enter(lambda n: model.JoinGroup(n, name, focus))

    async def _enter(self, make: Callable[[int], model.Request]) -> None:
        reply = await self.ask(make)
        if isinstance(reply, model.Entered):
            self.store.look_at(self.store.entered(reply.group, reply.focus))
            self._changed()
        else:
            self.complain(reply)

    async def leave(self, name: str) -> bool:
        """Leaves a group, the one that the session is in if no name is given; whether it did."""
        reply = await self.ask(lambda n: model.LeaveGroup(n, name))
        if not isinstance(reply, model.Ok):
            self.complain(reply)
            return False
        info = self.store.roster.group_named(name)
        group = info.group if info else self.store.focus
        if group is not None:
            self.store.left(group)
        if group is None or self.store.focus is None:
            self.fetch_past(GLOBAL)
        self._changed()
        return True

    # Files.

    async def folder(self, path: str) -> Listing:
        """What is in a shared folder, or why that can't be said."""
        reply = await self.ask(lambda n: model.ListFolder(n, path))
        if isinstance(reply, model.Folder):
            return Listing(path, reply.entries, "shown")
        return Listing(path, (), "failed", sentence(reply))

    # Asking.

    async def ask(self, make: Callable[[int], model.Request]) -> model.Reply:
        """The answer; if there is none, a refusal that says so."""
        try:
            return await self.session.ask(make)
        except NotConnected as problem:
            return model.Refused(0, "not_connected", f"That needs a connection: {problem}")
        except TimeoutError:
            return model.Refused(0, "no_answer", "The server does not answer.")

    def complain(self, reply: model.Reply | str) -> None:
        """Writes a refusal, or the sentence of one, into the conversation in front."""
        self.store.note(reply if isinstance(reply, str) else sentence(reply), self.now_us(), "error")
        self._changed()

    def note(self, text: str) -> None:
        """Writes words of the client's own into the conversation in front."""
        self.store.note(text, self.now_us())
        self._changed()

    def do(self, work: Coroutine[Any, Any, object]) -> None:
        """Carries something out without waiting for it."""
        self._spawn(_ignoring_result(work))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self, *, politely: bool) -> None:
        """Ends the session and everything that waits for its answers."""
        if politely:
            await self.session.close()
        else:
            self.session.drop()
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ignoring_result(work: Awaitable[object]) -> None:
    await work
