"""What is told of a transfer."""

from __future__ import annotations

import pytest

from mystic_client.session.heard import NotConnected
from mystic_client.session.progress import Failed, Progress, Teller, code_of, sentence_of


@pytest.mark.parametrize(
    ("problem", "code", "text"),
    [
        (Failed("file_not_found", "There is no such file."), "file_not_found", "There is no such file."),
        (NotConnected("it is gone"), "not_connected", "it is gone"),
        (TimeoutError(), "not_connected", "the server does not answer"),
        (OSError(28, "No space left on device", "a/b"), "disk", "a/b: No space left on device"),
        (OSError(28, "No space left on device"), "disk", "No space left on device"),
    ],
)
def test_failures(problem: Exception, code: str, text: str) -> None:
    assert (code_of(problem), sentence_of(problem)) == (code, text)


async def test_every_change_is_told_and_bytes_now_and_then() -> None:
    told: list[Progress] = []
    teller = Teller("a", told.append)
    teller.start("running", 5, 5000)
    for received in range(10, 1000):
        teller.moved(received)
    teller.failed(Failed("cut", "it was cut off"))
    assert len(told) < 20
    assert (told[0].state, told[0].received, told[0].size) == ("running", 5, 5000)
    assert (told[-1].state, told[-1].received, told[-1].code, told[-1].error) == (
        "failed",
        999,
        "cut",
        "it was cut off",
    )
