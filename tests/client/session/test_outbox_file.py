"""The outbox over restarts: in order, with what failed, and for the right server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TypeAlias

import pytest

from mystic_client.session.heard import PostState
from mystic_client.session.outbox import MAX_FAILED, NO_ROOM, OTHER_SERVER, TOO_LONG, Outbox
from mysticproto.model import MAX_TEXT_BYTES, Ok, Refused, ToGlobal, ToGroup, ToUsers

Start: TypeAlias = Callable[[Path | None], tuple[Outbox, list[PostState]]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a program with this file; what it told first. A former one that still runs is as good as killed."""
    made: list[Outbox] = []

    def start(path: Path | None) -> tuple[Outbox, list[PostState]]:
        made.append(Outbox(count(1000).__next__))
        return made[-1], made[-1].take_up(path)

    yield start
    for outbox in made:
        outbox.give_up("over")


def texts(outbox: Outbox) -> list[str]:
    return [entry.text for entry in outbox.waiting()]


def test_a_killed_program_finds_everything_again_in_order(tmp_path: Path, start: Start) -> None:
    outbox, told = start(tmp_path / "outbox")
    assert told == []
    entries = [
        outbox.add(to, text, 7) for to, text in ((ToGlobal(), "a"), (ToUsers(("bob",)), "b"), (ToGroup("g"), "c"))
    ]
    outbox.asked(1, entries[1])
    outbox.maybe_settle(Ok(1, 50))
    again, told = start(tmp_path / "outbox")
    assert told == [
        PostState(entry.cid, "pending", entry.to, entry.text, time_us=entry.time_us, reply_to=7, restored=True)
        for entry in (entries[0], entries[2])
    ]
    assert texts(again) == ["a", "c"]
    assert [entry.cid for entry in again.waiting()] == [entries[0].cid, entries[2].cid]


def test_what_was_said_before_the_server_was_known_goes_behind_the_rest(tmp_path: Path, start: Start) -> None:
    first, _ = start(tmp_path / "outbox")
    first.add(ToGlobal(), "long ago", 0)
    first.give_up("over")
    second, _ = start(None)
    second.add(ToGlobal(), "early", 0)
    assert [state.text for state in second.take_up(tmp_path / "outbox")] == ["long ago"]
    second.add(ToGlobal(), "late", 0)
    assert texts(second) == ["long ago", "early", "late"]
    third, _ = start(tmp_path / "outbox")
    assert texts(third) == ["long ago", "early", "late"]


def test_the_end_fails_only_what_is_not_kept(tmp_path: Path, start: Start) -> None:
    kept, _ = start(tmp_path / "outbox")
    loose, _ = start(None)
    for outbox in (kept, loose):
        outbox.add(ToGlobal(), "hi", 0)
    assert kept.give_up("over") == []
    assert [state.error for state in loose.give_up("over")] == ["over"]
    assert (len(kept), len(loose)) == (0, 0)
    assert texts(start(tmp_path / "outbox")[0]) == ["hi"]


def test_what_failed_stays_until_it_is_retried_or_discarded(tmp_path: Path, start: Start) -> None:
    outbox, _ = start(tmp_path / "outbox")
    one, two, three = (outbox.add(ToGlobal(), text, 0) for text in ("one", "two", "three"))
    for n, entry in enumerate((one, two)):
        outbox.asked(n, entry)
        outbox.maybe_settle(Refused(n, "muted", "You are muted."))
    outbox, told = start(tmp_path / "outbox")
    assert [(state.text, state.state, state.error) for state in told] == [
        ("three", "pending", ""), ("one", "failed", "You are muted."), ("two", "failed", "You are muted."),
    ]  # fmt: skip
    assert outbox.discard(two.cid)
    assert not outbox.discard(two.cid)
    retried = outbox.maybe_retry(one.cid)
    assert retried is not None and retried.cid == one.cid
    assert outbox.maybe_retry(one.cid) is None
    assert outbox.maybe_retry(three.cid) is None
    outbox, told = start(tmp_path / "outbox")
    assert [(state.text, state.state) for state in told] == [("three", "pending"), ("one", "pending")]


def test_what_waits_can_be_discarded_unless_it_is_under_way(tmp_path: Path, start: Start) -> None:
    outbox, _ = start(tmp_path / "outbox")
    entry = outbox.add(ToGlobal(), "hi", 0)
    outbox.asked(1, entry)
    assert not outbox.discard(entry.cid)
    outbox.disconnected()
    assert outbox.discard(entry.cid)
    assert start(tmp_path / "outbox")[1] == []


def test_what_can_not_be_sent_as_it_is_fails_at_the_next_start(tmp_path: Path, start: Start) -> None:
    outbox, _ = start(tmp_path / "outbox")
    outbox.add(ToGlobal(), "x" * (MAX_TEXT_BYTES + 1), 0)
    outbox.add(ToGroup(), "to the room I am in", 0)
    outbox.add(ToGroup("dev"), "to dev", 0)
    outbox, told = start(tmp_path / "outbox")
    assert [(state.state, state.error) for state in told] == [
        ("pending", ""),
        ("failed", TOO_LONG),
        ("failed", NO_ROOM),
    ]
    assert texts(outbox) == ["to dev"]


def test_what_was_for_one_server_is_not_said_on_another(tmp_path: Path, start: Start) -> None:
    outbox, _ = start(tmp_path / "here")
    outbox.add(ToUsers(("ana",)), "between us", 0)
    assert [state.error for state in outbox.leave()] == [OTHER_SERVER]
    assert outbox.take_up(tmp_path / "there") == []
    outbox.add(ToGlobal(), "hello there", 0)
    outbox.leave()
    assert [state.text for state in outbox.take_up(tmp_path / "here")] == ["between us"]


def test_failures_are_bounded(tmp_path: Path, start: Start) -> None:
    outbox, _ = start(tmp_path / "outbox")
    entries = []
    for n in range(MAX_FAILED + 1):
        entries.append(outbox.add(ToGlobal(), str(n), 0))
        outbox.asked(n, entries[-1])
        outbox.maybe_settle(Refused(n, "muted", "No."))
    assert outbox.maybe_retry(entries[0].cid) is None
    _, told = start(tmp_path / "outbox")
    assert [state.text for state in told] == [str(n) for n in range(1, MAX_FAILED + 1)]


def test_a_long_life_leaves_a_short_file(tmp_path: Path, start: Start) -> None:
    outbox, _ = start(tmp_path / "outbox")
    waits = outbox.add(ToGlobal(), "waits", 0)
    for n in range(2000):
        entry = outbox.add(ToGlobal(), "x" * 500, 0)
        outbox.asked(n, entry)
        outbox.maybe_settle(Ok(n))
    assert (tmp_path / "outbox").stat().st_size < 300_000
    assert [state.cid for state in start(tmp_path / "outbox")[1]] == [waits.cid]
