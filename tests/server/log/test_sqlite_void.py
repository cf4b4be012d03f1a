"""The child's side: what has turned out to be void, in a batch that may be sent again."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from msgspec import Raw

from mystic_server.domain.events import encode_event
from mystic_server.log.records import Answer, ReceivedCommit, ReceivedDraft
from mystic_server.log.sqlite import Database
from tests.contracts.logs import said

CID = b"c" * 16


def commit(*texts: str, after: int = -1, void: tuple[int, ...] = ()) -> ReceivedCommit:
    """Messages, each with the same client id."""
    drafts = [ReceivedDraft(at, 1000, Raw(encode_event(said(text, cid=CID)))) for at, text in enumerate(texts)]
    return ReceivedCommit(tuple(drafts), (), -1, after, void)


def test_a_batch_with_what_is_void_is_stored_once(tmp_path: Path) -> None:
    with closing(Database(tmp_path)) as database:
        assert database.commit(commit("lost")) == Answer(1)
        again = commit("a", after=1, void=(1,))
        assert database.commit(again) == database.commit(again) == Answer(2)
        rows = database.connection.execute("SELECT seq, conversation, cid FROM events").fetchall()
        assert rows == [(1, None, None), (2, "global", CID)]
