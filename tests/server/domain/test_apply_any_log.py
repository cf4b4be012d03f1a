"""Whatever the log holds: nothing raises, every node comes to the same world, and who listens knows what is so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from mystic_server.domain.apply import apply
from mystic_server.domain.events import (
    AccountDeleted,
    Banned,
    Committed,
    Deleted,
    DeviceRemoved,
    Edited,
    Event,
    GroupCreated,
    GroupEnded,
    GroupEntered,
    GroupExited,
    GroupHandedOver,
    GroupKept,
    GroupRenamed,
    Joined,
    Kicked,
    Left,
    LingerEnded,
    MemberAdded,
    MemberRemoved,
    Muted,
    NodeStarted,
    PasswordSet,
    Posted,
    RoleSet,
    Unbanned,
    decode_event,
    encode_event,
)
from mystic_server.domain.outcome import Applied
from mystic_server.domain.queries import list_groups, list_users, missed_scope, waiting_scope
from mystic_server.domain.retelling import retell
from mystic_server.domain.world import User, World, ban_key
from mysticproto import model
from mysticproto.names import name_key
from tests.support.transcript import (
    START_US,
    Person,
    Request,
    Room,
    Tables,
    add,
    announce,
    assert_same,
    ban,
    create,
    delete,
    delete_account,
    edit,
    end_group,
    hand_over,
    join,
    keep,
    keep_on,
    kick,
    leave,
    log_out,
    mute,
    remove,
    remove_device,
    rename,
    say,
    say_in,
    set_role,
    shout,
    tell,
    unban,
    unmute,
)

# Any events at all, about few enough things that they meet.

names = st.sampled_from(["ana", "ANA", "bob", "Straße", "STRASSE", "team", "", "x" * 200])
ids = st.integers(0, 12)
keys = st.sampled_from([b"", b"", b"k" * 32, b"o" * 32])
causes = st.sampled_from(["left", "lost", "kicked", "stopped", "something else"])
times = st.integers(1, 2**62)
conversations = st.sampled_from(["global", "broadcast", "direct:1,2", "group:1", "group:3", "group:x", "group:", ""])
targets = st.sampled_from(["ana", "BOB", "zed", "10.0.0.0/8", "", "x/y"])
until = st.sampled_from([0, 1, 2**40, 2**62, model.FOR_EVER_US])
askers = st.tuples(ids, ids) | st.just((1, 1)) | st.just((3, 3))
"""Session and user; so that they often belong together."""


def by_somebody(event: type[Event], *fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Event]:
    """An event with its session and author, whose other fields are these."""
    return st.builds(lambda who, rest: event(*who, *rest), askers, st.tuples(*fields))


orders: st.SearchStrategy[Event] = st.one_of(
    by_somebody(PasswordSet, st.sampled_from(["$1", "$2"]), st.booleans(), st.sampled_from(["", "$1"])),
    by_somebody(DeviceRemoved, keys),
    by_somebody(AccountDeleted, ids),
    by_somebody(RoleSet, ids, st.sampled_from(["operator", "member", "king"])),
    st.builds(RoleSet, st.just(0), st.just(0), ids, st.just("operator")),
    by_somebody(Kicked, ids, names),
    by_somebody(Banned, targets, ids, names, until),
    by_somebody(Unbanned, targets),
    by_somebody(Muted, ids, until, names),
)
user_lists = st.lists(ids, max_size=3).map(tuple)
changes: st.SearchStrategy[Event] = st.one_of(
    by_somebody(Edited, ids, conversations, st.text(max_size=3), user_lists),
    by_somebody(Deleted, ids, conversations, user_lists),
    by_somebody(GroupRenamed, ids, names, names),
    by_somebody(GroupHandedOver, ids, ids),
    by_somebody(GroupKept, ids, st.booleans()),
    by_somebody(GroupEnded, ids),
)
events: st.SearchStrategy[Event] = st.one_of(
    orders,
    changes,
    st.builds(NodeStarted, st.integers(0, 2), st.integers(0, 2)),
    st.builds(
        Joined, ids, names, ids, keys, st.booleans(), st.booleans(), ids, st.booleans(), st.integers(0, 2),
        st.integers(0, 2), names, st.booleans(),
    ),
    st.builds(Joined, ids, names, key=keys, lingers=st.just(True), resume=ids),
    st.builds(Left, ids, causes, ids, st.booleans(), st.booleans()),
    st.builds(LingerEnded, ids),
    st.builds(
        Posted, ids, ids, conversations, st.text(max_size=3), st.binary(max_size=2), ids,
        user_lists, st.lists(names, max_size=2).map(tuple), st.booleans(),
    ),
    st.builds(GroupCreated, ids, ids, names, st.booleans(), st.booleans(), st.lists(ids, max_size=4).map(tuple)),
    st.builds(GroupEntered, ids, ids, ids, st.booleans()),
    st.builds(GroupExited, ids, ids, ids, ids),
    st.builds(MemberAdded, ids, ids, ids, ids),
    st.builds(MemberRemoved, ids, ids, ids, ids),
)  # fmt: skip
dated = st.tuples(times, events)
beginnings = st.sampled_from(
    [
        [],
        [Joined(1, "ana", key=b"k" * 32), RoleSet(0, 0, 1, "operator"), Joined(3, "bob", key=b"o" * 32, lingers=True)],
    ]
).map(lambda events: [(1, event) for event in events])
logs = st.builds(
    lambda beginning, pairs: [
        Committed(seq, time_us, event) for seq, (time_us, event) in enumerate([*beginning, *pairs], 1)
    ],
    beginnings,
    st.lists(dated, max_size=12) | st.lists(dated, min_size=20, max_size=60),
)


def shown(applied: Applied) -> object:
    """What follows from an event, as a value; audiences by their members."""
    deliveries = [(each.event, each.to.sessions, each.author, each.bystanders.sessions) for each in applied.deliveries]
    return deliveries, applied.answer, applied.endings


@given(log=logs)
def test_two_nodes_come_to_the_same_and_tables_hold_all_of_it(log: list[Committed]) -> None:
    one, two, tables = World(), World(), Tables()
    for committed in log:
        stored = Committed(committed.seq, committed.time_us, decode_event(encode_event(committed.event)))
        assert shown(apply(one, committed)) == shown(apply(two, stored))
        two.everyone(), two.global_hearers()  # who asks for audiences changes nothing
        tables.keep(one.take_dirty())
        assert_same(one, two)
        assert_same(tables.loaded(committed.seq), one)
        check_whole(one)
    told = [retell(one, committed) for committed in log]
    assert told == [retell(two, committed) for committed in log]


@given(log=logs, cut=st.integers(0, 63))
def test_a_start_from_the_tables_and_the_tail_is_as_if_nothing_had_ended(log: list[Committed], cut: int) -> None:
    """What follows after a restart is the same, but for the order of sessions, which don't outlive it."""
    whole, tables = World(), Tables()
    for committed in log[:cut]:
        apply(whole, committed)
    tables.keep(whole.take_dirty())
    fresh = tables.loaded(min(cut, len(log)))
    fresh.recently_deleted.update(whole.recently_deleted)  # not kept: nothing is on its way over a restart
    for committed in log[cut:]:
        apply(whole, committed)
        apply(fresh, committed)
        assert_same(whole, fresh)


def check_whole(world: World) -> None:
    """What must hold in every world."""
    for user in world.users.values():
        assert len(set(user.groups)) == len(user.groups)
        assert all(user.id in world.groups[group].members for group in user.groups)
    for group in world.groups.values():
        assert group.members and group.owner in group.members
        assert len(set(group.members)) == len(group.members)
        assert all(group.id in world.users[user].groups for user in group.members)
    for session in world.sessions.values():
        assert session.id in world.sessions_of[session.user]
        assert not session.lost_us
        assert not session.focus or session.focus in world.users[session.user].groups
    for session in world.lost.values():
        assert session.lost_us and session.id in world.lost_of[session.user]
    assert not world.sessions.keys() & world.lost.keys()
    away = [user for user in world.users.values() if user.left_seq and not world.is_here(user.id)]
    assert set(world.gone) == {user.id for user in away if not user.is_gone}
    assert sum(map(len, world.sessions_of.values())) == len(world.sessions)
    for user in world.users.values():
        assert user.is_claimed or len(world.sessions_of.get(user.id, ())) <= 1
        assert user.is_gone or world.user_named(user.name) is user
        check_proofs(world, user)
    assert len(world.user_ids) == sum(not user.is_gone for user in world.users.values())
    assert all(ban_key(ban.target) == key for key, ban in world.bans.items())
    model.Users(1, tuple(world.users_here()))
    check_lists(world)
    for session in world.sessions.values():
        missed_scope(world, session)
        waiting_scope(world, session, "all", world.users[session.user].left_seq)


def check_proofs(world: World, user: User) -> None:
    """What an account's life and an operator's standing rule out."""
    assert not user.key
    if user.is_gone:
        assert not user.is_claimed and not user.groups and not user.muted_until_us and not user.waiting
        assert user.id not in world.sessions_of and user.id not in world.lost_of
    if user.role == "operator":
        assert not user.muted_until_us and name_key(user.name) not in world.bans
    for id in world.sessions_of.get(user.id, ()):
        device = world.sessions[id].device
        assert not device or user.has_device(device)


def check_lists(world: World) -> None:
    users = [info.user.id for part in list_users(world, 1) for info in part.users]
    assert sorted(users) == sorted(id for id in world.users if world.is_here(id))
    known = [info for part in list_users(world, 1, known=True) for info in part.users]
    assert [info.here for info in known] == [True] * len(users) + [False] * (len(known) - len(users))
    assert all(info.here or info.role != "guest" for info in known)
    assert [info.group.id for part in list_groups(world, 1) for info in part.groups] == list(world.groups)


# What people really ask for: decided before it is applied, sometimes several at once.

PEOPLE = [("ana", b""), ("bob", b""), ("dora", b"k" * 32), ("emil", b"e" * 32), ("Ana", b"a" * 32)]
GROUPS = ["team", "club", "TEAM"]
SOME_NAMES = st.sampled_from(["ana", "bob", "dora", "emil", "olga"])
requests: st.SearchStrategy[Request] = st.one_of(
    st.builds(say, st.just("hi"), receipt=st.booleans()),
    st.builds(shout, st.just("all")),
    st.builds(tell, st.sampled_from(["ana", "bob dora", "zed emil"]), st.just("psst"), receipt=st.booleans()),
    st.builds(say_in, st.sampled_from(["", *GROUPS]), st.just("here"), receipt=st.booleans()),
    st.builds(create, st.sampled_from(GROUPS), focus=st.booleans()),
    st.builds(keep, st.sampled_from(GROUPS), st.sampled_from(["", "ana bob", "bob dora zed bob"])),
    st.builds(add, st.sampled_from(GROUPS), st.sampled_from(["ana", "bob", "dora", "zed"])),
    st.builds(remove, st.sampled_from(GROUPS), st.sampled_from(["ana", "bob", "dora", "zed"])),
    st.builds(rename, st.sampled_from(GROUPS), st.sampled_from([*GROUPS, "Crew"])),
    st.builds(hand_over, st.sampled_from(GROUPS), st.sampled_from(["ana", "bob", "dora"])),
    st.builds(keep_on, st.sampled_from(GROUPS), st.booleans()),
    st.builds(end_group, st.sampled_from(GROUPS)),
    st.builds(edit, st.integers(1, 30), st.just("better")),
    st.builds(delete, st.integers(1, 30)),
    st.builds(join, st.sampled_from(GROUPS), focus=st.booleans()),
    st.builds(leave, st.sampled_from(["", *GROUPS])),
    st.builds(log_out),
    st.builds(announce, st.just("hear")),
    st.builds(kick, SOME_NAMES),
    st.builds(ban, SOME_NAMES | st.just("10.0.0.0/8"), st.sampled_from([0, 3])),
    st.builds(unban, SOME_NAMES | st.just("10.0.0.0/8")),
    st.builds(mute, SOME_NAMES, st.sampled_from([0, 3])),
    st.builds(unmute, SOME_NAMES),
    st.builds(set_role, SOME_NAMES, st.sampled_from(["operator", "member"])),
    st.builds(delete_account, SOME_NAMES | st.just("")),
    st.builds(remove_device, st.sampled_from([b"k" * 32, b"e" * 32, b"a" * 32])),
)
Step = Callable[["Play"], None]


class Play:
    """A room in which steps are taken, and a listener who writes down what they are told."""

    def __init__(self) -> None:
        self.room = Room()
        self.listener = self.room.comes("listener", b"l" * 32)
        self.people = [self.room.operator("olga", b"g" * 32)]
        self.here = {self.listener.session: "listener"}

    def alive(self) -> list[Person]:
        return [each for each in self.people if each.session in self.room.world.sessions]


def comes(who: tuple[str, bytes], watch: bool, resume: int, asks_password: bool) -> Step:
    def step(play: Play) -> None:
        old = play.people[resume % len(play.people)] if play.people and resume else None
        user = play.room.world.user_named(who[0])
        by_password = asks_password and user is not None and bool(user.password)
        play.people.append(play.room.comes(*who, watch=watch, resume=old, by_password=by_password))

    return step


def asks(which: int, request: Request) -> Step:
    def step(play: Play) -> None:
        if alive := play.alive():
            person = alive[which % len(alive)]
            play.room.proceed(person, play.room.decides(person, request))

    return step


def sets_password(which: int) -> Step:
    def step(play: Play) -> None:
        if alive := play.alive():
            alive[which % len(alive)].sets_password()

    return step


def ends(which: int, cause: str) -> Step:
    def step(play: Play) -> None:
        if alive := play.alive():
            alive[which % len(alive)].ends(cause)

    return step


def gives_up(which: int) -> Step:
    def step(play: Play) -> None:
        if lost := list(play.room.world.lost):
            play.room.proceed(None, LingerEnded(lost[which % len(lost)]))

    return step


some = st.integers(0, 9)
steps = st.one_of(
    st.builds(comes, st.sampled_from(PEOPLE), st.sampled_from([True, True, False]), some, st.booleans()),
    st.builds(asks, some, requests),
    st.builds(asks, some, requests),
    st.builds(ends, some, st.sampled_from(["lost", "kicked"])),
    st.builds(gives_up, some),
    st.builds(sets_password, some),
)


turn = st.lists(steps, min_size=1, max_size=3)


@given(turns=st.lists(turn, max_size=8) | st.lists(turn, min_size=15, max_size=25))
def test_who_listens_knows_who_is_here_and_who_is_in_which_group(turns: list[list[Step]]) -> None:
    play = Play()
    room = play.room
    for turn in turns:
        with room.at_once():
            for step in turn:
                step(play)
        check_whole(room.world)
    heard = Notes()
    world = World()
    for committed in room.log:
        applied = apply(world, committed)
        for each in applied.deliveries:
            everybody = {*each.to.sessions, *each.author, *each.bystanders.sessions}
            if play.listener.session in everybody:
                heard.note(each.event)
        assert heard.people == {info.user.id for info in world.users_here()}
        assert heard.roles == {info.user.id: info.role for info in world.users_here()}
        assert heard.groups == {group.id: set(group.members) for group in world.groups.values()}
        assert heard.owners == {group.id: group.owner for group in world.groups.values()}
        assert heard.names == {group.id: group.name for group in world.groups.values()}
        assert all(each.event.seq == committed.seq for each in applied.deliveries)
    assert_same(world, room.world)


class Notes:
    """What a client's lists say."""

    def __init__(self) -> None:
        self.people: set[int] = set()
        self.roles: dict[int, str] = {}
        self.groups: dict[int, set[int]] = {}
        self.owners: dict[int, int] = {}
        self.names: dict[int, str] = {}

    def note(self, event: model.Event) -> None:
        match event:
            case model.UserJoined(user=user, role=role):
                assert user.id not in self.people, "joined twice"
                self.people.add(user.id)
                self.roles[user.id] = role
            case model.UserLeft(user=user):
                self.people.remove(user.id)
                del self.roles[user.id]
            case model.AccountClaimed(user=user, role=role) if user.id in self.people:
                assert self.roles[user.id] != role, "nothing has changed"
                self.roles[user.id] = role
            case model.AccountDeleted(user=user):
                assert user.id not in self.people
            case model.GroupCreated(group=group, by=user, members=members):
                assert group.id not in self.groups
                self.groups[group.id] = {user.id} | {each.id for each in members}
                self.owners[group.id], self.names[group.id] = user.id, group.name
            case model.GroupJoined(group=group, user=user):
                assert user.id not in self.groups[group.id]
                self.groups[group.id].add(user.id)
            case model.GroupLeft(group=group, user=user, owner=owner):
                self.groups[group.id].remove(user.id)
                self.owners[group.id] = owner.id if owner else self.owners[group.id]
            case model.GroupRenamed(group=group, old=old):
                assert self.names[group.id] == old
                self.names[group.id] = group.name
            case model.GroupHandedOver(group=group, owner=owner):
                assert owner.id in self.groups[group.id]
                self.owners[group.id] = owner.id
            case model.GroupDeleted(group=group, by=by):
                assert by or not self.groups[group.id]
                del self.groups[group.id], self.owners[group.id], self.names[group.id]
            case _:
                pass


@given(event=events)
def test_a_delivery_can_be_encoded_whatever_is_in_it(event: Event) -> None:
    world = World()
    for seq, each in enumerate([Joined(1, "ana"), Joined(2, "bob"), GroupCreated(1, 1, "team"), event], 1):
        for delivery in apply(world, Committed(seq, START_US, each)).deliveries:
            msgspec.msgpack.encode(delivery.event)
