"""The list of offers."""

from mystic_client.model.completion import Offer
from mystic_client.tui.widgets.completions import Completions
from mystic_client.tui.widgets.row_list import RowList
from tests.support.widget_app import at, rows_of, running


async def test_it_shows_labels_and_hints_and_hides_when_empty() -> None:
    offers = Completions()
    async with running(offers) as (app, pilot):
        assert not offers.display
        offers.offer((Offer("/users", "/users", "who is here"), Offer("[/b] ", "[/b] <x>", "[hint")))
        await pilot.pause()
        assert [row.strip() for row in rows_of(offers)] == ["/users    who is here", "[/b] <x>  [hint"]
        offers.move(-1)
        assert offers.chosen == 1
        offers.move(1)
        assert offers.chosen == 0
        await pilot.click(offers, offset=at(offers, "[/b]"))
        assert [chosen.row for chosen in app.heard(RowList.Chosen)] == [offers.rows[1]]
        offers.offer(())
        assert not offers.display
        offers.move(1)
