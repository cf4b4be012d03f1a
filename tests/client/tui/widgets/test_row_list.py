"""Lists of rows to choose from."""

from collections.abc import Hashable

from mystic_client.tui.widgets.row_list import RowList
from tests.support.widget_app import at, rows_of, running


class Words(RowList[str]):
    MARKS = True
    EMPTY = "nothing"

    def key_of(self, shown: str) -> Hashable:
        return shown


async def test_keys_move_and_choose() -> None:
    words = Words()
    async with running(words) as (app, pilot):
        words.set_rows([f"word {number}" for number in range(100)])
        words.focus()
        for key, expected in [("down", 1), ("end", 99), ("up", 98), ("home", 0), ("up", 0), ("pagedown", 19)]:
            await pilot.press(key)
            assert words.cursor == expected
        await pilot.press("enter")
        assert [chosen.row for chosen in app.heard(RowList.Chosen)] == ["word 19"]
        assert any("word 19" in row for row in rows_of(words)), "the cursor is in sight"


async def test_the_mouse_chooses_and_ctrl_marks() -> None:
    words = Words()
    async with running(words) as (app, pilot):
        words.set_rows(["ana", "bob", "eva"])
        await pilot.pause()
        await pilot.click(words, offset=at(words, "bob"))
        await pilot.click(words, offset=at(words, "eva"), control=True)
        await pilot.click(words, offset=(3, 15))
        await pilot.pause()
        assert [chosen.row for chosen in app.heard(RowList.Chosen)] == ["bob"]
        assert [marked.keys for marked in app.heard(RowList.Marked)] == [frozenset({"eva"})]
        assert rows_of(words)[2].startswith("✓")


async def test_space_marks_and_marks_stay_with_their_rows() -> None:
    words = Words()
    async with running(words) as (app, pilot):
        words.set_rows(["ana", "bob", "eva"])
        words.focus()
        await pilot.press("space", "down", "down", "space")
        assert words.marked == {"ana", "eva"}
        words.set_rows(["eva", "max"])
        assert (words.marked, words.cursor) == ({"eva"}, 0)
        words.clear_marks()
        await pilot.pause()
        assert [len(marked.keys) for marked in app.heard(RowList.Marked)] == [1, 2, 1, 0]


async def test_typing_goes_to_the_next_that_begins_so() -> None:
    words = Words()
    async with running(words) as (_, pilot):
        words.set_rows(["ana", "bea", "bob", "eva"])
        words.focus()
        await pilot.press("b", "o")
        assert words.cursor == 2
        words._typed_at_s = -10.0
        await pilot.press("x")
        assert words.cursor == 2


async def test_an_empty_list_says_so_and_does_nothing() -> None:
    words = Words()
    async with running(words) as (app, pilot):
        words.focus()
        await pilot.press("enter", "space", "down", "x")
        assert rows_of(words)[0] == "nothing"
        assert app.said == []


async def test_a_hundred_thousand_rows_and_markup() -> None:
    words = Words()
    async with running(words) as (app, pilot):
        words.set_rows(["[/] [b", *(f"[@click=app.exit]{number}" for number in range(100_000))])
        words.focus()
        await pilot.pause()
        assert rows_of(words)[:2] == [" [/] [b", " [@click=app.exit]0"]
        await pilot.click(words, offset=(5, 1))
        await pilot.press("end")
        assert "99999" in rows_of(words)[-1]
        await pilot.hover(words, offset=(3, 3))
        assert app.is_running
