"""`mystic group`: groups that stay when their members are away, and who is in them."""

from collections.abc import Callable
from functools import partial

from mystic_client.cli.visit import Place, visiting
from mysticproto import model
from mysticproto.model import Request


async def create(place: Place, group: str, members: list[str]) -> None:
    """Makes a kept group; a command that ends at once could not keep a room."""
    added = tuple(members)
    await _ask(place, [partial(model.CreateGroup, name=group, focus=False, kept=True, members=added)])


async def add(place: Place, group: str, members: list[str]) -> None:
    """Adds people to a group of one's own, one after the other."""
    await _ask(place, [partial(model.AddMember, group=group, name=name) for name in members])


async def remove(place: Place, group: str, members: list[str]) -> None:
    """Removes people from a group of one's own, one after the other."""
    await _ask(place, [partial(model.RemoveMember, group=group, name=name) for name in members])


async def rename(place: Place, group: str, name: str) -> None:
    """Gives a group of one's own another name."""
    await _ask(place, [partial(model.RenameGroup, group=group, name=name)])


async def hand_over(place: Place, group: str, name: str) -> None:
    """Makes another member the owner."""
    await _ask(place, [partial(model.HandOver, group=group, name=name)])


async def keep(place: Place, group: str, *, kept: bool) -> None:
    """Lets a group stay when its members are away, or no longer."""
    await _ask(place, [partial(model.KeepGroup, group=group, kept=kept)])


async def delete(place: Place, group: str) -> None:
    """Ends a group."""
    await _ask(place, [partial(model.DeleteGroup, group=group)])


async def leave(place: Place, group: str) -> None:
    """Leaves a group."""
    await _ask(place, [partial(model.LeaveGroup, name=group)])


async def _ask(place: Place, requests: list[Callable[[int], Request]]) -> None:
    async with visiting(place) as visit:
        for request in requests:
            await visit.ask(request)
