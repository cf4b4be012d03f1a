"""Sender and receiver over a network that loses, delays, reorders, copies, damages and moves, in virtual time.

Every run ends: with the same bytes, or with a reason on the side that is still there. `Run` itself checks that it takes
a bounded time and number of steps, that no wrong byte is stored, and that no address gets more than it may.
"""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from mysticproto.udp.blocks import BlockSet
from mysticproto.udp.packets import check_terms
from mysticproto.udp.state import Reason, State
from tests.proto.udp.links import START_AT, Link, Run, terms_of

links = st.builds(
    Link,
    delay_s=st.sampled_from([0.0, 0.001, 0.02, 0.1, 0.3]),
    bytes_per_s=st.sampled_from([None, None, 2e5, 1e6, 1e7]),
    queue_bytes=st.sampled_from([3_000, 20_000, 1 << 20]),
    loss=st.floats(0, 0.3),
    jitter_s=st.sampled_from([0.0, 0.01, 0.2]),
    copies=st.sampled_from([0.0, 0.2]),
    damage=st.sampled_from([0.0, 0.1]),
)
sizes = st.sampled_from([0, 1, 300, 5_000, 100_000, 400_000])
blocks = st.sampled_from([256, 1168, 1440])
seeds = st.integers(0, 1 << 32)
moments = st.floats(0, 6)


def ended_well(run: Run) -> bool:
    return run.receiver.state is State.DONE and run.right


def never_met(run: Run) -> bool:
    """All HELLOs or all answers were lost, which the client cannot tell from a network without datagrams."""
    return run.receiver.reason is Reason.NO_ANSWER and run.receiver.have.held == 0


@given(sizes, links, links, blocks, seeds)
def test_who_is_there_gets_the_file(size: int, down: Link, up: Link, block: int, seed: int) -> None:
    run = Run(size, down, up, block, seed).to_the_end()
    assert ended_well(run) or never_met(run)


@given(sizes, links, links, seeds, st.data())
def test_only_what_was_missing_is_fetched(size: int, down: Link, up: Link, seed: int, data: st.DataObject) -> None:
    total = check_terms(terms_of(), size)
    have = BlockSet(total)
    for first, end in data.draw(st.lists(st.tuples(st.integers(0, total), st.integers(0, total)), max_size=5)):
        have.add(first, max(0, end - first))
    run = Run(size, down, up, seed=seed, have=have).to_the_end()
    assert ended_well(run) or run.receiver.reason is Reason.NO_ANSWER


@given(sizes, links, links, seeds, moments)
def test_a_sender_that_dies_is_noticed(size: int, down: Link, up: Link, seed: int, moment: float) -> None:
    run = Run(size, down, up, seed=seed, sender_dies_at=START_AT + moment).to_the_end()
    assert ended_well(run) or run.receiver.state is State.FAILED
    assert run.receiver.state is State.DONE or run.receiver.reason in (Reason.NO_ANSWER, Reason.TIMED_OUT)


@given(sizes, links, links, seeds, moments)
def test_a_receiver_that_dies_is_noticed(size: int, down: Link, up: Link, seed: int, moment: float) -> None:
    run = Run(size, down, up, seed=seed, receiver_dies_at=START_AT + moment).to_the_end()
    assert run.sender.state is State.DONE or run.sender.reason in (Reason.NO_ANSWER, Reason.TIMED_OUT)


@given(links, links, seeds, st.lists(st.floats(0.5, 4), min_size=1, max_size=3))
def test_a_client_that_moves_gets_the_file(down: Link, up: Link, seed: int, moves: list[float]) -> None:
    run = Run(
        400_000, down, up, seed=seed, address_at=lambda now: sum(now >= START_AT + move for move in moves)
    ).to_the_end()
    assert ended_well(run) or never_met(run)


@given(seeds, st.floats(0.3, 3), st.floats(0.1, 8))
@example(1, 0.5, 5.0)
def test_a_network_that_is_gone_for_some_seconds_costs_only_those(seed: int, since: float, seconds: float) -> None:
    def cut(now: float) -> bool:
        return START_AT + since <= now < START_AT + since + seconds

    down, up = Link(0.05, 1e5, loss=0.02, cut=cut), Link(0.05, 1e5, loss=0.02, cut=cut)
    run = Run(200_000, down, up, seed=seed).to_the_end()
    assert never_met(run) or (ended_well(run) and run.seconds < since + seconds + 10)


@given(seeds, st.floats(0.3, 2))
def test_a_network_that_does_not_come_back_is_given_up_by_both(seed: int, since: float) -> None:
    down, up = (Link(0.05, 1e5, cut=lambda now: now >= START_AT + since) for _ in range(2))
    run = Run(1_000_000, down, up, seed=seed).to_the_end()
    assert run.receiver.reason is Reason.TIMED_OUT and run.sender.reason is Reason.TIMED_OUT
    assert run.now < START_AT + since + 25


@given(links, links, seeds, st.lists(st.tuples(st.floats(0, 3), st.booleans(), st.binary(max_size=1300)), max_size=20))
def test_strangers_can_not_disturb(down: Link, up: Link, seed: int, noise: list[tuple[float, bool, bytes]]) -> None:
    """Noise, and everything that was overheard once more and from elsewhere."""
    run = Run(100_000, down, up, seed=seed)
    send_up, send_down = up.carry, down.carry
    heard: list[tuple[bool, bytes]] = []

    def overhear(datagram: bytes, now: float, chance: object, *, upwards: bool) -> list[tuple[float, bytes]]:
        heard.append((upwards, datagram))
        carried = send_up if upwards else send_down
        return carried(datagram, now, run.chance)

    up.carry = lambda datagram, now, chance: overhear(datagram, now, chance, upwards=True)  # type: ignore[method-assign]
    down.carry = lambda datagram, now, chance: overhear(datagram, now, chance, upwards=False)  # type: ignore[method-assign]
    take = run._take

    def disturbed() -> None:
        take()
        while noise and noise[0][0] <= run.now - START_AT:
            _, _, datagram = noise.pop(0)
            run.sender.received(datagram, "stranger", run.now)
            run.receiver.received(datagram, len(datagram), run.now, run.now)
        for upwards, datagram in heard[-2:]:
            if upwards and run.now - START_AT < 2:
                run.sender.received(datagram[:-1] + bytes([datagram[-1] ^ 1]), "stranger", run.now)
            elif not upwards:
                run.receiver.received(datagram, len(datagram), run.now, run.now)

    run._take = disturbed  # type: ignore[method-assign]
    run.to_the_end()
    assert ended_well(run) or never_met(run)
    assert run.bytes_to.get("stranger", 0) == 0
