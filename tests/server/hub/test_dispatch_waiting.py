"""Who is too fast waits: nothing is refused, nothing is lost, and nobody who waits is forgotten."""

from __future__ import annotations

from mystic_server.hub import dispatch
from mystic_server.hub.patrol import Patience, Patrol
from mystic_server.hub.rates import Rates
from mysticproto.errors import Code
from mysticproto.model import (
    Bye,
    GetHistory,
    History,
    ListUsers,
    Ok,
    Ping,
    Pong,
    Post,
    Refused,
    ToGlobal,
    Users,
    Welcome,
)
from mysticproto.native import encode_frame
from tests.server.hub.rig import HARD_LIMIT, SOFT_LIMIT, Client, Rig, numbers, texts

RATES = Rates(messages=5, messages_burst=20, commands=10, commands_burst=40, text=1000, text_burst=4000)
PATIENCE = Patience(
    silent=256, silent_s=120, login_s=30, idle_s=50, soft=SOFT_LIMIT, total=1 << 26, soft_s=60, stuck_s=10,
    file_stuck_s=60,
)  # fmt: skip


def say(n: int, text: str = "hi") -> Post:
    return Post(n, ToGlobal(), text)


# Rates.


def test_a_burst_goes_at_once_and_the_rest_at_the_rate() -> None:
    with Rig(rates=RATES) as rig:
        ana, bob = rig.comes("ana"), rig.comes("bob")
        ana.asks(*[say(n, str(n)) for n in range(1, 101)])
        rig.settle()
        assert numbers(ana.takes(Ok)) == list(range(1, 21))
        rig.wait(2.0)
        assert numbers(ana.takes(Ok)) == list(range(21, 31))
        rig.wait(14.1)
        assert numbers(ana.takes(Ok)) == list(range(31, 101))
        assert texts(bob.heard) == [str(n) for n in range(1, 101)]
        assert ana.takes(Refused) == []


def test_long_texts_count_by_their_length() -> None:
    with Rig(rates=RATES) as rig:
        ana = rig.comes("ana")
        ana.asks(*[say(n, "x" * 1500) for n in range(1, 6)])
        rig.settle()
        assert numbers(ana.takes(Ok)) == [1, 2]
        rig.wait(2.5)
        assert numbers(ana.takes(Ok)) == [3, 4]
        ana.asks(say(6, "x" * 10_000))
        rig.wait(1.5)
        assert numbers(ana.takes(Ok)) == [5]
        rig.wait(4.0)
        assert numbers(ana.takes(Ok)) == [6]


def test_commands_and_messages_are_counted_apart_but_keep_their_order() -> None:
    with Rig(rates=RATES) as rig:
        ana = rig.comes("ana")
        ana.asks(*[say(n) for n in range(1, 22)], Ping(22))
        rig.settle()
        assert ana.takes(Pong) == []
        rig.wait(0.2)
        assert len(ana.takes(Pong)) == 1


def test_commands_have_a_rate_also_before_the_login() -> None:
    with Rig(rates=RATES) as rig:
        client = rig.connects()
        client.asks(*[Ping(n) for n in range(100)])
        rig.settle()
        assert len(client.takes(Pong)) == 40
        rig.wait(6.0)
        assert len(client.takes(Pong)) == 60


def test_what_the_wire_answers_itself_has_a_rate_too() -> None:
    with Rig(rates=RATES) as rig:
        client = rig.connects()
        client.asks(*[Ping(n) for n in range(39)])
        client.sends(b"\0\0\0\x07\x92\xa4nope\x05" * 3)
        rig.settle()
        assert len(client.takes(Refused)) == 1
        rig.wait(0.2)
        assert len(client.takes(Refused)) == 2


def test_others_do_not_wait() -> None:
    with Rig(rates=RATES) as rig:
        ana, bob = rig.comes("ana"), rig.comes("bob")
        ana.asks(*[say(n) for n in range(1, 201)])
        rig.settle()
        bob.asks(say(1), Ping(2))
        rig.settle()
        assert numbers(bob.takes(Ok)) == [1]
        assert len(bob.takes(Pong)) == 1


def test_who_waits_is_not_read_and_then_read_again() -> None:
    with Rig(rates=RATES) as rig:
        ana = rig.comes("ana", sndbuf=4096)
        ana.asks(*[say(n, str(n)) for n in range(1, 2001)])
        rig.settle()
        waiting = len(ana.peer.waiting)
        assert 0 < waiting < 1000
        rig.settle()
        assert len(ana.peer.waiting) == waiting
        rig.wait(400, step=0.5)
        assert numbers(ana.takes(Ok)) == list(range(1, 2001))
        assert not ana.peer.waiting


def test_who_is_kept_waiting_is_not_idle() -> None:
    with Rig(rates=RATES) as rig:
        patrol = Patrol(rig.connections, rig.peers, PATIENCE)
        ana = rig.comes("ana")
        ana.asks(*[say(n) for n in range(1, 500)])
        for _ in range(100):
            rig.wait(1)
            patrol.walk(rig.reactor.now)
        assert numbers(ana.takes(Ok)) == list(range(1, 500))
        for _ in range(52):
            rig.wait(1)
            patrol.walk(rig.reactor.now)
        assert [bye.code for bye in ana.takes(Bye)] == [Code.IDLE]


def test_somebody_who_goes_while_waiting_is_forgotten() -> None:
    with Rig(rates=RATES) as rig:
        ana = rig.comes("ana")
        ana.asks(*[say(n) for n in range(1, 31)])
        rig.settle()
        ana.goes()
        rig.wait(10)
        assert len(rig.log.events) == 23  # the first answer that nobody takes shows it
        assert not rig.world.sessions


def test_without_rates_nobody_waits() -> None:
    with Rig() as rig:
        ana = rig.comes("ana")
        ana.asks(*[say(n) for n in range(1, 1001)])
        rig.settle()
        assert numbers(ana.takes(Ok)) == list(range(1, 1001))


# A log that can't follow.


def test_new_requests_wait_while_the_log_has_too_much_to_do(monkeypatch: object) -> None:
    with Rig() as rig:
        ana, bob = rig.comes("ana"), rig.comes("bob")
        rig.log.is_held = True
        ana.asks(*[say(n) for n in range(1, dispatch.MAX_BACKLOG + 3)])
        rig.settle()
        bob.asks(Ping(1))
        rig.settle()
        assert rig.log.backlog() == dispatch.MAX_BACKLOG + 1
        assert bob.takes(Pong) == []
        rig.log.is_held = False
        rig.wait(0.1, step=0.01)
        assert len(bob.takes(Pong)) == 1
        assert len(ana.takes(Ok)) == dispatch.MAX_BACKLOG + 2


def test_what_is_committed_together_finds_room_with_everybody_who_reads() -> None:
    with Rig() as rig:
        people = [rig.comes(name) for name in ("ana", "bob", "carl")]
        rig.log.is_held = True
        for person in people:
            person.asks(*[say(n, "x" * 30_000) for n in range(1, 41)])
        rig.settle()
        assert rig.gateway.fanout.pending_bytes < HARD_LIMIT
        rig.log.is_held = False
        rig.wait(0.2, step=0.005)
        for person in people:
            assert len(texts(person.heard)) == 120
            assert numbers(person.takes(Ok)) == list(range(1, 41))


# A peer that does not read its answers.


def full_history(rig: Rig) -> Client:
    """Somebody who logs in where a history page is about 50 KiB."""
    ana = rig.comes("ana")
    ana.asks(*[say(n, "x" * 10_000) for n in range(5)])
    rig.settle()
    ana.heard.clear()
    return ana


def test_answers_that_are_taken_at_once_hold_nobody_up() -> None:
    """The queue is full for the moment of one tick, and then the kernel takes all of it."""
    with Rig() as rig:
        ana = full_history(rig)
        ana.asks(*[GetHistory(n, ToGlobal()) for n in range(1, 40)])
        rig.settle()
        assert [page.n for page in ana.takes(History)] == list(range(1, 40))


def test_list_answers_that_are_taken_at_once_hold_nobody_up() -> None:
    with Rig(soft=100) as rig:
        ana = rig.comes("ana")
        ana.asks(*[ListUsers(n) for n in range(1, 200)], Ping(200))
        rig.settle()
        assert [part.n for part in ana.takes(Users)] == list(range(1, 200))
        assert len(ana.takes(Pong)) == 1


def test_who_reads_nothing_gets_nothing_more_done() -> None:
    with Rig(soft=10_000) as rig:
        ana = rig.comes("ana", sndbuf=4096)
        ana.reads = False
        for n in range(1, 3001):
            ana.asks(ListUsers(n))
        rig.settle()
        assert ana.connection.queue.bytes_held < 11_000
        assert 0 < len(ana.peer.waiting) < 1000
        ana.reads = True
        rig.settle()
        assert [part.n for part in ana.takes(Users)] == list(range(1, 3001))


def test_who_reads_nothing_still_hears_the_others_when_they_read_again() -> None:
    with Rig(soft=10_000) as rig:
        ana, bob = rig.comes("ana", sndbuf=4096), rig.comes("bob")
        ana.heard.clear()
        ana.reads = False
        bob.asks(*[say(n, "x" * 1000) for n in range(1, 101)])
        rig.settle()
        ana.asks(say(1, "late"))
        rig.settle()
        assert len(texts(bob.heard)) == 100
        ana.reads = True
        rig.settle()
        assert len(texts(ana.heard)) == 101
        assert texts(bob.heard)[-1] == "late"


def test_the_hard_limit_ends_it() -> None:
    with Rig() as rig:
        ana, bob = rig.comes("ana", sndbuf=4096), rig.comes("bob")
        ana.reads = False
        bob.asks(*[say(n, "x" * 32_000) for n in range(1, 101)])
        rig.settle()
        assert rig.witness.lines == ["ana disconnected: too_slow"]
        assert len(bob.takes(Ok)) == 100


def test_a_segment_of_the_longest_messages_is_taken_whole() -> None:
    with Rig() as rig:
        client = rig.connects()
        longest = encode_frame(say(2, "漢" * 10_000))
        client.sends(encode_frame(client.login("ana")) + longest * 10)
        rig.settle()
        assert client.takes(Welcome)
        assert len(client.takes(Ok)) == 10
