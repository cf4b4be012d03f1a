"""The client's side: what it says, what it stores, and when it gives up."""

import pytest

from mysticproto.udp import packets
from mysticproto.udp.blocks import BlockSet, decode_runs
from mysticproto.udp.packets import ABORT, CHALLENGE, DONE, HELLO, REPORT, START
from mysticproto.udp.receiver import DROP_S, FAREWELLS, HELLO_GAPS_S, STALLED_S, Receiver
from mysticproto.udp.state import Reason, State
from tests.proto.udp.links import terms_of
from tests.proto.udp.peers import CONTENT, SIZE, Server

TOTAL = 86


class Disk:
    """Where the receiver stores; `full` makes it fail."""

    def __init__(self) -> None:
        self.bytes = bytearray(SIZE)
        self.writes: list[tuple[int, int]] = []
        self.full = False

    def store(self, offset: int, data: bytes) -> None:
        if self.full:
            raise OSError("no space left")
        self.bytes[offset : offset + len(data)] = data
        self.writes.append((offset, len(data)))


def receiver_of(disk: Disk, have: BlockSet | None = None) -> Receiver:
    return Receiver(terms_of(), SIZE, have or BlockSet(TOTAL), disk.store, 0.0)


def feed(receiver: Receiver, datagram: bytes, now: float) -> list[bytes]:
    receiver.received(datagram, len(datagram), now, now)
    return receiver.take(now)


def run_deadlines(receiver: Receiver, until: float) -> list[bytes]:
    said = []
    while (at := receiver.next_deadline()) is not None and at <= until:
        said += receiver.take(at)
    return said


def shake_hands(receiver: Receiver, server: Server) -> bytes:
    """The body of the START; it is 0.1 s later then."""
    receiver.take(0.0)
    [start] = feed(receiver, server.sealer.seal(CHALLENGE, b"token678"), 0.1)
    body = server.opener.open(start)
    assert body is not None
    return body


def test_hello_is_as_long_as_it_has_to_be_and_comes_a_few_times() -> None:
    receiver, server = receiver_of(Disk()), Server()
    said = run_deadlines(receiver, 100)
    assert server.kinds(said) == [HELLO] * len(HELLO_GAPS_S)
    assert {len(datagram) for datagram in said} == {packets.HELLO_BYTES}
    assert receiver.state is State.FAILED and receiver.reason is Reason.NO_ANSWER
    assert receiver.next_deadline() is None


def test_the_challenge_is_answered_with_the_token_and_what_is_there() -> None:
    have = BlockSet(TOTAL)
    have.add(3, 10)
    receiver, server = receiver_of(Disk(), have), Server()
    token, challenge_pn, runs = packets.decode_start(shake_hands(receiver, server))
    assert (token, challenge_pn, decode_runs(runs, TOTAL)) == (b"token678", 1, [(3, 13)])


def test_start_is_repeated_until_data_comes() -> None:
    receiver, server = receiver_of(Disk()), Server()
    shake_hands(receiver, server)
    assert set(server.kinds(run_deadlines(receiver, 2.0))) == {START}
    feed(receiver, server.data(0), 2.1)
    assert receiver.state is State.RUNNING
    assert set(server.kinds(run_deadlines(receiver, 2.5))) == {REPORT}


def test_blocks_are_stored_where_they_belong_and_runs_at_once() -> None:
    disk = Disk()
    receiver, server = receiver_of(disk), Server()
    shake_hands(receiver, server)
    datagrams = [server.data(block) for block in (4, 5, 6, 9, 85)]
    receiver.received(b"".join(datagrams), 1200, 0.2, 0.2)
    assert disk.writes == [(4 * 1168, 3 * 1168), (9 * 1168, 1168), (85 * 1168, SIZE - 85 * 1168)]
    assert all(CONTENT[at : at + length] == disk.bytes[at : at + length] for at, length in disk.writes)
    assert [block for block in range(TOTAL) if block in receiver.have] == [4, 5, 6, 9, 85]
    assert receiver.bytes_held == 4 * 1168 + SIZE - 85 * 1168


def test_each_pn_is_in_four_reports() -> None:
    receiver, server = receiver_of(Disk()), Server()
    shake_hands(receiver, server)
    times = 0
    for block in range(40):
        for datagram in feed(receiver, server.data(block), 0.2 + block * 0.03):
            report = packets.decode_report(server.opener.open(datagram) or b"")
            times += report.first <= 2 and bool(report.bitmap >> 2 - report.first & 1)
    assert times >= 4


def test_a_report_says_what_arrived_and_how_long_ago() -> None:
    receiver, server = receiver_of(Disk()), Server()
    shake_hands(receiver, server)
    lost = server.data(0)
    feed(receiver, server.data(1), 0.2)
    late = server.data(2)
    receiver.received(late, len(late), 0.201, 0.202)
    [datagram] = receiver.take(0.25)
    report = packets.decode_report(server.opener.open(datagram) or b"")
    assert (report.largest, report.first, report.bitmap) == (4, 1, 0b1101)
    assert report.hold_us == pytest.approx(49_000, abs=2)
    assert report.clock_us == pytest.approx(201_000, abs=2)
    assert lost


def test_it_says_that_it_is_there_while_nothing_comes() -> None:
    receiver, server = receiver_of(Disk()), Server()
    shake_hands(receiver, server)
    feed(receiver, server.data(0), 0.2)
    run_deadlines(receiver, 0.3)
    assert 10 <= len(run_deadlines(receiver, 4.3)) <= 20


@pytest.mark.parametrize("at", [0, 3, 8, 13, 16, 900, 1199])
def test_forged_datagrams_are_refused_and_harm_nothing(at: int) -> None:
    disk = Disk()
    receiver, server = receiver_of(disk), Server()
    shake_hands(receiver, server)
    forged = bytearray(server.data(0))
    forged[at] ^= 4
    feed(receiver, bytes(forged), 0.2)
    feed(receiver, b"noise", 0.2)
    assert disk.writes == [] and receiver.have.held == 0 and receiver.refused == 2


def test_replays_are_refused_and_repeated_blocks_are_not_written_twice() -> None:
    disk = Disk()
    receiver, server = receiver_of(disk), Server()
    shake_hands(receiver, server)
    first = server.data(0)
    for datagram in (first, first, server.data(0)):
        feed(receiver, datagram, 0.2)
    assert disk.writes == [(0, 1168)]
    assert (receiver.refused, receiver.repeated) == (1, 1)


@pytest.mark.parametrize(("block", "length"), [(TOTAL, 1168), (1 << 31, 1168), (0, 1167), (0, 0), (85, 1168)])
def test_blocks_that_can_not_be_are_not_stored(block: int, length: int) -> None:
    disk = Disk()
    receiver, server = receiver_of(disk), Server()
    shake_hands(receiver, server)
    feed(receiver, server.data(block, bytes(length)), 0.2)
    assert disk.writes == [] and receiver.refused == 1


def test_a_full_disk_ends_it_and_the_blocks_are_not_counted() -> None:
    disk = Disk()
    receiver, server = receiver_of(disk), Server()
    shake_hands(receiver, server)
    disk.full = True
    assert server.kinds(feed(receiver, server.data(0), 0.2)) == [ABORT]
    assert receiver.reason is Reason.NOT_STORED and receiver.have.held == 0
    assert receiver.next_deadline() is None


def complete(receiver: Receiver, server: Server) -> list[bytes]:
    shake_hands(receiver, server)
    for block in range(TOTAL - 1):
        receiver.received(server.data(block), 1200, 0.2, 0.2)
    return feed(receiver, server.data(TOTAL - 1), 0.2)


def test_when_all_is_there_it_says_so_until_it_was_heard() -> None:
    disk = Disk()
    receiver, server = receiver_of(disk), Server()
    assert server.kinds(complete(receiver, server)) == [DONE]
    assert receiver.state is State.DONE and disk.bytes == CONTENT and receiver.bytes_held == SIZE
    assert server.kinds(run_deadlines(receiver, 0.5)) == [DONE]
    feed(receiver, server.sealer.seal(DONE, b""), 0.5)
    assert receiver.next_deadline() is None


def test_it_does_not_say_so_for_ever_unless_data_still_comes() -> None:
    receiver, server = receiver_of(Disk()), Server()
    complete(receiver, server)
    assert server.kinds(run_deadlines(receiver, 1000)) == [DONE] * (FAREWELLS - 1)
    assert server.kinds(feed(receiver, server.data(0), 1001)) == [DONE]
    assert receiver.next_deadline() is None


def test_who_has_everything_only_says_so() -> None:
    have = BlockSet(TOTAL)
    have.add(0, TOTAL)
    receiver, server = receiver_of(Disk(), have), Server()
    assert receiver.state is State.DONE
    assert set(server.kinds(run_deadlines(receiver, 10))) == {DONE}


def test_a_silent_server_is_given_up() -> None:
    receiver, server = receiver_of(Disk()), Server()
    shake_hands(receiver, server)
    feed(receiver, server.data(0), 0.2)
    assert server.kinds(run_deadlines(receiver, 100))[-1] == ABORT
    assert receiver.reason is Reason.TIMED_OUT


def test_a_server_that_sends_nothing_new_is_given_up() -> None:
    receiver, server = receiver_of(Disk()), Server()
    shake_hands(receiver, server)
    for second in range(60):
        feed(receiver, server.data(0), float(second))
    assert receiver.reason is Reason.STALLED
    assert DROP_S < STALLED_S


def test_the_servers_abort_is_the_end() -> None:
    receiver, server = receiver_of(Disk()), Server()
    shake_hands(receiver, server)
    assert feed(receiver, server.sealer.seal(ABORT, bytes([Reason.FILE_CHANGED])), 0.2) == []
    assert receiver.reason is Reason.FILE_CHANGED and receiver.next_deadline() is None
    assert feed(receiver, server.data(0), 0.3) == []


def test_a_challenge_in_the_middle_is_answered() -> None:
    receiver, server = receiver_of(Disk()), Server()
    shake_hands(receiver, server)
    feed(receiver, server.data(0), 0.2)
    assert server.kinds(feed(receiver, server.sealer.seal(CHALLENGE, b"newtoken"), 0.3)) == [START]
    assert set(server.kinds(run_deadlines(receiver, 1.0))) == {REPORT}


def test_cancelling_tells_the_server() -> None:
    receiver, server = receiver_of(Disk()), Server()
    shake_hands(receiver, server)
    receiver.abort(Reason.CANCELLED, 0.2)
    assert server.kinds(receiver.take(0.2)) == [ABORT]
    assert receiver.next_deadline() is None


def test_an_abort_of_all_that_is_done_changes_nothing() -> None:
    receiver, server = receiver_of(Disk()), Server()
    complete(receiver, server)
    receiver.abort(Reason.CANCELLED, 1.0)
    assert receiver.state is State.DONE
