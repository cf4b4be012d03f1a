"""`mystic op`: what operators do."""

import time
from collections.abc import Callable

from mystic_client.cli.output import show
from mystic_client.cli.status import Failure, Status
from mystic_client.cli.visit import Place, visiting
from mystic_client.model.spans import parse_span
from mystic_client.model.text import duration_in_words
from mysticproto import model
from mysticproto.model import FOR_EVER_US, Request


async def kick(place: Place, name: str, reason: str) -> None:
    """Ends all sessions of a user."""
    await _ask(place, lambda n: model.Kick(n, name, reason))


async def ban(place: Place, target: str, span: str, reason: str) -> None:
    """Keeps a name, an address or a network out."""
    seconds = _seconds(span)
    await _ask(place, lambda n: model.Ban(n, target, seconds, reason))


async def unban(place: Place, target: str) -> None:
    """Ends a ban."""
    await _ask(place, lambda n: model.Unban(n, target))


async def bans(place: Place) -> None:
    """One ban a line: whom, by whom, for how long yet, why."""
    async with visiting(place) as visit:
        answer = await visit.ask(model.ListBans)
    now_us = time.time_ns() // 1000
    show(ban_line(ban, now_us) for ban in answer.bans) if isinstance(answer, model.Bans) else None


async def mute(place: Place, name: str, span: str, reason: str) -> None:
    """Keeps a user from saying anything."""
    seconds = _seconds(span)
    await _ask(place, lambda n: model.Mute(n, name, seconds, reason))


async def unmute(place: Place, name: str) -> None:
    """Lets a user speak again."""
    await _ask(place, lambda n: model.Unmute(n, name))


async def role(place: Place, name: str, wanted: str) -> None:
    """Makes somebody an operator, or a member again."""
    await _ask(place, lambda n: model.SetRole(n, name, wanted))


async def announce(place: Place, text: str) -> None:
    """Says something to everybody, marked as an announcement."""
    await _ask(place, lambda n: model.Announce(n, text))


async def shutdown(place: Place, *, cancel: bool) -> None:
    """Lets the server count down and stop, or not after all."""
    await _ask(place, lambda n: model.Shutdown(n, cancel))


async def _ask(place: Place, request: Callable[[int], Request]) -> None:
    async with visiting(place) as visit:
        await visit.ask(request)


def _seconds(span: str) -> int:
    try:
        return parse_span(span)
    except ValueError as problem:
        raise Failure(Status.USAGE, str(problem)) from None


def ban_line(ban: model.BanInfo, now_us: int) -> str:
    """`bob  by ana  2 h 5 min left  spam`."""
    left = "for ever" if ban.until_us >= FOR_EVER_US else f"{duration_in_words((ban.until_us - now_us) / 1e6)} left"
    return f"{ban.target}  by {ban.by.name}  {left}{f'  {ban.reason}' if ban.reason else ''}"
