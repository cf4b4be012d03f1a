"""`mystic search` and `mystic history`: what was said before."""

import time
from functools import partial
from typing import TypeAlias

from mystic_client.cli.output import show, talk
from mystic_client.cli.status import Failure, Status
from mystic_client.cli.tail import json_line, text_line
from mystic_client.cli.visit import Place, Visit, visiting
from mystic_client.model.search import STILL_INDEXING
from mystic_client.model.spans import parse_when
from mystic_client.model.text import stamp
from mysticproto import model
from mysticproto.model import MAX_HISTORY_PAGE, MAX_SEARCH_PAGE, GetHistory, Search, ToGlobal, ToGroup, ToUsers

Whereabouts: TypeAlias = ToGlobal | ToGroup | ToUsers


async def search(
    place: Place, words: str, of: Whereabouts | None, author: str, since: str, until: str, limit: int, *, as_json: bool
) -> None:
    """The newest messages with these words, the oldest of them first; none found is status 1."""
    now_us = time.time_ns() // 1000
    since_us, until_us = _moment(since, now_us), _moment(until, now_us, end=True)
    async with visiting(place) as visit:
        hits: list[model.Message] = []
        before, is_complete = 0, True
        while len(hits) < limit:
            wanted = min(MAX_SEARCH_PAGE, limit - len(hits))
            ask = partial(
                Search,
                words=words,
                of=of,
                author=author,
                since_us=since_us,
                until_us=until_us,
                before=before,
                limit=wanted,
            )
            found = await visit.ask(ask)
            if not isinstance(found, model.Found):
                break
            hits += found.hits
            before, is_complete = found.before, is_complete and found.complete
            if not found.more:
                break
        _show(hits[::-1], visit, as_json=as_json)
    if not is_complete:
        talk(STILL_INDEXING)
    if not hits:
        raise Failure(Status.REFUSED, "nothing was found")


async def history(place: Place, of: Whereabouts, before: int, limit: int, *, as_json: bool) -> None:
    """The last messages of one conversation, those before a number if one is given."""
    async with visiting(place) as visit:
        messages: list[model.Message] = []
        more = True
        while more and len(messages) < limit:
            page = await visit.ask(partial(GetHistory, of=of, before=before, limit=MAX_HISTORY_PAGE))
            if not isinstance(page, model.History) or not page.events:
                break
            older = [event for event in page.events if isinstance(event, model.Message)]
            messages = older + messages
            before, more = page.events[0].seq, page.more
        _show(messages[-limit:], visit, as_json=as_json)
        if more and len(messages) >= limit:
            talk(f"there is more: --before {messages[-limit].seq}")


def _show(messages: list[model.Message], visit: Visit, *, as_json: bool) -> None:
    if as_json:
        show(json_line(message) for message in messages)
        return
    now_us = time.time_ns() // 1000
    width = max((len(str(message.seq)) for message in messages), default=0)
    show(
        f"{message.seq:>{width}}  {stamp(message.time_us, now_us)}  {text_line(message, visit.own_name)}"
        for message in messages
    )


def _moment(text: str, now_us: int, *, end: bool = False) -> int:
    try:
        return parse_when(text, now_us, end=end) if text else 0
    except ValueError as problem:
        raise Failure(Status.USAGE, str(problem)) from None
