"""The help."""

import re

from mystic_client.model.commands import MYSTIC, SLASH
from mystic_client.tui.screens.chat import ChatScreen
from mystic_client.tui.screens.help import KEYS, help_content


def test_every_command_and_every_key_is_explained() -> None:
    text = help_content().plain
    for spelling in (*SLASH, *MYSTIC):
        assert spelling.usage in text
    explained = " ".join(keys for keys, _ in KEYS).lower()
    bound = re.findall(r"f\d+", " ".join(getattr(binding, "key", "") for binding in ChatScreen.BINDINGS))
    assert [key for key in bound if key not in explained and key != "f1"] == []
