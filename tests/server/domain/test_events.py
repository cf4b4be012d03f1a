"""Stored events: what any version wrote can be read for ever.

`golden_events.json` holds, for every kind of event, bytes as some version stored them, and what they say. Entries are
only ever added; when an event gets a new field, add one with it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from mystic_server.domain.events import (
    AccountDeleted,
    Banned,
    Deleted,
    DeviceRemoved,
    Edited,
    Event,
    GroupCreated,
    GroupEnded,
    GroupEntered,
    GroupExited,
    GroupHandedOver,
    GroupKept,
    GroupRenamed,
    Joined,
    Kicked,
    Left,
    LingerEnded,
    MemberAdded,
    MemberRemoved,
    Muted,
    NodeStarted,
    PasswordSet,
    Posted,
    RoleSet,
    SharedFile,
    Unbanned,
    decode_event,
    encode_event,
)

GOLDEN: list[dict[str, Any]] = json.loads(Path(__file__).with_name("golden_events.json").read_text(encoding="utf-8"))

FILE = SharedFile("plan.txt", 4096, b"h" * 32, "plans/plan (1).txt", "00112233445566778899aabbccddeeff")

# One of each, with every field set to what is not its default.
FULL: list[Event] = [
    NodeStarted(1, 2**62),
    Joined(17, "Ana-María", 3, b"k" * 32, False, True, 9, True, 1, 2**62, "Ana M.", True),
    Left(17, "lost", 3, False, True),
    LingerEnded(17),
    Posted(
        17, 3, "direct:3,4", "hello \U0001f30d", b"0123456789abcdef", 12, (3, 4), ("Bob", "nobody"), True, True, FILE
    ),
    GroupCreated(17, 3, "team", False, True, (4, 5)),
    GroupEntered(17, 4, 21, False),
    GroupExited(17, 4, 21, 3),
    MemberAdded(17, 3, 21, 4),
    MemberRemoved(17, 3, 21, 4),
    Edited(17, 3, 25, "direct:3,4", "hello \U0001f30e", (3, 4)),
    Deleted(17, 3, 25, "direct:3,4", (3, 4)),
    GroupRenamed(17, 3, 21, "crew", "team"),
    GroupHandedOver(17, 3, 21, 4),
    GroupKept(17, 3, 21, True),
    GroupEnded(17, 3, 21),
    PasswordSet(17, 3, "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", True, "$argon2id$v=19$m=8,t=1,p=1$c2E$aGE"),
    DeviceRemoved(17, 3, b"k" * 32),
    AccountDeleted(17, 3, 4),
    RoleSet(17, 3, 4, "operator"),
    Kicked(17, 3, 4, "spam"),
    Banned(17, 3, "Bob", 4, "spam", 2**63 - 1),
    Unbanned(17, 3, "10.1.0.0/16"),
    Muted(17, 3, 4, 1_700_000_000_000_000, "spam"),
]


def as_json(event: Event) -> list[Any]:
    said: list[Any] = json.loads(msgspec.json.encode(event))
    return said


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: f"{golden['said'][0]}-{len(golden['said'])}")
def test_what_was_ever_stored_can_be_read(golden: dict[str, Any]) -> None:
    event = decode_event(bytes.fromhex(golden["bytes"]))
    assert as_json(event)[: len(golden["said"])] == golden["said"]


@pytest.mark.parametrize("event", FULL, ids=lambda event: type(event).__name__)
def test_this_version_s_bytes_are_among_the_golden_ones(event: Event) -> None:
    assert {"bytes": encode_event(event).hex(), "said": as_json(event)} in GOLDEN


@pytest.mark.parametrize("event", FULL, ids=lambda event: type(event).__name__)
def test_an_event_survives(event: Event) -> None:
    assert decode_event(encode_event(event)) == event


def test_every_kind_of_event_is_covered() -> None:
    assert {type(event) for event in FULL} == set(get_args(Event))


@pytest.mark.parametrize("event", FULL, ids=lambda event: type(event).__name__)
def test_a_newer_version_s_additional_fields_are_ignored(event: Event) -> None:
    fields = msgspec.msgpack.decode(encode_event(event))
    assert decode_event(msgspec.msgpack.encode([*fields, "later", 5])) == event


@pytest.mark.parametrize("event", FULL, ids=lambda event: type(event).__name__)
def test_fields_with_defaults_may_be_missing(event: Event) -> None:
    fields = msgspec.msgpack.decode(encode_event(event))
    needed = 1 + sum(
        field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT
        for field in msgspec.structs.fields(event)
    )
    assert type(decode_event(msgspec.msgpack.encode(fields[:needed]))) is type(event)


@pytest.mark.parametrize(
    "data", [b"", b"\x90", b"\x91\xa4left", b"\x92\xa7unknown\x01", b"\xff" * 20, b"\x93\xa4left\xa1x\xa1x"]
)
def test_what_no_version_stored_is_an_error(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_event(data)
