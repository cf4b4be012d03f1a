"""What the log in memory has beyond the contract (contracts/test_logs.py)."""

from __future__ import annotations

from mystic_server.log.base import Draft, Duplicate, HistoryQuery, Stored
from mystic_server.log.memory import MemoryLog
from tests.contracts.logs import in_memory, said


def test_a_listener_may_append() -> None:
    log = MemoryLog()
    heard: list[int] = []

    def on_results(results: object) -> None:
        heard.append(len(log.events))
        if len(heard) < 3:
            log.append(Draft(len(heard), 1, said("again")))

    log.on_results = on_results
    log.append(Draft(0, 1, said("first")))
    for _ in range(5):
        log.flush()
    assert heard == [1, 2, 3]


def test_an_answer_may_lead_to_another_question() -> None:
    with in_memory() as rig:
        seen: list[int] = []
        query = HistoryQuery(("global",), 0, 0, 9)
        rig.commit(said("a"))
        rig.log.history(query, lambda page: rig.log.history(query, lambda page: seen.append(len(page.events))))
        rig.log.flush()
        assert seen == []
        rig.log.flush()
        assert seen == [1]


def test_it_remembers_client_ids_over_a_restart() -> None:
    log = MemoryLog()
    with in_memory(log) as rig:
        assert isinstance(rig.commit(said("a", cid=b"x" * 16))[0], Stored)
    with in_memory(log) as rig:
        assert isinstance(rig.commit(said("a", cid=b"x" * 16))[0], Duplicate)
