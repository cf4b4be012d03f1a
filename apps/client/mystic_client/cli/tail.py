"""`mystic tail`: the last messages, then those that come.

Which the last N messages of all conversations are can't be asked for directly. The last N of the global conversation
can, and every message that is among the last N of all is at least as new as the oldest of these. So a session that only
acts finds that number, and the watching session starts as a device that has seen everything before it.
"""

import asyncio
from collections import deque
from datetime import UTC, datetime
from functools import partial
from typing import Any

import msgspec

from mystic_client.cli.output import show, talk
from mystic_client.cli.visit import Place, Visit, visiting
from mystic_client.model.text import format_line
from mystic_client.session.connection import Heard, Online, Waiting
from mysticproto.model import (
    MAX_HISTORY_PAGE,
    Conversation,
    Direct,
    GetHistory,
    Group,
    History,
    Message,
    ToGlobal,
    conversation_key,
)
from mysticproto.names import clean_line


class Tail:
    """Sorts what is heard into old and new messages; prints nothing by itself."""

    def __init__(self, last: int, count: int, upto: int) -> None:
        self._old: deque[Message] = deque(maxlen=last)
        self._new: list[Message] = []
        self._left = count or None
        self._upto = upto
        self._news = asyncio.Event()

    def heard(self, batch: list[Heard]) -> None:
        """Takes messages, as many new ones as were asked for; says where the connection stands."""
        for one in batch:
            match one:
                case Message(seq=seq) if seq <= self._upto:
                    self._old.append(one)
                case Message() if self._left != 0:
                    self._new.append(one)
                    self._left = self._left - 1 if self._left else None
                case Online(_, again):
                    talk("connected again" if again else "connected")
                case Waiting(reason):
                    talk(f"{reason}; trying again")
        self._news.set()

    @property
    def complete(self) -> bool:
        """Whether all new messages that were asked for are there."""
        return self._left == 0

    async def next(self, visit: Visit) -> list[Message]:
        """Messages to be printed, in order: the old ones together, once all of them came."""
        while True:
            if visit.session.cursor >= self._upto:
                messages = [*self._old, *self._new]
                self._old.clear()
                self._new.clear()
                if messages or self.complete:
                    return messages
            self._news.clear()
            await self._news.wait()


async def tail(place: Place, last: int, count: int, *, as_json: bool) -> None:
    """Prints until `count` new messages were printed (0: until the session ends)."""
    after, upto = await _start_of(place, last) if last else (-1, -1)
    taken = Tail(last, count, upto)
    async with visiting(place, taken.heard, watch=True, after=after) as visit:
        assert visit.ended is not None
        printing = asyncio.create_task(_print(taken, visit, as_json=as_json))
        try:
            await asyncio.wait({printing, visit.ended}, return_when=asyncio.FIRST_COMPLETED)
            if not printing.done():
                raise visit.failure(await visit.ended)
        finally:
            printing.cancel()
            await asyncio.wait({printing})
        printing.result()


async def _print(taken: Tail, visit: Visit, *, as_json: bool) -> None:
    while True:
        messages = await taken.next(visit)
        show(json_line(message) if as_json else text_line(message, visit.own_name) for message in messages)
        if taken.complete:
            return


async def _start_of(place: Place, last: int) -> tuple[int, int]:
    """After which number the last messages are to be found, and where the log is now."""
    async with visiting(place) as visit:
        assert visit.welcome is not None
        before, missing = 0, last
        while True:
            page = await visit.ask(partial(GetHistory, of=ToGlobal(), before=before, limit=MAX_HISTORY_PAGE))
            events = page.events if isinstance(page, History) else ()
            messages = [event.seq for event in events if isinstance(event, Message)]
            if len(messages) >= missing:
                return messages[-missing] - 1, visit.welcome.upto
            if not events or not isinstance(page, History) or not page.more:
                return 0, visit.welcome.upto
            missing -= len(messages)
            before = events[0].seq


def text_line(message: Message, own_name: str) -> str:
    """`[GLOBAL] ana: hi`, always in one line."""
    return format_line(msgspec.structs.replace(message, text=clean_line(message.text)), own_name) or ""


def json_line(message: Message) -> str:
    """One JSON object: seq, time (ISO 8601, UTC), author, conversation, text; to, group or file where there is one.

    A file has its name, its size in bytes, its BLAKE3 in digits, and a path if it lies in the shared folder.
    """
    line: dict[str, Any] = {
        "seq": message.seq,
        "time": iso_time(message.time_us),
        "author": message.author.name,
        "conversation": conversation_key(message.conversation).partition(":")[0],
        **_whereabouts(message.conversation, message.author.id),
        "text": message.text,
    }
    if message.file is not None:
        file = message.file
        line["file"] = {"name": file.name, "size": file.size, "blake3": file.blake3.hex(), "path": file.path}
    return msgspec.json.encode(line).decode()


def _whereabouts(conversation: Conversation, author_id: int) -> dict[str, Any]:
    match conversation:
        case Direct(users):
            return {"to": [user.name for user in users if user.id != author_id]}
        case Group(_, name):
            return {"group": name}
    return {}


def iso_time(time_us: int) -> str:
    """ "2026-11-21T09:30:00.000000Z"; a time that no calendar has becomes 1970."""
    try:
        when = datetime.fromtimestamp(time_us // 1_000_000, UTC).replace(microsecond=time_us % 1_000_000)
    except (OverflowError, OSError, ValueError):
        when = datetime.fromtimestamp(0, UTC)
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")
