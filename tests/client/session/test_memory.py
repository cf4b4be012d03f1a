"""What a device remembers of its places."""

from __future__ import annotations

from pathlib import Path

import pytest

from mystic_client.session.memory import Memory, Place

SERVER = b"server"


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
