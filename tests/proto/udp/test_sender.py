"""The server's side: to whom it sends, how much, and when it stops."""

import pytest

from mysticproto.udp import packets
from mysticproto.udp.blocks import BlockSet, encode_runs
from mysticproto.udp.packets import ABORT, CHALLENGE, DATA, DONE
from mysticproto.udp.sender import DROP_S, REPORTS_PER_S, STALLED_S, START_WITHIN_S, STOP_S, Sender
from mysticproto.udp.state import Reason, State
from tests.proto.udp.links import ENTROPY, terms_of
from tests.proto.udp.peers import CONTENT, SIZE, Client, sender_of


def take_until(client: Client, now: float) -> list[tuple[int, int, int, bytes]]:
    """Everything that is sent until `now`, while the client says nothing."""
    said = client.read(client.sender.take(client.now))
    while (at := client.sender.next_deadline()) is not None and at <= now:
        client.now = max(client.now, at)
        said += client.read(client.sender.take(client.now))
    client.now = now
    return said


def test_no_data_before_the_token_came_back() -> None:
    client = Client(sender_of())
    answer = client.say(client.hello())
    assert [kind for kind, *_ in client.read(answer)] == [CHALLENGE]
    assert {batch.address for batch in answer} == {"home"}
    assert client.sender.state is State.WAITING and client.sender.peer is None
    assert client.sender.take(5.0) == []


def test_an_answer_is_never_longer_than_the_question() -> None:
    client = Client(sender_of())
    for address in range(200):
        hello = client.hello()
        assert sum(len(batch.data) for batch in client.say(hello, address)) <= len(hello)
    start = client.sealer.seal(packets.START, packets.encode_start(bytes(8), 1, b""))
    assert sum(len(batch.data) for batch in client.say(start, "elsewhere")) <= len(start)


def test_a_hello_that_is_too_short_is_not_answered() -> None:
    client = Client(sender_of())
    assert client.say(client.hello(1199)) == []


def test_a_token_from_another_address_starts_nothing_there() -> None:
    client = Client(sender_of())
    [challenge] = client.say(client.hello(), "liar")
    answer = client.say(client.start(challenge), "victim")
    assert [kind for kind, *_ in client.read(answer)] == [CHALLENGE]
    assert client.sender.state is State.WAITING


def test_data_follows_the_token() -> None:
    client = Client(sender_of())
    data = client.read(client.shake_hands())
    assert [(kind, block) for kind, _, block, _ in data] == [(DATA, block) for block in range(len(data))]
    assert b"".join(body for *_, body in data) == CONTENT[: len(data) * 1168]
    assert client.sender.state is State.RUNNING and client.sender.peer == "home"


def test_only_what_the_client_lacks_is_sent() -> None:
    have = BlockSet(86)
    have.add(0, 84)
    client = Client(sender_of())
    data = client.read(client.shake_hands(encode_runs(have, 1000)))
    assert [block for _, _, block, _ in data] == [84, 85]
    assert data[-1][3] == CONTENT[85 * 1168 :]
    assert client.sender.blocks_confirmed == 84


def test_who_has_everything_is_done_at_once() -> None:
    have = BlockSet(86)
    have.add(0, 86)
    client = Client(sender_of())
    assert client.shake_hands(encode_runs(have, 1000)) == []
    assert client.sender.state is State.DONE and client.sender.next_deadline() is None


def test_runs_outside_of_the_file_end_it() -> None:
    client = Client(sender_of())
    answer = client.read(client.shake_hands(b"\x00\x7f"))
    assert client.sender.reason is Reason.LIED
    assert [kind for kind, *_ in answer] == [ABORT]


@pytest.mark.parametrize("damage", [0, 5, 20, 1199])
def test_forged_datagrams_change_nothing(damage: int) -> None:
    client = Client(sender_of())
    forged = bytearray(client.hello())
    forged[damage] ^= 1
    assert client.say(bytes(forged)) == []
    assert client.say(bytes(forged[:20])) == []
    assert client.sender.refused == 2


def test_replayed_datagrams_change_nothing() -> None:
    client = Client(sender_of())
    hello = client.hello()
    assert client.say(hello)
    assert client.say(hello, "victim") == []
    assert client.sender.refused == 1


def test_what_was_confirmed_is_not_sent_again_and_the_end_is_the_end() -> None:
    client = Client(sender_of(2000), 2000)
    data = client.read(client.shake_hands())
    assert [block for _, _, block, _ in data] == [0, 1]
    client.now += 0.1
    client.say(client.report(data[0][1], 0b11))
    assert client.sender.state is State.DONE and client.sender.blocks_sent == 2


def test_a_lost_block_comes_again_under_a_new_pn() -> None:
    client = Client(sender_of())
    first = client.read(client.shake_hands())
    first += take_until(client, client.now + 0.09)
    lost = first[0]
    later = client.report(first[1][1], (1 << first[-1][1] - first[1][1] + 1) - 1)
    again = client.read(client.say(later)) + take_until(client, client.now + 0.02)
    assert lost[2] in [block for _, _, block, _ in again]
    assert min(pn for _, pn, _, _ in again) > first[-1][1]


def test_reporting_what_was_not_sent_yet_ends_it() -> None:
    client = Client(sender_of())
    client.shake_hands()
    answer = client.read(client.say(client.report(1, (1 << 200) - 1)))
    assert client.sender.reason is Reason.LIED
    assert [(kind, body) for kind, _, _, body in answer] == [(ABORT, bytes([Reason.LIED]))]


def test_reporting_a_pn_that_was_left_out_ends_it() -> None:
    client = Client(sender_of())
    client.shake_hands()
    for _ in range(5000):  # an optimist: everything up to the latest has arrived
        client.now += 0.01
        pn = client.sender._flight.next_pn - 1
        client.say(client.report(max(1, pn - 500), (1 << min(pn, 501)) - 1))
        if client.sender.state is not State.RUNNING:
            break
    else:
        client.sender.abort(Reason.CANCELLED, client.now)
    assert client.sender.state in (State.DONE, State.FAILED)


def test_a_liar_is_found_in_a_long_file() -> None:
    size = 10_000_000
    sender = Sender(terms_of(), size, lambda offset, length: bytes(length), ENTROPY, 0.0)
    client = Client(sender, size)
    client.shake_hands()
    for _ in range(5000):
        client.now += 0.01
        pn = sender._flight.next_pn - 1
        client.say(client.report(max(1, pn - 5000), (1 << min(pn, 5001)) - 1))
        if sender.state is not State.RUNNING:
            break
    assert sender.reason is Reason.LIED


def test_it_slows_down_stops_and_drops_who_says_nothing() -> None:
    client = Client(sender_of())
    client.shake_hands()
    began = client.now
    per_second = [len(take_until(client, began + second)) for second in range(1, 10)]
    assert per_second[0] > per_second[1] >= per_second[2]
    assert per_second[int(STOP_S) :] == [0] * len(per_second[int(STOP_S) :])
    end = take_until(client, began + DROP_S + 1)
    assert [kind for kind, *_ in end] == [ABORT]
    assert client.sender.reason is Reason.TIMED_OUT and client.sender.next_deadline() is None


def test_a_report_wakes_it_again() -> None:
    client = Client(sender_of())
    first = client.read(client.shake_hands())
    take_until(client, client.now + 5)
    assert take_until(client, client.now + 1) == []
    answer = client.read(client.say(client.report(first[0][1], 1)))
    answer += take_until(client, client.now + 0.1)
    assert {kind for kind, *_ in answer} == {DATA}


def test_who_never_gets_anything_new_is_dropped() -> None:
    client = Client(sender_of())
    first = client.read(client.shake_hands())
    while client.sender.state is State.RUNNING and client.now < 100:
        client.say(client.report(first[0][1], 1))
        take_until(client, client.now + 1)
    assert client.sender.reason is Reason.STALLED
    assert client.now <= STALLED_S + 3


def test_a_ticket_that_nobody_uses_expires() -> None:
    sender = sender_of()
    assert sender.next_deadline() == START_WITHIN_S
    sender.take(START_WITHIN_S)
    assert sender.state is State.FAILED and sender.reason is Reason.NO_ANSWER and sender.next_deadline() is None


def test_a_client_that_moved_gets_nothing_until_it_has_proved_its_new_address() -> None:
    client = Client(sender_of())
    first = client.read(client.shake_hands())
    client.now += 0.1
    report = client.report(first[0][1], 1)
    [challenge] = client.say(report, "train")
    assert challenge.address == "train" and len(challenge.data) <= len(report)
    assert [kind for kind, *_ in client.read([challenge])] == [CHALLENGE]
    assert take_until(client, client.now + 0.3) == []
    data = client.say(client.start(challenge), "train")
    assert data and {batch.address for batch in data} == {"train"}
    assert client.sender.peer == "train"


def test_a_report_from_the_old_address_ends_the_pause() -> None:
    client = Client(sender_of())
    first = client.read(client.shake_hands())
    client.say(client.report(first[0][1], 1), "copied by an eavesdropper")
    assert take_until(client, client.now + 0.3) == []
    data = client.say(client.report(first[0][1], 1))
    assert data and {batch.address for batch in data} == {"home"}


def test_a_flood_of_reports_is_not_worked_on() -> None:
    client = Client(sender_of())
    first = client.read(client.shake_hands())
    for _ in range(REPORTS_PER_S):
        client.say(client.report(first[0][1], 1))
    client.say(client.report(first[1][1], 1))
    assert client.sender.blocks_confirmed == 1
    client.now += 1
    client.say(client.report(first[1][1], 1))
    assert client.sender.blocks_confirmed == 2


def test_done_is_answered_each_time() -> None:
    client = Client(sender_of())
    client.shake_hands()
    for _ in range(2):
        answer = client.say(client.sealer.seal(DONE, b""))
        assert [kind for kind, *_ in client.read(answer)] == [DONE]
    assert client.sender.state is State.DONE


def test_the_clients_abort_is_the_end() -> None:
    client = Client(sender_of())
    client.shake_hands()
    assert client.say(client.sealer.seal(ABORT, bytes([Reason.NOT_STORED]))) == []
    assert client.sender.reason is Reason.NOT_STORED and client.sender.next_deadline() is None


@pytest.mark.parametrize("kind", [DATA, CHALLENGE, 99])
def test_what_a_client_never_says_is_ignored(kind: int) -> None:
    client = Client(sender_of())
    client.shake_hands()
    client.sender.received(client.sealer.seal(kind, b"x"), "home", client.now)
    assert client.sender.state is State.RUNNING


def test_cancelling_tells_the_client() -> None:
    client = Client(sender_of())
    client.shake_hands()
    client.sender.abort(Reason.CANCELLED, client.now)
    client.sender.abort(Reason.STALLED, client.now)
    assert [kind for kind, *_ in client.read(client.sender.take(client.now))] == [ABORT]
    assert client.sender.reason is Reason.CANCELLED


def test_a_file_that_became_shorter_ends_it() -> None:
    sender = Sender(terms_of(), SIZE, lambda offset, length: b"", ENTROPY, 0.0)
    client = Client(sender)
    answer = client.read(client.shake_hands())
    assert [kind for kind, *_ in answer] == [ABORT] and sender.reason is Reason.FILE_CHANGED


def test_a_file_that_can_not_be_read_ends_it() -> None:
    def read(offset: int, length: int) -> bytes:
        raise OSError("gone")

    sender = Sender(terms_of(), SIZE, read, ENTROPY, 0.0)
    Client(sender).shake_hands()
    assert sender.reason is Reason.FILE_CHANGED


def test_keys_that_are_used_up_end_it() -> None:
    client = Client(sender_of())
    client.sender._sealer.next_pn = client.sender._flight.next_pn = client.sender._flight.base = packets.PN_MAX - 4
    client.shake_hands()
    assert client.sender.reason is Reason.KEY_USED_UP


def test_the_rate_limit_holds() -> None:
    client = Client(sender_of(rate_limit=20_000))
    began = client.now = 0.0
    sent = len(client.read(client.shake_hands()))
    while client.now < began + 3 and client.sender.state is State.RUNNING:
        pn = client.sender._flight.next_pn - 1
        sent += len(client.read(client.say(client.report(pn, 1))))
        sent += len(take_until(client, client.now + 0.01))
    assert sent * 1200 <= 20_000 * 3 + 12_000


def test_no_batch_is_more_than_one_call_can_send() -> None:
    size = 1_000_000_000
    sender = Sender(terms_of(1440), size, lambda offset, length: bytes(length), ENTROPY, 0.0)
    client = Client(sender, size, 1440)
    batches = client.shake_hands()
    assert sender.control is not None
    sender.control.bandwidth.rate = 1e6
    for step in range(20):
        batches += sender.take(client.now + step / 1000)
    assert max(len(batch.data) for batch in batches) > 60_000
    assert all(len(batch.data) <= 65_507 and len(batch.data) % batch.segment_bytes == 0 for batch in batches)
