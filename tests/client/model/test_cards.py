"""What is said beside a file that a message brought."""

import pytest

from mystic_client.model.cards import NEW, Card, card_of, cards
from mystic_client.model.transfer import Transfer


@pytest.mark.parametrize(
    ("transfer", "card"),
    [
        (Transfer(1, "a", "queued"), Card("queued", "", "")),
        (Transfer(1, "a", "running", 200, 50), Card("25 %", "", "")),
        (Transfer(1, "a", "done", verified=True), Card("here ✓", "folder", "Open folder")),
        (Transfer(1, "a", "done"), Card("here, not verified", "folder", "Open folder")),
        (Transfer(1, "a", "failed", error="[no] room"), Card("[no] room", "get", "Again")),
        (Transfer(1, "a", "cancelled"), NEW),
    ],
)
def test_a_card_says_how_far_the_file_is(transfer: Transfer, card: Card) -> None:
    assert card_of(transfer) == card


def test_only_downloads_of_messages_have_cards_and_the_latest_counts() -> None:
    latest, older = Transfer(3, "a", "done", message=7), Transfer(2, "a", "failed", message=7)
    others = [Transfer(1, "b", "done"), Transfer(4, "c", "done", message=8, kind="upload")]
    assert cards([latest, older, *others]) == {7: card_of(latest)}
