"""The loop's side of passwords: a few children that hash, and a short queue before them.

The children are started when a password is needed for the first time, and kept. Each has one password at a time, so a
child that dies takes one question with it, which is answered with `PASSWORDS_UNAVAILABLE`; so is everything while none
is up, and what finds the queue full.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from mystic_server.accounts.messages import Hashed, HashWork, ToChild, VerifyWork, encode, from_child
from mysticproto.errors import Code

WORKERS = 2
MAX_WAITING = 32
"""Passwords that wait for a child."""
MAX_PASSWORD_BYTES = 512
"""As UTF-8; what is longer was never taken as one."""
UNAVAILABLE = "Passwords can't be checked at the moment. Try again in a few seconds."


class Child(Protocol):
    """A process, see `net.children.ChildProcess`."""

    @property
    def is_up(self) -> bool: ...

    def start(self) -> None: ...

    def send(self, body: bytes) -> None: ...

    def stop(self) -> None: ...


class Outcome(Struct, frozen=True):
    """What became of one password. `code` is an `errors.Code` if nothing could be done, else empty.

    `hash`: the new one, or one that shall replace the hash that was checked.
    """

    is_right: bool = False
    hash: str = ""
    code: str = ""

    def __repr__(self) -> str:
        return f"<Outcome {self.code or self.is_right}>"


_LOST = Outcome(code=Code.PASSWORDS_UNAVAILABLE)


class _Job(Struct):
    work: ToChild
    answered: Callable[[Outcome], None]


class _Worker:
    """One child and what it is busy with."""

    def __init__(self, passwords: "Passwords", make_child: "MakeChild") -> None:
        self._passwords = passwords
        self.child = make_child(self._received, self._came_up, self._went_down)
        self.job: _Job | None = None

    def take(self, job: _Job) -> None:
        self.job = job
        self.child.send(encode(job.work))

    def _received(self, body: bytes) -> None:
        said = from_child.decode(body)
        job, self.job = self.job, None
        assert job and job.work.number == said.number
        self._passwords.go_on()
        outcome = Outcome(hash=said.hash) if isinstance(said, Hashed) else Outcome(said.is_right, said.renewed)
        job.answered(outcome)

    def _came_up(self) -> None:
        self._passwords.go_on()

    def _went_down(self) -> None:
        job, self.job = self.job, None
        if job:
            job.answered(_LOST)
        self._passwords.give_up_if_all_are_down()


MakeChild = Callable[[Callable[[bytes], None], Callable[[], None], Callable[[], None]], Child]
"""From what hears its messages, and that it came up and went down."""


class Passwords:
    """See the module. Answers may come in the call itself."""

    def __init__(self, make_child: MakeChild) -> None:
        self._make_child = make_child
        self._workers: list[_Worker] = []
        self._waiting: deque[_Job] = deque()
        self._last_number = 0

    def hash(self, password: str, answered: Callable[[Outcome], None]) -> None:
        """Makes a hash of a new password, which has been found fit to be one."""
        self._last_number += 1
        self._ask(_Job(HashWork(self._last_number, password), answered))

    def verify(self, hash: str, password: str, answered: Callable[[Outcome], None]) -> None:
        """Whether it is the password of this hash; "" is nobody's, which takes as long to find out."""
        self._last_number += 1
        if len(password.encode()) > MAX_PASSWORD_BYTES:
            hash = password = ""
        self._ask(_Job(VerifyWork(self._last_number, password, hash), answered))

    def stop(self) -> None:
        """Ends the children; nothing is answered any more."""
        self._waiting.clear()
        for worker in self._workers:
            worker.job = None
            worker.child.stop()

    def go_on(self) -> None:
        """Gives what waits to who is free."""
        for worker in self._workers:
            if self._waiting and worker.child.is_up and not worker.job:
                worker.take(self._waiting.popleft())

    def give_up_if_all_are_down(self) -> None:
        """Nobody waits for a child that may never come back."""
        if any(worker.child.is_up for worker in self._workers):
            return
        waiting, self._waiting = self._waiting, deque()
        for job in waiting:
            job.answered(_LOST)

    def _ask(self, job: _Job) -> None:
        if not self._workers:
            self._start()
        if len(self._waiting) >= MAX_WAITING or not any(worker.child.is_up for worker in self._workers):
            job.answered(_LOST)
            return
        self._waiting.append(job)
        self.go_on()

    def _start(self) -> None:
        self._workers = [_Worker(self, self._make_child) for _ in range(WORKERS)]
        for worker in self._workers:
            worker.child.start()
