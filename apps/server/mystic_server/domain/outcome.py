"""Outcome: what follows from an event that was applied."""

from msgspec import Struct

from mystic_server.domain.world import NOBODY, Audience
from mysticproto.model import (
    Bye,
    Reply,
)
from mysticproto.model import Event as Said


class Delivery(Struct, frozen=True, gc=False):
    """An event on its way: `author` are the sessions of who caused it, which may also be among `to`."""

    event: Said
    to: Audience
    author: tuple[int, ...] = ()
    bystanders: Audience = NOBODY


class Ending(Struct, frozen=True, gc=False):
    """A session whose connection must close, after these last words."""

    session: int
    bye: Bye


class Applied(Struct, frozen=True, gc=False):
    """What follows from an event. `answer` goes to the asker, with the request's number put in by the hub."""

    deliveries: list[Delivery] = []
    answer: Reply | None = None
    endings: list[Ending] = []


NOTHING = Applied()
