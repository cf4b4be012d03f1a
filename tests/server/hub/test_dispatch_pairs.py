"""Sessions with two connections: the second one says things, the first one is told, and they end together."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from mystic_server.domain.events import Joined, Left
from mysticproto.errors import Code
from mysticproto.model import Bye, Login, Logout, Message, Ok, Post, Refused, ToGlobal, UserLeft, Welcome
from mysticproto.wire import Wire
from tests.server.hub.rig import Client, Rig, new_key, texts
from tests.server.hub.wires import Paired


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture
def first(rig: Rig) -> Client:
    return rig.comes("ana", wire=Paired)


@pytest.fixture
def second(rig: Rig, first: Client) -> Client:
    return joins(rig, "ana")


def joins(rig: Rig, name: str, wire: type[Wire] = Paired, host: str = "127.0.0.1") -> Client:
    client = rig.connects(wire)
    client.connection.address = (host, 1)
    client.nonce()
    client.asks(Login(1, name, pair=True))
    rig.settle()
    return client


def causes(rig: Rig) -> list[str]:
    return [each.event.cause for each in rig.log.events if isinstance(each.event, Left)]


def refusals(client: Client) -> list[str]:
    return [reply.code for reply in client.takes(Refused)]


def test_the_second_is_welcome_as_the_same_and_nobody_hears_of_it(rig: Rig, first: Client, second: Client) -> None:
    welcome = second.takes(Welcome)[0]
    assert (welcome.session, welcome.user.name, welcome.text) == (first.session, "ana", "paired")
    assert len([each for each in rig.log.events if isinstance(each.event, Joined)]) == 1
    assert len(rig.world.sessions) == 1


def test_the_second_speaks_and_the_first_hears(rig: Rig, first: Client, second: Client) -> None:
    bob = rig.comes("bob")
    second.asks(Post(2, ToGlobal(), "hi"))
    rig.settle()
    assert [ok.n for ok in second.takes(Ok)] == [2]
    assert texts(first.heard) == texts(bob.heard) == ["hi"]
    assert second.takes(Message) == []


@pytest.mark.parametrize("lost", [0, 1])
def test_the_end_of_either_is_the_session_s(rig: Rig, first: Client, second: Client, lost: int) -> None:
    bob = rig.comes("bob")
    (first, second)[lost].goes()
    rig.settle()
    assert (first, second)[1 - lost].is_at_end
    assert [each.cause for each in bob.takes(UserLeft)] == ["lost"]
    assert causes(rig) == ["lost"]
    assert list(rig.world.sessions) == [bob.session] and len(rig.peers) == 1


@pytest.mark.parametrize("asking", [0, 1])
def test_a_goodbye_on_either_closes_both(rig: Rig, first: Client, second: Client, asking: int) -> None:
    both = first, second
    both[asking].asks(Logout(3))
    rig.settle()
    assert first.is_at_end and second.is_at_end
    assert [[bye.code for bye in each.takes(Bye)] for each in both] == [["left"], ["left"]]
    assert causes(rig) == ["left"]
    assert not rig.world.sessions and len(rig.peers) == 0


def test_both_may_say_goodbye_at_once(rig: Rig, first: Client, second: Client) -> None:
    rig.log.is_held = True
    first.asks(Logout(3))
    second.asks(Post(3, ToGlobal(), "wait"), Logout(4))
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    assert first.is_at_end and second.is_at_end
    assert not rig.world.sessions and len(rig.peers) == 0


def test_what_the_second_says_while_the_first_says_goodbye_is_no_fault(rig: Rig, first: Client, second: Client) -> None:
    bob = rig.comes("bob")
    rig.log.is_held = True
    first.asks(Logout(3))
    rig.settle()
    second.asks(Post(3, ToGlobal(), "one"))
    rig.settle()
    rig.log.is_held = False
    second.asks(Post(4, ToGlobal(), "two"))
    rig.settle()
    assert texts(bob.heard) in ([], ["one"], ["one", "two"])
    assert list(rig.world.sessions) == [bob.session]


def test_a_third_is_refused(rig: Rig, first: Client, second: Client) -> None:
    assert refusals(joins(rig, "ana")) == [Code.NAME_IN_USE]
    assert not first.is_at_end and not second.is_at_end


def test_there_may_be_a_second_again_after_the_session_began_anew(rig: Rig, first: Client, second: Client) -> None:
    second.goes()
    rig.settle()
    first = rig.comes("ana", wire=Paired)
    second = joins(rig, "ana")
    assert second.session == first.session


def test_who_is_elsewhere_or_speaks_another_language_is_somebody_else(rig: Rig, first: Client) -> None:
    class Other(Paired):
        name = "other"

    assert refusals(joins(rig, "ana", host="192.0.2.1")) == [Code.NAME_IN_USE]
    assert refusals(joins(rig, "ana", wire=Other)) == [Code.NAME_IN_USE]


def test_a_claimed_name_needs_its_key(rig: Rig) -> None:
    rig.comes("ana", new_key())
    native = rig.connects()
    native.asks(replace(native.login("ana"), pair=True))
    rig.settle()
    assert refusals(native) == [Code.NAME_CLAIMED]
    assert len(rig.world.sessions) == 1


def test_nobody_joins_a_guest_s_session_whose_wire_has_one_connection(rig: Rig) -> None:
    """Whoever is on the same machine could read what is for the guest, and make the name their own."""
    guest = rig.comes("ana")
    native = rig.connects()
    native.asks(replace(native.login("ana"), pair=True))
    rig.settle()
    assert refusals(native) == [Code.NAME_IN_USE]
    assert native.session == 0 and guest.peer.other is None


def test_without_a_first_it_is_the_first(rig: Rig) -> None:
    alone = joins(rig, "ana")
    assert alone.takes(Welcome)[0].text != "paired"
    second = joins(rig, "ana")
    assert second.session == alone.session


def test_two_that_come_at_once_are_two_of_one(rig: Rig) -> None:
    rig.log.is_held = True
    one, two = joins(rig, "ana"), joins(rig, "ana")
    rig.log.is_held = False
    rig.settle()
    assert [one.takes(Welcome)[0].text == "paired", two.takes(Welcome)[0].text == "paired"] == [False, True]
    assert one.session == two.session
    assert refusals(one) == refusals(two) == []
    two.asks(Post(2, ToGlobal(), "hi"))
    rig.settle()
    assert texts(one.heard) == ["hi"]


def test_the_second_is_logged_in_already(rig: Rig, second: Client) -> None:
    second.asks(Login(5, "bob"), Login(6, "ana", pair=True))
    rig.settle()
    assert refusals(second) == [Code.ALREADY_LOGGED_IN, Code.ALREADY_LOGGED_IN]


def test_the_server_s_end_ends_the_session_once(rig: Rig, first: Client, second: Client) -> None:
    rig.gateway.stop(Bye(Code.STOPPING, "The server is stopping."))
    rig.settle()
    assert first.is_at_end and second.is_at_end
    assert causes(rig) == ["stopped"]


def test_a_goodbye_that_the_log_refuses_is_tried_again(rig: Rig, first: Client, second: Client) -> None:
    rig.log.refuses = Code.STORE_UNAVAILABLE
    second.asks(Logout(3))
    rig.settle()
    rig.log.refuses = ""
    rig.wait(3.0, step=0.5)
    assert first.is_at_end and second.is_at_end
    assert not rig.world.sessions
