"""Dialogues with the domain alone: no log, no sockets, no clock.

    room = Room()
    ana, bob = room.comes("ana"), room.comes("bob")
    room.forget()
    ana >> say("hi")
    room.went('''
        bob hears [GLOBAL] ana: hi
        ana is echoed [GLOBAL] ana: hi
        ana gets ok 3
    ''')

A step is decided, gets the next number, and is applied; `with room.at_once():` decides several before any is applied.
What follows is told in lines, so that a failing test shows two dialogues. After every event the tables that a log would
keep are loaded into a fresh world, which must be the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from textwrap import dedent, indent

from mystic_server.domain.apply import apply
from mystic_server.domain.decide import EVERYBODY, Change, Newcomer, Rules, decide, decide_end, decide_login
from mystic_server.domain.decide_accounts import decide_password
from mystic_server.domain.decide_amendments import decide_delete, decide_edit
from mystic_server.domain.events import Amended, Committed, Deleted, Edited, Event, Posted, RoleSet, StateRow
from mystic_server.domain.outcome import Applied, Delivery
from mystic_server.domain.receipts import Watermarks, decide_mark, marked, receipts
from mystic_server.domain.refusals import Decision
from mystic_server.domain.world import Session, World
from mysticproto.model import (
    FOR_EVER_US,
    AccountClaimed,
    AccountDeleted,
    AddMember,
    Announce,
    Ban,
    Broadcast,
    Conversation,
    CreateGroup,
    Delete,
    DeleteAccount,
    DeleteGroup,
    Direct,
    Edit,
    Entered,
    GetReceipts,
    Global,
    Group,
    GroupCreated,
    GroupDeleted,
    GroupHandedOver,
    GroupJoined,
    GroupKept,
    GroupLeft,
    GroupRenamed,
    HandOver,
    JoinGroup,
    KeepGroup,
    Kick,
    LeaveGroup,
    Login,
    Logout,
    Mark,
    Marked,
    Message,
    MessageDeleted,
    MessageEdited,
    Moderated,
    Mute,
    Ok,
    Post,
    Receipts,
    Refused,
    RemoveDevice,
    RemoveMember,
    RenameGroup,
    Reply,
    SetRole,
    ToEveryone,
    ToGlobal,
    ToGroup,
    ToUsers,
    Unban,
    Unmute,
    UserJoined,
    UserLeft,
    Welcome,
)
from mysticproto.model import Event as Said

Request = Change | Logout | Edit | Delete
START_US = 1_700_000_000_000_000
NODE = 1
SHOWN = "    "


# What can be asked for.


def say(text: str, cid: bytes = b"", reply_to: int = 0, *, receipt: bool = False) -> Post:
    """To everybody in global."""
    return Post(1, ToGlobal(), text, cid, reply_to, receipt)


def tell(names: str, text: str, *, receipt: bool = False) -> Post:
    """To some people, named with spaces between them."""
    return Post(1, ToUsers(tuple(names.split())), text, receipt=receipt)


def say_in(group: str, text: str, *, receipt: bool = False) -> Post:
    """To a group; an empty name means the one that the session is in."""
    return Post(1, ToGroup(group), text, receipt=receipt)


def shout(text: str) -> Post:
    """To everybody wherever they are."""
    return Post(1, ToEveryone(), text)


def create(group: str, *, focus: bool = True) -> CreateGroup:
    return CreateGroup(1, group, focus)


def keep(group: str, members: str = "", *, focus: bool = False) -> CreateGroup:
    """A kept group with members, named with spaces between them."""
    return CreateGroup(1, group, focus, kept=True, members=tuple(members.split()))


def add(group: str, name: str) -> AddMember:
    return AddMember(1, group, name)


def remove(group: str, name: str) -> RemoveMember:
    return RemoveMember(1, group, name)


def rename(group: str, name: str) -> RenameGroup:
    return RenameGroup(1, group, name)


def hand_over(group: str, name: str) -> HandOver:
    return HandOver(1, group, name)


def keep_on(group: str, kept: bool = True) -> KeepGroup:
    """Makes a room a kept group, or the other way round."""
    return KeepGroup(1, group, kept)


def end_group(group: str) -> DeleteGroup:
    return DeleteGroup(1, group)


def edit(message: int, text: str) -> Edit:
    return Edit(1, message, text)


def delete(message: int) -> Delete:
    return Delete(1, message)


def join(group: str, *, focus: bool = True) -> JoinGroup:
    return JoinGroup(1, group, focus)


def leave(group: str = "") -> LeaveGroup:
    return LeaveGroup(1, group)


def log_out() -> Logout:
    return Logout(1)


def announce(text: str) -> Announce:
    return Announce(1, text)


def kick(name: str, reason: str = "") -> Kick:
    return Kick(1, name, reason)


def ban(target: str, seconds: int = 0, reason: str = "") -> Ban:
    return Ban(1, target, seconds, reason)


def unban(target: str) -> Unban:
    return Unban(1, target)


def mute(name: str, seconds: int = 0, reason: str = "") -> Mute:
    return Mute(1, name, seconds, reason)


def unmute(name: str) -> Unmute:
    return Unmute(1, name)


def set_role(name: str, role: str = "operator") -> SetRole:
    return SetRole(1, name, role)


def remove_device(key: bytes) -> RemoveDevice:
    return RemoveDevice(1, key)


def delete_account(name: str = "") -> DeleteAccount:
    """The asker's own, or somebody else's."""
    return DeleteAccount(1, name)


class Person:
    """Somebody at one device; `label` is what the transcript calls them."""

    def __init__(self, room: Room, label: str, session: int) -> None:
        self.room = room
        self.label = label
        self.session = session
        self.shares_read = True

    def __rshift__(self, request: Request) -> None:
        """Asks for something."""
        self.room.proceed(self, self.room.decides(self, request))

    def has_got(self, conversation: str, delivered: int = 0, read: int = 0) -> None:
        """Moves the watermarks in a conversation, and keeps what was read private unless it is shared."""
        self.room.move(self, Mark(1, conversation, delivered, read, private=not self.shares_read))

    def asks_who_has_got(self, conversation: str) -> None:
        """Asks for the receipts of a conversation."""
        world, asked = self.room.world, GetReceipts(1, conversation)
        self.room.answer(self, receipts(world, self.here, asked, self.room.watermarks, self.shares_read))

    @property
    def here(self) -> Session:
        """The session as the world has it."""
        return self.room.world.sessions[self.session]

    @property
    def is_here(self) -> bool:
        """Whether the session is still there."""
        return self.session in self.room.world.sessions

    def ends(self, cause: str) -> None:
        """The session ends without being asked."""
        self.room.proceed(None, decide_end(self.room.world, self.here, cause))

    def sets_password(self, hash: str = "$argon2id$1") -> None:
        """A password that was asked for has been hashed."""
        self.room.proceed(self, decide_password(self.room.world, self.here, 1, hash))


class Room:
    """A world, the log of what happened in it, and the transcript since the last look."""

    def __init__(self, epoch: int = 1) -> None:
        self.world = World()
        self.log: list[Committed] = []
        self.lines: list[str] = []
        self.tables = Tables()
        self.epoch = epoch
        self._waited_s = 0
        self.watermarks = Watermarks()
        self._people: dict[int, Person] = {}
        self._labels: dict[int, str] = {}
        self._put_off: list[tuple[Person | None, Event]] | None = None

    # Steps.

    def comes(
        self,
        name: str,
        key: bytes = b"",
        *,
        label: str = "",
        watch: bool = True,
        resume: Person | None = None,
        lingers: bool = True,
        display: str = "",
        by_password: bool = False,
        host: str = "192.0.2.7",
        rules: Rules = EVERYBODY,
    ) -> Person:
        """Somebody logs in. The second session of a name is labelled name/2 unless something else is asked for."""
        session = 1000 + len(self._labels)
        taken = list(self._labels.values())
        number = 1 + sum(1 for each in taken if each.partition("/")[0] == name)
        person = Person(self, label or (name if number == 1 else f"{name}/{number}"), session)
        self._labels[session] = person.label
        self._people[session] = person
        request = Login(1, name, key, watch=watch, resume=resume.session if resume else 0, display=display)
        newcomer = Newcomer(session, key, lingers, NODE, self.epoch, by_password, host, host == "127.0.0.1")
        self.proceed(person, decide_login(self.world, request, newcomer, (), rules, self.now_us))
        return person

    def operator(self, name: str, key: bytes) -> Person:
        """Somebody logs in whom the command line makes an operator; nothing of that is in the transcript."""
        person = self.comes(name, key)
        user = self.world.user_named(name)
        assert user
        self.commit(RoleSet(0, 0, user.id, "operator"))
        self.forget()
        return person

    @property
    def now_us(self) -> int:
        """The time: a second passes with every event."""
        return START_US + 1_000_000 * (len(self.log) + self._waited_s)

    def wait(self, seconds: int) -> None:
        """Time passes in which nothing happens."""
        self._waited_s += seconds

    def decides(self, person: Person, request: Request) -> Decision:
        """What would be decided; nothing comes of it."""
        match request:
            case Edit(message=number):
                return decide_edit(self.world, person.here, request, self.message(number), self.now_us)
            case Delete(message=number):
                return decide_delete(self.world, person.here, request, self.message(number), self.now_us)
        return decide(self.world, person.here, request, self.now_us)

    def message(self, number: int) -> Committed | None:
        """A message as the log has it now."""
        if not 0 < number <= len(self.log) or not isinstance(self.log[number - 1].event, Posted):
            return None
        amended = None
        for seq, time_us, event in ((each.seq, each.time_us, each.event) for each in self.log):
            is_meant = isinstance(event, Edited | Deleted) and event.message == number < seq
            if is_meant and not (amended and amended.deleted):
                text = event.text if isinstance(event, Edited) else ""
                amended = Amended(text, time_us, isinstance(event, Deleted))
        return Committed(number, self.log[number - 1].time_us, self.log[number - 1].event, amended)

    def move(self, person: Person, request: Mark) -> None:
        """Somebody has got further, and whoever may know is told."""
        users = decide_mark(self.world, person.here, request)
        if isinstance(users, Refused):
            self.answer(person, users)
            return
        moved = self.watermarks.mark(person.here.user, request)
        told = [self._people[id] for user in users for id in self.world.watching(user) if id != person.session]
        for each in told if moved else ():
            assert moved
            if said := marked(self.world, request, person.here.user, moved, each.here.user, each.shares_read):
                self.lines.append(f"{each.label} learns: {mark_in_words(said)}")
        self.answer(person, Ok(request.n))

    def proceed(self, asker: Person | None, decision: Decision) -> None:
        """A decision goes its way."""
        if isinstance(decision, Refused):
            self.answer(asker, decision)
        elif self._put_off is not None:
            self._put_off.append((asker, decision))
        else:
            self.commit(decision, asker)

    def commit(self, event: Event, asker: Person | None = None) -> None:
        """The log has taken an event."""
        seq = len(self.log) + 1
        committed = Committed(seq, START_US + 1_000_000 * (seq + self._waited_s), event)
        self.log.append(committed)
        applied = apply(self.world, committed)
        self._tell(asker, applied)
        self.tables.keep(self.world.take_dirty())
        assert_same(self.tables.loaded(seq), self.world)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is asked for inside is all decided before any of it is applied."""
        self._put_off = []
        yield
        events, self._put_off = self._put_off, None
        for asker, event in events:
            self.commit(event, asker)

    # The transcript.

    def forget(self) -> None:
        """What was said so far is not what the test is about."""
        self.lines.clear()

    def went(self, expected: str) -> None:
        """Fails unless the dialogue since the last look went like this."""
        lines, self.lines = "\n".join(self.lines), []
        expected = dedent(expected).strip()
        if lines != expected:
            raise AssertionError(f"it should have gone\n{indent(expected, SHOWN)}\nand went\n{indent(lines, SHOWN)}")

    def _tell(self, asker: Person | None, applied: Applied) -> None:
        for delivery in applied.deliveries:
            self._deliver(delivery)
        for ending in applied.endings:
            self.lines.append(f"{self._label(ending.session)} must go: {ending.bye.code}")
        if applied.answer:
            self.answer(asker, applied.answer)

    def answer(self, asker: Person | None, answer: Reply) -> None:
        """Somebody gets an answer; an event that nobody asked for has none."""
        if asker:
            self.lines.append(f"{asker.label} {answer_in_words(answer)}")

    def _deliver(self, delivery: Delivery) -> None:
        words = event_in_words(delivery.event)
        hearers = [id for id in delivery.to.sessions if id not in delivery.author]
        others = set(hearers) | set(delivery.author)
        bystanders = [id for id in delivery.bystanders.sessions if id not in others]
        self._line(hearers, "hears", "hear", words)
        self._line(list(delivery.author), "is echoed", "are echoed", words)
        self._line(bystanders, "notices", "notice", words)

    def _label(self, session: int) -> str:
        return self._labels.get(session, f"session {session}")

    def _line(self, sessions: list[int], one: str, many: str, words: str) -> None:
        if sessions:
            who = ", ".join(sorted(map(self._label, sessions)))
            self.lines.append(f"{who} {one if len(sessions) == 1 else many} {words}")


class Tables:
    """World state as a log keeps it."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, int], StateRow] = {}

    def keep(self, rows: list[StateRow]) -> None:
        for row in rows:
            if row.body is None:
                self.rows.pop((row.kind, row.id), None)
            else:
                self.rows[row.kind, row.id] = row

    def loaded(self, applied: int) -> World:
        world = World()
        world.load(tuple(self.rows.values()), applied)
        return world


def assert_same(world: World, other: World) -> None:
    """Two worlds in which the same is so. The order in which sessions came is forgotten by the tables."""
    assert world.applied == other.applied
    assert world.users == other.users
    assert world.sessions == other.sessions
    assert world.lost == other.lost
    assert world.groups == other.groups
    assert world.user_ids == other.user_ids
    assert world.group_ids == other.group_ids
    assert list(world.gone) == list(other.gone)
    assert list(world.no_more) == list(other.no_more)
    assert world.guests == other.guests
    assert world.bans == other.bans
    assert world.count_kept_by_guests() == other.count_kept_by_guests() == _kept_by_guests(world)
    assert _as_sets(world.sessions_of) == _as_sets(other.sessions_of)
    assert _as_sets(world.lost_of) == _as_sets(other.lost_of)
    assert world.everyone().members == other.everyone().members
    assert world.global_hearers().members == other.global_hearers().members
    for group in world.groups:
        assert world.group_hearers(group).members == other.group_hearers(group).members


def _kept_by_guests(world: World) -> int:
    return sum(1 for group in world.groups.values() if group.kept and not world.users[group.owner].is_claimed)


def _as_sets(lists: dict[int, list[int]]) -> dict[int, set[int]]:
    assert all(lists.values()), "an empty list is left"
    assert all(len(set(ids)) == len(ids) for ids in lists.values()), "something is there twice"
    return {key: set(ids) for key, ids in lists.items()}


# In words.


def answer_in_words(answer: Reply) -> str:
    match answer:
        case Ok(seq=seq, unknown=unknown, away=away, away_since_us=since, reached=reached):
            words = f"gets ok {seq}"
            words += f", reached {' '.join(reached)}" if reached else ""
            words += f", unknown {' '.join(unknown)}" if unknown else ""
            whom = [f"{name} since {_second(us) if us else 'never'}" for name, us in zip(away, since, strict=True)]
            return words + (f", away {' '.join(whom)}" if away else "")
        case Refused(code=code):
            return f"is refused: {code}"
        case Welcome(user=user, role=role, focus=focus):
            return f"is welcome as {user.name}, {role}" + (f", in {focus.name}" if focus else "")
        case Entered(group=info, focus=focus):
            members = " ".join(user.name for user in info.members)
            return f"enters {info.group.name} of {info.owner.name} ({members})" + (" with focus" if focus else "")
        case Receipts(marks=marks):
            return "sees " + ", ".join(f"{each.user.name} {each.delivered}/{each.read}" for each in marks)
    raise AssertionError(answer)


def event_in_words(event: Said) -> str:
    match event:
        case Message(author=author, conversation=conversation, text=text):
            text += " (edited)" if event.edited_us else ""
            place = _place(conversation) + ("!" if event.announcement else "")
            return f"[{place}] {author.name}: {'(deleted)' if event.deleted else text}"
        case MessageEdited(message=message, author=author, conversation=conversation, text=text):
            return f"[{_place(conversation)}] {author.name} edited {message}: {text}"
        case MessageDeleted(message=message, by=by, conversation=conversation):
            return f"[{_place(conversation)}] {by.name} deleted {message}"
        case UserJoined(user=user, returned=returned):
            return f"{user.name} {'returned' if returned else 'joined'}"
        case UserLeft(user=user, cause=cause):
            return f"{user.name} left: {cause}"
        case GroupCreated(group=group, by=user, members=members):
            with_ = f" with {' '.join(each.name for each in members)}" if members else ""
            return f"{user.name} created {group.name}{with_}"
        case GroupJoined(group=group, user=user, by=by):
            return f"{by.name} added {user.name} to {group.name}" if by else f"{user.name} joined {group.name}"
        case GroupLeft(group=group, user=user, cause=cause, owner=owner):
            return f"{user.name} left {group.name}: {cause}" + (f", {owner.name} owns it" if owner else "")
        case GroupRenamed(group=group, by=by, old=old):
            return f"{by.name} renamed {old} to {group.name}"
        case GroupHandedOver(group=group, by=by, owner=owner):
            return f"{by.name} handed {group.name} over to {owner.name}"
        case GroupKept(group=group, by=by, kept=kept):
            return f"{by.name} made {group.name} a {'kept group' if kept else 'room'}"
        case GroupDeleted(group=group, by=by):
            return f"{by.name} ended {group.name}" if by else f"{group.name} is gone"
        case AccountClaimed(user=user, role=role, by=by):
            return f"{user.name} is {role}" + (f" by {by.name}" if by else "")
        case AccountDeleted(user=user, by=by):
            return f"{user.name} is no more" + (f", says {by.name}" if by else "")
        case Moderated(act=act, by=user, target=target, reason=reason, until_us=until_us):
            words = f"{user.name}: {act} {target}" + (f" until {_second(until_us)}" if until_us else "")
            return words + (f", {reason}" if reason else "")


def mark_in_words(mark: Marked) -> str:
    words = f"{mark.user.name} has got {mark.delivered}" if mark.delivered else mark.user.name
    return words + (f" and read {mark.read}" if mark.read else "")


def _second(time_us: int) -> str:
    """A time by the seconds since the start."""
    return "for ever" if time_us == FOR_EVER_US else str((time_us - START_US) // 1_000_000)


def _place(conversation: Conversation) -> str:
    match conversation:
        case Global():
            return "GLOBAL"
        case Broadcast():
            return "BROADCAST"
        case Direct(users):
            return "PM " + " ".join(user.name for user in users)
        case Group(name=name):
            return name
