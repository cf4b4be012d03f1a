"""The vocabulary of places, and of all else: what comes back from the wire is what was said."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given

from mysticproto import model
from mysticproto.model import FromServer, Request, conversation_key
from tests.proto.vocabulary import ANA, BOB, FROM_SERVER, GENERATIONS, REQUESTS, ROOM, answers, requests

GOLDEN = Path(__file__).parents[1] / "golden"
_ALL: list[tuple[Any, Any]] = [(Request, sample) for sample in REQUESTS] + [(FromServer, one) for one in FROM_SERVER]


def generation(sample: Any) -> int:
    """Which later version brought it; 0: the first had it."""
    return next((at for at, brought in enumerate(GENERATIONS, 1) if any(sample is one for one in brought)), 0)


# What later versions brought comes last, so that an older version's frames are those of the first samples.
SAMPLES = sorted(_ALL, key=lambda entry: generation(entry[1]))
CASES = pytest.mark.parametrize(("union", "sample"), SAMPLES, ids=[type(sample).__name__ for _, sample in SAMPLES])


def golden(version: Path) -> list[bytes]:
    """The frames' bodies of one version, in the order of the samples; each line begins with what it is."""
    return [bytes.fromhex(line.partition(" ")[2]) for line in version.read_text().splitlines()]


def test_the_samples_show_everything_that_can_be_said() -> None:
    assert {type(sample) for sample in REQUESTS} == set(get_args(Request))
    assert {type(sample) for sample in FROM_SERVER} == set(get_args(FromServer))


@given(requests)
def test_every_request_comes_back_as_it_was(said: Request) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(said), type=Request) == said


@given(answers)
def test_every_answer_comes_back_as_it_was(said: FromServer) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(said), type=FromServer) == said


@pytest.mark.parametrize("version", sorted(GOLDEN.iterdir()), ids=lambda path: path.name)
def test_what_was_ever_said_is_still_understood(version: Path) -> None:
    for body, (union, sample) in zip(golden(version), SAMPLES, strict=False):
        assert msgspec.msgpack.decode(body, type=union) == sample


def test_the_bytes_on_the_wire_are_fixed() -> None:
    """After a field was appended: keep the old file, and write a new one with the bytes that this shows."""
    newest = max(GOLDEN.iterdir())
    assert [msgspec.msgpack.encode(sample) for _, sample in SAMPLES] == golden(newest)


@CASES
def test_fields_that_a_newer_peer_appends_are_passed_over(union: Any, sample: Any) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(_as_newer(sample)), type=union) == sample


@CASES
def test_fields_that_an_older_peer_leaves_out_have_defaults(union: Any, sample: Any) -> None:
    parts = msgspec.msgpack.decode(msgspec.msgpack.encode(sample))
    kind = type(sample)
    defaults = kind.__struct_defaults__
    shorter = msgspec.msgpack.encode(parts[: len(parts) - len(defaults)])
    fields = dict(zip(kind.__struct_fields__[len(kind.__struct_fields__) - len(defaults) :], defaults, strict=True))
    assert msgspec.msgpack.decode(shorter, type=union) == msgspec.structs.replace(sample, **fields)


def _as_newer(value: Any) -> Any:
    """The parts of a value, with two more fields behind every struct, at any depth."""
    if isinstance(value, tuple):
        return [_as_newer(one) for one in value]
    if not isinstance(value, msgspec.Struct):
        return value
    tag = value.__struct_config__.tag
    fields = [_as_newer(getattr(value, name)) for name in value.__struct_fields__]
    return [*([tag] if tag else []), *fields, "more", {"a": [1, None]}]


@pytest.mark.parametrize(
    ("conversation", "key"),
    [
        (model.Global(), "global"),
        (model.Broadcast(), "broadcast"),
        (model.Direct((ANA, BOB)), "direct:3,9"),
        (ROOM, "group:17"),
    ],
)
def test_a_conversation_has_one_key(conversation: model.Conversation, key: str) -> None:
    assert conversation_key(conversation) == key


def test_a_key_does_not_change_with_names() -> None:
    renamed = model.Direct((model.UserRef(3, "x"), model.UserRef(9, "y")))
    assert conversation_key(renamed) == conversation_key(model.Direct((ANA, BOB)))
    assert conversation_key(model.Group(17, "other")) == conversation_key(ROOM)
