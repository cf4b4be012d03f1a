"""Deliveries: who gets which copy, in how few pieces, and what is told to the operator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mystic_server.domain.world import Audience
from mystic_server.hub import fanout
from mystic_server.net.connection import Connection
from mysticproto import native
from mysticproto.model import (
    CreateGroup,
    Entered,
    FromServer,
    GroupCreated,
    GroupJoined,
    JoinGroup,
    Message,
    Notice,
    Ok,
    Post,
    ToEveryone,
    ToGlobal,
    ToUsers,
    UserJoined,
    Welcome,
)
from tests.server.hub.rig import OddWire, Rig, new_key, numbers, texts


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture
def sends(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Connection, int]]:
    """Batches given to connections, with their sizes."""
    given: list[tuple[Connection, int]] = []
    deliver = Connection.deliver

    def counted(connection: Connection, data: bytes) -> None:
        given.append((connection, len(data)))
        deliver(connection, data)

    monkeypatch.setattr(Connection, "deliver", counted)
    return given


def say(n: int, text: str) -> Post:
    return Post(n, ToGlobal(), text)


def test_messages_of_one_tick_reach_each_peer_in_one_piece(rig: Rig, sends: list[tuple[Connection, int]]) -> None:
    people = [rig.comes(name) for name in ("ana", "bob", "carl")]
    sends.clear()
    for person in people:
        person.asks(*[say(n, f"{n}") for n in range(1, 11)])
    rig.settle()
    assert sorted(str(connection) for connection, _ in sends) == sorted(str(each.connection) for each in people)
    for person in people:
        assert len(person.takes(Message)) == 30
        assert numbers(person.takes(Ok)) == list(range(1, 11))


def test_what_is_alike_is_encoded_once(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [rig.comes(f"ana{number}") for number in range(10)]
    encoded: list[object] = []
    encode = native.encode_frame

    def noted(said: FromServer) -> bytes:
        encoded.append(said)
        return encode(said)

    monkeypatch.setattr(native, "encode_frame", noted)
    people[0].asks(say(1, "hi"))
    rig.settle()
    assert len([each for each in encoded if isinstance(each, Message)]) == 1
    assert all(texts(person.heard) == ["hi"] for person in people)


def test_every_wire_gets_its_own_copies(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    odd, other = rig.comes("odd", wire=OddWire), rig.comes("other", wire=OddWire)
    ana.asks(say(1, "from ana"))
    rig.settle()
    odd.asks(say(2, "from odd"))
    rig.settle()
    assert texts(ana.heard) == texts(bob.heard) == ["from ana", "from odd"]
    assert texts(odd.heard) == ["from ana"]  # no echo on this wire
    assert texts(other.heard) == ["from ana", "from odd"]
    assert numbers(odd.takes(Ok)) == [2]


def test_bystanders_get_the_bystanders_copy(rig: Rig) -> None:
    ana, bob, odd = rig.comes("ana"), rig.comes("bob"), rig.comes("odd", wire=OddWire)
    member = rig.comes("member", wire=OddWire)
    ana.asks(CreateGroup(1, "team"))
    rig.settle()
    member.asks(JoinGroup(1, "team"))
    rig.settle()
    bob.asks(JoinGroup(1, "team"))
    rig.settle()
    assert [each.user.name for each in ana.takes(GroupJoined)] == ["member", "bob"]
    assert [each.user.name for each in bob.takes(GroupJoined)] == ["member", "bob"]
    assert [each.user.name for each in member.takes(GroupJoined)] == ["member", "bob"]
    assert odd.takes(GroupJoined) == []
    assert len(odd.takes(GroupCreated)) == 1


def test_what_stands_alone_waits_for_silence_and_keeps_its_place(rig: Rig) -> None:
    ana, odd = rig.comes("ana"), rig.comes("odd", wire=OddWire)
    ana.asks(say(1, "before"), Post(2, ToEveryone(), "alone"), say(3, "after"))
    rig.settle()
    assert texts(odd.heard) == ["before"]
    rig.wait(0.2, step=0.01)
    assert texts(odd.heard) == ["before", "alone", "after"]
    assert texts(ana.heard) == ["before", "alone", "after"]


def test_all_devices_of_an_author_are_echoed_once(rig: Rig) -> None:
    key, bob = new_key(), rig.comes("bob")
    one, two = rig.comes("dora", key), rig.comes("dora", key)
    one.asks(say(1, "hi"), Post(2, ToUsers(("bob",)), "psst"))
    rig.settle()
    for client in (one, two, bob):
        assert texts(client.heard) == ["hi", "psst"]
    assert numbers(one.takes(Ok)) == [1, 2]
    assert two.takes(Ok) == []


def test_an_author_in_a_group_is_echoed_what_they_say_to_global(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    ana.asks(CreateGroup(1, "team"), say(2, "hi"))
    bob.asks(say(1, "unheard"))
    rig.settle()
    assert texts(ana.heard) == ["hi"]
    assert sorted(texts(bob.heard)) == ["hi", "unheard"]


def test_who_only_acts_hears_nothing(rig: Rig) -> None:
    bot, ana = rig.comes("bot", watch=False), rig.comes("ana")
    bot.takes(Welcome)
    ana.asks(say(1, "hi"), Post(2, ToEveryone(), "all"), CreateGroup(3, "team"))
    rig.settle()
    rig.comes("bob")
    bot.asks(say(1, "done"))
    rig.settle()
    assert [type(each) for each in bot.heard] == [Ok]


def test_an_answer_does_not_overtake_what_was_told_before(rig: Rig) -> None:
    """A barrier's answer says what is so from here on."""
    ana, bob = rig.comes("ana"), rig.comes("bob")
    rig.log.is_held = True
    bob.asks(say(1, "before"))
    rig.settle()
    ana.asks(CreateGroup(1, "team"))
    rig.settle()
    bob.asks(say(2, "after"))
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    kinds = [type(each) for each in ana.heard if isinstance(each, Message | Entered | GroupCreated)]
    assert kinds == [Message, GroupCreated, Entered]


def test_an_answer_that_nobody_else_hears_of_keeps_its_place_too(rig: Rig) -> None:
    key, bob = new_key(), rig.comes("bob")
    one, two = rig.comes("dora", key), rig.comes("dora", key)
    one.asks(CreateGroup(1, "team"))
    rig.settle()
    two.heard.clear()
    rig.log.is_held = True
    bob.asks(say(1, "before"))
    rig.settle()
    two.asks(JoinGroup(1, "team"))
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    assert [type(each) for each in two.heard] == [Message, Entered]


def test_a_newcomer_hears_everything_after_the_welcome_and_nothing_before(rig: Rig) -> None:
    ana, client = rig.comes("ana"), rig.connects()
    rig.log.is_held = True
    ana.asks(say(1, "before"))
    rig.settle()
    client.asks(client.login("bob"))
    rig.settle()
    ana.asks(say(2, "after"))
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    assert [type(each) for each in client.heard] == [Welcome, Message]
    assert texts(client.heard) == ["after"]
    assert [type(each) for each in ana.heard if not isinstance(each, Ok | Welcome)] == [Message, UserJoined, Message]


def test_the_server_s_own_words_are_not_kept(rig: Rig) -> None:
    ana, bob, odd = rig.comes("ana"), rig.comes("bob"), rig.comes("odd", wire=OddWire)
    odd.heard.clear()
    ana.asks(say(1, "before"))
    rig.settle()
    rig.gateway.fanout.tell(Notice("tea is ready"), rig.world.everyone())
    rig.settle()
    for client in (ana, bob, odd):
        assert [type(each) for each in client.heard if not isinstance(each, Ok | Welcome)] == [Message, Notice]
    assert len(rig.log.events) == 4


def test_the_witness_is_told_of_everything_but_messages(rig: Rig) -> None:
    ana = rig.comes("ana")
    ana.asks(say(1, "secret"), CreateGroup(2, "team"))
    rig.settle()
    ana.goes()
    rig.settle()
    told = [type(each).__name__ for each in rig.witness.events]
    assert told == ["UserJoined", "GroupCreated", "GroupLeft", "GroupDeleted", "UserLeft"]


def test_messages_and_deliveries_are_counted(rig: Rig) -> None:
    ana, _ = rig.comes("ana"), rig.comes("bob")
    ana.asks(say(1, "a"), say(2, "b"), Post(3, ToUsers(("bob",)), "c"))
    rig.settle()
    assert (rig.gateway.fanout.messages, rig.gateway.fanout.deliveries) == (3, 6)


def test_what_is_on_its_way_is_counted_in_bytes(rig: Rig) -> None:
    ana = rig.comes("ana")
    rig.log.is_held = True
    ana.asks(say(1, "x" * 1000), say(2, "漢" * 1000), CreateGroup(3, "team"))
    rig.settle()
    assert 4000 < rig.gateway.fanout.pending_bytes < 4500
    assert rig.gateway.fanout.pending == 3
    rig.log.is_held = False
    rig.settle()
    assert rig.gateway.fanout.pending_bytes == 0


def test_prepared_audiences_are_limited(rig: Rig) -> None:
    people = [rig.comes(f"ana{number}") for number in range(3)]
    for n in range(fanout._CACHED_AUDIENCES * 3):
        people[0].asks(Post(n, ToUsers(("ana1",)), "psst"))
        rig.settle()
    assert len(rig.gateway.fanout._groups) <= fanout._CACHED_AUDIENCES + 1
    assert len(texts(people[1].heard)) == fanout._CACHED_AUDIENCES * 3


def test_a_session_on_no_connection_of_ours_is_passed_over(rig: Rig) -> None:
    ana = rig.comes("ana")
    rig.gateway.fanout.tell(Notice("hi"), Audience((ana.session, 99)))
    rig.settle()
    assert len(ana.takes(Notice)) == 1


def test_a_peer_that_breaks_while_it_is_told_does_not_disturb_the_others(rig: Rig) -> None:
    people = [rig.comes(f"ana{number}") for number in range(5)]
    for person in people:
        person.heard.clear()
    people[1].goes()
    people[3].goes()
    people[0].asks(say(1, "one"), say(2, "two"))
    rig.settle()
    for person in (people[2], people[4]):
        assert texts(person.heard) == ["one", "two"]
    assert len(rig.world.sessions) == 3
