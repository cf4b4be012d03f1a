"""One connection: what is sent when, on a link that a test reads."""

from __future__ import annotations

import asyncio

import pytest

from mystic_client.session.affairs import Affairs
from mystic_client.session.dialogue import Dialogue, Over, Timing
from mystic_client.session.heard import Heard, Online
from mystic_client.session.link import Lost
from mystic_client.session.secure import Security
from mystic_client.session.standing import Standing
from mysticproto import model
from mysticproto.errors import ProtocolError

ANA = model.UserRef(1, "ana")
HELLO = model.Hello(b"nonce", b"server", "", "")


class Script:
    """In the place of a link: says what it was given, list by list, then breaks."""

    def __init__(self, *lists: list[model.FromServer]) -> None:
        self.security = Security()
        self.sent: list[model.Request] = []
        self._lists = list(lists)

    def send(self, request: model.Request) -> None:
        self.sent.append(request)

    async def read(self, timeout_s: float) -> list[model.FromServer]:
        await asyncio.sleep(0)
        if not self._lists:
            raise Lost("that was all")
        return self._lists.pop(0)


async def heard_of(script: Script, *, notice: str = "") -> tuple[list[list[Heard]], Exception]:
    batches: list[list[Heard]] = []
    affairs = Affairs(Standing("ana", None, None, watch=True, after=-1, resume=0), shares_read=True)
    dialogue = Dialogue(script, affairs, Timing(), batches.append, again=False, notice=notice)  # type: ignore[arg-type]
    with pytest.raises((Lost, Over, ProtocolError)) as ended:
        await dialogue.run()
    return batches, ended.value


async def test_the_greeting_is_answered_with_a_login_and_the_welcome_told() -> None:
    welcome = model.Welcome(1, 7, ANA, "guest", 3)
    script = Script([HELLO], [welcome, model.Notice("hi")], [])
    batches, ended = await heard_of(script, notice="This is new.")
    assert [type(request) for request in script.sent] == [model.Login]
    assert batches == [[Online(welcome, False), model.Notice("This is new."), model.Notice("hi")]]
    assert isinstance(ended, Lost)


@pytest.mark.parametrize(
    "said",
    [
        [HELLO, HELLO],
        [HELLO, model.Welcome(2, 7, ANA, "guest", 3)],
        [HELLO, model.Welcome(1, 7, ANA, "guest", 3), model.FileStart(1, 5, 0)],
    ],
)
async def test_nonsense_ends_it(said: list[model.FromServer]) -> None:
    _, ended = await heard_of(Script(said))
    assert isinstance(ended, ProtocolError)


async def test_what_came_before_the_farewell_is_told() -> None:
    batches, ended = await heard_of(Script([HELLO, model.Notice("one"), model.Bye("kicked", "Out.")]))
    assert batches == [[model.Notice("one"), model.Bye("kicked", "Out.")]]
    assert isinstance(ended, Over) and (ended.ending.code, ended.ending.text) == ("kicked", "Out.")
