"""Many datagrams in one read: the same comes of them as of one by one, whatever is among them."""

from __future__ import annotations

import random

import pytest

from mysticproto.udp import packets
from mysticproto.udp.blocks import BlockSet
from mysticproto.udp.receiver import Receiver
from mysticproto.udp.state import State
from tests.proto.udp.peers import CONTENT, Server
from tests.proto.udp.test_receiver import TOTAL, Disk, receiver_of, shake_hands

ONE = 1200


def begun(*held: int) -> tuple[Receiver, Server, Disk]:
    have = BlockSet(TOTAL)
    for block in held:
        have.add(block)
    disk = Disk()
    receiver, server = receiver_of(disk, have), Server()
    shake_hands(receiver, server)
    return receiver, server, disk


def test_a_row_is_written_at_once() -> None:
    receiver, server, disk = begun()
    receiver.received(b"".join(server.data(block) for block in range(40)), ONE, 0.2, 0.2)
    assert disk.writes == [(0, 40 * 1168)]
    assert disk.bytes[: 40 * 1168] == CONTENT[: 40 * 1168]
    assert (receiver.have.held, receiver.refused, receiver.repeated) == (40, 0, 0)


def test_the_last_block_ends_its_row() -> None:
    receiver, server, disk = begun()
    receiver.received(b"".join(server.data(block) for block in range(40, TOTAL)), ONE, 0.2, 0.2)
    receiver.received(b"".join(server.data(block) for block in range(40)), ONE, 0.3, 0.3)
    assert receiver.state is State.DONE and disk.bytes == CONTENT


def test_what_is_held_already_is_not_written_again() -> None:
    receiver, server, disk = begun(5, 6)
    receiver.received(b"".join(server.data(block) for block in range(10)), ONE, 0.2, 0.2)
    assert disk.writes == [(0, 5 * 1168), (7 * 1168, 3 * 1168)]
    assert receiver.repeated == 2


def test_a_block_twice_in_a_row() -> None:
    receiver, server, disk = begun()
    receiver.received(b"".join(server.data(block) for block in (0, 1, 1, 2, 0)), ONE, 0.2, 0.2)
    assert (receiver.have.held, receiver.repeated) == (3, 2)
    assert disk.bytes[: 3 * 1168] == CONTENT[: 3 * 1168]


def test_one_that_is_damaged_costs_itself_alone() -> None:
    receiver, server, disk = begun()
    data = bytearray(b"".join(server.data(block) for block in range(10)))
    data[3 * ONE + 100] ^= 1
    receiver.received(bytes(data), ONE, 0.2, 0.2)
    assert receiver.refused == 1
    assert disk.writes == [(0, 3 * 1168), (4 * 1168, 6 * 1168)]


def test_a_row_that_comes_again_is_refused() -> None:
    receiver, server, disk = begun()
    row = b"".join(server.data(block) for block in range(10))
    receiver.received(row, ONE, 0.2, 0.2)
    receiver.received(row, ONE, 0.3, 0.3)
    assert receiver.refused == 10 and len(disk.writes) == 1


def test_a_row_that_cannot_be_written_ends_it() -> None:
    receiver, server, disk = begun()
    disk.full = True
    receiver.received(b"".join(server.data(block) for block in (0, 1, 5, 6)), ONE, 0.2, 0.2)
    assert receiver.state is State.FAILED and receiver.have.held == 0


@pytest.mark.parametrize("seed", range(20))
def test_any_order_gives_the_same_as_one_by_one(seed: int) -> None:
    chance = random.Random(seed)
    server = Server()
    challenge = server.sealer.seal(packets.CHALLENGE, b"token678")
    blocks = [block for block in range(TOTAL - 1) if chance.random() < 0.9]
    for _ in range(chance.randrange(20)):
        at = chance.randrange(len(blocks))
        blocks.insert(at, chance.choice(blocks))
    datagrams = [server.data(block) for block in blocks]
    for _ in range(chance.randrange(10)):
        first, second = chance.randrange(len(datagrams)), chance.randrange(len(datagrams))
        datagrams[first], datagrams[second] = datagrams[second], datagrams[first]
    results = []
    for at_once in (1, 7, 54):
        disk = Disk()
        receiver = receiver_of(disk)
        receiver.take(0.0)
        receiver.received(challenge, len(challenge), 0.1, 0.1)
        for start in range(0, len(datagrams), at_once):
            receiver.received(b"".join(datagrams[start : start + at_once]), ONE, 0.2, 0.2)
        window = receiver._window
        results.append((bytes(disk.bytes), receiver.have.to_bytes(), window.largest, window.bitmap(1, window.largest)))
    assert results[0] == results[1] == results[2]
