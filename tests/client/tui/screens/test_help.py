"""The help."""

import re

from mystic_client.model.commands import MYSTIC, SLASH
from mystic_client.model.message_acts import ACTS
from mystic_client.tui.screens.chat import ChatScreen
from mystic_client.tui.screens.help import KEYS, MOUSE, help_content


def test_every_command_and_every_key_is_explained() -> None:
    text = " ".join(help_content().plain.split())
    for spelling in (*SLASH, *MYSTIC):
        assert spelling.usage in text
    for act in ACTS:
        assert act.words in text
    explained = " ".join(keys for rows in KEYS.values() for keys, _ in rows).lower()
    bindings = [
        getattr(binding, "key", "") for kind in ChatScreen.__mro__ for binding in vars(kind).get("BINDINGS", [])
    ]
    bound = re.findall(r"\bf\d+|ctrl\+[a-z]\b|alt\+[a-z]\b", " ".join(bindings))
    assert [key for key in bound if key not in explained and key not in ("f1", "ctrl+c")] == []


def test_it_fits_80_columns() -> None:
    rows = help_content().plain.split("\n")
    assert [row for row in rows if len(row) > 72 and row != MOUSE] == []
