"""Drafts, tabs and read positions over restarts."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mystic_client.session import notebook as notebook_module
from mystic_client.session.notebook import MAX_CONVERSATIONS, MAX_DRAFT_BYTES, Notebook


def opened(path: Path) -> Notebook:
    notebook = Notebook()
    notebook.turn_to(path)
    return notebook


def fill(notebook: Notebook) -> None:
    notebook.keep_draft("global", "hello\n[b]é")
    notebook.keep_draft("direct:1,2", "psst")
    notebook.keep_draft("direct:1,2", "")
    notebook.keep_open(["group:4", "global", "group:4"])
    notebook.keep_read("group:4", 30)
    notebook.keep_read("group:4", 20)


def assert_filled(notebook: Notebook) -> None:
    assert notebook.drafts == {"global": "hello\n[b]é"}
    assert notebook.open == ["group:4", "global"]
    assert notebook.read == {"group:4": 30}


async def test_everything_is_there_at_the_next_start(tmp_path: Path) -> None:
    first = opened(tmp_path / "notes")
    fill(first)
    assert not (tmp_path / "notes").exists(), "not at every key"
    first.save()
    assert_filled(opened(tmp_path / "notes"))


async def test_it_is_saved_by_itself_soon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook_module, "SAVE_AFTER_S", 0.0)
    fill(opened(tmp_path / "notes"))
    async with asyncio.timeout(10):
        while not (tmp_path / "notes").exists():
            await asyncio.sleep(0)
    assert_filled(opened(tmp_path / "notes"))


async def test_without_a_file_it_lives_in_memory_and_turning_saves(tmp_path: Path) -> None:
    notebook = Notebook()
    fill(notebook)
    assert_filled(notebook)
    notebook.turn_to(tmp_path / "notes")
    assert (dict(notebook.drafts), list(notebook.open), dict(notebook.read)) == ({}, [], {})
    fill(notebook)
    notebook.turn_to(None)
    assert notebook.open == []
    assert_filled(opened(tmp_path / "notes"))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"drafts": {"a": 5}}', b"\xff\xfe", b'{"read": {"a": "x"}}'])
def test_a_damaged_file_is_set_aside(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "notes").write_bytes(content)
    assert opened(tmp_path / "notes").drafts == {}
    assert (tmp_path / "notes.damaged").read_bytes() == content
    assert not (tmp_path / "notes").exists()


async def test_a_folder_that_can_not_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    notebook = opened(tmp_path / "nowhere" / "notes")
    fill(notebook)
    notebook.save()
    assert_filled(notebook)


def test_the_limits_forget_what_was_not_touched_for_longest() -> None:
    notebook = Notebook()
    for number in range(MAX_CONVERSATIONS):
        notebook.keep_draft(f"direct:{number}", "x")
        notebook.keep_read(f"direct:{number}", 1)
    notebook.keep_draft("direct:0", "é" * MAX_DRAFT_BYTES)
    notebook.keep_draft("new", "x")
    notebook.keep_read("new", 1)
    assert len(notebook.drafts) == len(notebook.read) == MAX_CONVERSATIONS
    assert "direct:1" not in notebook.drafts
    assert notebook.drafts["direct:0"] == "é" * (MAX_DRAFT_BYTES // 2)
    notebook.keep_open(f"direct:{number}" for number in range(MAX_CONVERSATIONS + 5))
    assert len(notebook.open) == MAX_CONVERSATIONS
    notebook.keep_draft("x" * 10_000, "x")
    assert len(notebook.drafts) == MAX_CONVERSATIONS


def test_a_file_from_elsewhere_keeps_to_the_limits(tmp_path: Path) -> None:
    drafts = ",".join(f'"{number}":"x"' for number in range(MAX_CONVERSATIONS + 9))
    (tmp_path / "notes").write_text(f'{{"drafts":{{{drafts}}},"read":{{"a":-4,"b":7}},"open":["a","a"],"newer":1}}')
    notebook = opened(tmp_path / "notes")
    assert len(notebook.drafts) == MAX_CONVERSATIONS
    assert (notebook.read, notebook.open) == ({"b": 7}, ["a"])
