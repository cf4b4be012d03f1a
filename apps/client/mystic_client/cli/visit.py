"""A command's stay on a server: connect, log in, do the thing, log out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from mystic_client.cli.output import talk
from mystic_client.cli.status import Failure, Status
from mystic_client.config import Config
from mystic_client.session.connection import (
    Address,
    Ended,
    Heard,
    NotConnected,
    Online,
    Session,
    Waiting,
)
from mystic_client.session.identity import IdentityError, load_or_make_identity
from mystic_client.session.pins import Pins
from mysticproto import model
from mysticproto.errors import Code

PATIENCE_S = 30.0
"""How long a command that only acts waits for a server that went away in the middle."""

_NO_SERVER = {"lost", "dropped", "unreachable", Code.WRONG_PROTOCOL, Code.UNSUPPORTED_VERSION, Code.STOPPING}


class Place(Struct, frozen=True):
    """Where to go, as whom, with which settings."""

    address: Address
    name: str
    config: Config

    @property
    def downloads(self) -> Path:
        return self.config.downloads_of(self.name)

    @property
    def pins(self) -> Pins:
        """The servers that this user knows."""
        return Pins(self.config.state_folder)


class Visit:
    """A running session. `welcome` is the latest one; `ended` the end, once it came."""

    def __init__(
        self,
        place: Place,
        heard: Callable[[list[Heard]], None] | None,
        *,
        watch: bool,
        after: int = -1,
        password: str = "",
        shows_notices: bool = False,
    ) -> None:
        try:
            identity = load_or_make_identity(place.config.state_folder)
        except IdentityError as problem:
            raise Failure(Status.USAGE, str(problem)) from None
        self.place = place
        self.welcome: model.Welcome | None = None
        self.ended: asyncio.Task[Ended] | None = None
        self.session = Session(
            place.address,
            place.name,
            identity,
            self._hear,
            watch=watch,
            after=after,
            pins=place.pins,
            password=password,
            shares_read=place.config.settings.share_read_receipts,
        )
        self._heard = heard
        self._shows_notices = shows_notices
        self._patience_s = None if watch else PATIENCE_S
        self._reason = ""
        self._giving_up: asyncio.TimerHandle | None = None

    @property
    def own_name(self) -> str:
        """As the server spells it."""
        return self.welcome.user.name if self.welcome else self.place.name

    async def ask(self, make: Callable[[int], model.Request]) -> model.Reply:
        """The answer; a refusal ends the command."""
        try:
            reply = await self.session.ask(make)
        except TimeoutError:
            raise Failure(Status.NO_SERVER, f"{self.place.address} does not answer") from None
        if isinstance(reply, model.Refused):
            raise Failure(Status.REFUSED, reply.text)
        return reply

    def failure(self, ended: Ended) -> Failure:
        """Why a session that ended by itself ends the command."""
        status = Status.NO_SERVER if ended.code in _NO_SERVER else Status.REFUSED
        return Failure(status, self._reason if ended.code == "dropped" and self._reason else ended.text)

    def _hear(self, batch: list[Heard]) -> None:
        for one in batch:
            if isinstance(one, Online):
                self.welcome = one.welcome
                self.stop_giving_up()
            elif isinstance(one, Waiting):
                self._reason = one.reason
                self._maybe_give_up()
            elif isinstance(one, model.Notice) and not self._shows_notices:
                talk(one.text)
        if self._heard and (self.welcome is not None or not self._reason):
            self._heard(batch)  # a command that never got in says why once, at its end

    def _maybe_give_up(self) -> None:
        """At the first attempt at once: whoever calls a command can call it again. Later with some patience."""
        if self.welcome is None:
            self.session.drop()
        elif self._patience_s is not None and self._giving_up is None:
            self._giving_up = asyncio.get_running_loop().call_later(self._patience_s, self.session.drop)

    def stop_giving_up(self) -> None:
        """There is a connection, or nobody waits for one any more."""
        if self._giving_up is not None:
            self._giving_up.cancel()
            self._giving_up = None


@asynccontextmanager
async def visiting(
    place: Place,
    heard: Callable[[list[Heard]], None] | None = None,
    *,
    watch: bool = False,
    after: int = -1,
    password: str = "",
    shows_notices: bool = False,
) -> AsyncIterator[Visit]:
    """A session that is logged in. Raises `Failure` if that doesn't succeed, or if a question finds no server.

    Notices, such as what protects the connection, go to standard error unless `heard` shows them itself.
    """
    visit = Visit(place, heard, watch=watch, after=after, password=password, shows_notices=shows_notices)
    visit.ended = asyncio.create_task(visit.session.run(), name="mystic-visit")
    try:
        try:
            await visit.session.online()
        except NotConnected:
            raise visit.failure(await visit.ended) from None
        yield visit
    except NotConnected as problem:
        raise Failure(Status.NO_SERVER, str(problem)) from None
    finally:
        await visit.session.close()
        visit.stop_giving_up()
        await asyncio.wait({visit.ended})
    if not visit.ended.cancelled() and visit.ended.exception():
        visit.ended.result()
