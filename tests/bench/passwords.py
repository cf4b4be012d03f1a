"""Passwords: what a login takes, whether the time says who exists, and whether anybody else notices."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mysticproto.model import Login, Ok, Refused, SetPassword, Welcome
from tests.bench.report import Row
from tests.bench.server import BenchError, MeasuredServer, running_server
from tests.support.native_peer import NativePeer

SECRET = "correct horse battery staple"
TIMES = 20
QUICK_TIMES = 5
AT_ONCE = 32
HELD_BACK_S = 1.0
"""A failure's answer, on a connection's first try."""
ROUNDS = 200
FAILURES = {"wrong password": "user0", "name without a password": "member", "unknown name": "nobody"}


def run(quick: bool) -> list[Row]:
    """One row for each kind of login, and two for what others notice of many of them."""
    times = QUICK_TIMES if quick else TIMES
    with running_server() as server:
        for at in range(AT_ONCE):
            with NativePeer(server.address) as peer:
                peer.log_in(f"user{at}")
                _checked(peer.ask(Ok, lambda n: SetPassword(n, SECRET)), Ok)
        with NativePeer(server.address) as member:
            member.log_in("member", Ed25519PrivateKey.generate())
        right = [_login_s(server, "user0", SECRET) for _ in range(times)]
        # By turns, so that what else the machine does meanwhile is the same for all.
        failures = [[_failure_s(server, name) for name in FAILURES.values()] for _ in range(times)]
        return [
            _row("right password", right),
            *(_row(what, list(taken)) for what, taken in zip(FAILURES, zip(*failures, strict=True), strict=True)),
            _row("a message, meanwhile nothing", _messages_s(server)),
            _row(f"a message, meanwhile {AT_ONCE} logins at once", _messages_among_logins_s(server)),
        ]


def _login_s(server: MeasuredServer, name: str, password: str) -> float:
    with NativePeer(server.address) as peer:
        peer.ping()
        started = time.perf_counter()
        _checked(peer.try_log_in(name, password=password), Welcome)
        return time.perf_counter() - started


def _failure_s(server: MeasuredServer, name: str) -> float:
    with NativePeer(server.address) as peer:
        peer.ping()
        started = time.perf_counter()
        _checked(peer.try_log_in(name, password="wrong horse"), Refused)
        return time.perf_counter() - started - HELD_BACK_S


def _messages_s(server: MeasuredServer, before: Callable[[int], None] = lambda at: None) -> list[float]:
    with _pair(server) as (one, two):
        taken = []
        for at in range(ROUNDS):
            before(at)
            started = time.perf_counter()
            one.post(f"message {at}")
            two.hear(f"message {at}")
            taken.append(time.perf_counter() - started)
        return taken


def _messages_among_logins_s(server: MeasuredServer) -> list[float]:
    """While so many connections wait for their passwords, all the time: who has been let in comes again."""
    with ExitStack() as stack:
        waiting: list[NativePeer] = []

        def keep_busy(at: int) -> None:
            if at % 40 == 0:
                for peer in waiting:
                    _checked(peer.answer(Welcome, 1), Welcome)
                    peer.close()
                waiting[:] = [stack.enter_context(NativePeer(server.address)) for _ in range(AT_ONCE)]
                for number, peer in enumerate(waiting):
                    peer.send(Login(peer.next_n(), f"user{number}", watch=False, password=SECRET))

        return _messages_s(server, keep_busy)


@contextmanager
def _pair(server: MeasuredServer) -> Iterator[tuple[NativePeer, NativePeer]]:
    with NativePeer(server.address) as one, NativePeer(server.address) as two:
        one.log_in("one")
        two.log_in("two")
        yield one, two


def _checked(reply: object, kind: type) -> None:
    if not isinstance(reply, kind):
        raise BenchError(f"expected {kind.__name__}, got {reply}")


def _row(what: str, taken_s: list[float]) -> Row:
    taken_ms = sorted(each * 1e3 for each in taken_s)
    return {
        "what": what,
        "times": len(taken_ms),
        "median ms": round(statistics.median(taken_ms), 2),
        "99 % ms": round(taken_ms[min(len(taken_ms) - 1, len(taken_ms) * 99 // 100)], 2),
        "longest ms": round(taken_ms[-1], 2),
    }
