"""Watermarks: how far somebody has got, who learns of it, and what the log keeps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mystic_server.domain import receipts
from mystic_server.domain.events import StateRow
from mystic_server.domain.receipts import NOWHERE, Reached, Watermarks, decide_mark
from mysticproto.model import Mark, Refused
from tests.support.transcript import Person, Room, end_group, keep, leave, remove, say_in, tell

PM = "direct:1,2"


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def ana(room: Room) -> Person:
    return room.comes("ana", b"a" * 32)


@pytest.fixture
def bob(room: Room, ana: Person) -> Person:
    """They have had a talk: messages 3 to 5."""
    bob = room.comes("bob", b"b" * 32)
    for text in ("one", "two", "three"):
        ana >> tell("bob", text)
    room.forget()
    return bob


# In a direct conversation.


def test_the_other_learns_what_has_been_delivered_and_then_read(room: Room, ana: Person, bob: Person) -> None:
    bob.has_got(PM, delivered=5)
    bob.has_got(PM, read=4)
    room.went("""
        ana learns: bob has got 5
        bob gets ok 0
        ana learns: bob and read 4
        bob gets ok 0
    """)


def test_what_has_been_read_has_been_delivered(room: Room, ana: Person, bob: Person) -> None:
    bob.has_got(PM, read=4)
    room.went("""
        ana learns: bob has got 4 and read 4
        bob gets ok 0
    """)


def test_nobody_goes_back_and_standing_still_is_not_told(room: Room, ana: Person, bob: Person) -> None:
    bob.has_got(PM, delivered=5, read=5)
    room.forget()
    bob.has_got(PM, delivered=3, read=4)
    bob.has_got(PM, delivered=5)
    bob.has_got(PM)
    room.went("""
        bob gets ok 0
        bob gets ok 0
        bob gets ok 0
    """)
    assert room.watermarks.reached(PM, 2) == Reached(5, 5, 5)


def test_one_s_other_devices_learn_it_too(room: Room, ana: Person, bob: Person) -> None:
    room.comes("bob", b"b" * 32)
    room.forget()
    bob.has_got(PM, read=5)
    room.went("""
        ana learns: bob has got 5 and read 5
        bob/2 learns: bob has got 5 and read 5
        bob gets ok 0
    """)


def test_who_keeps_it_to_themselves_tells_their_own_devices_alone(room: Room, ana: Person, bob: Person) -> None:
    room.comes("bob", b"b" * 32)
    room.forget()
    bob.shares_read = False
    bob.has_got(PM, delivered=4, read=4)
    bob.has_got(PM, read=5)
    room.went("""
        ana learns: bob has got 4
        bob/2 learns: bob has got 4 and read 4
        bob gets ok 0
        ana learns: bob has got 5
        bob/2 learns: bob has got 5 and read 5
        bob gets ok 0
    """)


def test_who_keeps_it_to_themselves_learns_it_of_nobody(room: Room, ana: Person, bob: Person) -> None:
    ana.shares_read = False
    bob.has_got(PM, delivered=5)
    bob.has_got(PM, read=5)
    ana.asks_who_has_got(PM)
    bob.asks_who_has_got(PM)
    room.went("""
        ana learns: bob has got 5
        bob gets ok 0
        bob gets ok 0
        ana sees ana 0/0, bob 5/0
        bob sees ana 0/0, bob 5/5
    """)


def test_what_was_private_is_shared_by_sharing_something_later(room: Room, ana: Person, bob: Person) -> None:
    bob.shares_read = False
    bob.has_got(PM, read=4)
    room.forget()
    bob.shares_read = True
    bob.has_got(PM, read=4)
    bob.has_got(PM, read=5)
    room.went("""
        ana learns: bob and read 4
        bob gets ok 0
        ana learns: bob has got 5 and read 5
        bob gets ok 0
    """)


def test_everybody_can_be_asked_about(room: Room, ana: Person, bob: Person) -> None:
    ana.has_got(PM, read=5)
    bob.has_got(PM, delivered=5, read=3)
    room.forget()
    ana.asks_who_has_got(PM)
    room.went("ana sees ana 5/5, bob 5/3")


# In a group.


def test_in_a_group_nobody_is_told_unless_they_ask(room: Room, ana: Person, bob: Person) -> None:
    room.comes("carl")
    ana >> keep("team", "bob carl")
    ana >> say_in("team", "hi")
    team = f"group:{room.log[-2].seq}"
    room.comes("bob", b"b" * 32)
    room.forget()
    bob.has_got(team, read=8)
    ana.asks_who_has_got(team)
    room.went("""
        bob/2 learns: bob has got 8 and read 8
        bob gets ok 0
        ana sees ana 0/0, bob 8/8, carl 0/0
    """)


def test_only_members_ask_and_are_asked_about(room: Room, ana: Person, bob: Person) -> None:
    carl = room.comes("carl")
    ana >> keep("team", "bob carl")
    team = f"group:{room.log[-1].seq}"
    bob.has_got(team, read=7)
    ana >> remove("team", "bob")
    room.forget()
    bob.has_got(team, read=8)
    bob.asks_who_has_got(team)
    carl.asks_who_has_got(team)
    room.went("""
        bob is refused: unknown_conversation
        bob is refused: unknown_conversation
        carl sees ana 0/0, carl 0/0
    """)


def test_a_group_that_has_ended_has_none(room: Room, ana: Person, bob: Person) -> None:
    ana >> keep("team", "bob")
    team = f"group:{room.log[-1].seq}"
    bob.has_got(team, read=6)
    ana >> end_group("team")
    room.forget()
    bob.has_got(team, read=7)
    ana.asks_who_has_got(team)
    room.went("""
        bob is refused: unknown_conversation
        ana is refused: unknown_conversation
    """)
    room.watermarks.take_dirty()
    room.watermarks.forget(team)
    assert room.watermarks.take_dirty() == [StateRow(f"mark:{team}", 2, None)]
    assert len(room.watermarks) == 0


def test_the_world_s_rows_tell_which_groups_are_gone() -> None:
    watermarks = Watermarks()
    watermarks.mark(2, Mark(1, "group:3", 9))
    watermarks.mark(2, Mark(1, "group:4", 9))
    watermarks.mark(2, Mark(1, "direct:1,2", 9))
    assert not watermarks.forget_groups([StateRow("group", 4, b"still here"), StateRow("user", 4, None)])
    assert len(watermarks) == 3
    assert watermarks.forget_groups([StateRow("group", 4, None), StateRow("group", 5, None)])
    assert watermarks.reached("group:4", 2) == NOWHERE
    assert watermarks.reached("group:3", 2).delivered == watermarks.reached("direct:1,2", 2).delivered == 9


# What can't be.


@pytest.mark.parametrize(("delivered", "read"), [(6, 0), (0, 6), (2**62, 0), (-1, 0), (0, -1), (5, 2**64)])
def test_nobody_has_got_beyond_the_end(room: Room, ana: Person, bob: Person, delivered: int, read: int) -> None:
    bob.has_got(PM, delivered, read)
    room.went("bob is refused: malformed")
    assert room.watermarks.reached(PM, 2) == NOWHERE


@pytest.mark.parametrize(
    "conversation",
    [
        "global",
        "broadcast",
        "",
        "direct:",
        "direct:2",
        "direct:2,1",
        "direct:1,1,2",
        "direct:01,2",
        "direct:1,2,",
        "direct:1, 2",
        "direct:1,3",
        "direct:1,99",
        "direct:2,99",
        "direct:x,2",
        "direct:1,2/edits",
        "direct:٢,1",
        "group:1",
        "group:",
        "group:99",
        "direct:" + "9" * 5000,
        "direct:" + ",".join(map(str, range(1, 99))),
        "mark:1,2",
        "group:" + "9" * 5000,
    ],
)
def test_a_conversation_must_be_one_s_own(room: Room, ana: Person, bob: Person, conversation: str) -> None:
    bob.has_got(conversation, read=1)
    bob.asks_who_has_got(conversation)
    room.went("""
        bob is refused: unknown_conversation
        bob is refused: unknown_conversation
    """)


def test_a_group_is_written_in_one_way(room: Room, ana: Person, bob: Person) -> None:
    ana >> keep("team", "bob")
    assert decide_mark(room.world, bob.here, Mark(1, "group:6", 1)) == (2,)
    assert isinstance(decide_mark(room.world, bob.here, Mark(1, "group:06", 1)), Refused)
    bob >> leave("team")
    assert isinstance(decide_mark(room.world, bob.here, Mark(1, "group:6", 1)), Refused)


def test_others_conversations_are_none_of_one_s_business(room: Room, ana: Person, bob: Person) -> None:
    carl = room.comes("carl")
    room.forget()
    carl.has_got(PM, read=5)
    carl.asks_who_has_got(PM)
    room.went("""
        carl is refused: unknown_conversation
        carl is refused: unknown_conversation
    """)


# The table.


def loaded(*rows: StateRow) -> Watermarks:
    watermarks = Watermarks()
    watermarks.load(rows)
    return watermarks


def test_what_has_changed_is_kept_once() -> None:
    watermarks = Watermarks()
    watermarks.mark(2, Mark(1, PM, 3))
    watermarks.mark(2, Mark(1, PM, 3, 2))
    watermarks.mark(1, Mark(1, "group:6", 5, 5, private=True))
    rows = watermarks.take_dirty()
    assert [(row.kind, row.id) for row in rows] == [("mark:direct:1,2", 2), ("mark:group:6", 1)]
    assert watermarks.take_dirty() == []
    again = loaded(*reversed(rows), StateRow("user", 1, b"not ours"))
    assert again.reached(PM, 2) == Reached(3, 2, 2)
    assert again.reached("group:6", 1) == Reached(5, 5, 0)
    assert len(again) == 2
    assert again.take_dirty() == []


def test_a_full_table_forgets_where_nobody_has_moved_for_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "MAX_WATERMARKS", 3)
    watermarks = Watermarks()
    watermarks.mark(1, Mark(1, PM, 1))
    watermarks.mark(2, Mark(1, PM, 1))
    watermarks.mark(1, Mark(1, "group:6", 2))
    watermarks.mark(1, Mark(1, PM, 3))
    watermarks.take_dirty()
    watermarks.mark(1, Mark(1, "direct:1,3", 4))
    assert watermarks.reached("group:6", 1) == NOWHERE
    assert watermarks.reached(PM, 2) == Reached(1)
    assert {(row.kind, row.body is None) for row in watermarks.take_dirty()} == {
        ("mark:group:6", True),
        ("mark:direct:1,3", False),
    }


def test_who_marks_everything_makes_nobody_else_s_marks_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "MAX_WATERMARKS", 6)
    monkeypatch.setattr(receipts, "MAX_WATERMARKS_OF_ONE", 3)
    table = Watermarks()
    table.mark(1, Mark(0, "direct:1,2", delivered=1))
    table.mark(2, Mark(0, "direct:1,2", delivered=1))
    table.confirm(3, 1)
    for other in range(4, 20):
        table.mark(3, Mark(0, f"direct:3,{other}", delivered=2))
        table.mark(3, Mark(0, "direct:2,3", delivered=other))
    assert len(table) == 5
    assert table.reached("direct:1,2", 1) == table.reached("direct:1,2", 2) == Reached(1, 0, 0)
    assert (table.confirmed(3), table.reached("direct:2,3", 3).delivered) == (1, 19)
    assert table.reached("direct:3,19", 3).delivered == 2 and table.reached("direct:3,18", 3) == NOWHERE
    rows = {(row.kind, row.id): row.body for row in table.take_dirty()}
    assert rows["mark:direct:3,18", 3] is None and rows["mark:direct:3,19", 3]


def test_a_conversation_is_not_forgotten_for_its_own_sake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receipts, "MAX_WATERMARKS", 2)
    watermarks = Watermarks()
    for user in (1, 2, 3):
        watermarks.mark(user, Mark(1, "group:6", user))
    assert [watermarks.reached("group:6", user).delivered for user in (1, 2, 3)] == [1, 2, 3]


def test_after_a_start_the_last_numbers_say_what_is_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    watermarks = Watermarks()
    for number, conversation in enumerate(["direct:1,4", "direct:1,3", PM], 1):
        watermarks.mark(1, Mark(1, conversation, number))
    rows = watermarks.take_dirty()
    monkeypatch.setattr(receipts, "MAX_WATERMARKS", 2)
    again = loaded(*reversed(rows))
    assert [(row.kind, row.body) for row in again.take_dirty()] == [("mark:direct:1,4", None)]
    assert again.reached(PM, 1) == Reached(3)


marks = st.tuples(
    st.integers(1, 3),
    st.builds(
        Mark,
        st.just(1),
        st.sampled_from([PM, "group:6", "group:7"]),
        st.integers(0, 9),
        st.integers(0, 9),
        st.booleans(),
    ),
)


@given(steps=st.lists(marks, max_size=20))
def test_marks_only_grow_and_what_is_kept_is_what_is_so(steps: list[tuple[int, Mark]]) -> None:
    watermarks = Watermarks()
    rows: dict[tuple[str, int], StateRow] = {}
    for user, request in steps:
        before = watermarks.reached(request.conversation, user)
        moved = watermarks.mark(user, request)
        after = watermarks.reached(request.conversation, user)
        assert after.delivered >= max(before.delivered, request.delivered, after.read)
        assert after.read >= max(before.read, request.read, after.shared_read)
        assert after.shared_read >= before.shared_read
        assert (moved is None) == (after == before)
        rows |= {(row.kind, row.id): row for row in watermarks.take_dirty()}
    again = loaded(*rows.values())
    assert len(again) == len(watermarks)
    for user, request in steps:
        assert again.reached(request.conversation, user) == watermarks.reached(request.conversation, user)
