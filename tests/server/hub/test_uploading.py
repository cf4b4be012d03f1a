"""Files that people bring: asked for on the chat connection, brought on their own, announced in the log."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from mystic_server.domain.events import Posted
from mystic_server.files.tree import FileId
from mystic_server.files.upload_messages import (
    Drop,
    Failed,
    Finish,
    Finished,
    Known,
    Leave,
    Mark,
    Piece,
    Upload,
    Written,
)
from mystic_server.files.uploads import WINDOW_BYTES
from mystic_server.hub.house import now_us
from mystic_server.hub.patrol import Patience, Patrol
from mysticproto.model import (
    Bye,
    CancelUpload,
    CreateGroup,
    Delete,
    FileRef,
    GetHistory,
    History,
    Kick,
    LeaveGroup,
    Message,
    Ok,
    OpenUpload,
    Refused,
    Store,
    Stored,
    ToGlobal,
    ToGroup,
    ToUsers,
    UploadTicket,
)
from mysticproto.native import encode_frame
from tests.server.hub.rig import Client, Rig, new_key

DATA = bytes(range(256)) * 1000
HASH = b"h" * 32
CID = b"c" * 16
DAY_US = 24 * 3600 * 1_000_000
PATIENCE = Patience(
    silent=9, silent_s=9, login_s=30, idle_s=9999, soft=1 << 20, total=1 << 30, soft_s=60, stuck_s=10, file_stuck_s=60
)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with Rig() as rig:
        yield rig


@pytest.fixture
def ana(rig: Rig) -> Client:
    return rig.comes("ana", new_key())


def wanted(to: ToGlobal | ToUsers | ToGroup | None = None, *, size: int = len(DATA), cid: bytes = CID) -> OpenUpload:
    return OpenUpload(5, "plan.txt", size, HASH, "" if to else "plans", to, "", cid)


def opens(rig: Rig, client: Client, request: OpenUpload, offset: int = 0) -> UploadTicket:
    client.asks(request)
    rig.settle()
    rig.uploads.begins(offset)
    rig.settle()
    (ticket,) = client.takes(UploadTicket)
    assert (ticket.n, ticket.offset) == (5, offset)
    return ticket


def refusal(rig: Rig, client: Client, request: OpenUpload) -> str:
    client.asks(request)
    rig.settle()
    (refused,) = client.takes(Refused)
    assert refused.n == 5
    return refused.code


def brings(rig: Rig, ticket: bytes, data: bytes = DATA) -> Client:
    """A connection of its own with all of it."""
    client = rig.connects()
    client.asks(Store(9, ticket))
    client.sends(data)
    settles(rig)
    return client


def settles(rig: Rig) -> list[Piece]:
    """The child takes what there is, as often as there is more."""
    pieces: list[Piece] = []
    rig.settle()
    while came := rig.uploads.takes(Piece):
        pieces += came
        for piece in came:
            rig.uploads.says(Written(piece.number, len(piece.data)))
        rig.settle()
    rig.uploads.child.told += pieces
    return pieces


def is_whole(rig: Rig, path: str = "") -> Upload:
    """The child has verified it and put it in its place."""
    (finish,) = rig.uploads.takes(Finish)
    attempt = next(each for each in rig.uploads._attempts.values() if each.number == finish.number)
    upload = replace(attempt.upload, is_whole=True, path=path, file=FileId(1, 2, 3, 4) if path else None)
    rig.uploads.says(Finished(finish.number, upload))
    rig.settle()
    return upload


def brought(rig: Rig) -> bytes:
    return b"".join(piece.data for piece in rig.uploads.takes(Piece))


# Into the shared folder.


def test_a_file_is_brought_on_a_connection_of_its_own(rig: Rig, ana: Client) -> None:
    file = brings(rig, opens(rig, ana, wanted()).ticket)
    assert brought(rig) == DATA
    assert not file.takes(Stored)
    is_whole(rig, "plans/plan (1).txt")
    assert file.takes(Stored) == [Stored(9, "plans/plan (1).txt")]
    assert file.is_at_end
    rig.wait(3)
    assert rig.uploads.uploads == 0
    assert f"ana brings {len(DATA)} of plan.txt" in rig.witness.lines
    assert rig.witness.lines[-2:] == ["ana has brought plan.txt", "ana disconnected: finished"]
    assert not rig.log.events or not isinstance(rig.log.events[-1].event, Posted)


def test_the_rest_is_brought_and_no_more(rig: Rig, ana: Client) -> None:
    brings(rig, opens(rig, ana, wanted(), offset=1000).ticket, DATA[1000:])
    assert brought(rig) == DATA[1000:]
    is_whole(rig)


def test_one_byte_at_a_time(rig: Rig, ana: Client) -> None:
    ticket = opens(rig, ana, wanted(size=40)).ticket
    client = rig.connects()
    for byte in encode_frame(Store(9, ticket)) + DATA[:40]:
        client.sends(bytes([byte]))
        rig.settle()
    assert brought(rig) == DATA[:40]


def test_who_writes_faster_than_the_disk_waits(rig: Rig, ana: Client) -> None:
    ticket = opens(rig, ana, wanted(size=4 * WINDOW_BYTES)).ticket
    client = rig.connects()
    client.asks(Store(9, ticket))
    client.sends(bytes(4 * WINDOW_BYTES))
    rig.settle()
    came = brought(rig)
    assert WINDOW_BYTES <= len(came) < 2 * WINDOW_BYTES
    (attempt,) = rig.uploads._attempts.values()
    rig.uploads.says(Written(attempt.number, len(came)))
    rig.settle()
    assert len(brought(rig)) >= WINDOW_BYTES // 2


# What is refused.


def test_guests_and_settings(rig: Rig) -> None:
    assert refusal(rig, rig.comes("eve"), wanted()) == "not_allowed"
    for uploads in ("off", "operators"):
        with Rig(uploads=uploads) as other:
            assert refusal(other, other.comes("ana", new_key()), wanted()) == "not_allowed"


def test_a_wrong_ticket_ends_the_connection(rig: Rig, ana: Client) -> None:
    file = brings(rig, b"nonsense" * 2)
    (refused,) = file.takes(Refused)
    assert (refused.n, refused.code) == (9, "bad_ticket")
    assert file.is_at_end and brought(rig) == b""


def test_a_chat_connection_brings_nothing(rig: Rig, ana: Client) -> None:
    ticket = opens(rig, ana, wanted())
    ana.asks(Store(9, ticket.ticket))
    rig.settle()
    assert [refused.code for refused in ana.takes(Refused)] == ["bad_ticket"]
    assert ana.is_at_end, "nobody knows any more what its bytes mean"
    brings(rig, ticket.ticket)
    is_whole(rig)


def test_more_than_was_said_is_not_stored(rig: Rig, ana: Client) -> None:
    file = brings(rig, opens(rig, ana, wanted(to=ToGlobal())).ticket, DATA + b"x")
    assert [refused.code for refused in file.takes(Refused)] == ["malformed"]
    assert len(rig.uploads.takes(Leave)) == 1
    assert rig.uploads.uploads == 0
    assert "ana has not brought" in " ".join(rig.witness.lines)


def test_what_the_disk_refuses_is_told(rig: Rig, ana: Client) -> None:
    file = brings(rig, opens(rig, ana, wanted()).ticket, DATA[:1000])
    (attempt,) = rig.uploads._attempts.values()
    rig.uploads.says(Failed(attempt.number, "disk_full", "The server's disk is full.", True))
    rig.settle()
    assert file.takes(Refused) == [Refused(9, "disk_full", "The server's disk is full.", "plan.txt")]
    assert file.is_at_end


# Time.


def test_who_stops_in_the_middle_keeps_no_place(rig: Rig, ana: Client) -> None:
    patrol = Patrol(rig.connections, rig.peers, PATIENCE)
    file = brings(rig, opens(rig, ana, wanted()).ticket, DATA[:1000])
    rig.clock.now += 59
    rig.settle()
    patrol.walk(rig.clock.now)
    rig.settle()
    assert not file.takes(Bye), "it need not log in"
    rig.clock.now += 2
    patrol.walk(rig.clock.now)
    rig.settle()
    assert file.is_at_end and rig.uploads.uploads == 0


def test_who_waits_for_the_disk_is_left_in_peace(rig: Rig, ana: Client) -> None:
    file = brings(rig, opens(rig, ana, wanted()).ticket)
    rig.clock.now += 600
    Patrol(rig.connections, rig.peers, PATIENCE).walk(rig.clock.now)
    rig.settle()
    is_whole(rig, "plans/plan.txt")
    assert file.takes(Stored) == [Stored(9, "plans/plan.txt")]


def test_a_connection_that_breaks_gives_its_place_back(rig: Rig, ana: Client) -> None:
    file = brings(rig, opens(rig, ana, wanted()).ticket, DATA[:1000])
    file.goes()
    rig.settle()
    assert rig.uploads.uploads == 0 and len(rig.uploads.takes(Leave)) == 1
    assert opens(rig, ana, wanted(), offset=1000).offset == 1000


def test_who_goes_on_elsewhere_ends_the_old_connection(rig: Rig, ana: Client) -> None:
    old = brings(rig, opens(rig, ana, wanted()).ticket, DATA[:1000])
    opens(rig, ana, wanted(), offset=1000)
    assert [refused.code for refused in old.takes(Refused)] == ["bad_ticket"]
    assert old.is_at_end


def test_who_is_sent_away_brings_nothing_more(rig: Rig, ana: Client) -> None:
    file = brings(rig, opens(rig, ana, wanted()).ticket, DATA[:1000])
    bob = rig.comes("bob", new_key())
    rig.world.users[bob.peer.user].is_operator = True
    bob.asks(Kick(4, "ana"))
    rig.settle()
    assert [refused.code for refused in file.takes(Refused)] == ["not_allowed"]
    assert file.is_at_end and rig.uploads.uploads == 0


def test_it_is_given_up(rig: Rig, ana: Client) -> None:
    file = brings(rig, opens(rig, ana, wanted()).ticket, DATA[:1000])
    ana.asks(CancelUpload(6, "plan.txt", HASH), CancelUpload(7, "plan.txt", HASH))
    rig.settle()
    assert ana.takes(Ok) == [Ok(6)]
    assert [(refused.n, refused.code) for refused in ana.takes(Refused)] == [(7, "file_not_found")]
    assert file.is_at_end and len(rig.uploads.takes(Drop)) == 1


def test_a_stopping_server_ends_uploads(rig: Rig, ana: Client) -> None:
    file = brings(rig, opens(rig, ana, wanted()).ticket, DATA[:1000])
    rig.gateway.stop(Bye("stopping", "The server is stopping."))
    rig.settle()
    assert file.is_at_end
    rig.wait(3)
    assert rig.uploads.uploads == 0


# To some people.


def test_the_message_comes_with_the_file_once_it_is_whole(rig: Rig, ana: Client) -> None:
    bob, eve = rig.comes("bob"), rig.comes("eve")
    file = brings(rig, opens(rig, ana, wanted(ToUsers(("bob",)))).ticket)
    assert bob.takes(Message) == []
    upload = is_whole(rig)
    (message,) = bob.takes(Message)
    assert (message.text, message.file) == ("plan.txt", FileRef("plan.txt", len(DATA), HASH, ""))
    assert file.takes(Stored) == [Stored(9, "", message.seq)]
    assert [each.seq for each in ana.takes(Message)] == [message.seq]
    assert eve.takes(Message) == []
    assert rig.uploads.takes(Mark) == [Mark(replace(upload, seq=message.seq))]
    bob.asks(GetHistory(4, ToUsers(("ana",))))
    rig.settle()
    (history,) = bob.takes(History)
    assert [each.file for each in history.events if isinstance(each, Message)] == [message.file]


def test_a_shared_one_is_announced_by_its_path(rig: Rig, ana: Client) -> None:
    bob = rig.comes("bob")
    request = replace(wanted(ToGlobal()), folder="plans", text="the plan")
    file = brings(rig, opens(rig, ana, request).ticket)
    is_whole(rig, "plans/plan (1).txt")
    (message,) = bob.takes(Message)
    assert (message.text, message.file) == ("the plan", FileRef("plan.txt", len(DATA), HASH, "plans/plan (1).txt"))
    assert file.takes(Stored) == [Stored(9, "plans/plan (1).txt", message.seq)]


def test_an_answer_that_was_lost_is_given_again(rig: Rig, ana: Client) -> None:
    bob = rig.comes("bob")
    rig.log.is_held = True
    first = brings(rig, opens(rig, ana, wanted(ToUsers(("bob",)))).ticket)
    upload = is_whole(rig)
    first.goes()
    rig.settle()
    rig.log.is_held = False
    rig.settle()
    (message,) = bob.takes(Message)
    assert rig.uploads.takes(Mark) == [Mark(replace(upload, seq=message.seq))], "also when nobody hears the answer"
    again = brings(rig, opens(rig, ana, wanted(ToUsers(("bob",))), offset=len(DATA)).ticket, b"")
    assert again.takes(Stored) == [Stored(9, "", message.seq)]
    assert bob.takes(Message) == []


@pytest.mark.parametrize("to", [ToUsers(("nobody",)), ToGroup("nowhere"), ToGroup()])
def test_what_nobody_could_hear_is_not_brought(rig: Rig, ana: Client, to: ToUsers | ToGroup) -> None:
    assert refusal(rig, ana, wanted(to)) in ("unknown_user", "unknown_group", "no_group")
    assert rig.uploads.child.told == []


def test_who_left_meanwhile_says_nothing_more(rig: Rig, ana: Client) -> None:
    ana.asks(CreateGroup(2, "team"))
    rig.settle()
    file = brings(rig, opens(rig, ana, wanted(ToGroup("team"))).ticket)
    bob = rig.comes("bob")
    bob.asks(CreateGroup(2, "other"))
    ana.asks(LeaveGroup(3))
    rig.settle()
    is_whole(rig)
    assert [refused.code for refused in file.takes(Refused)] == ["unknown_group"]


def test_a_log_that_takes_nothing_says_so_and_the_file_waits(rig: Rig, ana: Client) -> None:
    rig.log.refuses = "store_unavailable"
    file = brings(rig, opens(rig, ana, wanted(ToGlobal())).ticket)
    is_whole(rig)
    assert [(refused.n, refused.code) for refused in file.takes(Refused)] == [(9, "store_unavailable")]
    rig.log.refuses = ""
    again = brings(rig, opens(rig, ana, wanted(ToGlobal()), offset=len(DATA)).ticket, b"")
    assert len(again.takes(Stored)) == 1


def test_a_deleted_message_takes_its_file_with_it(rig: Rig, ana: Client) -> None:
    bob = rig.comes("bob")
    brings(rig, opens(rig, ana, wanted(ToUsers(("bob",)))).ticket)
    upload = is_whole(rig)
    (message,) = bob.takes(Message)
    ana.asks(Delete(6, message.seq))
    rig.settle()
    assert rig.uploads.takes(Drop) == [Drop((upload.id,))]
    bob.asks(GetHistory(4, ToUsers(("ana",))))
    rig.settle()
    (history,) = bob.takes(History)
    assert [(each.deleted, each.file) for each in history.events if isinstance(each, Message)] == [(True, None)]


def test_who_was_muted_meanwhile_is_not_heard(ana: Client, rig: Rig) -> None:
    file = brings(rig, opens(rig, ana, wanted(ToGlobal())).ticket)
    rig.world.users[ana.peer.user].muted_until_us = 2**62
    is_whole(rig)
    assert [refused.code for refused in file.takes(Refused)] == ["muted"]
    assert refusal(rig, ana, wanted(ToGlobal())) == "muted"


# Whole, but never announced.


def refused_for_now(rig: Rig, ana: Client) -> Upload:
    """It is whole when its message can't be said, and its client does not come back."""
    rig.log.refuses = "store_unavailable"
    brings(rig, opens(rig, ana, wanted(ToUsers(("bob",)))).ticket)
    upload = is_whole(rig)
    rig.log.refuses = ""
    return upload


def a_day_later(rig: Rig) -> None:
    rig.uploads.expire(rig.clock.now, now_us() + DAY_US)
    rig.settle()


def test_a_file_whose_message_never_came_is_removed_after_a_day(rig: Rig, ana: Client) -> None:
    rig.comes("bob")
    upload = refused_for_now(rig, ana)
    rig.uploads.expire(rig.clock.now - 9999, now_us())
    rig.settle()
    assert rig.uploads.takes(Drop) == []
    a_day_later(rig)
    assert rig.uploads.takes(Drop) == [Drop((upload.id,))]


def test_one_that_was_announced_is_kept_though_it_was_not_noted(rig: Rig, ana: Client) -> None:
    """As after a server that was killed when the message was in the log already."""
    bob = rig.comes("bob")
    brings(rig, opens(rig, ana, wanted(ToUsers(("bob",)))).ticket)
    upload = is_whole(rig)
    (message,) = bob.takes(Message)
    rig.uploads.takes(Mark)
    rig.uploads.went_down()
    rig.uploads.says(Known((upload,), False))
    a_day_later(rig)
    assert rig.uploads.takes(Mark) == [Mark(replace(upload, seq=message.seq))]
    assert rig.uploads.takes(Drop) == []


@pytest.mark.parametrize("what", ["deleted", "another file's"])
def test_one_whose_message_is_gone_or_another_is_removed(rig: Rig, ana: Client, what: str) -> None:
    bob = rig.comes("bob")
    brings(rig, opens(rig, ana, wanted(ToUsers(("bob",)))).ticket)
    upload = is_whole(rig)
    (message,) = bob.takes(Message)
    if what == "deleted":
        ana.asks(Delete(6, message.seq))
    else:
        upload = replace(upload, id="f" * 32)
    rig.settle()
    rig.uploads.takes(Drop)
    rig.uploads.went_down()
    rig.uploads.says(Known((upload,), False))
    a_day_later(rig)
    assert rig.uploads.takes(Drop) == [Drop((upload.id,))]


def test_one_whose_message_is_on_its_way_waits(rig: Rig, ana: Client) -> None:
    rig.comes("bob")
    rig.log.is_held = True
    file = brings(rig, opens(rig, ana, wanted(ToUsers(("bob",)))).ticket)
    is_whole(rig)
    file.goes()
    rig.settle()
    a_day_later(rig)
    rig.log.is_held = False
    rig.settle()
    assert rig.uploads.takes(Drop) == [] and len(rig.uploads.takes(Mark)) == 1
