"""The world's indexes, audiences and tables. That tables hold for every event is checked by `Room` at every step."""

from __future__ import annotations

import msgspec
import pytest

from mystic_server.domain import world as world_module
from mystic_server.domain.events import StateRow
from mystic_server.domain.queries import list_users
from mystic_server.domain.world import NOBODY, Ban, Group, Session, User, World
from mysticproto import model
from tests.support.transcript import START_US, Room, create, join, leave, say

KEY = b"k" * 32


@pytest.fixture
def room() -> Room:
    return Room()


def kinds(world: World) -> list[tuple[str, int, bool]]:
    """What is dirty, and whether it is still there."""
    return sorted((row.kind, row.id, row.body is not None) for row in world.take_dirty())


def _away(room: Room) -> list[model.UserInfo]:
    return [room.world.user_info(room.world.users[id]) for id in room.world.ids_away()]


def test_users_and_groups_are_found_however_their_name_is_written(room: Room) -> None:
    room.comes("Ana") >> create("Straße")
    assert room.world.user_named("aNA") is room.world.users[1]
    assert room.world.group_named("STRASSE") is room.world.groups[2]
    assert room.world.user_named("Straße") is None
    assert room.world.group_named("ana") is None
    assert room.world.user_named("x" * 100_000) is None


def test_ids_are_the_numbers_of_the_events_that_made_them(room: Room) -> None:
    ana = room.comes("ana")
    ana >> say("hi")
    ana >> create("team")
    room.comes("bob")
    assert list(room.world.users) == [1, 4]
    assert list(room.world.groups) == [3]


@pytest.mark.parametrize(
    ("conversation", "name"),
    [
        ("group:2", "team"),
        ("group:3", ""),
        ("global", ""),
        ("direct:2", ""),
        ("group:", ""),
        ("group:-2", ""),
        ("", ""),
    ],
)
def test_the_group_of_a_conversation(room: Room, conversation: str, name: str) -> None:
    room.comes("ana") >> create("team")
    group = room.world.group_of(conversation)
    assert (group.name if group else "") == name


def test_users_here_are_listed_once_in_the_order_of_coming(room: Room) -> None:
    room.comes("dora", KEY)
    room.comes("ana")
    room.comes("dora", KEY)
    room.comes("bot", watch=False)
    assert [(info.user.name, info.role) for info in room.world.users_here()] == [("dora", "member"), ("ana", "guest")]


def test_who_is_here_and_who_is_known_and_away(room: Room) -> None:
    """Away are those whose name is theirs, the last to go first; guests who have gone may be somebody else."""
    people = {name: room.comes(name, name.encode() * 8) for name in ("dora", "emil", "fritz")}
    people["guest"] = room.comes("ana")
    room.comes("bob")
    room.comes("bot", KEY, watch=False)
    for name in ("emil", "guest", "dora"):
        people[name].ends("left")
    here, away = room.world.users_here(), _away(room)
    assert [info.user.name for info in here] == ["fritz", "bob"]
    assert [info.user.name for info in away] == ["dora", "emil"]
    assert [(info.here, info.last_seen_us) for info in here] == [(True, 0)] * 2
    assert [(info.here, info.last_seen_us) for info in away] == [
        (False, START_US + 9_000_000),
        (False, START_US + 7_000_000),
    ]
    parts = list(list_users(room.world, 7, known=True))
    assert [info.user.name for info in parts[0].users] == ["fritz", "bob", "dora", "emil"]
    assert [info.user.name for info in next(list_users(room.world, 7)).users] == ["fritz", "bob"]


def test_so_many_who_are_away_are_listed_and_no_more(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        room.comes(f"bot{number}", bytes([number]) * 32 if number % 2 else b"").ends("left")
    monkeypatch.setattr(world_module, "AWAY_LISTED", 2)
    assert [info.user.name for info in _away(room)] == ["bot5", "bot3"]
    monkeypatch.setattr(world_module, "AWAY_LOOKED_AT", 2)
    assert [info.user.name for info in _away(room)] == ["bot5"]


def test_a_mute_that_is_over_is_not_mentioned() -> None:
    world, user = World(), User(1, "ana", muted_until_us=500)
    world.put_user(user)
    assert world.user_info(user, 499).muted_until_us == 500
    assert world.user_info(user, 500).muted_until_us == 0


def test_bans_are_rows_of_their_own() -> None:
    world = World()
    bans = [Ban("Straße", 1, 0, "spam", 5, 9), Ban("10.1.0.0/16", 1, 0, "", 6, 2**63 - 1)]
    for ban in bans:
        world.put_ban(ban)
    assert world.ban_of("STRASSE", 8) == bans[0]
    assert world.ban_of("STRASSE", 9) is world.ban_of("ana", 0) is None
    rows = world.take_dirty()
    assert sorted(row.kind for row in rows) == ["ban:10.1.0.0/16", "ban:strasse"]
    loaded = World()
    loaded.load(tuple(rows), 9)
    assert loaded.bans == world.bans and loaded.take_dirty() == []
    world.forget_bans(9)
    assert world.take_dirty() == [StateRow("ban:strasse", 0, None)]
    assert world.remove_ban("strasse") is None
    assert world.remove_ban("10.1.0.0/16") == bans[1]


def test_rows_that_are_kept_beside_the_world_are_nothing_to_it() -> None:
    world = World()
    world.load((StateRow("mark:direct:1,2", 3, b"x"), StateRow("something", 0, b"y")), 9)
    assert world.applied == 9 and not world.users


def test_a_name_that_was_given_up_is_somebody_else_s() -> None:
    old, new = User(1, "ana", left_seq=3), User(2, "Ana", left_seq=4)
    world = World()
    world.put_user(old)
    world.put_gone(old, 3, 5)
    world.free_name(old)
    assert world.user_named("ana") is None and not world.gone
    world.put_user(new)
    rows = world.take_dirty()
    for order in (rows, rows[::-1]):
        loaded = World()
        loaded.load(tuple(order), 9)
        assert loaded.user_named("ana") == new
        assert loaded.users[1].is_gone and list(loaded.gone) == [2]


def test_nobody_hears_a_group_that_is_gone(room: Room) -> None:
    ana = room.comes("ana")
    ana >> create("team")
    assert len(room.world.group_hearers(2)) == 1
    ana >> leave()
    assert room.world.group_hearers(2) is NOBODY


def test_a_group_s_audience_follows_its_members_sessions(room: Room) -> None:
    dora, ana = room.comes("dora", KEY), room.comes("ana")
    dora >> create("team")
    assert room.world.group_hearers(3).members == {dora.session}
    second = room.comes("dora", KEY)
    ana >> join("team")
    assert room.world.group_hearers(3).sessions == (dora.session, second.session, ana.session)
    dora.ends("lost")
    assert room.world.group_hearers(3).members == {second.session, ana.session}


def test_what_changes_is_dirty_once(room: Room) -> None:
    world = room.world
    world.put_user(User(1, "ana"))
    world.put_session(Session(5, 1))
    world.put_session(Session(5, 1))
    world.put_group(Group(2, "team", 1, members=[1]))
    assert kinds(world) == [("group", 2, True), ("session", 5, True), ("user", 1, True)]
    assert kinds(world) == []
    world.remove_group(world.groups[2])
    world.remove_session(world.sessions[5])
    assert kinds(world) == [("group", 2, False), ("session", 5, False)]


def test_losing_a_session_is_one_row_that_changes(room: Room) -> None:
    dora = room.comes("dora", KEY)
    dora.ends("lost")
    rows = [row for row in room.tables.rows.values() if row.kind == "session"]
    assert len(rows) == 1
    world = room.tables.loaded(2)
    assert list(world.lost) == [dora.session]
    assert not world.sessions
    assert world.remove_lost(dora.session)
    assert world.remove_lost(dora.session) is None
    assert kinds(world) == [("session", dora.session, False)]


def test_a_loaded_world_knows_who_went_last(room: Room) -> None:
    people = [room.comes(name) for name in ("ana", "bob", "carl", "dora")]
    for number in (2, 0, 3):
        people[number].ends("left")
    room.comes("CARL")
    assert list(room.world.gone) == list(room.tables.loaded(8).gone) == [1, 4]


def test_a_loaded_world_has_nothing_to_save(room: Room) -> None:
    room.comes("ana") >> create("team")
    world = room.tables.loaded(2)
    assert world.applied == 2
    assert world.take_dirty() == []


def test_rows_may_come_in_any_order_and_groups_are_listed_oldest_first(room: Room) -> None:
    ana = room.comes("ana")
    for number in range(12):
        ana >> create(f"team-{number}", focus=False)
    rows = tuple(reversed(room.tables.rows.values()))
    world = World()
    world.load(rows, 13)
    assert list(world.groups) == list(range(2, 14))


def test_rows_of_an_older_version_have_defaults() -> None:
    """Fields are only ever appended, with defaults; structs are kept as maps, so an older row lacks them."""
    world = World()
    world.load((StateRow("user", 3, msgspec.msgpack.encode({"id": 3, "name": "ana"})),), 9)
    assert world.users[3] == User(3, "ana")


def test_lists_of_users_are_their_own() -> None:
    one, two = User(1, "ana"), User(2, "bob")
    one.groups.append(7)
    assert two.groups == []
