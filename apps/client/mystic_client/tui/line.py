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
from mystic_client.model.search import Query
from mystic_client.model.store import Store
from mystic_client.model.talk import GLOBAL
from mystic_client.model.timeline import Entry
from mystic_client.model.whereabouts import seen
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
from mystic_client.session.notebook import Notebook
from mystic_client.session.secure import Security
from mystic_client.tui.keeper import Keeper, sentence
from mystic_client.tui.pages import Pages
from mysticproto import model

GREETING: Final = "Welcome, {}! F1 or /help shows what you can do."
"""For servers that have no words of their own."""
MAX_COUNTED_AT_START: Final = 20
"""Open conversations whose newest page is fetched at the start, to count what is unread there."""


class Speaks(Protocol):
    """What a line needs of a session (`session.connection.Session`)."""

    address: Address
    name: str
    state: State
    security: Security

    @property
    def notebook(self) -> Notebook: ...
    async def run(self) -> Ended: ...
    def post(self, to: model.Target, text: str, reply_to: int = 0) -> bytes: ...
    def retry(self, cid: bytes) -> bool: ...
    def discard(self, cid: bytes) -> bool: ...
    def mark(self, conversation: str, delivered: int = 0, read: int = 0) -> None: ...
    def share_reads(self, shares: bool) -> None: ...
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
        self.stops_at_s = 0.0
        """When the server will stop, by the loop's clock; 0: as far as is known, it won't."""
        self.now_us, self._changed = now_us, changed
        self._session: Speaks | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.keeper = Keeper(self.ask)
        self.pages = Pages(self.store, self.ask, self._spawn, changed)
        self._restored: dict[bytes, PostState] = {}
        """What an earlier run of this program said, until the lists say where it belongs."""
        self._is_restored = False
        self._receipts_asked: set[str] = set()
        self._changed_folders: set[str] = set()

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
                if not self.was_online:
                    self.store.restore(self.session.notebook.drafts, self.session.notebook.read)
                self.state, self.was_online, self.stops_at_s = item, True, 0.0
                self.store.welcomed(welcome)
                self._receipts_asked.clear()
                if not again:
                    self.store.note(welcome.text or GREETING.format(welcome.user.name), self.now_us(), key=GLOBAL)
                self._spawn(self._list())
            case Waiting(_, retry_in_s):
                self.state = item
                self.retry_at_s = asyncio.get_running_loop().time() + retry_in_s
            case Trying() | Ended():
                self.state = item
            case PostState():
                self._take_post(item)
            case model.Marked():
                self.store.marked(item)
            case model.FileHashed():
                pass
            case model.FolderChanged(path):
                self._changed_folders.add(path)
            case model.StoppingIn(seconds):
                self.stops_at_s = asyncio.get_running_loop().time() + seconds if seconds else 0.0
            case model.Notice(text) | model.Bye(_, text):
                self.store.note(text, self.now_us(), key=GLOBAL)
                if self.store.front != GLOBAL:
                    self.store.note(text, self.now_us())
            case _:
                self.store.heard(item)

    def _take_post(self, post: PostState) -> None:
        match post.state:
            case "sent":
                self._restored.pop(post.cid, None)
                self.store.sent(post.cid, post.seq, post.time_us, post.unknown, self._away(post))
            case "failed" if post.cid not in self._restored and not post.restored:
                self.store.failed(post.cid, post.error)
            case _ if post.restored and not self.store.again(post.cid):
                self._restored[post.cid] = post
                self._place_restored()
            case "failed":
                self.store.failed(post.cid, post.error)
            case _:
                self.store.again(post.cid)

    def _away(self, post: PostState) -> dict[str, str]:
        """Who is not here, in words about each."""
        since = {**dict.fromkeys(post.away, 0), **dict(zip(post.away, post.away_since_us, strict=False))}
        infos = {
            name: model.UserInfo(model.UserRef(0, name), here=False, last_seen_us=us) for name, us in since.items()
        }
        return {name: seen(info, self.now_us()) for name, info in infos.items()}

    def _place_restored(self) -> None:
        """Puts what an earlier run said into its conversations, as soon as the lists are here."""
        if not self._is_restored:
            return
        for post in self._restored.values():
            kind = "broadcast" if isinstance(post.to, model.ToEveryone) else "message"
            key = self.store.open_target(post.to)
            self.store.posted(key, post.cid, post.text, post.time_us, kind, post.reply_to, post.error)
        self._restored.clear()

    # What the user does.

    def say(self, key: str, text: str, to: model.Target | None = None) -> None:
        """Posts in a conversation, as an answer if one was begun there, or to everybody as a broadcast."""
        talk = self.store.talks[key]
        if len(text.encode()) > model.MAX_TEXT_BYTES:
            self.store.note("That is too long for a message.", self.now_us(), "error", key)
        else:
            reply_to = talk.answering.number if talk.answering and to is None else 0
            try:
                cid = self.session.post(to or talk.target, text, reply_to)
            except (OutboxFull, NotConnected) as problem:
                self.store.note(str(problem), self.now_us(), "error", key)
            else:
                kind = "broadcast" if isinstance(to, model.ToEveryone) else "message"
                self.store.posted(key, cid, text, self.now_us(), kind, reply_to)
                self.store.answer(key, None)
        self._changed()

    def retry(self, cid: bytes = b"") -> None:
        """Posts what failed once more: one message, or all of the conversation in front."""
        failed = [e.cid for e in self.store.front_talk.timeline.on_the_way() if e.state == "failed"]
        try:
            for one in [cid] if cid else failed:
                self.session.retry(one)
        except (OutboxFull, NotConnected) as problem:
            self.complain(str(problem))

    def give_up(self, cid: bytes) -> None:
        """Takes a message off that failed."""
        self.session.discard(cid)
        self.store.take_back(cid)
        self._changed()

    def keep_draft(self, key: str, text: str) -> None:
        """Keeps what was begun in a conversation, over the end of the program too."""
        self.store.draft(key, text)
        self.session.notebook.keep_draft(key, text)

    def seen(self, key: str, upto: int) -> None:
        """The user has read a conversation up to this number."""
        if self.store.seen(key, upto):
            self.session.notebook.keep_read(key, upto)
            if self.store.talks[key].has_receipts:
                self.session.mark(key, read=upto)
            self._changed()

    async def edit(self, message: int, text: str) -> str:
        """Puts another text in the place of a message of one's own; "" or why not."""
        reply = await self.ask(lambda n: model.Edit(n, message, text))
        return "" if isinstance(reply, model.Ok) else sentence(reply)

    async def delete(self, message: int) -> str:
        """Takes a message away; "" or why not."""
        reply = await self.ask(lambda n: model.Delete(n, message))
        return "" if isinstance(reply, model.Ok) else sentence(reply)

    async def readers(self, key: str, entry: Entry) -> str:
        """Who has read a message, or why that can't be said."""
        reply = await self.ask(lambda n: model.GetReceipts(n, key))
        if isinstance(reply, model.Receipts):
            self.store.receipts(key, reply.marks)
            self._changed()
            return readers(reply.marks, entry.place, entry.author_id)
        return sentence(reply)

    async def search(self, query: Query, before: int) -> model.Found | str:
        """A page of what a search finds, or why it finds nothing."""
        reply = await self.ask(lambda n: query.request(n, before))
        return reply if isinstance(reply, model.Found) else sentence(reply)

    def fetch_past(self, key: str) -> None:
        """Fetches the next page of a conversation's past, if there is one and it isn't on its way."""
        if isinstance(self.state, Online):
            self.pages.fetch_past(key)

    def follow_front(self) -> None:
        """Asks for what the conversation in front needs, and keeps which ones are open."""
        talk = self.store.front_talk
        wanted = talk.kind == "direct" and talk.has_receipts and talk.key not in self._receipts_asked
        if wanted and isinstance(self.state, Online):
            self._receipts_asked.add(talk.key)
            self._spawn(self._receipts(talk.key))
        if self._is_restored:
            self.session.notebook.keep_open(key for key, talk in self.store.talks.items() if not talk.is_named)

    async def _receipts(self, key: str) -> None:
        reply = await self.ask(lambda n: model.GetReceipts(n, key))
        if isinstance(reply, model.Receipts):
            self.store.receipts(key, reply.marks)
            self._changed()

    async def _list(self) -> None:
        """Asks who is here, which groups there are, and what the user takes part in."""
        self.store.roster.asked()
        users = await self.ask(lambda n: model.ListUsers(n, known=True))
        groups = await self.ask(model.ListGroups)
        if isinstance(users, model.Users) and isinstance(groups, model.Groups):
            self.store.listed(users.users, groups.groups)
        talks = await self.ask(model.ListConversations)
        if isinstance(talks, model.Conversations):
            self.store.converses(talks.conversations)
        if not self._is_restored and isinstance(self.state, Online):
            self._restore()
        self._changed()

    def _restore(self) -> None:
        """Opens what was open when this program ended, and counts what is unread there."""
        for key in self.session.notebook.open:
            if key in self.store.conversations:
                self.store.open_known(self.store.conversations[key].conversation)
        self._is_restored = True
        self._place_restored()
        unread = [
            key
            for key, talk in self.store.talks.items()
            if key in self.store.conversations and self.store.conversations[key].last > talk.read_upto > 0
        ]
        for key in unread[:MAX_COUNTED_AT_START]:
            self.fetch_past(key)

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

    def take_changed_folders(self) -> set[str]:
        """The shared folders that have changed since the last call."""
        changed, self._changed_folders = self._changed_folders, set()
        return changed

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
