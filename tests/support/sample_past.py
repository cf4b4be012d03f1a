"""A server with much of a past, for what searches it and goes about in it."""

from __future__ import annotations

from mysticproto import model
from tests.support.fake_session import ANA, BOB, FakeServer, between, said


def full_server() -> FakeServer:
    server = FakeServer()
    server.past["global"] = [said(n, (ANA, BOB)[n % 2], f"old words {n}", minute=n - 900) for n in range(1, 801)]
    server.past["users:ana"] = [said(n, ANA, f"private words {n}", between(ANA)) for n in range(801, 804)]
    server.hits = [e for page in server.past.values() for e in page if isinstance(e, model.Message)]
    return server
