"""What widgets tell the app has handlers there."""

import inspect

from textual.message import Message

from mystic_client.tui import messages
from mystic_client.tui.app import MysticApp


def test_the_app_hears_every_message() -> None:
    found = [kind for _, kind in inspect.getmembers(messages, inspect.isclass)]
    kinds = [kind for kind in found if issubclass(kind, Message) and kind is not Message]
    assert len(kinds) > 10
    assert [kind.__name__ for kind in kinds if not hasattr(MysticApp, kind.handler_name)] == []
