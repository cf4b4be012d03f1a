"""How sessions end: logged out, lost, replaced, given up, stopped; and that none is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from mystic_server.domain import policy
from mystic_server.domain.events import Left, LingerEnded, NodeStarted
from mystic_server.hub import desk, dispatch
from mystic_server.hub.house import now_us
from mysticproto.errors import Code
from mysticproto.model import (
    Bye,
    CreateGroup,
    Entered,
    GroupDeleted,
    Hello,
    JoinGroup,
    Logout,
    Message,
    Ok,
    Ping,
    Pong,
    Post,
    Refused,
    ToGlobal,
    ToGroup,
    UserJoined,
    UserLeft,
    Welcome,
)
from mysticproto.native import encode_frame
from tests.server.hub.rig import HubLog, Rig, new_key, numbers, texts

STOPPING = Bye(Code.STOPPING, "The server is stopping.")


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the wall clock forward by seconds."""
    time_us = 1_700_000_000_000_000
    for each in (dispatch, desk):
        monkeypatch.setattr(each, "now_us", lambda: time_us)

    def forward(seconds: float) -> None:
        nonlocal time_us
        time_us += int(seconds * 1_000_000)

    return forward


def say(n: int, text: str = "hi") -> Post:
    return Post(n, ToGlobal(), text)


def ends(rig: Rig) -> list[tuple[str, bool]]:
    """Cause and quietness of every end in the log."""
    return [(each.event.cause, each.event.quiet) for each in rig.log.events if isinstance(each.event, Left)]


def test_logging_out_is_answered_and_the_connection_ends(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    ana.asks(Logout(7), say(8))
    rig.settle()
    assert numbers(ana.takes(Ok)) == [7]
    assert [bye.code for bye in ana.takes(Bye)] == ["left"]
    assert ana.is_at_end
    assert [(left.user.name, left.cause) for left in bob.takes(UserLeft)] == [("ana", "left")]
    assert texts(bob.heard) == []
    assert ends(rig) == [("left", False)]
    assert "ana disconnected: finished" in rig.witness.lines


def test_a_lost_connection_ends_its_session(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    ana.goes()
    rig.settle()
    assert [(left.user.name, left.cause) for left in bob.takes(UserLeft)] == [("ana", "lost")]
    assert ends(rig) == [("lost", False)]
    assert len(rig.peers) == 1


def test_a_connection_that_ends_while_its_login_is_stored_leaves_no_session(rig: Rig) -> None:
    bob = rig.comes("bob")
    client = rig.connects()
    rig.log.is_held = True
    client.asks(client.login("ana"))
    rig.settle()
    client.goes()
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    assert [type(each) for each in bob.heard if not isinstance(each, Welcome)] == [UserJoined, UserLeft]
    assert len(rig.world.sessions) == 1
    assert rig.comes("ana").takes(Welcome)


def test_a_connection_that_ends_while_its_logout_is_stored_has_left(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    rig.log.is_held = True
    ana.asks(Logout(1))
    rig.settle()
    ana.goes()
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    assert [left.cause for left in bob.takes(UserLeft)] == ["left"]
    assert ends(rig) == [("left", False)]


def test_what_was_asked_before_the_loss_still_happens(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    ana.asks(say(1, "last words"))
    ana.goes()
    rig.settle()
    assert texts(bob.heard) == ["last words"]


def test_a_guest_is_back_before_the_loss_is_stored(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    rig.log.is_held = True
    ana.goes()
    rig.settle()
    again = rig.connects()
    again.asks(again.login("ana"))
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    assert again.takes(Welcome)
    assert [type(each) for each in bob.heard if not isinstance(each, Welcome)] == [UserLeft, UserJoined]
    assert ends(rig) == [("lost", False)]


def test_an_end_that_could_not_be_stored_is_tried_again(rig: Rig) -> None:
    ana, bob, carl = rig.comes("ana"), rig.comes("bob"), rig.comes("carl")
    carl.heard.clear()
    rig.log.refuses = Code.STORAGE_FULL
    ana.goes()
    bob.asks(Logout(3))
    rig.settle()
    assert numbers(bob.takes(Refused)) == [3]
    assert bob.is_at_end
    rig.wait(3)
    assert len(rig.world.sessions) == 3
    rig.log.refuses = ""
    rig.wait(2)
    assert len(rig.world.sessions) == 1
    assert {(left.user.name, left.cause) for left in carl.takes(UserLeft)} == {("ana", "lost"), ("bob", "left")}
    rig.wait(5)
    assert len(ends(rig)) == 2


def test_a_session_ends_once_however_often_that_is_asked_for(rig: Rig) -> None:
    ana = rig.comes("ana")
    for _ in range(3):
        rig.gateway.desk.end_session(ana.session, "kicked")
    rig.settle()
    rig.gateway.desk.end_session(ana.session, "kicked")
    rig.settle()
    assert ends(rig) == [("kicked", False)]


def test_two_devices_that_go_together_leave_one_leave_in_the_history(rig: Rig) -> None:
    key, bob = new_key(), rig.comes("bob")
    one, two = rig.comes("dora", key), rig.comes("dora", key)
    one.goes()
    two.goes()
    rig.settle()
    assert [left.cause for left in bob.takes(UserLeft)] == ["lost"]
    assert sorted(quiet for _, quiet in ends(rig)) == [False, True]


# Taken over.


def test_a_device_replaces_its_own_living_session(rig: Rig) -> None:
    key, bob = new_key(), rig.comes("bob")
    old = rig.comes("dora", key)
    old.asks(CreateGroup(2, "team"))
    rig.settle()
    bob.heard.clear()
    session = old.session
    new = rig.connects()
    new.asks(new.login("dora", key, resume=session), Post(2, ToGroup(), "still here"))
    rig.settle()
    welcome = new.takes(Welcome)[0]
    assert welcome.focus and welcome.focus.name == "team"
    assert [bye.code for bye in old.takes(Bye)] == [Code.REPLACED]
    assert old.is_at_end
    assert bob.heard == []
    assert numbers(new.takes(Ok)) == [2]
    assert ends(rig) == []
    assert len(rig.world.sessions) == 2


def test_what_the_replaced_connection_asked_for_does_not_happen_any_more(rig: Rig) -> None:
    key = new_key()
    old = rig.comes("dora", key)
    session = old.session
    new = rig.connects()
    rig.log.is_held = True
    new.asks(new.login("dora", key, resume=session))
    rig.settle()
    old.asks(CreateGroup(5, "team"), say(6))
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    assert not rig.world.groups
    assert old.takes(Entered) == []
    assert [bye.code for bye in old.takes(Bye)] == [Code.REPLACED]


def test_the_broken_old_connection_of_a_replaced_session_means_nothing(rig: Rig) -> None:
    key, bob = new_key(), rig.comes("bob")
    old = rig.comes("dora", key)
    session = old.session
    new = rig.connects()
    rig.log.is_held = True
    new.asks(new.login("dora", key, resume=session))
    rig.settle()
    old.goes()
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    bob.heard.clear()
    bob.asks(say(1))
    rig.settle()
    assert texts(new.heard) == ["hi"]
    assert rig.world.is_here(2)


def test_a_lost_device_finds_its_room_again(rig: Rig, clock: Callable[[float], None]) -> None:
    key, bob = new_key(), rig.comes("bob")
    dora = rig.comes("dora", key)
    dora.asks(CreateGroup(2, "team"))
    rig.settle()
    session = dora.session
    dora.goes()
    rig.settle()
    clock(59)
    rig.gateway.desk.end_lingering()
    rig.settle()
    back = rig.comes("dora", key, resume=session)
    welcome = back.takes(Welcome)[0]
    assert welcome.focus and welcome.focus.name == "team"
    assert [each.event for each in rig.log.events if isinstance(each.event, LingerEnded)] == []
    assert bob.takes(GroupDeleted) == []


@pytest.mark.parametrize("seconds", [60, -60, -10_000_000])
def test_what_a_lost_session_kept_is_given_up_once(rig: Rig, clock: Callable[[float], None], seconds: float) -> None:
    """After a minute; and also when the clock was put back, rather than never."""
    key, bob = new_key(), rig.comes("bob")
    dora = rig.comes("dora", key)
    dora.asks(CreateGroup(2, "team"))
    rig.settle()
    dora.goes()
    rig.settle()
    clock(seconds)
    rig.log.is_held = True
    for _ in range(3):
        rig.gateway.desk.end_lingering()
        rig.settle()
    rig.log.is_held = False
    rig.settle()
    rig.gateway.desk.end_lingering()
    rig.settle()
    assert len([each for each in rig.log.events if isinstance(each.event, LingerEnded)]) == 1
    assert [each.group.name for each in bob.takes(GroupDeleted)] == ["team"]


def test_giving_up_that_could_not_be_stored_is_tried_again(rig: Rig, clock: Callable[[float], None]) -> None:
    dora = rig.comes("dora", new_key())
    dora.asks(CreateGroup(2, "team"))
    rig.settle()
    dora.goes()
    rig.settle()
    clock(policy.LINGER_US / 1e6)
    rig.log.refuses = Code.STORAGE_FULL
    rig.gateway.desk.end_lingering()
    rig.settle()
    rig.log.refuses = ""
    rig.gateway.desk.end_lingering()
    rig.settle()
    assert not rig.world.groups


# The server stops.


def test_everybody_is_told_that_the_server_stops_and_the_log_knows(rig: Rig) -> None:
    people = [rig.comes("ana"), rig.comes("bob"), rig.connects()]
    for client in people:
        client.heard.clear()
    rig.gateway.stop(STOPPING)
    rig.settle()
    for client in people:
        assert client.heard == [STOPPING]
        assert client.is_at_end
    assert ends(rig) == [("stopped", False), ("stopped", False)]
    assert not rig.world.sessions
    assert not rig.connections


def test_what_was_committed_is_told_before_the_goodbye(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    rig.log.is_held = True
    ana.asks(say(1, "just in time"))
    rig.settle()
    rig.log.is_held = False
    rig.log.flush()
    rig.gateway.stop(STOPPING)
    rig.settle()
    assert [type(each) for each in bob.heard if isinstance(each, Message | Bye)] == [Message, Bye]
    assert numbers(ana.takes(Ok)) == [1]


def test_who_comes_while_the_server_stops_is_sent_away(rig: Rig) -> None:
    rig.gateway.stop(STOPPING)
    client = rig.connects()
    client.sends(encode_frame(Ping(1)))
    rig.settle()
    assert client.takes(Hello)
    assert client.heard == [STOPPING]
    assert client.is_at_end


def test_a_login_on_its_way_when_the_server_stops_leaves_no_session(rig: Rig) -> None:
    client = rig.connects()
    rig.log.is_held = True
    client.asks(client.login("ana"))
    rig.settle()
    rig.gateway.stop(STOPPING)
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    assert not rig.world.sessions
    assert not rig.gateway.fanout.pending


def test_a_new_run_lets_everybody_in_again_and_remembers(rig: Rig) -> None:
    key = new_key()
    ana, dora = rig.comes("ana"), rig.comes("dora", key)
    dora.asks(CreateGroup(2, "team"))
    rig.settle()
    ana.asks(JoinGroup(2, "team"), Post(3, ToGroup(), "kept", b"0123456789abcdef"))
    rig.settle()
    session = dora.session
    assert len(ana.takes(Ok)) == 1
    with next_run(rig.log) as second:
        back = second.comes("dora", key, resume=session)
        welcome = back.takes(Welcome)[0]
        assert welcome.focus and welcome.focus.name == "team"
        again = second.comes("ana")
        again.asks(Post(3, ToGlobal(), "kept", b"0123456789abcdef"), Post(4, ToGroup("team"), "out"))
        second.settle()
        assert [reply.seq for reply in again.takes(Ok)] == [5]
        assert [reply.code for reply in again.takes(Refused)] == [Code.NOT_IN_GROUP]


def next_run(log: HubLog) -> Rig:
    """The server was killed and starts again."""
    rig = Rig(log=log)
    rig.gateway.fanout.propose(NodeStarted(rig.identity.node, rig.identity.epoch), now_us())
    rig.settle()
    assert not rig.world.sessions
    return rig


def test_a_wire_that_can_t_linger_is_a_guest_s(rig: Rig) -> None:
    ana = rig.comes("ana")
    ana.asks(CreateGroup(1, "team"))
    rig.settle()
    ana.goes()
    rig.settle()
    assert not rig.world.groups
    assert not rig.world.lost


def test_a_ping_after_the_end_of_a_session_is_not_answered(rig: Rig) -> None:
    ana = rig.comes("ana")
    ana.asks(Logout(1), Ping(2))
    rig.settle()
    assert ana.takes(Pong) == []
