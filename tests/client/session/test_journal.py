"""The outbox's file: appended, read again, damaged, written anew."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from mystic_client.session import journal as journal_module
from mystic_client.session.journal import COMPACT_BYTES, Again, Failed, Gone, Journal, Record, Said
from mysticproto.model import ToEveryone, ToGlobal, ToGroup, ToUsers

RECORDS: list[Record] = [
    Said(b"1" * 16, ToGlobal(), "hello\nthere é", 0, 10),
    Said(b"2" * 16, ToUsers(("ana", "bob")), "psst", 5, 11),
    Said(b"3" * 16, ToGroup("dev"), "x" * 40_000, 0, 12),
    Said(b"4" * 16, ToEveryone(), "all", 0, 13),
    Gone(b"1" * 16),
    Failed(b"2" * 16, "No."),
    Again(b"2" * 16),
]


def written(path: Path) -> list[Record]:
    journal = Journal(path)
    try:
        return journal.open()
    finally:
        journal.close()


def fill(path: Path, records: list[Record]) -> None:
    journal = Journal(path)
    journal.open()
    for record in records:
        journal.append(record, lasting=record is records[0])
    journal.close()


def test_what_was_appended_is_read_in_order_by_its_owner_alone(tmp_path: Path) -> None:
    fill(tmp_path / "file", RECORDS[:3])
    fill(tmp_path / "file", RECORDS[3:])
    assert written(tmp_path / "file") == RECORDS
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600
    assert len(list(tmp_path.iterdir())) == 1


def test_it_is_in_the_file_at_once(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "file")
    journal.open()
    journal.append(RECORDS[0])
    assert written(tmp_path / "file") == RECORDS[:1]
    journal.close()


def test_a_torn_end_is_left_out_and_what_follows_is_not(tmp_path: Path) -> None:
    fill(tmp_path / "file", RECORDS[:2])
    whole = (tmp_path / "file").read_bytes()
    for cut in range(1, 60):
        (tmp_path / "file").write_bytes(whole[:-cut])
        assert written(tmp_path / "file") == RECORDS[:1]
    fill(tmp_path / "file", RECORDS[3:4])
    assert RECORDS[3] in written(tmp_path / "file")


@pytest.mark.parametrize("wrong", [b"\x00", b"\xff\xfe\n", b"00000000 {}\n", b"zzzzzzzz []\n", b"short\n", b"\n[1]\n"])
def test_damage_is_set_aside_and_the_rest_goes_on(tmp_path: Path, wrong: bytes) -> None:
    fill(tmp_path / "file", RECORDS)
    lines = (tmp_path / "file").read_bytes().splitlines(keepends=True)
    (tmp_path / "file").write_bytes(b"".join([*lines[:3], wrong, *lines[3:]]))
    kept = written(tmp_path / "file")
    assert set(RECORDS) - set(kept) <= {RECORDS[2]}, "a line may be lost to what was put in front of it"
    assert (tmp_path / "file.damaged").exists()
    assert written(tmp_path / "file") == kept, "the new file is whole"


def test_a_text_that_was_changed_is_not_said(tmp_path: Path) -> None:
    fill(tmp_path / "file", RECORDS[:2])
    (tmp_path / "file").write_bytes((tmp_path / "file").read_bytes().replace(b"psst", b"ouch"))
    assert written(tmp_path / "file") == RECORDS[:1]


def test_a_file_that_is_far_too_long_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "file", RECORDS)
    monkeypatch.setattr(journal_module, "MAX_FILE_BYTES", 1000)
    assert written(tmp_path / "file") == []
    assert (tmp_path / "file.damaged").stat().st_size > 1000


def test_history_is_dropped_when_it_is_most_of_the_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "file")
    journal.open()
    live: list[Record] = [Said(b"z" * 16, ToGlobal(), "waits", 0, 1)]
    for number in range(1000):
        cid = number.to_bytes(16)
        journal.append(Said(cid, ToGlobal(), "x" * 1000, 0, 1))
        journal.append(Gone(cid))
        journal.compact_if_due(lambda: live)
    journal.close()
    assert (tmp_path / "file").stat().st_size < 2 * COMPACT_BYTES
    kept = written(tmp_path / "file")
    assert kept[0] == live[0]


def test_a_place_that_can_not_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "nowhere" / "file")
    assert journal.open() == []
    journal.append(RECORDS[0], lasting=True)
    journal.rewrite(RECORDS)
    journal.close()
    journal.append(RECORDS[0])


def test_a_disk_that_was_full_tears_one_line_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "file")
    journal.open()
    journal.append(RECORDS[0])
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda descriptor, data: write(descriptor, data[: len(data) // 2]))
        journal.append(RECORDS[1])
    journal.append(RECORDS[3])
    journal.close()
    assert written(tmp_path / "file") == [RECORDS[0], RECORDS[3]]
