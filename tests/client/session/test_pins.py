"""Known servers: kept in a file, for several programs at once, and never read half or wrong."""

from __future__ import annotations

import datetime
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from mystic_client.session.heard import Address
from mystic_client.session.pins import FILE, Pin, Pins, PinsError

ONE, OTHER = (":".join([pair] * 32) for pair in ("ab", "cd"))
HERE = Address("chat.example", 12000)


def today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()


@pytest.mark.parametrize("in_memory", [False, True])
def test_known_from_the_first_time_on_until_forgotten(tmp_path: Path, in_memory: bool) -> None:
    pins = Pins(None if in_memory else tmp_path / "state")
    assert pins.find(HERE) is None
    added = pins.add(HERE, ONE)
    assert added.fingerprint == ONE and added.since <= today()
    assert pins.find(HERE) == added
    assert pins.add(HERE, OTHER) == added, "who was first stays"
    assert pins.forget("chat.example", 12000)
    assert not pins.forget("chat.example", 12000)
    assert pins.find(HERE) is None
    assert pins.add(HERE, OTHER).fingerprint == OTHER


def test_a_key_is_known_wherever_its_server_was_met(tmp_path: Path) -> None:
    pins = Pins(tmp_path)
    pins.add(HERE, ONE)
    pins.add(Address("::1", 5), ONE)
    pins.forget(HERE.host, HERE.port)
    assert Pins(tmp_path).knows(ONE)
    assert not pins.knows(OTHER)
    pins.forget("::1", 5)
    assert not Pins(tmp_path).knows(ONE)


def test_the_file_is_for_people_too(tmp_path: Path) -> None:
    pins = Pins(tmp_path)
    pins.add(HERE, ONE)
    pins.add(Address("::1", 5), OTHER)
    since = [pins.find(address).since for address in (HERE, Address("::1", 5))]  # type: ignore[union-attr]
    assert (tmp_path / FILE).read_text() == f"[::1]:5 {OTHER} {since[1]}\nchat.example:12000 {ONE} {since[0]}\n"
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert sorted(os.listdir(tmp_path)) == [FILE, FILE + ".lock"]


def test_a_server_is_its_host_and_its_port(tmp_path: Path) -> None:
    pins = Pins(tmp_path)
    pins.add(HERE, ONE)
    assert pins.find(Address("CHAT.example", 12000)) is not None
    for other in (Address("chat.example", 12001), Address("example", 12000), Address("chat.example.org", 12000)):
        assert pins.find(other) is None


def test_another_program_is_heard_at_once(tmp_path: Path) -> None:
    one, other = Pins(tmp_path), Pins(tmp_path)
    assert other.find(HERE) is None
    one.add(HERE, ONE)
    assert other.find(HERE) == Pin(ONE, one.find(HERE).since)  # type: ignore[union-attr]
    assert other.add(HERE, OTHER).fingerprint == ONE
    other.forget(HERE.host, HERE.port)
    assert one.find(HERE) is None


ADD_MANY = """
import sys
from pathlib import Path
from mystic_client.session.pins import Address, Pins
for port in range(int(sys.argv[2]), int(sys.argv[2]) + 20):
    Pins(Path(sys.argv[1])).add(Address("h", port), ":".join(["ab"] * 32))
"""


def test_programs_that_run_at_once_lose_none_of_each_others_lines(tmp_path: Path) -> None:
    programs = [
        subprocess.Popen([sys.executable, "-c", ADD_MANY, str(tmp_path), str(first)]) for first in (100, 200, 300)
    ]
    assert [program.wait() for program in programs] == [0, 0, 0]
    assert len((tmp_path / FILE).read_text().splitlines()) == 60


@pytest.mark.parametrize(
    "line",
    ["nonsense", f"h:1 {ONE}", f"h:1 {ONE[:-1]} 2026-01-01", f"h:1 {ONE} 2026-01-01 x", f"h:1 {ONE.upper()} x", "\x80"],
)
def test_a_damaged_line_is_not_skipped(tmp_path: Path, line: str) -> None:
    """The server that it was about would be met as if for the first time."""
    (tmp_path / FILE).write_bytes(f"\n{line}\n".encode("latin-1"))
    pins = Pins(tmp_path)
    with pytest.raises(PinsError, match=FILE):
        pins.find(HERE)
    with pytest.raises(PinsError, match=FILE):
        pins.add(HERE, ONE)
    assert (tmp_path / FILE).read_bytes() == f"\n{line}\n".encode("latin-1")


def test_a_file_that_cant_be_used_has_a_sentence(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(PinsError, match="can't be used: "):
        Pins(tmp_path).find(HERE)
    (tmp_path / "file").touch()
    with pytest.raises(PinsError, match="can't be used: "):
        Pins(tmp_path / "file").add(HERE, ONE)


def test_nothing_changed_writes_nothing(tmp_path: Path) -> None:
    pins = Pins(tmp_path)
    pins.forget("h", 1)
    assert not (tmp_path / FILE).exists()
    pins.add(HERE, ONE)
    before = (tmp_path / FILE).stat().st_ino
    pins.add(HERE, OTHER)
    assert (tmp_path / FILE).stat().st_ino == before
