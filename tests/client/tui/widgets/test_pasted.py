from __future__ import annotations

from pathlib import Path

from mystic_client.tui.widgets.pasted import FilesPasted


def test_what_was_pasted_stays_as_it_was_then() -> None:
    files = [Path("a.txt")]
    pasted = FilesPasted(files, "a.txt")
    files.append(Path("b.txt"))
    assert (pasted.files, pasted.text) == ((Path("a.txt"),), "a.txt")
