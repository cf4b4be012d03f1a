"""A store of 1,000,000 messages: its start, pages and searches while people talk, and the loop's longest stall."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from tempfile import TemporaryDirectory

from mystic_server.log.schema import FILE_NAME
from mysticproto.model import Conversations as Recent
from mysticproto.model import Found, GetHistory, History, ListConversations, Request, Search, ToGlobal, ToGroup, ToUsers
from tests.bench import past
from tests.bench.crowd import Crowd
from tests.bench.fanout import QUICK_SHARE
from tests.bench.report import Row
from tests.bench.server import BenchError, MeasuredServer, running_server
from tests.support.native_peer import NativePeer

MESSAGES = 1_000_000
STARTS = 3
ASKED = 40
"""Times for each question, each time for something else where it can be."""
TALKERS = 50
TALK_AT_ONCE = 5
TALK_PAUSE_S = 0.1

Question = tuple[str, Callable[[int], Callable[[int], Request]], type[History | Found | Recent]]
"""What it is called, how it is asked the nth time under a number, and what answers it."""


def run(quick: bool) -> list[Row]:
    """One row for each kind of question, and for what happens beside them."""
    messages = MESSAGES // QUICK_SHARE if quick else MESSAGES
    with TemporaryDirectory(prefix="mystic-past-") as name:
        data = Path(name) / "data"
        data.mkdir(mode=0o700)
        began = past.fill(data, messages)
        rows = [_row(f"start with {messages:,} messages", _starts(data)), _index(data, messages)]
        with running_server(data) as server:
            rows += _ask_while_they_talk(server, began, messages)
        stall_ms = server.longest_stall_ms()
    return [*rows, {"what": "the loop's longest stall", "times": 1, "median ms": stall_ms, "worst ms": stall_ms}]


def _starts(data: Path) -> list[float]:
    """Until a server is ready; its words are not indexed yet."""
    taken_s = []
    for _ in range(STARTS):
        with running_server(data) as server:
            taken_s.append(server.start_s)
    return taken_s


def _index(data: Path, messages: int) -> Row:
    before = (data / FILE_NAME).stat().st_size
    took_s = past.index(data)
    index_mib = ((data / FILE_NAME).stat().st_size - before) / 2**20
    return _row(f"index of {index_mib:,.0f} MiB beside {before / 2**20:,.0f}, in pauses", [took_s])


def _ask_while_they_talk(server: MeasuredServer, began: past.Past, messages: int) -> list[Row]:
    context = multiprocessing.get_context("spawn")
    talking, stop, said = context.Event(), context.Event(), context.Queue()
    talk = context.Process(target=_talk, args=(server.address, talking, stop, said))
    talk.start()
    try:
        if not talking.wait(60):
            raise BenchError("nobody came to talk")
        with NativePeer(server.address) as asker:
            asker.log_in(f"user{past.USERS[0]}", past.key_of(past.USERS[0]), watch=False)
            rows = [_asked(asker, question) for question in _questions(began, messages)]
        stop.set()
        heard_s: list[float] = said.get(timeout=60)
    finally:
        stop.set()
        talk.join(60)
    return [*rows, _row(f"chat meanwhile, to {TALKERS} clients", heard_s)]


def _talk(address: tuple[str, int], talking: Event, stop: Event, said: Queue[list[float]]) -> None:
    """In a process of its own: some messages, a pause, and again; then how long they took to arrive."""
    crowd, heard_s = Crowd(address), []
    try:
        crowd.join([f"talker{at}" for at in range(TALKERS)])
        crowd.settle()
        talking.set()
        while not stop.wait(TALK_PAUSE_S):
            heard_s += crowd.post(TALK_AT_ONCE, TALK_AT_ONCE, TALK_AT_ONCE).latencies_s
    finally:
        crowd.close()
        said.put(heard_s)


def _asked(asker: NativePeer, question: Question) -> Row:
    name, make, kind = question
    taken_s = []
    for time_asked in range(ASKED):
        started = time.perf_counter()
        answer = asker.ask(kind, make(time_asked))
        taken_s.append(time.perf_counter() - started)
        if not isinstance(answer, kind):
            raise BenchError(f"{name}: {answer}")
    return _row(name, taken_s)


def _questions(began: past.Past, messages: int) -> list[Question]:
    """The nth time a question is about another part of the past, or another word."""
    words, group = began.words, ToGroup(f"group{past.GROUPS[0]}")
    direct = ToUsers((f"user{past.USERS[1]}",))

    def at(nth: int) -> int:
        return messages - nth * (messages // (ASKED + 1))

    def search(typed: Callable[[int], str], **filters: object) -> Callable[[int], Callable[[int], Request]]:
        return lambda nth: lambda n: Search(n, typed(nth), **filters)  # type: ignore[arg-type]

    return [
        ("newest 100 messages", lambda nth: lambda n: GetHistory(n, ToGlobal()), History),
        ("100 messages of long ago", lambda nth: lambda n: GetHistory(n, ToGlobal(), at(nth)), History),
        ("100 messages about one", lambda nth: lambda n: GetHistory(n, group, around=at(nth)), History),
        ("recent conversations", lambda nth: lambda n: ListConversations(n), Recent),
        ("search, common word", search(lambda nth: words[nth] + " "), Found),
        ("search, less common word", search(lambda nth: words[1000 + nth] + " "), Found),
        ("search, rare word", search(lambda nth: past.RARE_WORD + " "), Found),
        ("search, no such word", search(lambda nth: f"nobody{nth} says "), Found),
        ("search, beginning of a word", search(lambda nth: words[nth][: 2 + nth % 4]), Found),
        ("search, three common words", search(lambda nth: " ".join(words[nth : nth + 3]) + " "), Found),
        ("search, words that stand together", search(lambda nth: f'"{words[nth]} {words[nth + 1]}"'), Found),
        ("search, rare author", search(lambda nth: words[nth] + " ", author=f"user{past.USERS[-1]}"), Found),
        ("search, one private conversation", search(lambda nth: words[nth] + " ", of=direct), Found),
        (
            "search, one day of long ago",
            lambda nth: (
                lambda n: Search(
                    n, words[nth] + " ", since_us=_time_us(at(nth)) - 86_400_000_000, until_us=_time_us(at(nth))
                )
            ),
            Found,
        ),
    ]


def _time_us(seq: int) -> int:
    return past.BEGIN_US + seq * past.STEP_US


def _row(what: str, taken_s: list[float]) -> Row:
    ordered = sorted(taken_s)
    median_ms, worst_ms = (round(each * 1000, 1) for each in (ordered[len(ordered) // 2], ordered[-1]))
    return {"what": what, "times": len(ordered), "median ms": median_ms, "worst ms": worst_ms}
