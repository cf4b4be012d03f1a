"""Messages that are sent again, though by now they would be refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from mystic_server.domain.decide import Rules
from mystic_server.hub.house import now_us
from mystic_server.log.base import Page, PostedQuery
from mysticproto import model
from mysticproto.errors import Code
from mysticproto.model import Delete, DeleteGroup, LeaveGroup, Mute, Ok, Post, Refused, ToGlobal, ToGroup, ToUsers
from tests.server.hub.rig import Client, Rig, new_key, texts

CID, OTHER_CID = b"0123456789abcdef", b"0123456789abcdeX"


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig(rules=Rules(operators=frozenset({"olga"}))) as rig:
        yield rig


@pytest.fixture
def olga(rig: Rig) -> Client:
    return rig.comes("olga", new_key())


@pytest.fixture
def ana(rig: Rig, olga: Client) -> Client:
    return rig.comes("ana", new_key())


def ok(rig: Rig, client: Client, request: model.Request) -> Ok:
    client.asks(request)
    rig.settle()
    (answer,) = client.takes(Ok)
    return answer


def mute(rig: Rig, olga: Client) -> None:
    ok(rig, olga, Mute(1, "ana"))


def test_who_was_muted_since_learns_that_it_was_said(rig: Rig, olga: Client, ana: Client) -> None:
    first = ok(rig, ana, Post(5, ToGlobal(), "hi", CID))
    mute(rig, olga)
    olga.heard.clear()
    again = ok(rig, ana, Post(6, ToGlobal(), "hi", CID))
    assert (again.n, again.seq, again.time_us) == (6, first.seq, first.time_us)
    assert texts(olga.heard) == []


@pytest.mark.parametrize("request_", [LeaveGroup(2, "team"), DeleteGroup(2, "team")])
def test_who_has_left_the_group_or_deleted_it_since_does_too(rig: Rig, ana: Client, request_: model.Request) -> None:
    ana.asks(model.CreateGroup(1, "team", kept=True, focus=False))
    rig.settle()
    first = ok(rig, ana, Post(5, ToGroup("team"), "hi", CID))
    ok(rig, ana, request_)
    assert ok(rig, ana, Post(6, ToGroup("team"), "hi", CID)).seq == first.seq


def test_a_receipt_is_as_it_was(rig: Rig, olga: Client, ana: Client) -> None:
    first = ok(rig, ana, Post(5, ToUsers(("olga", "zoe")), "hi", CID, receipt=True))
    assert (first.unknown, first.reached) == (("zoe",), ("olga",))
    mute(rig, olga)
    again = ok(rig, ana, Post(6, ToUsers(("olga", "zoe")), "hi", CID, receipt=True))
    assert (again.seq, again.unknown, again.reached) == (first.seq, ("zoe",), ("olga",))


def test_a_deleted_message_was_said_too(rig: Rig, olga: Client, ana: Client) -> None:
    first = ok(rig, ana, Post(5, ToGlobal(), "hi", CID))
    ok(rig, ana, Delete(2, first.seq))
    mute(rig, olga)
    assert ok(rig, ana, Post(6, ToGlobal(), "hi", CID)).seq == first.seq


@pytest.mark.parametrize(
    "request_",
    [
        Post(6, ToGlobal(), "new", OTHER_CID),
        Post(6, ToGlobal(), "other words", CID),
        Post(6, ToGlobal(), "hi"),
        Post(6, ToGlobal(), "hi", CID[:4]),
    ],
)
def test_what_was_never_said_is_refused(rig: Rig, olga: Client, ana: Client, request_: Post) -> None:
    ok(rig, ana, Post(5, ToGlobal(), "hi", CID))
    mute(rig, olga)
    ana.asks(request_)
    rig.settle()
    assert [(each.n, each.code) for each in ana.takes(Refused)] == [(6, Code.MUTED)]


def test_another_s_client_id_proves_nothing(rig: Rig, olga: Client, ana: Client) -> None:
    ok(rig, olga, Post(5, ToGlobal(), "hi", CID))
    mute(rig, olga)
    ana.asks(Post(6, ToGlobal(), "hi", CID))
    rig.settle()
    assert [each.code for each in ana.takes(Refused)] == [Code.MUTED]


def test_a_log_that_can_t_say_leaves_it_open(
    rig: Rig, olga: Client, ana: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    mute(rig, olga)

    def fails(query: PostedQuery, answered: Callable[[Page], None]) -> None:
        rig.reactor.call_later(0, lambda: answered(Page((), failed="No.")))

    monkeypatch.setattr(rig.log, "posted", fails)
    ana.asks(Post(6, ToGlobal(), "hi", CID))
    rig.settle()
    assert [(each.n, each.code) for each in ana.takes(Refused)] == [(6, Code.STORE_UNAVAILABLE)]


def test_the_session_s_next_requests_don_t_wait_and_keep_their_order(rig: Rig, olga: Client, ana: Client) -> None:
    rig.world.users[ana.peer.user].muted_until_us = now_us() + 10**9
    answers: list[Callable[[], None]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rig.log, "posted", lambda query, answered: answers.append(lambda: answered(Page(()))))
        ana.asks(
            Post(6, ToGlobal(), "hi", CID),
            model.CreateGroup(7, "team"),
            model.Ping(8),
            Post(9, ToGlobal(), "ho", OTHER_CID),
        )
        rig.settle()
    assert [each.n for each in ana.takes(model.Entered)] == [7] and ana.takes(model.Pong)
    assert ana.takes(Refused) == []
    for answer in answers:
        answer()
    rig.settle()
    assert [each.n for each in ana.takes(Refused)] == [6, 9]


def test_who_has_gone_meanwhile_is_told_nothing(rig: Rig, olga: Client, ana: Client) -> None:
    mute(rig, olga)
    rig.log.is_held = True
    ana.asks(Post(6, ToGlobal(), "hi", CID))
    rig.settle()
    ana.goes()
    rig.log.is_held = False
    rig.settle()
    assert len(rig.world.sessions) == 1
