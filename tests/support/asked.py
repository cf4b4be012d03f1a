"""A server that only answers: what dialogs ask is written down, and the test says what is refused."""

from __future__ import annotations

from collections.abc import Callable

from mystic_client.tui.keeper import Keeper
from mysticproto import model


class Asked:
    """`requests` in order; `replies` by the kind of request, everything else is done."""

    def __init__(self) -> None:
        self.requests: list[model.Request] = []
        self.replies: dict[type, model.Reply] = {}
        self.keeper = Keeper(self.ask)

    async def ask(self, make: Callable[[int], model.Request]) -> model.Reply:
        request = make(0)
        self.requests.append(request)
        return self.replies.get(type(request)) or model.Ok(0)

    def refuse(self, kind: type, sentence: str) -> None:
        """From now on the answer to such requests is no."""
        self.replies[kind] = model.Refused(0, "not_allowed", sentence)

    def of(self, kind: type) -> list[model.Request]:
        """The requests of one kind."""
        return [request for request in self.requests if isinstance(request, kind)]
