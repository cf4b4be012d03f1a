"""Commands of owners and operators."""

import pytest

from mystic_client.model.commands import CommandError, parse
from mystic_client.model.keeping import (
    SPELLINGS,
    Add,
    Announce,
    Ban,
    Bans,
    DeleteGroup,
    HandOver,
    Keep,
    Kick,
    Mute,
    Remove,
    Rename,
    SetRole,
    Shutdown,
    Unban,
    Unmute,
)

MEANT = {
    "/add bob": Add("bob"),
    "/remove bob": Remove("bob"),
    "/rename builders": Rename("builders"),
    "/handover ana": HandOver("ana"),
    "/keep": Keep(True),
    "/keep off": Keep(False),
    "/delete-group": DeleteGroup(),
    "/kick ana": Kick("ana"),
    "/kick ana too  loud": Kick("ana", "too  loud"),
    "/ban ana": Ban("ana"),
    "/ban 10.1.0.0/16 2h scanning": Ban("10.1.0.0/16", 7200, "scanning"),
    "/ban ana 2 warnings": Ban("ana", 0, "2 warnings"),
    "/ban ana forever rude": Ban("ana", 0, "rude"),
    "/unban ana": Unban("ana"),
    "/bans": Bans(),
    "/mute ana 10m": Mute("ana", 600),
    "/mute ana shouting": Mute("ana", 0, "shouting"),
    "/unmute ana": Unmute("ana"),
    "/role ana Operator": SetRole("ana", "operator"),
    "/role ana member": SetRole("ana", "member"),
    "/announce tea at five": Announce("tea at five"),
    "/shutdown": Shutdown(),
    "/shutdown cancel": Shutdown(cancel=True),
}


@pytest.mark.parametrize("line", MEANT)
def test_what_lines_mean(line: str) -> None:
    assert parse(line) == MEANT[line]


@pytest.mark.parametrize(
    "line",
    [
        *("/add", "/add two names", "/rename", "/keep it", "/kick", "/ban", "/unban", "/bans all", "/mute"),
        *("/role ana", "/role ana king", "/announce", "/shutdown now"),
    ],
)
def test_what_lacks_something_is_answered_with_the_usage(line: str) -> None:
    usage = next(spelling.usage for spelling in SPELLINGS if spelling.words == line.split()[0])
    assert parse(line) == CommandError(f"Usage: {usage}")


def test_all_say_who_may_use_them() -> None:
    assert {spelling.who for spelling in SPELLINGS} == {"owner", "operator"}
