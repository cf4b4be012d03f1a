"""What a session carries from one connection, and from one server, to the next."""

from __future__ import annotations

from pathlib import Path

from mystic_client.session.affairs import Affairs
from mystic_client.session.memory import Memory
from mystic_client.session.standing import Standing
from mysticproto.model import Direct, Global, Message, ToGlobal, UserRef, Welcome

ANA, BOB = UserRef(1, "ana"), UserRef(2, "bob")


def affairs(folder: Path, *, watch: bool = True) -> Affairs:
    return Affairs(Standing("ana", None, Memory(folder), watch=watch, after=-1, resume=0), shares_read=True)


def test_numbers_are_never_used_twice(tmp_path: Path) -> None:
    here = affairs(tmp_path)
    assert [here.next_n() for _ in range(3)] == [1, 2, 3]


def test_a_server_that_greets_again_changes_nothing(tmp_path: Path) -> None:
    here = affairs(tmp_path)
    assert here.greeted(b"server") == []
    here.outbox.add(ToGlobal(), "hi", 0)
    assert here.greeted(b"server") == []
    assert len(here.outbox) == 1
    assert [state.text for state in here.greeted(b"other")] == ["hi"]
    assert here.greeted(b"server") == []
    assert [state.text for state in here.take_restored()] == ["hi"]
    assert here.take_restored() == []
    assert here.close("over") == []


def test_a_session_that_only_acts_keeps_nothing_and_marks_nothing(tmp_path: Path) -> None:
    here = affairs(tmp_path, watch=False)
    here.greeted(b"server")
    here.outbox.add(ToGlobal(), "hi", 0)
    here.passed_on([Message(5, 5, BOB, Direct((ANA, BOB)), "psst")])
    assert here.marks.maybe_due_at_s() is None
    assert [state.state for state in here.close("over")] == ["failed"]
    assert all(path.suffix == "" for path in (tmp_path / "places").iterdir())


def test_only_what_others_said_in_private_or_in_groups_is_marked(tmp_path: Path) -> None:
    here = affairs(tmp_path)
    here.greeted(b"server")
    here.standing.welcomed(Welcome(1, 5, ANA, "guest", 0))
    here.passed_on([Message(5, 5, BOB, Global(), "hi"), Message(6, 6, ANA, Direct((ANA, BOB)), "psst")])
    assert here.marks.maybe_due_at_s() is None
    here.passed_on([Message(7, 7, BOB, Direct((ANA, BOB)), "psst")])
    assert [mark.delivered for mark in here.marks.take_due(0.0, here.next_n)] == [7]
    here.close("over")
