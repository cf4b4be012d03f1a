"""The lists of people and groups."""

from mystic_client.model.store import Store
from mystic_client.tui.widgets.rosters import GroupList, PeopleList
from mysticproto.model import Group, GroupInfo, UserInfo, Welcome
from tests.support.fake_session import ANA, BOB, DEV, OWN
from tests.support.widget_app import rows_of, running


def store() -> Store:
    store = Store("zoe")
    store.welcomed(Welcome(1, 5, OWN, "guest", 0))
    people = [UserInfo(BOB, "operator"), UserInfo(OWN), UserInfo(ANA)]
    store.listed(people, [GroupInfo(Group(9, "art"), ANA, (ANA, BOB)), GroupInfo(DEV, OWN, (OWN,))])
    return store


async def test_people_oneself_first() -> None:
    people = PeopleList()
    async with running(people, size=(30, 5)):
        people.follow(store())
        rows = [row.split() for row in rows_of(people)[:3]]
        assert rows == [["●", "zoe", "you"], ["●", "ana"], ["●", "bob", "operator"]]
        assert people.name_of(people.rows[1]) == "ana"


async def test_groups_ones_own_first_with_counts() -> None:
    groups = GroupList()
    async with running(groups, size=(30, 5)):
        groups.follow(store())
        assert [row.split() for row in rows_of(groups)[:2]] == [
            ["#", "dev", "1", "member"],
            ["#", "art", "2", "members"],
        ]
        assert groups.name_of(groups.rows[0]) == "dev"
