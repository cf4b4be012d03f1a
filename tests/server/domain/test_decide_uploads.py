"""Who may bring files, what announces them, and who may have the file of a message."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from mystic_server.domain.decide_uploads import announcement_refused, decide_fetch, decide_upload
from mystic_server.domain.events import Amended, Committed, Edited, Posted, SharedFile
from mysticproto.model import OpenDownload, OpenUpload, Refused, ToGlobal, ToGroup, ToUsers
from tests.support.transcript import START_US, Person, Room, keep, remove

CID = b"c" * 16
HASH = b"h" * 32
FILE = SharedFile("plan.txt", 10, HASH, "", "0" * 32)
NUMBER = 7


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
def ana(room: Room) -> Person:
    ana = room.comes("ana", b"k" * 32)
    room.comes("bob")
    return ana


def asked(
    person: Person,
    to: ToGlobal | ToUsers | ToGroup | None = None,
    *,
    text: str = "",
    cid: bytes = CID,
    uploads: str = "members",
) -> Posted | Refused | None:
    request = OpenUpload(3, "plan.txt", 10, HASH, "", to, text, cid)
    return decide_upload(person.room.world, person.here, request, uploads, START_US)


def code(decision: object) -> str:
    assert isinstance(decision, Refused) and decision.n == 3
    return decision.code


# Who may.


def test_whose_name_is_their_own_may_bring_files(ana: Person) -> None:
    assert asked(ana) is None


@pytest.mark.parametrize("uploads", ["members", "operators", "off"])
def test_guests_may_not(room: Room, uploads: str) -> None:
    assert code(asked(room.comes("eve"), uploads=uploads)) == "not_allowed"


def test_the_setting_leaves_it_to_operators_or_nobody(ana: Person) -> None:
    assert code(asked(ana, uploads="operators")) == code(asked(ana, uploads="off")) == "not_allowed"
    ana.room.world.users[ana.here.user].is_operator = True
    assert asked(ana, uploads="operators") is None
    assert code(asked(ana, uploads="off")) == "not_allowed"


# The message.


def test_the_message_says_what_its_author_said_or_the_file_s_name(ana: Person) -> None:
    said = asked(ana, ToGlobal(), text="look")
    assert isinstance(said, Posted) and (said.text, said.cid, said.file) == ("look", CID, None)
    silent = asked(ana, ToUsers(("bob",)), text=" ")
    assert isinstance(silent, Posted) and silent.text == "plan.txt" and len(silent.users) == 2


@pytest.mark.parametrize(
    ("to", "expected"),
    [(ToGroup("nowhere"), "unknown_group"), (ToGroup(), "no_group"), (ToUsers(("nobody",)), "unknown_user")],
)
def test_what_could_not_be_said_is_refused_before_a_byte_comes(
    ana: Person, to: ToUsers | ToGroup, expected: str
) -> None:
    assert code(asked(ana, to)) == expected


def test_an_announcement_needs_a_client_id(ana: Person) -> None:
    assert code(asked(ana, ToGlobal(), cid=b"")) == "malformed"
    assert asked(ana, None, cid=b"") is None


def test_a_muted_user_sends_no_files_to_anybody(ana: Person) -> None:
    ana.room.world.users[ana.here.user].muted_until_us = START_US + 1
    assert code(asked(ana, ToGlobal())) == "muted"
    assert asked(ana) is None


# When it is whole.


def test_what_was_allowed_at_first_may_not_be_any_more(ana: Person) -> None:
    room = ana.room
    ana >> keep("team", "bob")
    posted = asked(ana, ToGroup("team"))
    assert isinstance(posted, Posted)
    assert announcement_refused(room.world, 3, posted, START_US) is None
    user = room.world.users[ana.here.user]
    user.muted_until_us = START_US + 1
    assert code(announcement_refused(room.world, 3, posted, START_US)) == "muted"
    user.muted_until_us = 0
    left = replace(posted, author=room.world.user_named("bob").id)  # type: ignore[union-attr]
    ana >> remove("team", "bob")
    assert code(announcement_refused(room.world, 3, left, START_US)) == "not_in_group"
    gone = replace(posted, conversation="group:99")
    assert code(announcement_refused(room.world, 3, gone, START_US)) == "unknown_group"
    user.is_gone = True
    assert code(announcement_refused(room.world, 3, posted, START_US)) == "account_deleted"


def test_a_direct_message_stays_allowed(ana: Person) -> None:
    posted = asked(ana, ToUsers(("bob",)))
    assert isinstance(posted, Posted)
    assert announcement_refused(ana.room.world, 3, posted, START_US) is None


# Whose file it is.


def fetched(person: Person, original: Committed | None) -> SharedFile | Refused:
    return decide_fetch(person.room.world, person.here, OpenDownload(3, "", message=NUMBER), original)


def direct(ana: Person, file: SharedFile | None = FILE) -> Committed:
    users = tuple(sorted(user.id for name in ("ana", "bob") if (user := ana.room.world.user_named(name))))
    key = "direct:" + ",".join(map(str, users))
    return Committed(NUMBER, 1, Posted(9, users[0], key, "plan.txt", users=users, file=file))


def test_those_who_may_read_the_message_may_have_its_file(ana: Person) -> None:
    original = direct(ana)
    assert fetched(ana, original) == FILE
    assert code(fetched(ana.room.comes("eve"), original)) == "file_not_found"


def test_a_message_without_a_file_or_none_at_all_has_nothing_to_fetch(ana: Person) -> None:
    for original in (None, direct(ana, None), Committed(NUMBER, 1, Edited(9, 1, 3, "global", "x"))):
        assert code(fetched(ana, original)) == "file_not_found"


def test_a_deleted_message_s_file_is_gone(ana: Person) -> None:
    original = replace(direct(ana), amended=Amended("", 2, deleted=True))
    assert code(fetched(ana, original)) == "message_deleted"
    ana.room.world.remember_deleted(NUMBER)
    assert code(fetched(ana, direct(ana))) == "message_deleted"
