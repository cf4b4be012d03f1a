"""A session without a network: the test says what the server would say, and reads what the client asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC
from pathlib import Path

from mystic_client.model.choice import Choice
from mystic_client.model.transfer import Transfer
from mystic_client.session.heard import Address, Ended, Heard, NotConnected, Online, PostState, State, Trying, Waiting
from mystic_client.session.notebook import Notebook
from mystic_client.session.secure import Security
from mystic_client.tui.outside import Outside
from mystic_client.tui.widgets.clock import Clock
from mysticproto import model
from mysticproto.model import (
    Direct,
    Event,
    FolderEntry,
    Global,
    Group,
    GroupInfo,
    Message,
    UserInfo,
    UserRef,
)
from tests.support.fake_transfers import FakeTransfers

NOON_US = 1_790_000_000_000_000
"""A Monday, 21 September 2026, 14:13:20 UTC."""
MINUTE_US = 60_000_000
OWN, ANA, BOB, EVA = UserRef(1, "zoe"), UserRef(2, "ana"), UserRef(3, "bob"), UserRef(4, "eva")
DEV = Group(7, "dev")


def said(seq: int, author: UserRef, text: str, where: model.Conversation | None = None, *, minute: int = 0) -> Message:
    """A message, `minute` minutes from noon; to everybody unless said otherwise."""
    return Message(seq, NOON_US + minute * MINUTE_US, author, where or Global(), text)


def between(*users: UserRef) -> Direct:
    """The private conversation of these and of the user."""
    return Direct(tuple(sorted((OWN, *users), key=lambda user: user.id)))


class FakeSession:
    """See the module. `posts` and `requests` are what the client sent; `say` makes it hear something."""

    def __init__(self, address: Address, name: str, heard: Callable[[list[Heard]], None], server: FakeServer) -> None:
        self.address, self.name = address, name
        self.state: State = Trying(1)
        self.security = server.security
        self.posts: list[tuple[bytes, model.Target, str]] = []
        self.requests: list[model.Request] = []
        self.replies_to: list[int] = []
        self.marks: list[tuple[str, int]] = []
        self.shared: list[bool] = []
        """Whether others may learn what is read, each time that was said."""
        self.notebook = server.notebook
        self.tries_now = 0
        self._heard, self._server = heard, server
        self._end: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()

    async def run(self) -> Ended:
        if self._server.greets == "welcome":
            self.go_online()
        elif self._server.greets == "refused":
            self.say(Waiting("Connection refused", 3.0))
        ended = await self._end
        self.state = ended
        self._heard([ended])
        return ended

    def go_online(self, *, again: bool = False) -> None:
        """Logs in."""
        user = UserRef(OWN.id, self.name)
        welcome = model.Welcome(1, 5, user, "guest", self._server.upto, self._server.focus, text=self._server.greeting)
        self.say(Online(welcome, again))

    def say(self, *items: Heard) -> None:
        """The client hears this, in one list."""
        for item in items:
            if isinstance(item, Online | Trying | Waiting):
                self.state = item
        self._heard(list(items))

    def end(self, code: str, text: str, known: str = "", seen: str = "") -> None:
        """The session is over."""
        if not self._end.done():
            self._end.set_result(Ended(code, text, known, seen))

    def post(self, to: model.Target, text: str, reply_to: int = 0) -> bytes:
        cid = len(self.posts).to_bytes(16)
        self.posts.append((cid, to, text))
        self.replies_to.append(reply_to)
        self._heard([PostState(cid, "pending", to, text)])
        return cid

    def retry(self, cid: bytes) -> bool:
        found = next((post for post in self.posts if post[0] == cid), None)
        if found is not None:
            self.posts.append(found)
            self._heard([PostState(cid, "pending", found[1], found[2])])
        return found is not None

    def discard(self, cid: bytes) -> bool:
        return any(post[0] == cid for post in self.posts)

    def mark(self, conversation: str, delivered: int = 0, read: int = 0) -> None:
        self.marks.append((conversation, read))

    def share_reads(self, shares: bool) -> None:
        self.shared.append(shares)

    def acknowledge(
        self, seq: int, *, away: tuple[str, ...] = (), unknown: tuple[str, ...] = (), since: tuple[int, ...] = ()
    ) -> None:
        """The latest post is in the log."""
        cid, to, text = self.posts[-1]
        self.say(PostState(cid, "sent", to, text, seq, NOON_US, unknown, away, away_since_us=since))

    def refuse(self, sentence: str) -> None:
        """The latest post is refused."""
        cid, to, text = self.posts[-1]
        self.say(PostState(cid, "failed", to, text, error=sentence))

    async def ask(self, make: Callable[[int], model.Request]) -> model.Reply:
        if not isinstance(self.state, Online):
            raise NotConnected("there is no connection yet")
        request = make(len(self.requests) + 1)
        self.requests.append(request)
        return self._server.answer(request)

    async def close(self) -> None:
        self.end("left", "You have left.")

    def drop(self) -> None:
        self.end("dropped", "The session was given up.")

    def try_now(self) -> None:
        self.tries_now += 1


class FakeServer:
    """What there is on the server, for the answers of every session that is made with it."""

    def __init__(self) -> None:
        self.users: list[UserRef] = [OWN, ANA, BOB, EVA]
        self.roles: dict[int, str] = {}
        """By user id; everybody else is a guest."""
        self.away: list[UserInfo] = []
        self.conversations: list[model.ConversationInfo] = []
        self.receipts: list[model.Watermark] = []
        self.hits: list[Message] = []
        self.is_indexing = False
        self.notebook = Notebook()
        self.bans: list[model.BanInfo] = []
        self.devices: list[model.DeviceInfo] = []
        self.has_password = False
        self.groups: list[GroupInfo] = []
        self.past: dict[str, list[Event]] = {}
        self.folders: dict[str, list[FolderEntry]] = {"": []}
        self.focus: Group | None = None
        self.greeting = ""
        self.upto = 0
        self.refusals: dict[type, model.Refused] = {}
        self.greets = "welcome"
        """What a new connection meets: "welcome", "refused" (nothing listens) or "silence"."""
        self.sessions: list[FakeSession] = []
        self.passwords: list[str] = []
        """Those that were given with each new session, "" for none."""
        self.security = Security()
        self.forgotten: list[tuple[str, int]] = []
        self.forget_fails = ""
        self.remembered: list[Choice] = []
        self.kept_transfers: list[Transfer] = []
        """What an earlier run of the program had."""
        self.carried: list[FakeTransfers] = []
        self.revealed: list[Path] = []
        self.reveal_fails = ""
        self.shares_read = True
        self.keep_fails = ""

    @property
    def session(self) -> FakeSession:
        """The latest session."""
        return self.sessions[-1]

    def connect(
        self, address: Address, name: str, heard: Callable[[list[Heard]], None], password: str = ""
    ) -> FakeSession:
        self.passwords.append(password)
        self.sessions.append(FakeSession(address, name, heard, self))
        return self.session

    def outside(self, recent: Iterable[Choice] = (), **more: object) -> Outside:
        """What the app is given."""
        return Outside(
            connect=self.connect,
            carry=self.carry,
            reveal=self.reveal,
            downloads_of=lambda name: Path("Downloads") / "Mystic" / name,
            recent=lambda: list(recent),
            remember=self.remembered.append,
            forget=self.forget,
            shares_read=lambda: self.shares_read,
            keep_shares_read=self.keep_shares_read,
            clock=Clock(lambda: NOON_US, UTC),
            **more,  # type: ignore[arg-type]
        )

    def carry(self, session: object, folder: Path, changed: Callable[[Transfer], None]) -> FakeTransfers:
        self.carried.append(FakeTransfers(folder, changed, self.kept_transfers))
        return self.carried[-1]

    @property
    def transfers(self) -> FakeTransfers:
        """Those of the latest session."""
        return self.carried[-1]

    def reveal(self, folder: Path) -> str:
        self.revealed.append(folder)
        return self.reveal_fails

    def keep_shares_read(self, shares: bool) -> str:
        self.shares_read = shares
        return self.keep_fails

    def forget(self, host: str, port: int) -> None:
        """The client is told to forget the key of a server."""
        if self.forget_fails:
            raise OSError(self.forget_fails)
        self.forgotten.append((host, port))

    def answer(self, request: model.Request) -> model.Reply:
        """What a server would answer."""
        if refusal := self.refusals.get(type(request)):
            return refusal
        match request:
            case model.ListUsers(n):
                here = [UserInfo(user, self.roles.get(user.id, "guest")) for user in self.users]
                return model.Users(n, (*here, *self.away))
            case model.ListBans(n):
                return model.Bans(n, tuple(self.bans))
            case model.ListDevices(n):
                return model.Devices(n, tuple(self.devices), self.has_password)
            case model.ListGroups(n):
                return model.Groups(n, tuple(self.groups))
            case model.GetHistory():
                return self._history(request)
            case model.ListConversations(n):
                return model.Conversations(n, tuple(self.conversations))
            case model.GetReceipts(n, conversation):
                return model.Receipts(n, conversation, tuple(self.receipts))
            case model.Search(n):
                return self._found(request)
            case model.ListFolder(n, path):
                entries = tuple(self.folders.get(path, ()))
                return model.Folder(n, path, entries, len(entries))
            case model.CreateGroup(n, name, focus):
                self.groups.append(GroupInfo(Group(len(self.groups) + 20, name), OWN, (OWN,)))
                return model.Entered(n, 0, self.groups[-1], focus)
            case model.JoinGroup(n, name, focus):
                known = next(info for info in self.groups if info.group.name == name)
                return model.Entered(n, 0, GroupInfo(known.group, known.owner, (*known.members, OWN)), focus)
        return model.Ok(request.n)

    def _history(self, asked: model.GetHistory) -> model.History:
        events = self.past.get(past_key(asked.of), [])
        first, last = 0, len(events)
        if asked.around:
            at = next((index for index, event in enumerate(events) if event.seq >= asked.around), last)
            first, last = max(0, at - asked.limit // 2), min(last, at + (asked.limit + 1) // 2)
        elif asked.after:
            first = next((index for index, event in enumerate(events) if event.seq > asked.after), last)
            last = min(last, first + asked.limit)
        else:
            last = next((at for at, event in enumerate(events) if asked.before and event.seq >= asked.before), last)
            first = max(0, last - asked.limit)
        return model.History(asked.n, tuple(events[first:last]), first > 0, last < len(events))

    def _found(self, asked: model.Search) -> model.Found:
        words = asked.words.casefold().split()
        fitting = [
            hit
            for hit in sorted(self.hits, key=lambda hit: -hit.seq)
            if all(word in hit.text.casefold() for word in words)
            and asked.author in ("", hit.author.name)
            and (not asked.before or hit.seq < asked.before)
        ]
        hits = tuple(fitting[: asked.limit])
        return model.Found(asked.n, hits, len(fitting) > len(hits), hits[-1].seq if hits else 0, not self.is_indexing)


def past_key(of: model.Target) -> str:
    """The key of `FakeServer.past` for a conversation: "global", "group:dev", "users:ana,bob"."""
    match of:
        case model.ToGroup(name):
            return f"group:{name}"
        case model.ToUsers(names):
            return "users:" + ",".join(sorted(names))
    return "global"
