"""What differs between wires and matters to the gateway: questions of their own, last words, reads, deadlines."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mystic_server.hub.dispatch import MAX_READS
from mystic_server.hub.rates import Rates
from mysticproto.errors import Code
from mysticproto.model import Bye, CreateGroup, Entered, ListUsers, Ok, Ping, Pong, Post, Refused, ToGlobal, Users
from mysticproto.native import encode_frame
from mysticproto.wire import Item, Local
from tests.server.hub.rig import Client, Rig, numbers
from tests.server.hub.wires import Clockwork, Curious, Final, Unframed

SLOW = Rates(messages=1, messages_burst=1, commands=1, commands_burst=1, text=1000, text_burst=1000)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


def pongs(said: list[Pong]) -> list[int]:
    return [pong.n for pong in said]


# What a wire asks by itself.


def test_a_wire_s_own_questions_come_before_what_waits(rig: Rig) -> None:
    ana = rig.comes("ana", wire=Curious)
    assert pongs(ana.takes(Pong)) == [1000]
    ana.asks(Ping(1), Ping(2))
    rig.settle()
    assert pongs(ana.takes(Pong)) == [1, 101, 201, 2, 102, 202]


def test_they_come_first_too_where_the_answer_came_late(rig: Rig) -> None:
    client = rig.connects(Curious)
    rig.log.is_held = True
    client.asks(client.login("ana"), Ping(1), Post(2, ToGlobal(), "hi"))
    rig.settle()
    assert client.takes(Pong) == []
    rig.log.is_held = False
    rig.settle()
    assert pongs(client.takes(Pong)) == [1000, 1, 101, 201]
    assert numbers(client.takes(Ok)) == [2]


def test_they_cost_as_much_as_the_peer_s() -> None:
    with Rig(rates=SLOW) as slow:
        ana = slow.comes("ana", wire=Curious)
        assert ana.takes(Pong) == []
        slow.wait(1.5)
        assert pongs(ana.takes(Pong)) == [1000]


def test_they_go_on_without_anything_else_happening(rig: Rig) -> None:
    ana = rig.comes("ana", wire=Curious)
    ana.heard.clear()
    ana.peer.answer(Ping(3), Pong(3, 0))
    rig.settle()
    assert pongs(ana.takes(Pong)) == [3, 103, 203]


# Last words.


def test_a_wire_that_has_said_its_last_words_is_closed_behind_them(rig: Rig) -> None:
    rig.comes("ana")
    other = rig.connects(Final)
    other.asks(other.login("ana"), Ping(5), Post(6, ToGlobal(), "hi"))
    rig.settle()
    assert [reply.code for reply in other.takes(Refused)] == [Code.NAME_IN_USE]
    assert other.heard == []
    assert other.is_at_end
    assert len(rig.peers) == 1


# Reads.


def test_an_unframed_wire_is_read_on_while_something_waits(rig: Rig) -> None:
    ana = rig.comes("ana", wire=Unframed)
    rig.log.is_held = True
    ana.asks(CreateGroup(1, "team"))
    rig.settle()
    for n in range(2, 12):
        ana.asks(Ping(n))
        rig.settle()
    assert len(ana.peer.waiting) == 10
    rig.log.is_held = False
    rig.settle()
    assert len(ana.takes(Entered)) == 1
    assert pongs(ana.takes(Pong)) == list(range(2, 12))


def test_a_framed_one_is_not(rig: Rig) -> None:
    ana = rig.comes("ana")
    rig.log.is_held = True
    ana.asks(CreateGroup(1, "team"), Ping(2))
    rig.settle()
    ana.asks(Ping(3))
    rig.settle()
    assert len(ana.peer.waiting) == 1
    rig.log.is_held = False
    rig.settle()
    assert pongs(ana.takes(Pong)) == [2, 3]


def test_what_is_too_much_to_wait_is_refused_and_nothing_piles_up(rig: Rig) -> None:
    ana = rig.comes("ana", wire=Unframed)
    rig.log.is_held = True
    ana.asks(CreateGroup(1, "team"))
    rig.settle()
    for n in range(1000):
        ana.asks(Ping(n))
        rig.settle()
    assert len(ana.peer.waiting) == MAX_READS
    assert numbers(ana.takes(Refused)) == list(range(MAX_READS, 1000))
    rig.log.is_held = False
    rig.settle()
    assert pongs(ana.takes(Pong)) == list(range(MAX_READS))


def test_the_wire_s_own_answers_don_t_pile_up_either() -> None:
    class Chatty(Unframed):
        name = "chatty"

        def feed(self, data: bytes, now: float) -> list[Item]:
            items = super().feed(data, now)
            return [Local((encode_frame(Bye("usage", "usage")),)) if isinstance(each, Ping) else each for each in items]

    with Rig(rates=SLOW) as slow:
        ana = slow.comes("ana", wire=Chatty)
        for n in range(500):
            ana.asks(Ping(n))
            slow.settle()
        assert len(ana.peer.waiting) <= MAX_READS


def test_what_can_t_be_understood_ends_it_in_its_turn(rig: Rig) -> None:
    ana = rig.comes("ana", wire=Unframed)
    rig.log.is_held = True
    ana.asks(CreateGroup(1, "team"))
    rig.settle()
    for n in range(MAX_READS + 5):
        ana.asks(Ping(n))
        rig.settle()
    ana.sends(b"\xff" * 64)
    rig.settle()
    assert not ana.is_at_end
    rig.log.is_held = False
    rig.settle()
    assert pongs(ana.takes(Pong)) == list(range(MAX_READS))
    assert len(ana.takes(Bye)) == 1
    assert ana.is_at_end


# Deadlines.


def clockwork_of(client: Client) -> Clockwork:
    wire = client.peer.wire
    assert isinstance(wire, Clockwork)
    return wire


def test_a_wire_is_called_in_time_again_and_again(rig: Rig) -> None:
    ana = rig.comes("ana", wire=Clockwork)
    clockwork = clockwork_of(ana)
    clockwork.due_s = rig.clock.now + 1.0
    ana.asks(Ping(1))
    rig.settle()
    assert pongs(ana.takes(Pong)) == [1]
    rig.wait(0.9)
    assert clockwork.calls == 0
    rig.wait(2.3)
    assert clockwork.calls == 3
    assert pongs(ana.takes(Pong)) == [7, 7, 7]
    assert len(ana.takes(Bye)) == 3


def test_an_earlier_deadline_takes_the_place_of_a_later_one(rig: Rig) -> None:
    ana = rig.comes("ana", wire=Clockwork)
    clockwork = clockwork_of(ana)
    for delay_s in (9.0, 7.0, 5.0, 3.0, 1.0):
        clockwork.due_s = rig.clock.now + delay_s
        ana.asks(Ping(1))
        rig.settle()
    rig.wait(10.5)
    assert clockwork.calls == 10  # one a second, and none for what was called off


def test_a_deadline_of_somebody_who_has_gone_is_nobody_s(rig: Rig) -> None:
    ana = rig.comes("ana", wire=Clockwork)
    clockwork = clockwork_of(ana)
    clockwork.due_s = rig.clock.now + 1.0
    ana.asks(Ping(1))
    rig.settle()
    ana.goes()
    rig.wait(5.0)
    assert clockwork.calls == 0


def test_a_fault_in_a_deadline_ends_that_connection_alone(rig: Rig) -> None:
    class Broken(Clockwork):
        name = "broken"

        def feed(self, data: bytes, now: float) -> list[Item]:
            if not data:
                raise RuntimeError("broken")
            return super().feed(data, now)

    bob, ana = rig.comes("bob"), rig.comes("ana", wire=Broken)
    clockwork_of(ana).due_s = rig.clock.now + 1.0
    ana.asks(Ping(1))
    rig.settle()
    with pytest.raises(RuntimeError, match="broken"):
        rig.wait(2.0)
    rig.errors.clear()
    rig.settle()
    assert ana.is_at_end
    bob.asks(ListUsers(3))
    rig.settle()
    assert [info.user.name for info in bob.takes(Users)[0].users] == ["bob"]
