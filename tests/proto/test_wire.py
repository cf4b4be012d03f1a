from __future__ import annotations

from mysticproto.wire import Alone, Item, Local


def test_items_are_compared_by_what_they_say() -> None:
    said: Item = Local((b"x", Alone(b"y")))
    assert said == Local((b"x", Alone(b"y")))
    assert said != Local((b"x", b"y"))
    assert {said} == {Local((b"x", Alone(b"y")))}
