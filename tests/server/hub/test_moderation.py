"""What operators do, as those concerned see it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from mystic_server.domain.decide import Rules
from mysticproto.errors import Code
from mysticproto.model import (
    AccountDeleted,
    Announce,
    Ban,
    Bans,
    Bye,
    DeleteAccount,
    Kick,
    ListBans,
    Message,
    Moderated,
    Mute,
    Ok,
    Post,
    Refused,
    Request,
    Shutdown,
    StoppingIn,
    ToGlobal,
    Unban,
    Unmute,
    UserLeft,
    Welcome,
)
from tests.server.hub.rig import Client, Rig, new_key
from tests.server.hub.wires import Personal

FAR = "9.9.9.9"


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig(rules=Rules(operators=frozenset({"olga"}))) as rig:
        yield rig


@pytest.fixture
def olga(rig: Rig) -> Client:
    olga = rig.comes("olga", new_key())
    olga.heard.clear()
    return olga


def last_words(client: Client) -> list[tuple[str, str]]:
    return [(bye.code, bye.text) for bye in client.takes(Bye)]


def codes(client: Client) -> list[str]:
    return [refused.code for refused in client.takes(Refused)]


@pytest.mark.usefixtures("olga")
def test_others_may_do_nothing_of_it(rig: Rig) -> None:
    ana, _ = rig.comes("ana"), rig.comes("bob")
    requests: list[Request] = [
        Kick(1, "bob"),
        Ban(2, "bob"),
        Mute(3, "bob"),
        Announce(4, "hi"),
        ListBans(5),
        Shutdown(6),
    ]
    ana.asks(*requests, Unban(7, "bob"), Unmute(8, "bob"), DeleteAccount(9, "bob"))
    rig.wait(5.0, step=1.0)
    assert codes(ana) == [Code.NOT_ALLOWED] * 9


def test_who_is_removed_is_told_by_whom_and_why_on_every_connection(rig: Rig, olga: Client) -> None:
    key = new_key()
    anas = [rig.comes("ana", key), rig.comes("ana", key)]
    bob = rig.comes("bob")
    olga.asks(Kick(1, "ana", "spam"))
    rig.settle()
    assert [ok.n for ok in olga.takes(Ok)] == [1]
    for ana in anas:
        assert last_words(ana) == [(Code.KICKED, "olga has removed you: spam")]
        assert ana.is_at_end
    assert [(each.act, each.target) for each in bob.takes(Moderated)] == [("kick", "ana")]
    assert [each.cause for each in bob.takes(UserLeft)] == ["kicked"]
    rig.wait(5.0, step=1.0)
    assert bob.takes(UserLeft) == []
    assert rig.comes("ana", key).takes(Welcome)


def test_both_connections_of_a_pair_end(rig: Rig, olga: Client) -> None:
    pair = [rig.connects(Personal), rig.connects(Personal)]
    for client in pair:
        client.asks(replace(client.login("ana"), pair=True))
        rig.settle()
    olga.asks(Kick(1, "ana"))
    pair[1].asks(Post(9, ToGlobal(), "too late"))
    rig.settle()
    assert [code for client in pair for code, _ in last_words(client)] == [Code.KICKED] * 2
    assert all(client.is_at_end for client in pair)


def test_what_a_removed_user_still_had_waiting_is_not_said(rig: Rig, olga: Client) -> None:
    ana = rig.comes("ana")
    olga.asks(Kick(1, "ana"))
    rig.settle()
    ana.asks(Post(2, ToGlobal(), "too late"))
    rig.settle()
    assert olga.takes(Message) == []


def test_a_banned_name_ends_and_is_refused_until_the_ban_ends(rig: Rig, olga: Client) -> None:
    ana = rig.comes("ana")
    olga.asks(Ban(1, "ana", 3600, "spam"), ListBans(2))
    rig.settle()
    assert [code for code, _ in last_words(ana)] == [Code.BANNED]
    assert [ban.target for ban in olga.takes(Bans)[0].bans] == ["ana"]
    again = rig.connects()
    again.asks(again.login("ana"))
    rig.settle()
    assert codes(again) == [Code.BANNED] and again.is_at_end
    assert "ana not let in: banned" in rig.witness.lines
    olga.asks(Unban(3, "ana"))
    rig.settle()
    assert rig.comes("ana").takes(Welcome)


def test_a_banned_network_ends_who_is_there_but_no_operator(rig: Rig, olga: Client) -> None:
    ana, bob = rig.comes("ana", host=FAR), rig.comes("bob", host="8.8.8.8")
    key = new_key()
    other = rig.comes("eve", key, host="9.9.1.1")
    eve = rig.world.user_named("eve")
    assert eve
    eve.is_operator = True
    olga.asks(Ban(1, "9.9.0.0/16", 0, "spam"))
    rig.settle()
    assert [ok.n for ok in olga.takes(Ok)] == [1]
    assert last_words(ana) == [(Code.BANNED, "Nobody may come in from your network: spam")]
    assert last_words(bob) == last_words(other) == []
    assert [each.cause for each in bob.takes(UserLeft)] == ["kicked"]
    assert bob.takes(Moderated) == []
    refused = rig.connects(host=FAR)
    refused.asks(refused.login("ana"))
    rig.settle()
    assert codes(refused) == [Code.BANNED]
    assert rig.comes("eve", key, host=FAR).takes(Welcome)


def test_who_was_being_let_in_when_their_network_was_banned_must_go_too(rig: Rig, olga: Client) -> None:
    key = new_key()
    rig.comes("eve", key).goes()
    rig.settle()
    eve = rig.world.user_named("eve")
    assert eve
    eve.is_operator = True
    olga.heard.clear()
    ana, other = rig.connects(host=FAR), rig.connects(host=FAR)
    rig.log.is_held = True
    olga.asks(Ban(1, "9.9.0.0/16", 0, "spam"))
    ana.asks(ana.login("ana"), Post(2, ToGlobal(), "here I am"))
    other.asks(other.login("eve", key))
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    assert codes(ana)[0] == Code.BANNED
    assert last_words(ana) == [(Code.BANNED, "Nobody may come in from your network: spam")] and ana.is_at_end
    assert [(each.user.name, each.cause) for each in olga.takes(UserLeft)] == [("ana", "kicked")]
    assert olga.takes(Message) == []
    assert other.takes(Welcome) and not other.is_at_end
    assert "ana not let in: banned" in rig.witness.lines
    assert sorted(session.user for session in rig.world.sessions.values()) == [olga.peer.user, eve.id]


def test_this_machine_can_t_be_kept_out(rig: Rig, olga: Client) -> None:
    olga.asks(Ban(1, "127.0.0.1"), Ban(2, "::/0"))
    rig.settle()
    assert codes(olga) == [Code.NOT_ALLOWED] * 2


def test_who_is_muted_reads_on(rig: Rig, olga: Client) -> None:
    ana = rig.comes("ana")
    olga.asks(Mute(1, "ana", 60), Post(2, ToGlobal(), "quiet"))
    rig.settle()
    ana.asks(Post(1, ToGlobal(), "no"))
    rig.settle()
    assert codes(ana) == [Code.MUTED]
    assert [each.text for each in ana.takes(Message)] == ["quiet"]
    olga.asks(Unmute(3, "ana"))
    rig.settle()
    ana.asks(Post(2, ToGlobal(), "yes"))
    rig.settle()
    assert [ok.n for ok in ana.takes(Ok)] == [2]


def test_an_announcement_is_marked_as_one(rig: Rig, olga: Client) -> None:
    ana = rig.comes("ana")
    olga.asks(Announce(1, "tea", b"c" * 16), Announce(2, "tea", b"c" * 16))
    rig.settle()
    assert [(each.text, each.announcement) for each in ana.takes(Message)] == [("tea", True)]
    assert len({ok.seq for ok in olga.takes(Ok)}) == 1


def test_an_operator_stops_the_server_from_anywhere_and_takes_it_back(rig: Rig, olga: Client) -> None:
    ana = rig.comes("ana")
    olga.connection.address = (FAR, 4711)
    olga.asks(Shutdown(1))
    rig.wait(40.0, step=1.0)
    olga.asks(Shutdown(2, cancel=True))
    rig.wait(60.0, step=1.0)
    assert [each.seconds for each in ana.takes(StoppingIn)] == [60, 30, 0]
    assert not rig.ends


def test_who_gives_up_their_name_is_answered_first(rig: Rig, olga: Client) -> None:
    ana = rig.comes("ana", new_key())
    ana.asks(DeleteAccount(1), Post(2, ToGlobal(), "too late"))
    rig.settle()
    assert [ok.n for ok in ana.takes(Ok)] == [1]
    assert [code for code, _ in last_words(ana)] == [Code.ACCOUNT_DELETED]
    assert [each.user.name for each in olga.takes(AccountDeleted)] == ["ana"]
    assert olga.takes(Message) == []
    assert rig.comes("ana").takes(Welcome)
