"""What a mix may say: each flaw is named before a client begins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.core.errors import UsageError
from harness.traffic.mix import TrafficMix, TrafficOperation

READ = TrafficOperation("read", "read", "t", "SELECT id::text, note FROM t")
EDIT = TrafficOperation("edit", "update", "t", "UPDATE t SET note = %(value)s")
DROP = TrafficOperation("drop", "delete", "t", "DELETE FROM t")
NEW = TrafficOperation("edit by the new name", "update", "t", "UPDATE s SET note = %(value)s")
MIX = TrafficMix((READ, EDIT), {"t": "SELECT id::text, note FROM t"}, after=(NEW,))
OTHER_KIND: Any = {"kind": "select"}


@pytest.mark.parametrize(
    ("flaw", "said"),
    [
        ({"operations": (READ, DROP)}, "no operation of the traffic inserts or updates"),
        ({"operations": (EDIT, replace(READ, weight=0))}, "'read' has weight 0"),
        ({"operations": (EDIT, replace(READ, **OTHER_KIND))}, "'read' is of kind 'select'"),
        ({"operations": (EDIT, replace(READ, table="u"))}, "'read' is on 'u', which has no census"),
        ({"after": (replace(NEW, table="u"),)}, "on 'u', which has no census"),
        (
            {"after": (replace(NEW, name="edit"),)},
            "'edit' is one of the old clients and of the new",
        ),
        ({"after": (replace(DROP, name="new drop"),)}, "the new clients delete, and none"),
    ],
)
def test_a_flaw_is_named(flaw: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        replace(MIX, **flaw).refuse_flawed("shop.py")


@pytest.mark.parametrize("after", [(), (NEW,), (replace(READ, name="new read"),)])
def test_a_mix_without_a_flaw_is_taken(after: tuple[TrafficOperation, ...]) -> None:
    mix = replace(MIX, after=after)
    mix.refuse_flawed("shop.py")
    assert mix.of_new_clients.operations == after
    assert mix.of_new_clients.census == MIX.census
