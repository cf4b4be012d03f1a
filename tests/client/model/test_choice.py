"""Where to connect to."""

from mystic_client.model.choice import Choice


def test_a_choice_is_complete_with_name_host_and_port() -> None:
    assert Choice("ana", "host", 1).complete
    assert not any(choice.complete for choice in (Choice("", "h", 1), Choice("a", "", 1), Choice("a", "h")))
