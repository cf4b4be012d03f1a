"""Leave to bring files, as the server gives it: names, sizes, quotas, places, tickets, and what the child answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from mystic_server.files.tree import FileId
from mystic_server.files.upload_messages import (
    Begin,
    Drop,
    Failed,
    Finish,
    Finished,
    Gone,
    Known,
    Leave,
    Mark,
    Piece,
    Sweep,
    Upload,
    Written,
)
from mystic_server.files.uploads import UNANNOUNCED_MAX, WINDOW_BYTES, Ended, Incoming, UploadLimits
from mysticproto.model import OpenUpload, Refused, ToGlobal, UploadTicket
from tests.server.files.test_placing import BAD_NAMES
from tests.server.hub.fakes import FakeUploads

ANA, BOB = 7, 8
HASH = b"h" * 32
CID = b"c" * 16
DAY_US = 24 * 3600 * 1_000_000
LIMITS = UploadLimits(file_bytes=1000, user_bytes=2500, uploads=3, kept_per_user=5, kept=7)


def wanted(
    name: str = "a.txt",
    size: int = 100,
    hash: bytes = HASH,
    *,
    folder: str = "",
    to: ToGlobal | None = None,
    cid: bytes = CID,
) -> OpenUpload:
    return OpenUpload(5, name, size, hash, folder, to, "", cid)


class Desk:
    """An upload area and what it answers."""

    def __init__(self, tmp_path: Path, limits: UploadLimits = LIMITS) -> None:
        self.area = FakeUploads(tmp_path, limits)
        self.answers: list[UploadTicket | Refused] = []
        self.now, self.now_us = 1000.0, DAY_US

    def open(self, request: OpenUpload, user: int = ANA, note: object = None) -> None:
        self.area.open(request, user, self.now, self.now_us, note, self.answers.append)

    def ticket(self, request: OpenUpload, user: int = ANA, offset: int = 0, note: object = None) -> UploadTicket:
        self.open(request, user, note)
        assert self.answers == [], self.answers
        self.area.begins(offset)
        ticket = self.answers.pop()
        assert isinstance(ticket, UploadTicket), ticket
        assert (ticket.n, ticket.offset) == (5, offset)
        return ticket

    def code(self, request: OpenUpload, user: int = ANA) -> str:
        self.open(request, user)
        answer = self.answers.pop()
        assert isinstance(answer, Refused) and answer.n == 5
        return answer.code

    def redeem(self, ticket: UploadTicket) -> tuple[Incoming, list[Ended]]:
        incoming = self.area.redeem(6, ticket.ticket, self.now)
        assert isinstance(incoming, Incoming)
        ended: list[Ended] = []
        incoming.ended = ended.append
        incoming.begin()
        return incoming, ended

    def redeem_code(self, ticket: bytes) -> str:
        refused = self.area.redeem(6, ticket, self.now)
        assert isinstance(refused, Refused) and refused.n == 6
        return refused.code

    def bring(self, request: OpenUpload, user: int = ANA) -> Upload:
        """All of it, into its place."""
        incoming, ended = self.redeem(self.ticket(request, user))
        if request.size:
            incoming.write(bytes(request.size))
        file = FileId(1, 2, request.size, 3)
        path = "" if incoming.upload.keeps else f"{request.folder}/{request.name}"
        self.area.says(Finished(incoming.number, replace(incoming.upload, is_whole=True, path=path, file=file)))
        incoming.finished()
        return ended[0].upload


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    yield Desk(tmp_path)


# What is refused at once.


@pytest.mark.parametrize("name", BAD_NAMES)
def test_traps_are_refused(desk: Desk, name: str) -> None:
    assert desk.code(wanted(name)) == "file_name_invalid"
    assert desk.area.child.told == []


@pytest.mark.parametrize(
    "folder", ["..", "/", "/etc", "a//b", "a/../b", ".git", "a/CON", "a/x ", "x" * 5000, "a/" * 100]
)
def test_so_are_traps_among_folders(desk: Desk, folder: str) -> None:
    assert desk.code(wanted(folder=folder)) == "file_name_invalid"


def test_too_large_or_senseless(desk: Desk) -> None:
    assert desk.code(wanted(size=1001)) == "file_too_large"
    assert desk.code(wanted(size=-1)) == desk.code(wanted(hash=b"short")) == "malformed"


def test_nothing_before_it_is_known_what_there_is(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.area.went_down()
    assert desk.code(wanted()) == "files_unavailable"
    desk.area.says(Known((), True))
    assert desk.code(wanted()) == "files_unavailable"
    desk.area.says(Known((), False))
    desk.ticket(wanted())


# Places.


def test_two_at_once_for_one_user_and_so_many_in_all(desk: Desk) -> None:
    first = desk.ticket(wanted("1"))
    desk.open(wanted("2"))
    assert desk.code(wanted("3")) == "limit_reached"
    desk.ticket(wanted("4"), BOB)
    assert desk.code(wanted("5"), BOB) == "limit_reached"
    incoming, _ = desk.redeem(first)
    incoming.finished()
    incoming.finished()
    assert desk.area.takes(Leave) == [Leave(incoming.number)]
    desk.ticket(wanted("5"), BOB)


def test_a_ticket_is_good_once_and_for_a_minute(desk: Desk) -> None:
    ticket = desk.ticket(wanted())
    desk.redeem(ticket)
    assert desk.redeem_code(ticket.ticket) == desk.redeem_code(b"") == desk.redeem_code(b"x" * 16) == "bad_ticket"
    late = desk.ticket(wanted("late"), BOB)
    desk.now += 60
    assert desk.redeem_code(late.ticket) == "bad_ticket"
    desk.area.expire(desk.now, desk.now_us)
    assert desk.area.uploads == 1, "its place is free"


def test_the_same_upload_goes_on_where_it_was_asked_for_last(desk: Desk) -> None:
    first, ended = desk.redeem(desk.ticket(wanted()))
    first.write(bytes(40))
    second = desk.ticket(wanted(), offset=40)
    assert [end.code for end in ended] == ["bad_ticket"]
    assert desk.area.takes(Leave) == [Leave(first.number)]
    first.write(bytes(10))
    assert [piece.number for piece in desk.area.takes(Piece)] == [first.number], "nothing more from there"
    incoming, _ = desk.redeem(second)
    assert (incoming.left, incoming.upload.id, desk.area.uploads) == (60, first.upload.id, 1)


def test_whoever_still_waits_for_the_same_ticket_is_told(desk: Desk) -> None:
    desk.open(wanted())
    desk.open(wanted())
    (refused,) = desk.answers
    assert isinstance(refused, Refused) and refused.code == "bad_ticket"


# Room.


def test_a_user_s_files_have_room_together(desk: Desk) -> None:
    for name in "12":
        desk.bring(wanted(name, 1000))
    assert desk.code(wanted("3", 501)) == "quota_reached"
    desk.bring(wanted("3", 500))
    desk.ticket(wanted("1", 1000), BOB)


def test_what_is_begun_counts_and_going_on_needs_no_more_room(desk: Desk) -> None:
    desk.ticket(wanted("1", 1000))
    desk.ticket(wanted("2", 1000))
    desk.now += 61
    desk.area.expire(desk.now, desk.now_us)
    assert desk.code(wanted("3", 501)) == "quota_reached"
    desk.ticket(wanted("1", 1000))


def test_so_many_files_and_no_more(desk: Desk) -> None:
    for number in range(5):
        desk.bring(wanted(f"{number}", 0))
    assert desk.code(wanted("5", 0)) == "quota_reached"
    for number in range(2):
        desk.bring(wanted(f"{number}", 0), BOB)
    assert desk.code(wanted("2", 0), BOB) == "quota_reached"


@pytest.mark.parametrize("how", ["deleted", "gone", "dropped", "cancelled"])
def test_what_is_gone_makes_room(desk: Desk, how: str) -> None:
    if how in ("deleted", "gone"):
        upload = desk.bring(wanted("1", 1000, to=ToGlobal() if how == "deleted" else None))
        desk.area.announced(upload, 41)
        if how == "deleted":
            desk.area.message_deleted(41)
            assert desk.area.takes(Drop) == [Drop((upload.id,))]
        else:
            desk.area.says(Gone((upload.id,)))
    else:
        incoming, _ = desk.redeem(desk.ticket(wanted("1", 1000)))
        if how == "dropped":
            desk.area.says(Failed(incoming.number, "disk_full", "Full.", True))
        else:
            assert desk.area.cancel(ANA, "1", HASH)
    for name in "23":
        desk.bring(wanted(name, 1000))
    desk.bring(wanted("4", 500))


def test_a_deleted_message_leaves_the_shared_folder_alone(desk: Desk) -> None:
    upload = desk.bring(wanted(folder="plans"))
    desk.area.announced(upload, 41)
    assert desk.area.takes(Mark) == [Mark(replace(upload, seq=41))]
    desk.area.announced(upload, 41)
    desk.area.message_deleted(41)
    desk.area.message_deleted(42)
    assert not desk.area.takes(Drop) and not desk.area.takes(Mark)


# Gone on with.


def test_what_was_begun_is_known_by_user_name_size_and_hash(desk: Desk) -> None:
    def begun(request: OpenUpload, user: int = ANA) -> Upload:
        desk.open(request, user)
        upload = desk.area.begins().upload
        desk.now += 61
        desk.area.expire(desk.now, desk.now_us)
        return upload

    first = begun(wanted())
    others = [(wanted("b.txt"), ANA), (wanted(size=99), ANA), (wanted(hash=b"H" * 32), ANA), (wanted(), BOB)]
    assert len({first.id} | {begun(*other).id for other in others}) == 5
    again = begun(wanted(folder="elsewhere", cid=b"d" * 16))
    assert (again.id, again.folder, again.cid) == (first.id, "elsewhere", b"d" * 16)


def test_what_is_whole_is_known_by_its_message_or_its_folder(desk: Desk) -> None:
    sent = desk.bring(wanted(to=ToGlobal()))
    shared = desk.bring(wanted(folder="plans"))
    for request, expected in [
        (wanted(to=ToGlobal()), sent.id),
        (wanted(folder="plans"), shared.id),
        (wanted(folder="plans", to=ToGlobal(), cid=b"d" * 16), shared.id),
    ]:
        desk.open(request)
        begin = desk.area.begins(100)
        assert begin.upload.id == expected
        incoming, ended = desk.redeem(desk.answers.pop())  # type: ignore[arg-type]
        assert [end.upload.id for end in ended] == [expected] and not ended[0].code
        incoming.finished()
    assert len(desk.area.takes(Finish)) == 2, "nothing is brought again"
    desk.open(wanted(to=ToGlobal(), cid=b"e" * 16))
    assert desk.area.begins().upload.id not in (sent.id, shared.id), "another message has a file of its own"


# What comes.


def test_pieces_go_to_the_child_a_window_ahead_at_most(tmp_path: Path) -> None:
    desk = Desk(tmp_path, UploadLimits())
    incoming, ended = desk.redeem(desk.ticket(wanted(size=2 * WINDOW_BYTES)))
    moved: list[bool] = []
    incoming.moved = lambda: moved.append(incoming.is_full)
    incoming.write(bytes(WINDOW_BYTES - 1))
    before = incoming.is_full
    incoming.write(b"x")
    assert (before, incoming.is_full) == (False, True)
    desk.area.says(Written(incoming.number, WINDOW_BYTES))
    assert moved == [False] and incoming.left == WINDOW_BYTES
    incoming.write(bytes(WINDOW_BYTES))
    assert [type(each) for each in desk.area.child.told] == [Piece, Piece, Piece, Finish]
    assert ended == []


def test_nothing_to_bring_is_whole_at_once(desk: Desk) -> None:
    incoming, _ = desk.redeem(desk.ticket(wanted(size=0)))
    assert desk.area.takes(Finish) == [Finish(incoming.number)]


def test_the_note_comes_back(desk: Desk) -> None:
    incoming, _ = desk.redeem(desk.ticket(wanted(), note="note"))
    assert incoming.note == "note"


def test_a_failure_ends_it(desk: Desk) -> None:
    incoming, ended = desk.redeem(desk.ticket(wanted()))
    desk.area.says(Failed(incoming.number, "disk_full", "Full.", True))
    assert [(end.code, end.text) for end in ended] == [("disk_full", "Full.")]
    incoming.write(bytes(100))
    desk.area.says(Failed(incoming.number, "disk_full", "Full.", True))
    incoming.finished()
    assert not desk.area.takes(Piece) and not desk.area.takes(Leave)
    assert len(ended) == 1 and desk.area.uploads == 0


def test_a_refusal_to_begin_is_told_the_asker(desk: Desk) -> None:
    desk.open(wanted())
    (begin,) = desk.area.takes(Begin)
    desk.area.says(Failed(begin.number, "disk_full", "Full.", True))
    (refused,) = desk.answers
    assert refused == Refused(5, "disk_full", "Full.", "a.txt")
    assert desk.area.uploads == 0


def test_a_child_that_dies_ends_everything_and_nothing_is_lost(desk: Desk) -> None:
    whole = desk.bring(wanted("whole"))
    incoming, ended = desk.redeem(desk.ticket(wanted()))
    desk.open(wanted("asked"))
    desk.area.child.is_up = False
    desk.area.went_down()
    assert [end.code for end in ended] == ["files_unavailable"]
    assert [answer.code for answer in desk.answers if isinstance(answer, Refused)] == ["files_unavailable"]
    incoming.write(b"x")
    incoming.finished()
    desk.area.expire(desk.now + 9999, desk.now_us)
    desk.area.child.is_up = True
    desk.area.came_up()
    desk.area.says(Known((whole, incoming.upload), False))
    desk.answers.clear()
    desk.ticket(wanted(), offset=10)
    assert desk.code(wanted("x", 1001)) == "file_too_large"


# Given up.


def test_somebody_gives_up_what_they_have_begun(desk: Desk) -> None:
    incoming, ended = desk.redeem(desk.ticket(wanted()))
    assert not desk.area.cancel(BOB, "a.txt", HASH)
    assert not desk.area.cancel(ANA, "a.txt", b"x" * 32)
    assert desk.area.cancel(ANA, "a.txt", HASH)
    assert [end.code for end in ended] == ["bad_ticket"]
    assert desk.area.takes(Drop) == [Drop((incoming.upload.id,))]
    assert not desk.area.cancel(ANA, "a.txt", HASH)
    desk.bring(wanted("whole"))
    assert not desk.area.cancel(ANA, "whole", HASH), "that is not begun, but done"


@pytest.mark.parametrize("later_us", [DAY_US, -DAY_US])
def test_what_nobody_goes_on_with_is_dropped_after_a_day(desk: Desk, later_us: int) -> None:
    desk.bring(wanted("whole"))
    running, _ = desk.redeem(desk.ticket(wanted("running")))
    left, _ = desk.redeem(desk.ticket(wanted("left")))
    left.finished()
    desk.area.expire(desk.now, desk.now_us)
    assert desk.area.takes(Drop) == [] and desk.area.takes(Sweep) == [Sweep()]
    desk.area.expire(desk.now + 3599, desk.now_us + later_us)
    assert desk.area.takes(Sweep) == [], "not so often"
    desk.area.expire(desk.now + 3600, desk.now_us + later_us)
    assert desk.area.takes(Drop) == [Drop((left.upload.id,))]
    assert running.left == 100


def test_what_is_whole_and_has_no_message_is_asked_about_after_a_day(desk: Desk) -> None:
    asked: list[Upload] = []
    desk.area.on_unannounced = asked.append
    desk.bring(wanted("shared"))
    desk.area.announced(desk.bring(wanted("announced", to=ToGlobal())), 41)
    upload = desk.bring(wanted("lost", 1000, to=ToGlobal()))
    desk.area.expire(desk.now, desk.now_us + DAY_US - 1)
    assert asked == []
    desk.area.expire(desk.now + 3600, desk.now_us + DAY_US)
    assert asked == [upload] and desk.area.takes(Drop) == []
    desk.area.give_up(upload)
    desk.area.give_up(upload)
    assert desk.area.takes(Drop) == [Drop((upload.id,))]
    desk.bring(wanted("2", 1000))
    desk.bring(wanted("3", 1000 - 200))
    desk.area.expire(desk.now + 7200, desk.now_us)
    assert asked == [upload]


def test_what_is_gone_on_with_is_not_given_up(desk: Desk) -> None:
    upload = desk.bring(wanted(to=ToGlobal()))
    incoming, _ = desk.redeem(desk.ticket(wanted(to=ToGlobal()), offset=100))
    desk.area.give_up(upload)
    desk.area.announced(upload, 41)
    incoming.finished()
    desk.area.give_up(upload)
    assert desk.area.takes(Drop) == []


def test_so_many_are_asked_about_at_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path, UploadLimits(unfinished_life_s=10))
    asked: list[Upload] = []
    desk.area.on_unannounced = asked.append
    for number in range(UNANNOUNCED_MAX + 5):
        desk.bring(wanted(f"{number}", 0, to=ToGlobal()))
    desk.area.expire(desk.now, desk.now_us + DAY_US)
    assert len(asked) == UNANNOUNCED_MAX
    for upload in asked:
        desk.area.give_up(upload)
    desk.area.expire(desk.now + 10, desk.now_us + DAY_US)
    assert len(asked) == UNANNOUNCED_MAX + 5


# Files of messages.


def test_a_kept_file_is_opened_as_it_was_sent(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "abc")
    with open(desk.area.open_kept("abc", 5) or -1, "rb") as file:
        assert file.read() == b"12345"
    assert desk.area.open_kept("abc", 6) is None
    assert desk.area.open_kept("link", 5) is None
    assert desk.area.open_kept("nothing", 5) is None
