"""A name that was nobody's is in groups that its last holder was in: the next one reads what is said from then on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mysticproto.model import (
    AddMember,
    CatchUp,
    CreateGroup,
    Edit,
    Event,
    Found,
    GetHistory,
    History,
    LeaveGroup,
    Message,
    MessageEdited,
    Post,
    Search,
    SetPassword,
    ToGlobal,
    ToGroup,
)
from tests.server.hub.rig import Client, Rig, new_key, texts


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture
def ana(rig: Rig) -> Client:
    """She has told bob something in a group that stays, and in everybody's ear; then bob has gone."""
    ana, bob = rig.comes("ana", new_key()), rig.comes("bob")
    ana.asks(CreateGroup(1, "team", focus=False, kept=True, members=("bob",)))
    rig.settle()
    ana.asks(Post(2, ToGroup("team"), "secret"), Post(3, ToGlobal(), "known to all"))
    rig.settle()
    bob.goes()
    rig.settle()
    ana.asks(Post(4, ToGroup("team"), "waits"))
    rig.settle()
    return ana


def caught_up(client: Client) -> list[Event]:
    return [event for part in client.takes(CatchUp) for event in part.events]


def history(rig: Rig, client: Client) -> list[str]:
    client.asks(GetHistory(9, ToGroup("team")))
    rig.settle()
    (page,) = client.takes(History)
    return texts(page.events)


def found(rig: Rig, client: Client, of: ToGroup | None) -> list[str]:
    client.asks(Search(9, "secret", of))
    rig.settle()
    return texts([hit for page in client.takes(Found) for hit in page.hits])


@pytest.mark.usefixtures("ana")
def test_a_device_that_says_to_have_been_here_before_catches_up_on_no_more(rig: Rig) -> None:
    bob = rig.comes("bob", after=1)
    assert texts(caught_up(bob)) == ["known to all", "waits"]


@pytest.mark.usefixtures("ana")
def test_to_claim_the_name_by_a_key_opens_nothing(rig: Rig) -> None:
    key = new_key()
    assert texts(caught_up(rig.comes("bob", key, after=1))) == ["known to all", "waits"]
    again = rig.comes("bob", key, after=1)
    assert texts(caught_up(again)) == ["known to all", "waits"]
    assert history(rig, again) == []
    assert found(rig, again, None) == found(rig, again, ToGroup("team")) == []


@pytest.mark.usefixtures("ana")
def test_nor_does_a_password(rig: Rig) -> None:
    bob = rig.comes("bob")
    bob.asks(SetPassword(1, "long enough for one"))
    rig.settle()
    assert history(rig, bob) == []
    assert found(rig, bob, None) == found(rig, bob, ToGroup("team")) == []


def test_what_they_may_not_read_is_not_told_by_its_new_text(rig: Rig, ana: Client) -> None:
    ana.heard.clear()
    ana.asks(GetHistory(5, ToGroup("team")))
    rig.settle()
    (secret,) = (each for each in ana.takes(History)[0].events if isinstance(each, Message) and each.text == "secret")
    ana.asks(Edit(6, secret.seq, "secret still"))
    rig.settle()
    said = caught_up(rig.comes("bob", after=1))
    assert not [each for each in said if isinstance(each, MessageEdited)]


def test_what_is_said_from_then_on_is_theirs_over_a_restart(rig: Rig, ana: Client) -> None:
    key = new_key()
    bob = rig.comes("bob", key)
    ana.asks(Post(5, ToGroup("team"), "for you"))
    rig.settle()
    assert history(rig, bob) == ["for you"]
    with Rig(log=rig.log) as next_run:
        assert history(next_run, next_run.comes("bob", key)) == ["for you"]


def test_who_is_added_by_what_they_are_called_now_reads_all_of_it(rig: Rig, ana: Client) -> None:
    bob = rig.comes("bob", new_key())
    bob.asks(LeaveGroup(1, "team"))
    rig.settle()
    ana.asks(AddMember(5, "team", "bob"))
    rig.settle()
    assert history(rig, bob) == ["secret", "waits"]
    assert found(rig, bob, None) == ["secret"]
