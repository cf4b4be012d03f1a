"""Downloads in words."""

import pytest

from mystic_client.model.transfer import Transfer

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("transfer", "words"),
    [
        (Transfer(1, "a"), "waiting"),
        (Transfer(1, "a", "running", 20 * MIB, 12 * MIB, 3.2 * MIB, 2.5), "12 MiB of 20 MiB · 3.2 MiB/s · 3 s left"),
        (Transfer(1, "a", "running", 20 * MIB), "0 bytes of 20 MiB · 0 bytes/s"),
        (Transfer(1, "a", "verifying", 20 * MIB), "20 MiB · comparing with the server's hash"),
        (Transfer(1, "a", "done", 5, 5, saved_to="~/a", verified=True), "verified ✓ BLAKE3 · ~/a"),
        (Transfer(1, "a", "done", 5, 5, saved_to="~/a"), "not verified · ~/a"),
        (Transfer(1, "a", "failed", error="no room"), "no room"),
        (Transfer(1, "a", "cancelled"), "cancelled"),
    ],
)
def test_states_in_words(transfer: Transfer, words: str) -> None:
    assert transfer.in_words() == words


def test_how_much_is_here() -> None:
    assert Transfer(1, "a").fraction == 0.0
    assert Transfer(1, "a", "running", 4, 1).fraction == 0.25
    assert Transfer(1, "a", "running", 4, 9).fraction == 1.0
    assert Transfer(1, "a", "done").fraction == 1.0
    assert Transfer(1, "Music/Old/a.ogg").name == "a.ogg"
    assert Transfer(1, "a", "failed").ended and not Transfer(1, "a", "verifying").ended
