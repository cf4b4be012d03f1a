"""A past to measure with: what a community of some hundred people says in years, stored in seconds.

Words and authors are drawn by Zipf's law; messages have a few words to a few sentences. Most are global, many in
groups, some in direct conversations; one in a hundred edits or deletes another. All of it is always the same.
"""

from __future__ import annotations

import itertools
import random
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Raw

from mystic_server.domain.apply import apply
from mystic_server.domain.events import (
    Committed,
    Deleted,
    Edited,
    Event,
    GroupCreated,
    Joined,
    NodeStarted,
    Posted,
    decode_event,
    encode_event,
)
from mystic_server.domain.world import World
from mystic_server.log.records import ReceivedCommit, ReceivedDraft
from mystic_server.log.sqlite import Database

USERS = range(2, 302)
GROUPS = range(302, 322)
"""Their ids are the numbers of the events that they begin with."""
RARE_WORD = "hapax"
RARE_EVERY = 50_000
WORDS = 20_000
BATCH = 5_000
STEP_US = 60_000_000
BEGIN_US = 1_500_000_000_000_000
AMENDED_SHARE = 0.01
FIRST_AMENDED = 1_000
_SYLLABLES = [first + last for first in "bdfgklmnprstvz" for last in ("a", "e", "in", "o", "u")]
_LENGTHS = (2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 40)


def key_of(user: int) -> Ed25519PrivateKey:
    """Proves the name of a user."""
    return Ed25519PrivateKey.from_private_bytes(user.to_bytes(32))


class Past:
    """Makes the events, one after another."""

    def __init__(self) -> None:
        self._chance = random.Random(20)
        self.words = _vocabulary(self._chance)
        """The commonest first."""
        self._word_weights = _zipf(len(self.words))
        self._author_weights = _zipf(len(USERS))

    def beginning(self) -> list[Event]:
        """The server starts, everybody comes, claims a name and leaves; the first one makes groups for all."""
        people = [
            Joined(user, f"user{user}", key=key_of(user).public_key().public_bytes_raw(), quiet=True, node=1, epoch=1)
            for user in USERS
        ]
        members = tuple(USERS[1:])
        groups = [GroupCreated(USERS[0], USERS[0], f"group{group}", False, True, members) for group in GROUPS]
        return [NodeStarted(1, 1), *people, *groups, NodeStarted(1, 2)]

    def event(self, seq: int) -> Event:
        """The event that gets this number."""
        chance = self._chance.random()
        if chance < AMENDED_SHARE and seq > FIRST_AMENDED:
            message = self._chance.randrange(FIRST_AMENDED, seq)
            if chance < AMENDED_SHARE / 2:
                return Edited(2, 2, message, "global", self._text())
            return Deleted(2, 2, message, "global")
        (author,) = self._chance.choices(USERS, cum_weights=self._author_weights)
        place, members = self._place(author)
        text = self._text() if seq % RARE_EVERY else RARE_WORD
        return Posted(author, author, place, text, seq.to_bytes(8) + self._chance.randbytes(8), users=members)

    def _place(self, author: int) -> tuple[str, tuple[int, ...]]:
        chance = self._chance.random()
        if chance < 0.6:
            return "global", ()
        if chance < 0.85:
            return f"group:{self._chance.choice(GROUPS)}", ()
        other = self._chance.choice(USERS)
        members = tuple(sorted({author, other if other != author else USERS[author == USERS[0]]}))
        return "direct:" + ",".join(map(str, members)), members

    def _text(self) -> str:
        count = self._chance.choice(_LENGTHS)
        return " ".join(self._chance.choices(self.words, cum_weights=self._word_weights, k=count))


def fill(data: Path, messages: int) -> Past:
    """Stores a past in a new data folder, through the store's own commits. Its words are not indexed."""
    past, world, database = Past(), World(), Database(data)
    beginning = _batch(1, past.beginning())
    database.commit(beginning)
    for seq, draft in enumerate(beginning.drafts, 1):
        apply(world, Committed(seq, draft.time_us, decode_event(draft.event)))
    while (first := database.last + 1) <= messages:
        database.commit(_batch(first, [past.event(seq) for seq in range(first, first + BATCH)]))
    database.commit(ReceivedCommit((), tuple(world.take_dirty()), database.last))
    database.close()
    return past


def index(data: Path) -> float:
    """Does what the store's child does in its pauses; the seconds that it took."""
    database, started = Database(data), time.perf_counter()
    while database.index.has_work(database.last):
        database.index.step(database.last)
    took_s = time.perf_counter() - started
    database.close()
    return took_s


def _batch(first: int, events: list[Event]) -> ReceivedCommit:
    drafts = tuple(
        ReceivedDraft(seq, BEGIN_US + seq * STEP_US, Raw(encode_event(event)))
        for seq, event in enumerate(events, first)
    )
    return ReceivedCommit(drafts, (), -1)


def _vocabulary(chance: random.Random) -> list[str]:
    words: dict[str, None] = {}
    while len(words) < WORDS:
        words["".join(chance.choices(_SYLLABLES, k=chance.choice((1, 2, 2, 3, 3, 4))))] = None
    return list(words)


def _zipf(count: int) -> list[float]:
    return list(itertools.accumulate(1 / (rank + 2.7) for rank in range(count)))
