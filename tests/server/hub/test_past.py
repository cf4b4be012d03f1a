"""History pages and catching up: everything that may be seen, once, in order, no faster than it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mystic_server.hub.past import PART_BYTES
from mystic_server.log.base import HistoryQuery, MissedQuery, Page
from mysticproto.errors import Code
from mysticproto.model import (
    MAX_HISTORY_PAGE,
    CatchUp,
    CreateGroup,
    Delete,
    Edit,
    Event,
    GetHistory,
    History,
    JoinGroup,
    LeaveGroup,
    Message,
    MessageDeleted,
    MessageEdited,
    Ok,
    Ping,
    Pong,
    Post,
    Refused,
    ToEveryone,
    ToGlobal,
    ToGroup,
    ToUsers,
    UserJoined,
    Welcome,
)
from tests.server.hub.rig import Client, Rig, new_key, texts


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


def say(n: int, text: str) -> Post:
    return Post(n, ToGlobal(), text)


def talk(rig: Rig, client: Client, *texts: str) -> None:
    """Says these to everybody, one after the other."""
    for text in texts:
        client.asks(say(1, text))
    rig.settle()
    for each in rig.clients:
        each.heard.clear()


def page(rig: Rig, client: Client, request: GetHistory) -> History:
    client.asks(request)
    rig.settle()
    return client.takes(History)[0]


# History.


def test_the_newest_page_is_oldest_first(rig: Rig) -> None:
    ana = rig.comes("ana")
    talk(rig, ana, *"abcde")
    newest = page(rig, ana, GetHistory(7, ToGlobal(), limit=3))
    assert (newest.n, texts(newest.events), newest.more) == (7, ["c", "d", "e"], True)
    before = page(rig, ana, GetHistory(8, ToGlobal(), before=newest.events[0].seq, limit=100))
    assert texts(before.events) == ["a", "b"]
    assert isinstance(before.events[0], UserJoined)
    assert not before.more


def test_an_empty_page_is_an_answer(rig: Rig) -> None:
    ana = rig.comes("ana")
    ana.asks(CreateGroup(1, "team"))
    empty = page(rig, ana, GetHistory(7, ToGlobal(), before=1))
    assert (empty.events, empty.more) == ((), False)


@pytest.mark.parametrize("limit", [-(2**63), -1, 0, 1])
def test_a_page_has_one_event_at_least(rig: Rig, limit: int) -> None:
    ana = rig.comes("ana")
    talk(rig, ana, "a", "b")
    assert texts(page(rig, ana, GetHistory(1, ToGlobal(), 0, limit)).events) == ["b"]


@pytest.mark.parametrize("limit", [MAX_HISTORY_PAGE, MAX_HISTORY_PAGE + 1, 2**63, 2**64 - 1])
def test_a_page_has_a_limit_of_events(rig: Rig, limit: int) -> None:
    ana = rig.comes("ana")
    talk(rig, ana, *["x"] * (MAX_HISTORY_PAGE + 10))
    full = page(rig, ana, GetHistory(1, ToGlobal(), 0, limit))
    assert len(full.events) == MAX_HISTORY_PAGE
    assert full.more


@pytest.mark.parametrize(("before", "found"), [(-5, 2), (0, 2), (3, 1), (2**63 - 1, 2), (2**64 - 1, 2)])
def test_any_number_may_be_asked_for(rig: Rig, before: int, found: int) -> None:
    ana = rig.comes("ana")
    talk(rig, ana, "a", "b")
    assert len(texts(page(rig, ana, GetHistory(1, ToGlobal(), before)).events)) == found


@pytest.mark.parametrize("char", ["x", "漢"])
def test_a_page_has_a_limit_of_bytes_and_the_rest_follows(rig: Rig, char: str) -> None:
    ana = rig.comes("ana")
    talk(rig, ana, *[f"{number}".zfill(3) + char * 10_000 for number in range(60)])
    found: list[str] = []
    before, more = 0, True
    while more:
        part = page(rig, ana, GetHistory(1, ToGlobal(), before))
        assert sum(len(text.encode()) for text in texts(part.events)) <= PART_BYTES
        found[:0] = [text[:3] for text in texts(part.events)]
        before, more = part.events[0].seq, part.more
    assert found == [f"{number}".zfill(3) for number in range(60)]


def test_one_message_is_always_on_a_page(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mystic_server.hub.past.PART_BYTES", 10)
    ana = rig.comes("ana")
    talk(rig, ana, "x" * 100, "y" * 100)
    part = page(rig, ana, GetHistory(1, ToGlobal()))
    assert (texts(part.events), part.more) == (["y" * 100], True)


def test_nobody_reads_what_is_not_theirs(rig: Rig) -> None:
    ana, bob, carl = rig.comes("ana"), rig.comes("bob"), rig.comes("carl")
    ana.asks(Post(1, ToUsers(("bob",)), "psst"), CreateGroup(2, "team"), Post(3, ToGroup(), "ours"))
    rig.settle()
    assert texts(page(rig, bob, GetHistory(1, ToUsers(("ana",)))).events) == ["psst"]
    assert texts(page(rig, carl, GetHistory(1, ToUsers(("ana", "bob")))).events) == []
    assert texts(page(rig, carl, GetHistory(1, ToGlobal())).events) == []
    carl.asks(GetHistory(2, ToGroup("team")))
    rig.settle()
    assert [reply.code for reply in carl.takes(Refused)] == [Code.NOT_IN_GROUP]


def test_who_was_in_a_group_reads_it_no_more(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    ana.asks(CreateGroup(1, "team"))
    rig.settle()
    bob.asks(JoinGroup(1, "team"), LeaveGroup(2, "team"), GetHistory(3, ToGroup("team")))
    rig.settle()
    assert [(reply.n, reply.code) for reply in bob.takes(Refused)] == [(3, Code.NOT_IN_GROUP)]


def test_the_next_holder_of_a_name_reads_nothing_of_the_last(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    ana.asks(Post(1, ToUsers(("bob",)), "for the first bob"))
    rig.settle()
    bob.goes()
    rig.settle()
    bob = rig.comes("bob")
    ana.asks(Post(2, ToUsers(("bob",)), "for the second"))
    rig.settle()
    assert texts(page(rig, bob, GetHistory(1, ToUsers(("ana",)))).events) == ["for the second"]


def test_pages_come_one_at_a_time_and_in_order(rig: Rig) -> None:
    ana = rig.comes("ana")
    talk(rig, ana, "a", "b")
    rig.log.is_held = True
    ana.asks(GetHistory(1, ToGlobal()), Ping(2), GetHistory(3, ToGlobal()), Ping(4))
    rig.settle()
    assert [type(each) for each in ana.heard] == [Pong]
    rig.log.is_held = False
    rig.settle()
    assert [type(each) for each in ana.heard] == [Pong, History, Pong, History]


def test_a_history_that_can_t_be_read_is_refused(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = rig.comes("ana")

    def fails(query: HistoryQuery, answered: Callable[[Page], None]) -> None:
        rig.reactor.call_later(0, lambda: answered(Page((), failed="The store is away.")))

    monkeypatch.setattr(rig.log, "history", fails)
    ana.asks(GetHistory(1, ToGlobal()), GetHistory(2, ToGlobal()), Ping(3))
    rig.settle()
    assert [(reply.n, reply.code, reply.text) for reply in ana.takes(Refused)] == [
        (1, Code.STORE_UNAVAILABLE, "The store is away."),
        (2, Code.STORE_UNAVAILABLE, "The store is away."),
    ]
    assert len(ana.takes(Pong)) == 1


# Catching up.


class Device:
    """A device of dora's that comes and goes, and remembers the last number up to which it has everything."""

    def __init__(self, rig: Rig, key: Ed25519PrivateKey) -> None:
        self.rig = rig
        self.key = key
        self.session = 0
        self.upto = -1

    def comes(self, *, resume: bool = True, settle: bool = True, sndbuf: int = 0) -> Client:
        client = self.rig.connects(sndbuf=sndbuf)
        client.asks(client.login("dora", self.key, resume=self.session if resume else 0, after=self.upto))
        if settle:
            self.rig.settle()
        return client

    def goes(self, client: Client) -> None:
        """Remembers what it has, and is lost."""
        numbers = [each.seq for each in client.heard if isinstance(each, Event)]
        numbers += [part.upto for part in client.takes(CatchUp)]
        numbers += [welcome.upto for welcome in client.takes(Welcome)]
        self.upto = max([self.upto, *numbers])
        self.session = client.session or self.session
        client.goes()
        self.rig.settle()


@pytest.fixture
def device(rig: Rig) -> Device:
    """Has been here once."""
    device = Device(rig, new_key())
    device.goes(device.comes())
    return device


def missed(client: Client) -> list[Event]:
    """What the parts of a catch-up held; the last part says that it is the last."""
    parts = client.takes(CatchUp)
    assert [part.more for part in parts] == [True] * (len(parts) - 1) + [False]
    assert [part.upto for part in parts] == sorted(part.upto for part in parts)
    for part in parts:
        assert all(event.seq <= part.upto for event in part.events)
    return [event for part in parts for event in part.events]


def test_a_device_gets_what_it_missed(rig: Rig, device: Device) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    ana.asks(say(1, "global"), Post(2, ToEveryone(), "broadcast"), Post(3, ToUsers(("dora",)), "for dora"))
    ana.asks(Post(4, ToUsers(("bob",)), "not for dora"), CreateGroup(5, "team"), Post(6, ToGroup(), "not in it"))
    rig.settle()
    bob.goes()
    rig.settle()
    dora = device.comes()
    welcome = dora.takes(Welcome)[0]
    assert welcome.catching_up
    events = missed(dora)
    assert texts(events) == ["global", "broadcast", "for dora"]
    assert [type(each).__name__ for each in events if not isinstance(each, Message)] == [
        "UserLeft", "UserJoined", "UserJoined", "UserLeft",
    ]  # fmt: skip
    assert [each.seq for each in events] == sorted(each.seq for each in events)


def test_the_last_part_says_up_to_where_it_goes(rig: Rig, device: Device) -> None:
    ana = rig.comes("ana")
    talk(rig, ana, "a")
    dora = device.comes()
    welcome = dora.takes(Welcome)[0]
    assert dora.takes(CatchUp)[-1].upto == welcome.upto == rig.log.events[-1].seq


def test_the_next_holder_of_a_name_does_not_miss_what_was_amended_of_the_last_one_s(rig: Rig) -> None:
    ana, first = rig.comes("ana"), rig.comes("dora")
    ana.asks(Post(1, ToUsers(("dora",)), "for the first dora"))
    rig.settle()
    seq = ana.takes(Ok)[0].seq
    first.goes()
    rig.settle()
    second = Device(rig, new_key())
    second.goes(second.comes())
    ana.asks(Post(2, ToUsers(("dora",)), "for the second"), Edit(3, seq, "still for the first"))
    rig.settle()
    ana.asks(Delete(4, seq))
    rig.settle()
    events = missed(second.comes())
    assert texts(events) == ["for the second"]
    assert not [each for each in events if isinstance(each, MessageEdited | MessageDeleted)]


def test_a_device_is_not_told_of_its_own_return(rig: Rig, device: Device) -> None:
    dora = device.comes()
    assert [each for each in missed(dora) if isinstance(each, UserJoined)] == []


def test_a_device_that_starts_afresh_catches_up_on_nothing(rig: Rig, device: Device) -> None:
    talk(rig, rig.comes("ana"), "a", "b")
    device.upto = -1
    assert missed(device.comes()) == []


def test_a_device_that_has_everything_ever_may_say_zero(rig: Rig, device: Device) -> None:
    talk(rig, rig.comes("ana"), "a", "b")
    device.upto = 0
    assert texts(missed(device.comes())) == ["a", "b"]


@pytest.mark.parametrize("after", [2**40, 2**63 - 1, 2**64 - 1])
def test_a_number_from_the_future_catches_up_on_nothing(rig: Rig, device: Device, after: int) -> None:
    """The log was put back to an older state; the device counts on from what the server says."""
    device.upto = after
    dora = device.comes()
    welcome = dora.takes(Welcome)[0]
    assert not welcome.catching_up
    assert welcome.upto == rig.log.events[-1].seq
    assert dora.takes(CatchUp) == []


@pytest.mark.parametrize("after", [-2, -(2**63)])
def test_a_number_below_zero_is_a_fresh_start(rig: Rig, device: Device, after: int) -> None:
    talk(rig, rig.comes("ana"), "a", "b")
    device.upto = after
    assert missed(device.comes()) == []


def test_what_was_missed_in_a_kept_focus_is_that_group_s(rig: Rig, device: Device) -> None:
    ana, dora = rig.comes("ana"), device.comes()
    ana.asks(CreateGroup(1, "team", focus=False))
    rig.settle()
    dora.asks(JoinGroup(1, "team"))
    rig.settle()
    device.goes(dora)
    ana.asks(say(1, "global"), Post(2, ToGroup("team"), "group"), Post(3, ToEveryone(), "broadcast"))
    rig.settle()
    dora = device.comes()
    assert texts(missed(dora)) == ["group", "broadcast"]
    device.goes(dora)
    ana.asks(say(1, "global"))
    rig.settle()
    assert texts(missed(device.comes(resume=False))) == ["global"]


def test_what_comes_meanwhile_is_neither_lost_nor_part_of_it(rig: Rig, device: Device) -> None:
    ana = rig.comes("ana")
    talk(rig, ana, "missed")
    dora = rig.connects()
    rig.log.is_held = True
    dora.asks(dora.login("dora", device.key, after=device.upto))
    ana.asks(say(1, "meanwhile"))
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    events = missed(dora)
    live = texts(dora.heard)
    assert sorted(texts(events) + live) == ["meanwhile", "missed"]
    assert "missed" not in live


def test_a_long_absence_comes_in_parts_no_faster_than_it_is_read(rig: Rig, device: Device) -> None:
    ana = rig.comes("ana")
    many = [f"{number}".zfill(4) + "x" * 2000 for number in range(2000)]
    talk(rig, ana, *many)
    dora = device.comes(settle=False, sndbuf=16 * 1024)
    dora.reads = False
    rig.settle()
    assert dora.connection.queue.bytes_held < 3 * PART_BYTES
    ana.asks(say(1, "live"))
    rig.settle()
    dora.reads = True
    rig.settle()
    parts = [each for each in dora.heard if isinstance(each, CatchUp)]
    assert len(parts) > 10
    assert texts(missed(dora)) == many
    assert texts(dora.heard) == ["live"]


def test_no_part_is_sent_twice_though_live_messages_fill_the_queue(rig: Rig, device: Device) -> None:
    """Every time that the queue runs empty is a reason to go on, but not while a part is on its way."""
    ana = rig.comes("ana")
    many = [f"{number}".zfill(4) + "x" * 2000 for number in range(600)]
    talk(rig, ana, *many)
    asked: list[MissedQuery] = []
    ask = rig.log.missed

    def slowly(query: MissedQuery, answered: Callable[[Page], None]) -> None:
        asked.append(query)
        rig.reactor.call_later(0.5, lambda: ask(query, answered))

    rig.log.missed = slowly  # type: ignore[method-assign]
    dora = device.comes(sndbuf=4096)
    for number in range(200):
        dora.reads = False
        ana.asks(say(1, f"live {number}" + "y" * 30_000))
        rig.settle()
        dora.reads = True
        rig.wait(0.05, step=0.05)
    rig.wait(5)
    assert texts(missed(dora)) == many
    assert len(texts(dora.heard)) == 200
    assert len({query.after for query in asked}) == len(asked)


def test_a_catch_up_that_can_t_be_read_ends_the_connection(rig: Rig, device: Device) -> None:
    """Nothing is passed over: the device keeps its number and comes again."""
    talk(rig, rig.comes("ana"), "a")
    ask = rig.log.missed

    def fails(query: MissedQuery, answered: Callable[[Page], None]) -> None:
        rig.reactor.call_later(0, lambda: answered(Page((), failed="The store is away.")))

    rig.log.missed = fails  # type: ignore[method-assign]
    dora = device.comes()
    assert dora.is_at_end
    assert dora.takes(CatchUp) == []
    rig.log.missed = ask  # type: ignore[method-assign]
    assert texts(missed(device.comes())) == ["a"]


def test_who_goes_while_catching_up_is_forgotten(rig: Rig, device: Device) -> None:
    talk(rig, rig.comes("ana"), *["x" * 3000] * 500)
    dora = device.comes(settle=False, sndbuf=4096)
    dora.reads = False
    rig.settle()
    dora.goes()
    rig.settle()
    assert not rig.gateway._past._behind
    assert len(rig.peers) == 1


def test_a_device_that_breaks_off_at_any_place_gets_everything_once(rig: Rig, device: Device) -> None:
    """It goes on from the last part that it had, and knows by the numbers what it has."""
    ana = rig.comes("ana")
    many = [f"{number}".zfill(4) + "x" * 3000 for number in range(300)]
    talk(rig, ana, *many)
    had: dict[int, str] = {}
    for turn in range(30):
        dora = device.comes(settle=False, sndbuf=32 * 1024)
        for _ in range(5 + turn):
            rig.reactor.call_later(0, lambda: None)
            rig.reactor.tick()
            dora.read()
        parts = dora.takes(CatchUp)
        for part in parts:
            for event in part.events:
                if isinstance(event, Message) and event.seq > device.upto:
                    assert event.seq not in had
                    had[event.seq] = event.text
            device.upto = part.upto
        dora.goes()
        rig.settle()
    assert list(had.values()) == many


def test_answers_come_while_catching_up(rig: Rig, device: Device) -> None:
    talk(rig, rig.comes("ana"), *["x" * 3000] * 500)
    dora = device.comes(settle=False)
    dora.asks(say(2, "I am back"), Ping(3))
    rig.settle()
    assert len(dora.takes(Ok)) == 1
    assert len(dora.takes(Pong)) == 1
    assert len(missed(dora)) >= 500
