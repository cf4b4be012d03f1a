"""The Wire interface: how one kind of peer says what `model` can say.

A wire is pure. It owns no socket and no clock: bytes and `now` (seconds of any monotonic clock) go in, items come out.
One object serves one connection; `encode` depends on nothing but its arguments, so that what many peers of one wire
shall hear is encoded once.

    server                                         peer
      opened(now)            -> items                 somebody connected; some wires speak first
      feed(bytes, now)       -> items                 whatever came, however it was cut
      feed(b"", now)         -> items                 `next_deadline()` has passed
      eof(now)               -> items                 the peer will send no more
      answer(request, reply) -> chunks                for this peer alone
      encode(event, role)    -> chunks                the same for every peer of this wire in this role

An item is a request, `Local` (chunks that the wire answers by itself, in order with the requests), `Raw` (bytes of a
file, behind the request that brings one), or a `ProtocolError`, which is always the last: the connection answers it
with `answer(None, Bye(...))` and closes.
"""

from collections.abc import Sequence
from enum import Enum
from typing import Protocol, TypeAlias

from msgspec import Struct

from mysticproto.errors import ProtocolError
from mysticproto.model import Bye, Event, Passing, Reply, Request


class Alone(Struct, frozen=True):
    """Bytes that must reach the peer in a segment of their own, `Wire.alone_gap_s` away from their neighbours."""

    data: bytes


Chunk: TypeAlias = bytes | Alone
Chunks: TypeAlias = tuple[Chunk, ...]


class Local(Struct, frozen=True):
    """What a wire answers by itself, in order with the requests around it."""

    chunks: Chunks


class Raw(Struct, frozen=True):
    """Bytes of a file that the peer brings, as many as came together."""

    data: bytes


Item: TypeAlias = Request | Local | Raw | ProtocolError


class Role(Enum):
    """Whose copy of an event is encoded: many wires say different things to them, some nothing at all."""

    AUTHOR = "author"
    """Who caused it."""
    OTHER = "other"
    """Who it is for."""
    BYSTANDER = "bystander"
    """Who is not concerned but may know it, such as who joined a group that one isn't in."""


class Wire(Protocol):
    """One connection's language. See the module for the order of calls."""

    name: str
    """As `--listen` spells it."""
    alone_gap_s: float
    """The silence around an `Alone` chunk, seconds."""
    follows_roster: bool
    """Whether its peers are told the whole `Roster` at every change of it."""
    is_personal: bool
    """Whether what its peers hear depends on each of them: then `tell` is called instead of `encode`."""
    file_coding: str
    """How the bytes of `SendFile` go between `FileStart` and `FileEnd`: "raw", "base64", or "" for a wire without."""
    is_framed: bool
    """Whether the peer's bytes say where a request ends. If not, each read is one, so reading must not be put off."""
    pings: bool
    """Whether its peers make a sign of life by themselves, so that silence means that they are gone."""
    pairs: bool
    """Whether one session may be on two connections of it, so that `Login.pair` means something."""
    is_over: bool
    """Whether the wire has said its last words: the connection closes when they are sent."""

    def opened(self, now: float) -> list[Item]:
        """MUST be called once, first."""

    def feed(self, data: bytes, now: float) -> list[Item]:
        """MUST give the same items however the bytes are cut (but for where `Raw` is); MUST NOT raise for any
        bytes; MUST NOT be called again after it returned a `ProtocolError`."""

    def eof(self, now: float) -> list[Item]:
        """What the end of the peer's bytes completes; the session is told of the loss by the caller."""

    def next_deadline(self) -> float | None:
        """When `feed(b"", now)` shall be called though nothing came, or None."""

    def answer(self, request: Request | None, reply: Reply | Passing | Bye) -> Chunks:
        """The reply to a request of this peer; None for what nobody asked (a notice, the last words)."""

    def take_follow_ups(self) -> Sequence[Item]:
        """What an answer made necessary, or what the wire held back until then; asked for after every `answer`, and
        handled before everything else."""

    def encode(self, event: Event | Passing, role: Role) -> Chunks:
        """MUST depend on its arguments alone, and MUST return the very same object for roles whose bytes are the same
        and which are asked for in a row: fan-out compares identities to merge them."""

    def tell(self, event: Event | Passing, role: Role, now: float) -> Chunks:
        """For a wire that is personal, as `encode` for the others; what it keeps back comes at `next_deadline()`."""
