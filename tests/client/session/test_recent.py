"""Servers used lately."""

from __future__ import annotations

from pathlib import Path

import pytest

from mystic_client.session.recent import FILE_NAME, MAX_KEPT, Recent, recent_servers, remember_server


def test_the_latest_is_first_and_nothing_twice(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    assert recent_servers(folder) == []
    one, two = Recent("ana", "here", 1), Recent("ana", "there", 2)
    for used in (one, two, one):
        remember_server(folder, used)
    assert recent_servers(folder) == [one, two]
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_only_some_are_kept(tmp_path: Path) -> None:
    for port in range(1, 30):
        remember_server(tmp_path, Recent("ana", "here", port))
    assert [known.port for known in recent_servers(tmp_path)] == list(range(29, 29 - MAX_KEPT, -1))


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[{"name": "ana"}]', "[" * 10_000])
def test_a_file_that_makes_no_sense_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    assert recent_servers(tmp_path) == []
    remember_server(tmp_path, Recent("ana", "here", 1))
    assert len(recent_servers(tmp_path)) == 1


def test_where_nothing_can_be_written_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    remember_server(tmp_path / "file", Recent("ana", "here", 1))
    assert recent_servers(tmp_path / "file") == []
