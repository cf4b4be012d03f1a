"""Exit statuses are an interface: these numbers never change."""

from __future__ import annotations

from mystic_client.cli.status import Failure, Status


def test_the_numbers() -> None:
    assert {status.name: int(status) for status in Status} == {
        "DONE": 0,
        "REFUSED": 1,
        "USAGE": 2,
        "NO_SERVER": 3,
        "INTERRUPTED": 130,
        "TERMINATED": 143,
    }


def test_a_failure_carries_its_status() -> None:
    failure = Failure(Status.NO_SERVER, "Nobody there.")
    assert (failure.status, str(failure)) == (Status.NO_SERVER, "Nobody there.")
