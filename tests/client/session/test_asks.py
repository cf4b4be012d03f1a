"""Questions and their answers."""

from __future__ import annotations

import asyncio

import pytest

from mystic_client.session.asks import MAX_LINES, MAX_WAITING, Asks
from mystic_client.session.heard import NotConnected
from mysticproto.errors import ProtocolError
from mysticproto.model import Folder, FolderEntry, Group, GroupInfo, Groups, Ok, Pong, UserInfo, UserRef, Users

ANA = UserRef(1, "ana")


def entry(name: str) -> FolderEntry:
    return FolderEntry(name, "file")


async def test_parts_of_every_kind_become_one() -> None:
    asks = Asks()
    folder, users, groups = asks.open(1), asks.open(2), asks.open(3)
    team = GroupInfo(Group(1, "team"), ANA, (ANA,))
    asks.answered(Folder(1, "f", (entry("a"),), 2, more=True))
    asks.answered(Users(2, (UserInfo(ANA),), more=True))
    asks.answered(Groups(3, (team,), more=True))
    assert not folder.done()
    asks.answered(Groups(3, (team,)))
    asks.answered(Folder(1, "f", (entry("b"),), 2))
    asks.answered(Users(2, ()))
    assert await folder == Folder(1, "f", (entry("a"), entry("b")), 2)
    assert await users == Users(2, (UserInfo(ANA),))
    assert await groups == Groups(3, (team, team))


async def test_who_asked_hears_that_a_long_answer_goes_on() -> None:
    asks, parts = Asks(), [0]

    def goes_on() -> None:
        parts[0] += 1

    answer = asks.open(1, goes_on)
    for more in (True, True, False):
        asks.answered(Users(1, (UserInfo(ANA),), more=more))
    assert parts == [2]
    assert await answer == Users(1, (UserInfo(ANA),) * 3)


async def test_what_nobody_waits_for_is_dropped() -> None:
    asks = Asks()
    asks.answered(Pong(1, 1))
    answer = asks.open(1)
    asks.forget(1)
    asks.answered(Ok(1))
    assert not answer.done()
    waiting = asks.open(2)
    waiting.cancel()
    asks.answered(Ok(2))


async def test_endless_parts_end_the_conversation() -> None:
    asks = Asks()
    asks.open(1)
    part = Folder(1, "", (entry("a"),) * 1000, 10**9, more=True)
    with pytest.raises(ProtocolError):
        for _ in range(MAX_LINES):
            asks.answered(part)


async def test_empty_parts_count_too() -> None:
    asks = Asks()
    asks.open(1)
    with pytest.raises(ProtocolError):
        for _ in range(MAX_LINES + 1):
            asks.answered(Users(1, (), more=True))


async def test_a_break_fails_all() -> None:
    asks = Asks()
    answers = [asks.open(n) for n in range(3)]
    asks.disconnected("it broke")
    for answer in answers:
        with pytest.raises(NotConnected, match="it broke"):
            await answer
    asks.answered(Ok(1))
    assert asyncio.isfuture(asks.open(1))


async def test_open_questions_are_bounded() -> None:
    asks = Asks()
    for n in range(MAX_WAITING):
        asks.open(n)
    with pytest.raises(NotConnected):
        asks.open(MAX_WAITING)
