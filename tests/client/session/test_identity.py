"""The device's key."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from mystic_client.session.identity import KEY_FILE, IdentityError, load_or_make_identity


def test_a_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    identity = load_or_make_identity(folder)
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
    assert load_or_make_identity(folder).public == identity.public
    assert load_or_make_identity(tmp_path / "other").public != identity.public
    Ed25519PublicKey.from_public_bytes(identity.public).verify(identity.sign(b"words"), b"words")


@pytest.mark.parametrize("content", [b"", b"12", b"not hex at all", b"\xff" * 40, b"00" * 33])
def test_a_file_that_holds_no_key_is_never_overwritten(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    with pytest.raises(IdentityError, match="does not hold a device key"):
        load_or_make_identity(tmp_path)
    assert (tmp_path / KEY_FILE).read_bytes() == content


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(IdentityError, match="device.key"):
        load_or_make_identity(tmp_path / "file" / "state")


def test_of_two_that_start_at_once_both_have_the_first_ones_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_or_make_identity(tmp_path)
    real = Path.read_text
    answers = iter([FileNotFoundError])

    def not_yet(path: Path, *args: object, **named: object) -> str:
        for problem in answers:
            raise problem
        return real(path, encoding="ascii")

    monkeypatch.setattr(Path, "read_text", not_yet)
    assert load_or_make_identity(tmp_path).public == first.public
