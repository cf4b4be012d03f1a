"""What waits for a name: it comes with the next login that asks for it, and its authors learn that it was seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from mysticproto.model import (
    AddMember,
    CatchUp,
    CreateGroup,
    Event,
    GroupJoined,
    Mark,
    Message,
    Ok,
    Post,
    RemoveMember,
    Seen,
    ToEveryone,
    ToGlobal,
    ToGroup,
    ToUsers,
    Welcome,
    conversation_key,
)
from tests.server.hub.rig import Client, Rig, new_key, texts
from tests.server.hub.wires import Personal


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture
def ana(rig: Rig) -> Client:
    return rig.comes("ana", wire=Personal)


@pytest.fixture
def away(rig: Rig, ana: Client) -> None:
    """Bob was here and has gone."""
    bob = rig.comes("bob")
    bob.goes()
    rig.settle()
    ana.heard.clear()


def to_bob(n: int, text: str) -> Post:
    return Post(n, ToUsers(("bob",)), text, receipt=True)


def returns(rig: Rig, waiting: str, name: str = "bob") -> Client:
    client = rig.connects(Personal)
    client.asks(replace(client.login(name), waiting=waiting))
    rig.settle()
    return client


def waited(client: Client) -> list[Event]:
    return [event for part in client.takes(CatchUp) for event in part.events]


def seen_by(client: Client) -> list[str]:
    return [each.by.name for each in client.takes(Seen)]


@pytest.mark.usefixtures("away")
def test_private_words_wait_and_their_author_learns_of_it(rig: Rig, ana: Client) -> None:
    ana.asks(to_bob(1, "one"), Post(2, ToGlobal(), "all"), to_bob(3, "two"), Post(4, ToEveryone(), "all of you"))
    rig.settle()
    assert [ok.away for ok in ana.takes(Ok)] == [("bob",), (), ("bob",), ()]
    assert seen_by(ana) == []
    bob = returns(rig, "direct")
    assert bob.takes(Welcome)[0].catching_up
    assert texts(waited(bob)) == ["one", "two"]
    assert bob.takes(Message) == []
    assert seen_by(ana) == ["bob"]


@pytest.mark.usefixtures("away")
def test_or_everything_waits_in_order(rig: Rig, ana: Client) -> None:
    ana.asks(to_bob(1, "one"), Post(2, ToGlobal(), "two"), to_bob(3, "three"), Post(4, ToEveryone(), "four"))
    rig.settle()
    bob = returns(rig, "all")
    assert texts(waited(bob)) == ["one", "two", "three", "four"]


@pytest.mark.usefixtures("away")
def test_it_waits_once(rig: Rig, ana: Client) -> None:
    ana.asks(to_bob(1, "one"))
    rig.settle()
    bob = returns(rig, "all")
    bob.goes()
    rig.settle()
    ana.heard.clear()
    again = returns(rig, "all")
    assert texts(waited(again)) == []
    assert seen_by(ana) == []


def test_the_next_holder_gets_what_waits_and_never_what_was_before(rig: Rig, ana: Client) -> None:
    bob = rig.comes("bob")
    ana.asks(Post(1, ToUsers(("bob",)), "secret"), Post(2, ToGlobal(), "old"))
    rig.settle()
    bob.goes()
    rig.settle()
    ana.asks(to_bob(3, "waits"))
    rig.settle()
    assert texts(waited(returns(rig, "all", name="BOB"))) == ["waits"]


@pytest.mark.usefixtures("away")
def test_a_device_that_has_nothing_yet_gets_what_waited(rig: Rig, ana: Client) -> None:
    ana.asks(to_bob(1, "one"), Post(2, ToGlobal(), "all"), to_bob(3, "two"))
    rig.settle()
    bob = returns(rig, "")
    assert bob.takes(Welcome)[0].catching_up
    assert texts(waited(bob)) == ["one", "two"]
    assert seen_by(ana) == ["bob"]


@pytest.mark.usefixtures("away")
def test_a_guest_s_device_that_comes_back_gets_what_waited_too(rig: Rig, ana: Client) -> None:
    """Though the name is nobody's, and what was said before it was taken is none of the holder's business."""
    upto = rig.world.applied
    ana.asks(to_bob(1, "one"), Post(2, ToGlobal(), "all"))
    rig.settle()
    bob = rig.comes("bob", after=upto)
    assert texts(waited(bob)) == ["one", "all"]


def test_a_new_device_gets_what_no_other_has_confirmed(rig: Rig, ana: Client) -> None:
    """A connection may break before what was sent over it has arrived."""
    key = new_key()
    rig.comes("dora", key).goes()
    rig.settle()
    ana.asks(Post(1, ToUsers(("dora",)), "one"), Post(2, ToUsers(("dora",)), "two"))
    rig.settle()
    rig.comes("dora", key).goes()
    rig.settle()
    (waiting,) = rig.comes("dora", key).takes(CatchUp)
    assert texts(waiting.events) == ["one", "two"]
    one, two = waiting.events
    assert isinstance(one, Message)
    here = rig.comes("dora", key)
    here.asks(Mark(1, conversation_key(one.conversation), delivered=one.seq))
    rig.settle()
    assert texts(waited(rig.comes("dora", key))) == ["two"]
    here.asks(Mark(2, conversation_key(one.conversation), read=two.seq))
    rig.settle()
    assert waited(rig.comes("dora", key)) == []


@pytest.mark.usefixtures("away")
def test_the_second_connection_of_a_pair_gets_nothing(rig: Rig, ana: Client) -> None:
    ana.asks(to_bob(1, "one"))
    rig.settle()
    bob = rig.connects(Personal)
    bob.asks(replace(bob.login("bob"), pair=True))
    rig.settle()
    assert not bob.takes(Welcome)[0].catching_up
    assert waited(bob) == [] and bob.takes(Message) == []
    assert seen_by(ana) == []


def test_nothing_waits_for_who_was_never_here(rig: Rig, ana: Client) -> None:
    ana.asks(Post(1, ToGlobal(), "old"))
    rig.settle()
    zed = returns(rig, "all", name="zed")
    assert not zed.takes(Welcome)[0].catching_up
    assert zed.takes(CatchUp) == []


@pytest.mark.usefixtures("away")
def test_only_who_asked_for_a_receipt_learns_of_it(rig: Rig, ana: Client) -> None:
    carl = rig.comes("carl", wire=Personal)
    carl.asks(Post(1, ToGlobal(), "nobody in particular"))
    ana.asks(Post(1, ToGlobal(), "I want to know", receipt=True))
    rig.settle()
    bob = returns(rig, "all")
    assert texts(waited(bob)) in (
        ["nobody in particular", "I want to know"],
        ["I want to know", "nobody in particular"],
    )
    assert (seen_by(ana), seen_by(carl)) == (["bob"], [])


@pytest.mark.usefixtures("away")
def test_an_author_who_has_gone_or_reads_their_own_is_not_told(rig: Rig, ana: Client) -> None:
    carl = rig.comes("carl", wire=Personal)
    carl.asks(to_bob(1, "from carl"))
    rig.settle()
    carl.goes()
    rig.settle()
    bob = returns(rig, "all")
    assert "from carl" in texts(waited(bob))
    assert seen_by(ana) == seen_by(bob) == []


def test_a_kept_group_waits_with_what_happened_in_it(rig: Rig, ana: Client) -> None:
    bob, carl = rig.comes("bob"), rig.comes("carl")
    bob.goes()
    rig.settle()
    ana.asks(CreateGroup(1, "team", focus=False, kept=True, members=("carl",)))
    rig.settle()
    ana.asks(AddMember(2, "team", "bob"), Post(3, ToGroup("team"), "hi", receipt=True))
    rig.settle()
    carl.asks(Post(4, ToGroup("team"), "me too"))
    rig.settle()
    bob = returns(rig, "direct")
    events = waited(bob)
    assert texts(events) == ["hi", "me too"]
    joined = [event for event in events if isinstance(event, GroupJoined)]
    assert [(event.user.name, event.by and event.by.name) for event in joined] == [("bob", "ana")]
    assert seen_by(ana) == ["bob"]


def test_who_was_removed_meanwhile_gets_nothing_of_the_group(rig: Rig, ana: Client) -> None:
    bob = rig.comes("bob")
    ana.asks(CreateGroup(1, "team", focus=False, kept=True, members=("bob",)))
    rig.settle()
    bob.goes()
    rig.settle()
    ana.asks(Post(2, ToGroup("team"), "hi"), RemoveMember(3, "team", "bob"))
    rig.settle()
    assert texts(waited(returns(rig, "all"))) == []


@pytest.mark.usefixtures("away")
def test_it_waits_over_a_restart(rig: Rig, ana: Client) -> None:
    ana.asks(to_bob(1, "one"))
    rig.settle()
    with Rig(log=rig.log) as next_run:
        bob = returns(next_run, "direct")
        assert texts(waited(bob)) == ["one"]


def test_a_member_s_words_wait_for_a_key(rig: Rig, ana: Client) -> None:
    key = new_key()
    rig.comes("dora", key).goes()
    rig.settle()
    ana.asks(Post(1, ToUsers(("dora",)), "psst", receipt=True))
    rig.settle()
    assert returns(rig, "direct", name="dora").takes(Welcome) == []
    dora = rig.connects()
    dora.asks(replace(dora.login("dora", key), waiting="direct"))
    rig.settle()
    assert texts(waited(dora)) == ["psst"]


@pytest.mark.usefixtures("away")
def test_much_that_waits_comes_in_parts(rig: Rig, ana: Client) -> None:
    words = [f"{n}".zfill(4) for n in range(1200)]
    ana.asks(*[to_bob(1, each) for each in words])
    rig.settle()
    bob = returns(rig, "direct")
    parts = bob.takes(CatchUp)
    assert [part.more for part in parts] == [True] * (len(parts) - 1) + [False] and len(parts) > 1
    assert [text for part in parts for text in texts(part.events)] == words
