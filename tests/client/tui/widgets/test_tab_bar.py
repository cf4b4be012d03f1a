"""The tabs."""

from mystic_client.tui.widgets.tab_bar import TabBar, TabInfo
from tests.support.widget_app import at, rows_of, running

TABS = [
    TabInfo("global", "Global", "global"),
    TabInfo("direct:1,2", "ana", "direct", unread=3, urgent=True, closable=True),
    TabInfo("group:7", "dev", "group", unread=5000, closable=True),
    TabInfo("files", "Files", "files"),
]


async def test_titles_counts_and_signs() -> None:
    bar = TabBar()
    async with running(bar):
        bar.set_tabs(TABS, "global")
        assert rows_of(bar)[0].split() == [
            "Global",
            "@",
            "ana",
            "3",
            "×",
            "#",
            "dev",
            "999+",
            "×",
            "▤",
            "Files",
            "Search",
        ]


async def test_the_ways_to_everything_else_are_at_the_end() -> None:
    bar = TabBar()
    async with running(bar, size=(120, 5)) as (app, pilot):
        bar.set_tabs(TABS, "global")
        for words in ("Go to", "Search"):
            await pilot.hover(bar, offset=at(bar, words))
            assert bar.tooltip
            await pilot.click(bar, offset=at(bar, words))
        assert [asked.what for asked in app.heard(TabBar.Asked)] == ["switch", "search"]


async def test_a_click_turns_and_the_cross_closes() -> None:
    bar = TabBar()
    async with running(bar) as (app, pilot):
        bar.set_tabs(TABS, "global")
        await pilot.pause()
        await pilot.click(bar, offset=at(bar, "dev"))
        await pilot.click(bar, offset=at(bar, "×"))
        await pilot.click(bar, offset=at(bar, "Global"), button=2)
        await pilot.hover(bar, offset=at(bar, "×"))
        await pilot.click(bar, offset=(55, 0))
        assert [turned.key for turned in app.heard(TabBar.Turned)] == ["group:7", "global"]
        assert [closed.key for closed in app.heard(TabBar.Closed)] == ["direct:1,2"]


async def test_keys_turn_and_close() -> None:
    bar = TabBar()
    async with running(bar) as (app, pilot):
        bar.set_tabs(TABS, "global")
        bar.focus()
        await pilot.press("left", "right", "delete")
        bar.set_tabs(TABS, "group:7")
        await pilot.press("delete")
        assert [turned.key for turned in app.heard(TabBar.Turned)] == ["files", "direct:1,2"]
        assert [closed.key for closed in app.heard(TabBar.Closed)] == ["group:7"]


async def test_too_many_tabs_show_those_around_the_front() -> None:
    bar = TabBar()
    async with running(bar, size=(40, 3)) as (app, pilot):
        many = [TabInfo(f"k{number}", f"[/]tab{number}", "direct", closable=True) for number in range(50)]
        bar.set_tabs(many, "k25")
        await pilot.pause()
        row = rows_of(bar)[0]
        assert "[/]tab25" in row and row.startswith("‹") and row.endswith("›")
        await pilot.click(bar, offset=(0, 0))
        await pilot.click(bar, offset=(39, 0))
        turned = [int(turned.key[1:]) for turned in app.heard(TabBar.Turned)]
        assert turned[0] < 25 < turned[1]


async def test_no_tabs_and_no_room_do_no_harm() -> None:
    bar = TabBar()
    async with running(bar, size=(2, 1)) as (_, pilot):
        assert rows_of(bar) == [""]
        bar.set_tabs(TABS, "gone")
        await pilot.pause()
        assert len(rows_of(bar)) == 1
