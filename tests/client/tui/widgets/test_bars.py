"""The top of the screen and the banner."""

from mystic_client.tui.messages import DialogWanted
from mystic_client.tui.widgets.bars import ActRow, Banner, Bannered, Place, TopBar
from tests.support.widget_app import at, rows_of, running


async def test_where_one_is_and_whether_there_is_a_connection() -> None:
    top = TopBar()
    async with running(top, size=(80, 3)) as (app, pilot):
        top.show(Place("zoe", "h:1", "online", "connected"))
        row = rows_of(top)[0]
        assert row.split() == ["◆", "Mystic", "h:1", "●", "connected", "zoe", "≡", "Menu", "Disconnect"]
        await pilot.hover(top, offset=at(top, "Disconnect"))
        await pilot.click(top, offset=at(top, "Disconnect"))
        await pilot.click(top, offset=at(top, "h:1"))
        await pilot.click(top, offset=at(top, "zoe"))
        await pilot.click(top, offset=at(top, "Menu"))
        assert [wanted.what for wanted in app.heard(DialogWanted)] == ["account", "menu"]
        assert [acted.act for acted in app.heard(ActRow.Acted)] == ["disconnect"]
        top.show(Place("zoe", "h:1", "waiting", "no connection"))
        assert "○ no connection" in rows_of(top)[0]


async def test_little_room_keeps_the_state_and_the_button() -> None:
    top = TopBar()
    async with running(top, size=(40, 3)):
        top.show(Place("zoe", "h:1", "online", "connected"))
        assert rows_of(top)[0].split() == ["◆", "Mystic", "●", "connected", "≡", "Menu"]


async def test_whether_others_may_listen_and_what_operators_have() -> None:
    top = TopBar()
    async with running(top, size=(90, 3)) as (app, pilot):
        top.show(Place("zoe", "h:1", "online", "connected", "not encrypted", is_exposed=True, operates=True))
        assert "h:1 · not encrypted" in rows_of(top)[0]
        await pilot.click(top, offset=at(top, "Server"))
        assert [wanted.what for wanted in app.heard(DialogWanted)] == ["server"]


async def test_a_banner_is_there_as_long_as_it_has_something_to_say() -> None:
    banner = Banner()
    async with running(banner, size=(50, 3)) as (app, pilot):
        assert not banner.display
        banner.show(Bannered("[/b] gone", "bad", "try", "Try now"))
        await pilot.pause()
        assert rows_of(banner)[0].startswith(" [/b] gone")
        await pilot.click(banner, offset=at(banner, "Try now"))
        assert [acted.act for acted in app.heard(ActRow.Acted)] == ["try"]
        banner.show(Bannered("fine"))
        assert rows_of(banner)[0] == " fine"
        banner.show(None)
        assert not banner.display
        assert banner.render_line(0).text.strip() == ""
