"""Receipts: who hears of a watermark, when it is kept, and what is nobody's business."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mystic_server.domain.policy import LINGER_US
from mystic_server.domain.receipts import KIND, NOWHERE
from mysticproto.errors import Code
from mysticproto.model import (
    Bye,
    CreateGroup,
    DeleteGroup,
    Entered,
    GetReceipts,
    JoinGroup,
    LeaveGroup,
    ListConversations,
    Mark,
    Marked,
    Ok,
    Post,
    Receipts,
    Refused,
    ToGroup,
    ToUsers,
    Welcome,
    conversation_key,
)
from mysticproto.model import Conversations as ConversationList
from tests.server.hub.rig import Client, Rig, new_key


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


class Pair:
    """Ana and Bob, who has two devices, and what they say to each other."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.key = new_key()
        self.ana = rig.comes("ana")
        self.bob = rig.comes("bob", self.key)
        self.phone = rig.comes("bob", self.key)
        ids = sorted((self.ana.peer.user, self.bob.peer.user))
        self.conversation = f"direct:{ids[0]},{ids[1]}"

    def says(self) -> int:
        self.ana.asks(Post(1, ToUsers(("bob",)), "hi"))
        self.rig.settle()
        return self.ana.takes(Ok)[0].seq

    def marks(self, delivered: int = 0, read: int = 0, *, private: bool = False) -> None:
        self.bob.asks(Mark(7, self.conversation, delivered, read, private))
        self.rig.settle()
        assert self.bob.takes(Ok)

    def heard(self, client: Client) -> list[tuple[str, int, int]]:
        self.rig.wait(0.4)
        return [(each.user.name, each.delivered, each.read) for each in client.takes(Marked)]


@pytest.fixture
def pair(rig: Rig) -> Pair:
    return Pair(rig)


def lines(client: Client) -> list[tuple[str, int, int]]:
    return [(mark.user.name, mark.delivered, mark.read) for mark in client.takes(Receipts)[0].marks]


def test_the_other_one_and_one_s_own_devices_hear_it(pair: Pair) -> None:
    seq = pair.says()
    pair.marks(delivered=seq)
    assert pair.heard(pair.ana) == pair.heard(pair.phone) == [("bob", seq, 0)]
    pair.marks(read=seq)
    assert pair.heard(pair.ana) == pair.heard(pair.phone) == [("bob", 0, seq)]
    assert pair.heard(pair.bob) == []


def test_what_moves_in_a_moment_is_told_once(pair: Pair) -> None:
    numbers = [pair.says() for _ in range(3)]
    for seq in numbers:
        pair.bob.asks(Mark(seq, pair.conversation, seq))
    pair.bob.asks(Mark(9, pair.conversation, read=numbers[1]))
    pair.rig.settle()
    assert pair.heard(pair.ana) == [("bob", numbers[2], numbers[1])]
    assert len(pair.bob.takes(Ok)) == 4


def test_two_devices_at_once_both_hear_how_far_the_user_got(pair: Pair) -> None:
    one, two = pair.says(), pair.says()
    pair.phone.asks(Mark(1, pair.conversation, one))
    pair.bob.asks(Mark(1, pair.conversation, two))
    pair.rig.settle()
    assert pair.heard(pair.bob) == pair.heard(pair.phone) == [("bob", two, 0)]


def test_nothing_goes_back_or_is_said_twice(pair: Pair) -> None:
    seq = pair.says()
    pair.marks(read=seq)
    pair.heard(pair.ana)
    pair.marks(seq, seq)
    pair.marks(1, 1)
    assert pair.heard(pair.ana) == []


def test_private_reading_is_told_to_one_s_own_devices_alone(pair: Pair) -> None:
    seq = pair.says()
    pair.marks(read=seq, private=True)
    assert pair.heard(pair.ana) == [("bob", seq, 0)]
    assert pair.heard(pair.phone) == [("bob", seq, seq)]
    pair.ana.asks(GetReceipts(3, pair.conversation))
    pair.phone.asks(GetReceipts(3, pair.conversation))
    pair.rig.settle()
    assert ("bob", seq, 0) in lines(pair.ana)
    assert ("bob", seq, seq) in lines(pair.phone)


def test_who_keeps_it_to_themselves_doesn_t_learn_it_of_others(rig: Rig, pair: Pair) -> None:
    key = new_key()
    shy = rig.comes("dora", key, shares_read=False)
    open_ = rig.comes("dora", key)
    pair.bob.asks(Post(1, ToUsers(("dora",)), "hi"))
    rig.settle()
    seq = pair.bob.takes(Ok)[0].seq
    ids = sorted((shy.peer.user, pair.bob.peer.user))
    conversation = f"direct:{ids[0]},{ids[1]}"
    pair.bob.asks(Mark(2, conversation, read=seq))
    assert pair.heard(shy) == [("bob", seq, 0)]
    assert pair.heard(open_) == [("bob", seq, seq)]
    shy.asks(Mark(3, conversation, read=seq), GetReceipts(4, conversation))
    assert pair.heard(pair.bob) == [("dora", seq, 0)]
    assert sorted(lines(shy)) == [("bob", seq, 0), ("dora", seq, seq)]


def test_in_a_group_others_have_to_ask(rig: Rig) -> None:
    ana, bob = rig.comes("ana"), rig.comes("bob")
    ana.asks(CreateGroup(1, "team"))
    rig.settle()
    group = ana.takes(Entered)[0].group.group
    bob.asks(JoinGroup(1, "team"))
    rig.settle()
    ana.asks(Post(2, ToGroup(), "hi"))
    rig.settle()
    seq = ana.takes(Ok)[0].seq
    bob.asks(Mark(2, conversation_key(group), seq, seq))
    rig.wait(0.4)
    assert ana.takes(Marked) == []
    ana.asks(GetReceipts(3, conversation_key(group)))
    rig.settle()
    assert lines(ana) == [("ana", 0, 0), ("bob", seq, seq)]


def test_what_can_t_be_marked(rig: Rig, pair: Pair) -> None:
    stranger = rig.comes("eve")
    stranger.asks(Mark(1, pair.conversation, 1), Mark(2, "global", 1), GetReceipts(3, pair.conversation))
    rig.settle()
    assert [each.code for each in stranger.takes(Refused)] == [Code.UNKNOWN_CONVERSATION] * 3
    pair.bob.asks(Mark(4, pair.conversation, rig.world.applied + 1), Mark(5, pair.conversation, -1))
    rig.settle()
    assert [each.code for each in pair.bob.takes(Refused)] == [Code.MALFORMED] * 2


def test_it_is_kept_a_second_later_and_known_after_a_restart(rig: Rig, pair: Pair) -> None:
    seq = pair.says()
    pair.marks(read=seq)
    rig.wait(1.2)
    with Rig(log=rig.log) as second:
        assert second.watermarks.reached(pair.conversation, pair.bob.peer.user).read == seq
        assert second.world.users.keys() == rig.world.users.keys()


def test_a_server_that_stops_keeps_it_at_once(rig: Rig, pair: Pair) -> None:
    seq = pair.says()
    pair.marks(read=seq)
    user = pair.bob.peer.user
    rig.gateway.stop(Bye(Code.STOPPING, "Bye."))
    rig.settle()
    with Rig(log=rig.log) as second:
        assert second.watermarks.reached(pair.conversation, user).read == seq


def test_the_list_of_conversations_says_how_far_one_has_read(rig: Rig, pair: Pair) -> None:
    first, last = pair.says(), pair.says()
    pair.marks(read=first)
    pair.phone.asks(ListConversations(3))
    rig.settle()
    listed = pair.phone.takes(ConversationList)[0].conversations
    assert [(conversation_key(each.conversation), each.last, each.read) for each in listed] == [
        (pair.conversation, last, first)
    ]


def test_who_left_in_that_moment_hears_nothing(pair: Pair) -> None:
    seq = pair.says()
    pair.bob.asks(Mark(2, pair.conversation, seq))
    pair.ana.goes()
    pair.rig.wait(0.3)
    assert pair.rig.comes("ana").takes(Welcome)


@pytest.mark.parametrize("end", ["deleted", "left", "lost"])
def test_what_was_read_in_a_group_that_is_gone_is_forgotten(rig: Rig, end: str) -> None:
    ana = rig.comes("ana")
    ana.asks(CreateGroup(1, "team", kept=end == "deleted"), Post(2, ToGroup("team"), "hi"))
    rig.settle()
    conversation = f"group:{ana.takes(Entered)[0].group.group.id}"
    ana.asks(Mark(3, conversation, ana.takes(Ok)[0].seq))
    rig.wait(1.2)
    assert conversation in kept(rig)
    if end == "lost":
        ana.goes()
        rig.settle()
        for session in list(rig.world.lost.values()):
            session.lost_us -= LINGER_US
        rig.gateway.desk.end_lingering()
    else:
        ana.asks(DeleteGroup(4, "team") if end == "deleted" else LeaveGroup(4, "team"))
    rig.settle()
    assert rig.watermarks.reached(conversation, 1) == NOWHERE
    assert conversation not in kept(rig)


def kept(rig: Rig) -> set[str]:
    """The conversations of which the log keeps watermarks."""
    return {row.kind.removeprefix(KIND) for row in rig.log.load().rows if row.kind.startswith(KIND)}
