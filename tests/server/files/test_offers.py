"""Files that are handed to the datagram child, and what is heard of them, with a child made up."""

from __future__ import annotations

from itertools import count

import pytest

from mystic_server.files import offers
from mystic_server.files.datagram_messages import (
    Ended,
    FromChild,
    Moved,
    Offer,
    Unavailable,
    Waiting,
    Withdraw,
    encode,
    to_child,
)
from mystic_server.files.offers import Offers, Route, Withdrawal, block_bytes
from mysticproto.model import UdpTerms

ROUTE = Route("10.0.0.1", "10.0.0.2", 1448)
FD = 99


class FakeChild:
    """Keeps what it is asked."""

    def __init__(self) -> None:
        self.is_up = False
        self.is_full = False
        self.starts = 0
        self.asked: list[tuple[Offer, int]] = []
        self.withdrawn: list[int] = []

    def start(self) -> None:
        self.is_up = True
        self.starts += 1

    def send_file(self, body: bytes, fd: int) -> bool:
        offer = to_child.decode(body)
        assert isinstance(offer, Offer)
        if not self.is_full:
            self.asked.append((offer, fd))
        return not self.is_full

    def send(self, body: bytes) -> None:
        assert self.is_up
        withdraw = to_child.decode(body)
        assert isinstance(withdraw, Withdraw)
        self.withdrawn.append(withdraw.cid)


class Heard:
    """A watcher that writes everything down."""

    def __init__(self) -> None:
        self.said: list[object] = []

    def waiting(self, terms: UdpTerms) -> None:
        self.said.append(terms)

    def unavailable(self, why: str) -> None:
        self.said.append(f"unavailable: {why}")

    def moved(self, held: int) -> None:
        self.said.append(held)

    def ended(self, held: int, why: str) -> None:
        self.said.append((held, why))


class Desk:
    """Offers, their child, and one who watches."""

    def __init__(self) -> None:
        numbers = count()
        self.child = FakeChild()
        self.offers = Offers(self.child, lambda size: next(numbers).to_bytes(size, "big"))
        self.heard = Heard()
        self.withdraw: Withdrawal = pytest.fail
        self.offers.start()

    def offer(self, route: Route = ROUTE) -> Offer:
        self.withdraw = self.offers.offer(FD, 5000, route, self.heard)
        return self.child.asked[-1][0]

    def says(self, said: FromChild) -> None:
        self.offers.received(encode(said))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_child_gets_the_file_and_the_terms(desk: Desk) -> None:
    first, second = desk.offer(), desk.offer()
    assert (first.size, first.block, first.local_host, first.peer_host) == (5000, 1408, "10.0.0.1", "10.0.0.2")
    assert [fd for _, fd in desk.child.asked] == [FD, FD]
    assert first.cid and second.cid and first.cid != second.cid and first.secret != second.secret
    assert len(first.secret) == offers.SECRET_BYTES


def test_what_the_child_says_is_passed_on(desk: Desk) -> None:
    offer = desk.offer()
    for said in (Waiting(offer.cid, 4000), Moved(offer.cid, 0), Moved(offer.cid, 70), Ended(offer.cid, 5000)):
        desk.says(said)
    terms = UdpTerms(4000, offer.cid, offer.secret, 1408)
    assert desk.heard.said == [terms, 0, 70, (5000, "")]
    desk.says(Moved(offer.cid, 80))
    assert len(desk.heard.said) == 4


def test_an_offer_is_withdrawn_until_it_is_over(desk: Desk) -> None:
    offer = desk.offer()
    desk.withdraw()
    assert desk.child.withdrawn == [offer.cid]
    desk.says(Waiting(offer.cid, 4000))
    desk.says(Ended(offer.cid, 70, "the connection ended"))
    assert desk.heard.said[1:] == [(70, "the connection ended")]
    desk.withdraw()
    assert desk.child.withdrawn == [offer.cid]


def test_what_a_child_had_that_died_need_not_be_withdrawn(desk: Desk) -> None:
    desk.offer()
    desk.child.is_up = False
    desk.offers.went_down()
    desk.withdraw()
    desk.offer()
    desk.withdraw()
    assert desk.child.withdrawn == []


def test_a_file_that_cannot_be_had(desk: Desk) -> None:
    desk.says(Unavailable(desk.offer().cid, "No."))
    assert desk.heard.said == ["unavailable: No."]


def test_a_child_that_dies_ends_everything(desk: Desk) -> None:
    desk.says(Waiting(desk.offer().cid, 4000))
    desk.offer()
    desk.heard.said.clear()
    desk.child.is_up = False
    desk.offers.went_down()
    ended, unavailable = desk.heard.said
    assert ended == (0, "the process that sends datagrams ended")
    assert unavailable == "unavailable: The server can't send datagrams just now."
    desk.offer()
    assert len(desk.heard.said) == 3
    desk.child.is_up = True
    desk.says(Waiting(desk.offer().cid, 4000))
    assert isinstance(desk.heard.said[-1], UdpTerms)


def test_a_child_that_is_behind_gets_no_more(desk: Desk) -> None:
    desk.offer()
    desk.child.is_full = True
    desk.offer()
    assert desk.heard.said == ["unavailable: The server has too much to send in datagrams just now."]


def test_where_descriptors_cannot_be_passed_there_are_no_datagrams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offers, "CAN_PASS_FILES", False)
    desk = Desk()
    desk.offers.offer(FD, 5000, ROUTE, desk.heard)
    assert desk.heard.said == ["unavailable: The server can't send datagrams just now."]
    assert desk.child.starts == 0


@pytest.mark.parametrize(
    ("segment", "block"),
    [
        (0, 1168),
        (32_768, 8192),
        (8948, 8192),
        (1460, 1408),
        (1428, 1408),
        (1400, 1168),
        (1188, 1168),
        (1180, 992),
        (536, 480),
        (88, 480),
    ],
)
def test_blocks_fit_the_way(segment: int, block: int) -> None:
    assert block_bytes(segment) == block
