"""What a device remembers of its places."""

from __future__ import annotations

from pathlib import Path

import pytest

from mystic_client.session.memory import Memory, Place

SERVER = b"server"
ONE, OTHER = ":".join(["0a"] * 32), ":".join(["ff"] * 32)


def test_a_place_is_kept_for_each_server_and_name(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    assert memory.open(SERVER, "Ana") == Place()
    memory.keep(Place(40, 7))
    memory.keep(Place(41, 7))
    assert memory.open(b"other", "Ana") == Place()
    assert memory.open(SERVER, "bob") == Place()
    assert memory.open(SERVER, "ANA") == Place(41, 7)
    memory.close()
    memory.close()


def test_a_second_program_learns_the_cursor_and_keeps_nothing(tmp_path: Path) -> None:
    first, second = Memory(tmp_path), Memory(tmp_path)
    first.open(SERVER, "ana")
    first.keep(Place(40, 7))
    assert second.open(SERVER, "ana") == Place(40, 0)
    second.keep(Place(99, 9))
    first.close()
    assert second.open(SERVER, "ana") == Place(40, 7)
    second.close()


@pytest.mark.parametrize("content", [b"", b"1", b"x y", b"-5 1", b"1 -1", b"9" * 40 + b" 1", b"\xff\x00", b"1 2 3"])
def test_a_file_that_makes_no_sense_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    memory = Memory(tmp_path)
    memory.open(SERVER, "ana")
    memory.close()
    next((tmp_path / "places").iterdir()).write_bytes(content)
    assert memory.open(SERVER, "ana") == Place()
    memory.keep(Place(5, 6))
    assert memory.open(SERVER, "ana") == Place(5, 6)
    memory.close()


def test_without_a_folder_nothing_is_remembered_and_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = Memory(tmp_path / "file")
    assert memory.open(SERVER, "ana") == Place()
    memory.keep(Place(1, 1))
    memory.close()


# Whose place it is.


def opened(folder: Path, fingerprint: str, *, is_known: bool = True) -> tuple[Place, bool, bool]:
    """What another program finds: the place, whether it has it, and whether it is somebody else's."""
    memory = Memory(folder)
    place = memory.open(SERVER, "ana", fingerprint, lambda key: is_known)
    found = place, memory.maybe_file("outbox") is not None, memory.is_anothers
    memory.close()
    return found


def kept(folder: Path, fingerprint: str) -> Memory:
    memory = Memory(folder)
    memory.open(SERVER, "ana", fingerprint)
    memory.keep(Place(40, 7))
    return memory


@pytest.mark.parametrize("other", [OTHER, ""])
def test_a_place_stays_closed_to_a_server_with_another_key_or_none(tmp_path: Path, other: str) -> None:
    memory = kept(tmp_path, ONE)
    assert opened(tmp_path, other) == (Place(), False, True)
    assert opened(tmp_path, ONE) == (Place(40), False, False), "another program has it"
    memory.close()
    assert opened(tmp_path, other) == (Place(), False, True)
    assert opened(tmp_path, ONE) == (Place(40, 7), True, False)


def test_a_place_without_an_owner_gets_the_next_server_that_shows_a_key(tmp_path: Path) -> None:
    kept(tmp_path, "").close()
    for fingerprint in ("", ONE, ONE):
        assert opened(tmp_path, fingerprint) == (Place(40, 7), True, False)
    assert opened(tmp_path, OTHER) == (Place(), False, True)


def test_when_its_key_is_forgotten_a_place_belongs_to_the_next(tmp_path: Path) -> None:
    kept(tmp_path, ONE).close()
    assert opened(tmp_path, "", is_known=False) == (Place(), False, True)
    assert opened(tmp_path, OTHER, is_known=False) == (Place(40, 7), True, False)
    assert opened(tmp_path, ONE) == (Place(), False, True)


def test_a_place_that_was_closed_is_no_obstacle_to_the_next_one(tmp_path: Path) -> None:
    kept(tmp_path, ONE).close()
    memory = Memory(tmp_path)
    memory.open(SERVER, "ana", OTHER)
    memory.keep(Place(1, 1))
    assert memory.open(b"other", "ana", OTHER) == Place()
    assert not memory.is_anothers and memory.maybe_file("outbox")
    memory.close()
    assert opened(tmp_path, ONE) == (Place(40, 7), True, False)


@pytest.mark.parametrize("owner", ["nonsense", "0a:0b", "\xe9" * 40, ONE.upper()])
def test_an_owner_that_makes_no_sense_is_as_good_as_none(tmp_path: Path, owner: str) -> None:
    kept(tmp_path, "").close()
    (path,) = (tmp_path / "places").iterdir()
    path.write_bytes(path.read_bytes() + owner.encode())
    assert opened(tmp_path, OTHER) == (Place(40, 7), True, False)
    assert opened(tmp_path, ONE) == (Place(), False, True)
