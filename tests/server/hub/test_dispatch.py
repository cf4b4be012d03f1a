"""The gateway: who may ask for what, and what waits for what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import msgspec
import pytest

from mystic_server.hub.login import MAX_FAILED_LOGINS
from mysticproto import model
from mysticproto.errors import Code
from mysticproto.model import (
    Bye,
    CreateGroup,
    Entered,
    Hello,
    JoinGroup,
    LeaveGroup,
    ListGroups,
    ListUsers,
    Login,
    Logout,
    Ok,
    Ping,
    Pong,
    Post,
    Refused,
    ToGlobal,
    UserJoined,
    Users,
    Welcome,
)
from mysticproto.native import encode_frame
from tests.server.hub.rig import Rig, new_key, numbers, texts


def any_of(kind: type[model.Request]) -> model.Request:
    """A request of this kind, with something in every field that it must have."""
    return msgspec.convert([kind.__struct_config__.tag, 5, *FIELDS.get(kind, ("x", "x", "x"))], kind)


FIELDS: dict[type[model.Request], tuple[object, ...]] = {
    model.Post: (["to_global"], "hi"),
    model.GetHistory: (["to_global"],),
    model.CreateGroup: ("team",),
    model.JoinGroup: ("team",),
    model.KeepGroup: ("team",),
    model.SendFile: ("x",),
    model.Edit: (1, "hi"),
    model.Delete: (1,),
    model.Mark: ("global",),
    model.GetReceipts: ("global",),
    model.Announce: ("hi",),
    model.RemoveDevice: (b"k",),
    model.Ban: ("bob",),
    model.Mute: ("bob",),
    model.Shutdown: (),
    model.ListUsers: (),
    model.Search: ("hi",),
    model.OpenUpload: ("x", 1, b"k" * 32),
    model.CancelUpload: ("x", b"k" * 32),
    model.OpenDownload: ("x",),
    model.WatchFolder: (),
}
OPEN = {Login, Ping, model.Fetch, model.Store}
CLOSED = [any_of(kind) for kind in get_args(model.Request) if kind not in OPEN]


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


def say(n: int, text: str = "hi", cid: bytes = b"") -> Post:
    return Post(n, ToGlobal(), text, cid)


# Before a login, and the login.


def test_the_server_greets_first(rig: Rig) -> None:
    hello = rig.connects().takes(Hello)[0]
    assert (hello.server_name, hello.version, len(hello.nonce), len(hello.server_id)) == ("Test", "1", 16, 16)


def test_every_connection_has_a_nonce_of_its_own(rig: Rig) -> None:
    assert len({rig.connects().nonce() for _ in range(5)}) == 5


@pytest.mark.parametrize("request_", CLOSED, ids=lambda request: type(request).__name__)
def test_nothing_is_done_for_somebody_without_a_name(rig: Rig, request_: model.Request) -> None:
    client = rig.connects()
    client.asks(request_)
    rig.settle()
    assert [(reply.n, reply.code) for reply in client.takes(Refused)] == [(5, Code.NOT_LOGGED_IN)]
    assert rig.log.events == []


def test_a_ping_needs_no_name(rig: Rig) -> None:
    client = rig.connects()
    client.asks(Ping(3))
    rig.settle()
    pong = client.takes(Pong)[0]
    assert pong.n == 3
    assert pong.time_us > 1_600_000_000_000_000


def test_a_guest_is_welcome_and_not_told_of_themselves(rig: Rig) -> None:
    ana = rig.comes("ana")
    welcome = ana.takes(Welcome)[0]
    assert (welcome.n, welcome.user.name, welcome.role, welcome.upto) == (1, "ana", "guest", 1)
    assert not welcome.catching_up
    assert welcome.session == ana.session
    assert ana.takes(UserJoined) == []


def test_others_hear_of_a_newcomer(rig: Rig) -> None:
    ana = rig.comes("ana")
    bob = rig.connects()
    bob.asks(bob.login("bob"))
    rig.settle()
    assert [each.user.name for each in ana.takes(UserJoined)] == ["bob"]
    assert bob.takes(UserJoined) == []


def test_a_key_must_be_proven(rig: Rig) -> None:
    key, client = new_key(), rig.connects()
    good = client.login("dora", key)
    client.asks(Login(1, "dora", good.key, b"x" * 64), Login(2, "other", good.key, good.signature))
    rig.settle()
    refused = client.takes(Refused)
    assert [(reply.n, reply.code) for reply in refused] == [(1, Code.BAD_SIGNATURE), (2, Code.BAD_SIGNATURE)]
    client.asks(good)
    rig.settle()
    assert client.takes(Welcome)[0].role == "member"


def test_a_refused_login_may_be_tried_again_a_few_times(rig: Rig) -> None:
    rig.comes("ana")
    client = rig.connects()
    client.asks(*[Login(n, "ana") for n in range(1, MAX_FAILED_LOGINS)])
    rig.settle()
    assert len(client.takes(Refused)) == MAX_FAILED_LOGINS - 1
    client.asks(Login(50, "ana"), Login(51, "free"))
    rig.settle()
    assert numbers(client.takes(Refused)) == [50]
    assert [bye.code for bye in client.takes(Bye)] == [Code.LIMIT_REACHED]
    assert client.is_at_end
    assert "free" not in rig.world.user_ids


def test_a_second_login_on_one_connection_is_refused(rig: Rig) -> None:
    ana = rig.comes("ana")
    ana.asks(Login(2, "other"), say(3))
    rig.settle()
    assert ana.takes(Refused)[0].code == Code.ALREADY_LOGGED_IN
    assert numbers(ana.takes(Ok)) == [3]


def test_who_loses_a_race_for_a_name_may_try_another(rig: Rig) -> None:
    one, two = rig.connects(), rig.connects()
    rig.log.is_held = True
    one.asks(one.login("ana"))
    rig.settle()
    two.asks(two.login("Ana"))
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    assert one.takes(Welcome)
    assert [reply.code for reply in two.takes(Refused)] == [Code.NAME_IN_USE]
    two.asks(Login(2, "bob"))
    rig.settle()
    assert two.takes(Welcome)[0].user.name == "bob"


# Barriers and pipelines.


def test_log_in_and_post_in_one_segment(rig: Rig) -> None:
    client = rig.connects()
    client.asks(client.login("ana", n=1), say(2, "one"), say(3, "two"))
    rig.settle()
    assert isinstance(client.heard[0], Welcome)
    assert numbers(client.takes(Ok)) == [2, 3]
    assert texts(client.heard) == ["one", "two"]


def test_a_whole_conversation_in_one_segment(rig: Rig) -> None:
    client = rig.connects()
    client.asks(
        client.login("ana", n=1), CreateGroup(2, "team"), Post(3, model.ToGroup(), "in"), LeaveGroup(4),
        Post(5, model.ToGroup(), "out"), CreateGroup(6, "team"), JoinGroup(7, "team"), ListUsers(8), Logout(9), say(10),
    )  # fmt: skip
    rig.settle()
    assert numbers(client.takes(Ok)) == [3, 4, 9]
    assert [(reply.n, reply.focus) for reply in client.takes(Entered)] == [(2, True), (6, True)]
    refused = client.takes(Refused)
    assert [(reply.n, reply.code) for reply in refused] == [(5, Code.NO_GROUP), (7, Code.ALREADY_IN_GROUP)]
    assert [reply.n for reply in client.takes(Users)] == [8]
    assert [bye.code for bye in client.takes(Bye)] == ["left"]
    assert client.is_at_end


def test_nothing_passes_a_barrier_until_it_is_applied(rig: Rig) -> None:
    ana = rig.comes("ana")
    rig.log.is_held = True
    ana.asks(CreateGroup(1, "team"), Ping(2))
    rig.settle()
    assert ana.takes(Pong) == []
    rig.log.is_held = False
    rig.settle()
    assert [type(each) for each in ana.heard if isinstance(each, Entered | Pong)] == [Entered, Pong]


def test_a_refused_barrier_lets_go(rig: Rig) -> None:
    ana = rig.comes("ana")
    ana.asks(JoinGroup(1, "nowhere"), CreateGroup(2, "bad name"), LeaveGroup(3), Ping(4))
    rig.settle()
    assert numbers(ana.takes(Refused)) == [1, 2, 3]
    assert len(ana.takes(Pong)) == 1


def test_posts_do_not_wait_for_each_other(rig: Rig) -> None:
    ana = rig.comes("ana")
    rig.log.is_held = True
    ana.asks(*[say(n, str(n)) for n in range(1, 31)], Ping(31))
    rig.settle()
    assert len(ana.takes(Pong)) == 1
    assert rig.log.backlog() == 30
    rig.log.is_held = False
    rig.settle()
    assert numbers(ana.takes(Ok)) == list(range(1, 31))
    assert texts(ana.heard) == [str(n) for n in range(1, 31)]


def test_nothing_is_told_before_the_log_has_it(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    rig.log.is_held = True
    ana.asks(say(1))
    rig.settle()
    assert ana.takes(Ok) == []
    assert texts(bob.heard) == []


def test_what_the_wire_answers_itself_keeps_its_place(rig: Rig) -> None:
    ana = rig.comes("ana")
    rig.log.is_held = True
    senseless = b"\0\0\0\x07\x92\xa4nope\x05"
    ana.sends(encode_frame(CreateGroup(1, "team")) + senseless + encode_frame(Ping(2)))
    rig.settle()
    assert ana.takes(Refused) == []
    rig.log.is_held = False
    rig.settle()
    answers = [type(each) for each in ana.heard if isinstance(each, Entered | Refused | Pong)]
    assert answers == [Entered, Refused, Pong]


def test_what_came_before_an_error_is_still_handled(rig: Rig) -> None:
    ana, client = rig.comes("ana"), rig.connects()
    nonsense = b"\xff\xff\xff\xff" + b"x" * 50
    client.sends(encode_frame(client.login("bob")) + encode_frame(say(2, "before")) + nonsense)
    rig.settle()
    assert texts(ana.heard) == ["before"]
    assert len(client.takes(Welcome)) == 1
    assert [bye.code for bye in client.takes(Bye)] == [Code.FRAME_TOO_LARGE]
    assert client.is_at_end
    assert [session.user for session in rig.world.sessions.values()] == [1]


# The log says no.


def test_a_message_that_was_sent_before_is_answered_as_the_first_time(rig: Rig) -> None:
    key = new_key()
    rig.comes("dora", key).asks(Logout(9))
    ana, bob = rig.comes("ana"), rig.comes("bob")
    cid = b"0123456789abcdef"
    once = Post(7, model.ToUsers(("bob", "dora", "zed")), "psst", cid)
    ana.asks(once, once)
    rig.settle()
    first, second = ana.takes(Ok)
    assert first == second
    assert (first.unknown, first.away) == (("zed",), ("dora",))
    assert texts(bob.heard) == ["psst"]
    ana.goes()
    rig.settle()
    again = rig.comes("ana")
    again.asks(say(8, "other words", cid), say(9, "psst", cid))
    rig.settle()
    assert [reply.code for reply in again.takes(Refused)] == [Code.CLIENT_ID_REUSED]
    assert [(reply.n, reply.seq) for reply in again.takes(Ok)] == [(9, first.seq)]


def test_a_full_disk_is_a_refusal_and_nothing_is_told(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    rig.log.refuses = Code.STORAGE_FULL
    ana.asks(say(1), CreateGroup(2, "team"), ListUsers(3), say(4))
    rig.settle()
    assert [(reply.n, reply.code) for reply in ana.takes(Refused)] == [(n, Code.STORAGE_FULL) for n in (1, 2, 4)]
    assert len(ana.takes(Users)) == 1
    rig.log.refuses = ""
    ana.asks(say(5, "works again"))
    rig.settle()
    assert numbers(ana.takes(Ok)) == [5]
    assert texts(bob.heard) == ["works again"]


def test_a_login_that_could_not_be_stored_may_be_tried_again(rig: Rig) -> None:
    rig.log.refuses = Code.STORE_UNAVAILABLE
    client = rig.connects()
    client.asks(client.login("ana"), Ping(2))
    rig.settle()
    assert [reply.code for reply in client.takes(Refused)] == [Code.STORE_UNAVAILABLE]
    assert len(client.takes(Pong)) == 1
    rig.log.refuses = ""
    client.asks(client.login("ana"))
    rig.settle()
    assert len(client.takes(Welcome)) == 1


# Lists.


def test_lists_are_answered_in_parts_with_the_request_s_number(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mystic_server.domain.queries.LIST_PART", 2)
    people = [rig.comes(f"ana{number}") for number in range(3)]
    people[0].asks(CreateGroup(5, "team"), ListUsers(6), ListGroups(7))
    rig.settle()
    assert [(part.n, len(part.users), part.more) for part in people[0].takes(Users)] == [(6, 2, True), (6, 1, False)]
    groups = people[0].takes(model.Groups)
    assert [(part.n, [info.group.name for info in part.groups], part.more) for part in groups] == [(7, ["team"], False)]
