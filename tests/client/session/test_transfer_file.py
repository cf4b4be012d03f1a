"""The list of transfers on disk."""

from __future__ import annotations

from pathlib import Path

from mystic_client.session.transfer_file import MAX_KEPT, Kept, load_transfers, save_transfers
from mystic_client.session.whole_files import DAMAGED
from mysticproto.model import ToUsers


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    kept = [
        Kept("download", "Sub/a.bin", "paused", 7, "udp", into="downloads"),
        Kept("upload", "b.bin", "done", 8, to=ToUsers(("bob",)), cid=b"c" * 16, blake3=b"h" * 32, verified=True),
    ]
    save_transfers(tmp_path / "list", kept)
    assert load_transfers(tmp_path / "list") == kept
    assert load_transfers(tmp_path / "nothing") == []


def test_a_list_has_an_end(tmp_path: Path) -> None:
    save_transfers(tmp_path / "list", [Kept("download", str(number)) for number in range(MAX_KEPT + 5)])
    assert [kept.path for kept in load_transfers(tmp_path / "list")][::499] == ["5", "504"]


def test_a_damaged_list_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b'[{"kind": 3}]')
    assert load_transfers(tmp_path / "list") == []
    assert (tmp_path / ("list" + DAMAGED)).exists()
    save_transfers(tmp_path / "no" / "folder", [])
