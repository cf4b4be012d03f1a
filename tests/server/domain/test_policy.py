"""The gateway's tables cover the vocabulary."""

from __future__ import annotations

from typing import get_args

from mystic_server.domain import policy
from mysticproto import model

REQUESTS = frozenset(get_args(model.Request))


def test_only_these_are_open_to_somebody_without_a_name() -> None:
    """A request that is added to the vocabulary is closed until somebody decides otherwise."""
    assert {model.Login, model.Ping, model.Fetch, model.Store} == policy.BEFORE_LOGIN


def test_tables_speak_of_requests() -> None:
    assert policy.BEFORE_LOGIN <= REQUESTS
    assert policy.BARRIERS <= REQUESTS


def test_what_changes_more_than_a_timeline_is_a_barrier() -> None:
    changing = {model.Login, model.Logout, model.CreateGroup, model.JoinGroup, model.LeaveGroup}
    assert changing <= policy.BARRIERS
    assert model.Post not in policy.BARRIERS
