"""The lists of people and groups."""

from datetime import UTC

from mystic_client.model.store import Store
from mystic_client.tui.messages import DialogWanted
from mystic_client.tui.widgets.clock import Clock
from mystic_client.tui.widgets.rosters import GroupList, PeopleList
from mystic_client.tui.widgets.row_list import RowList
from mysticproto.model import Group, GroupInfo, UserInfo, Welcome
from tests.support.fake_session import ANA, BOB, DEV, EVA, MINUTE_US, NOON_US, OWN
from tests.support.widget_app import at, rows_of, running

CLOCK = Clock(lambda: NOON_US, UTC)


def store() -> Store:
    store = Store("zoe")
    store.welcomed(Welcome(1, 5, OWN, "guest", 0))
    people = [
        UserInfo(BOB, "operator"),
        UserInfo(OWN),
        UserInfo(ANA, muted_until_us=NOON_US + MINUTE_US),
        UserInfo(EVA, "member", here=False, last_seen_us=NOON_US - 200 * MINUTE_US),
    ]
    store.listed(people, [GroupInfo(Group(9, "art"), ANA, (ANA, BOB)), GroupInfo(DEV, OWN, (OWN,))])
    return store


async def test_people_oneself_first_and_those_who_are_away_last() -> None:
    people = PeopleList(CLOCK)
    async with running(people, size=(30, 8)):
        people.follow(store())
        rows = [row.split() for row in rows_of(people)[:5]]
        assert rows == [
            ["●", "zoe", "you", "⋯"],
            ["●", "ana", "muted", "⋯"],
            ["●", "bob", "operator", "⋯"],
            ["AWAY", "1"],
            ["○", "eva", "3", "h", "⋯"],
        ]
        assert people.name_of(people.rows[1]) == "ana"


async def test_the_heading_is_passed_by() -> None:
    people = PeopleList(CLOCK)
    async with running(people, size=(30, 8)) as (app, pilot):
        people.follow(store())
        people.focus()
        await pilot.press("down", "down", "down")
        assert people.current is not None and people.current.name == "eva"
        await pilot.press("up")
        assert people.current.name == "bob"
        await pilot.click(people, offset=at(people, "AWAY"))
        assert people.current.name == "bob"
        assert app.heard(RowList.Chosen) == []


async def test_details_by_key_by_right_click_and_by_the_dots() -> None:
    people, groups = PeopleList(CLOCK), GroupList()
    async with running(people, groups, size=(30, 16)) as (app, pilot):
        people.styles.height = groups.styles.height = 6
        people.follow(store())
        groups.follow(store())
        people.focus()
        await pilot.press("down", "f5")
        await pilot.click(people, offset=at(people, "eva"), button=3)
        await pilot.click(people, offset=at(people, "⋯"))
        await pilot.click(groups, offset=at(groups, "art"), button=3)
        assert [(wanted.what, wanted.about) for wanted in app.heard(DialogWanted)] == [
            ("person", ANA.id),
            ("person", EVA.id),
            ("person", OWN.id),
            ("group", 9),
        ]
        assert app.heard(RowList.Chosen) == []


async def test_groups_ones_own_first_with_counts() -> None:
    groups = GroupList()
    async with running(groups, size=(30, 5)):
        groups.follow(store())
        assert [row.split() for row in rows_of(groups)[:2]] == [
            ["#", "dev", "1", "member", "⋯"],
            ["#", "art", "2", "members", "⋯"],
        ]
        assert groups.name_of(groups.rows[0]) == "dev"
