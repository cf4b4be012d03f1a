"""The loop's side of passwords: who gets which child, and what is answered when there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import pytest

from mystic_server.accounts.messages import FromChild, Hashed, HashWork, ToChild, Verified, encode, to_child
from mystic_server.accounts.passwords import MAX_WAITING, WORKERS, Outcome, Passwords
from mystic_server.net.children import ChildProcess
from mystic_server.net.reactor import Reactor
from mysticproto.errors import Code

LOST = Outcome(code=Code.PASSWORDS_UNAVAILABLE)


class FakeChild:
    """Answers when the test says so."""

    def __init__(
        self, heard: Callable[[bytes], None], came_up: Callable[[], None], went_down: Callable[[], None]
    ) -> None:
        self.is_up = False
        self.work: list[ToChild] = []
        self._heard = heard
        self._came_up = came_up
        self._went_down = went_down

    def start(self) -> None:
        self.is_up = True
        self._came_up()

    def send(self, body: bytes) -> None:
        assert self.is_up
        self.work.append(to_child.decode(body))

    def stop(self) -> None:
        self.is_up = False

    def answers(self) -> None:
        work = self.work.pop(0)
        said: FromChild = Hashed(work.number, "hash") if isinstance(work, HashWork) else Verified(work.number, True)
        self._heard(encode(said))

    def dies(self) -> None:
        self.is_up = False
        self.work.clear()
        self._went_down()


class Desk:
    """Passwords with fake children, and what was answered."""

    def __init__(self) -> None:
        self.children: list[FakeChild] = []
        self.answers: list[tuple[str, Outcome]] = []
        self.passwords = Passwords(self._make)

    def verifies(self, *whose: str) -> None:
        for name in whose:
            self.passwords.verify("hash", "correct horse", partial(self._answered, name))

    def takes(self) -> list[tuple[str, Outcome]]:
        answers, self.answers = self.answers, []
        return answers

    def _answered(self, name: str, outcome: Outcome) -> None:
        self.answers.append((name, outcome))

    def _make(
        self, heard: Callable[[bytes], None], came_up: Callable[[], None], went_down: Callable[[], None]
    ) -> FakeChild:
        self.children.append(FakeChild(heard, came_up, went_down))
        return self.children[-1]


def test_children_are_started_when_they_are_needed_and_kept() -> None:
    desk = Desk()
    assert not desk.children
    desk.verifies("ana")
    assert len(desk.children) == WORKERS and all(child.is_up for child in desk.children)
    desk.children[0].answers()
    desk.verifies("bob")
    assert len(desk.children) == WORKERS
    assert desk.takes() == [("ana", Outcome(True))]


def test_each_child_has_one_password_at_a_time() -> None:
    desk = Desk()
    desk.verifies("ana", "bob", "cleo")
    assert [len(child.work) for child in desk.children] == [1, 1]
    desk.children[1].answers()
    assert desk.takes() == [("bob", Outcome(True))]
    assert [len(child.work) for child in desk.children] == [1, 1]
    desk.children[1].answers()
    assert desk.takes() == [("cleo", Outcome(True))]


def test_what_finds_the_queue_full_is_refused_at_once() -> None:
    desk = Desk()
    desk.verifies(*["early"] * (WORKERS + MAX_WAITING))
    assert not desk.answers
    desk.verifies("late")
    assert desk.takes() == [("late", LOST)]
    for _ in range(WORKERS + MAX_WAITING):
        next(child for child in desk.children if child.work).answers()
    assert desk.takes() == [("early", Outcome(True))] * (WORKERS + MAX_WAITING)


def test_a_child_that_dies_takes_its_own_password_only() -> None:
    desk = Desk()
    desk.verifies("ana", "bob", "cleo")
    desk.children[0].dies()
    assert desk.takes() == [("ana", LOST)]
    desk.children[1].answers()
    desk.children[1].answers()
    assert [name for name, _ in desk.takes()] == ["bob", "cleo"]


def test_without_any_child_everything_is_refused_until_one_is_back() -> None:
    desk = Desk()
    desk.verifies("ana", "bob", "cleo")
    for child in desk.children:
        child.dies()
    assert desk.takes() == [("ana", LOST), ("bob", LOST), ("cleo", LOST)]
    desk.verifies("dan")
    assert desk.takes() == [("dan", LOST)]
    desk.children[1].start()
    desk.verifies("eve")
    desk.children[1].answers()
    assert desk.takes() == [("eve", Outcome(True))]


def test_an_answer_may_ask_again() -> None:
    desk = Desk()
    desk.passwords.hash("correct horse", lambda outcome: desk.verifies(f"with {outcome.hash}"))
    desk.children[0].answers()
    desk.children[0].answers()
    assert desk.takes() == [("with hash", Outcome(True))]


def test_after_the_end_nothing_is_answered() -> None:
    desk = Desk()
    desk.verifies("ana", "bob", "cleo")
    desk.passwords.stop()
    assert not desk.answers and not any(child.is_up for child in desk.children)


def test_outcomes_show_no_hash() -> None:
    assert "secret" not in repr(Outcome(hash="secret"))


# With real children.


class Real:
    """Real children on a real loop."""

    def __init__(self) -> None:
        self.reactor = Reactor(self._fault)
        self.passwords = Passwords(partial(ChildProcess, self.reactor, "mystic_server.accounts.worker", []))

    def hash(self, password: str) -> str:
        return self._wait(lambda answered: self.passwords.hash(password, answered)).hash

    def verify(self, hash: str, password: str) -> Outcome:
        return self._wait(lambda answered: self.passwords.verify(hash, password, answered))

    def close(self) -> None:
        self.passwords.stop()
        self.reactor.close()

    def _wait(self, ask: Callable[[Callable[[Outcome], None]], None]) -> Outcome:
        answers: list[Outcome] = []
        ask(answers.append)
        while not answers:
            self.reactor.tick()
        return answers[0]

    def _fault(self, error: BaseException) -> None:
        raise error


@pytest.fixture
def real() -> Iterator[Real]:
    real = Real()
    yield real
    real.close()


def test_a_password_proves_its_hash_and_nothing_else_does(real: Real) -> None:
    hash = real.hash("correct horse")
    assert hash.startswith("$argon2id$") and "correct" not in hash
    assert real.verify(hash, "correct horse") == Outcome(True)
    assert real.verify(hash, "correct horsE") == Outcome(False)
    assert real.verify("", "correct horse") == Outcome(False)
    assert real.verify(hash, "x" * 10_000) == Outcome(False)
