"""What stands around a database and is not as before is named, one difference at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.database.surroundings import Setting, Surroundings, compare_surroundings

NEW = Surroundings("postgres", -1, None, "pg_default", None, ())
GIVEN = (
    (None, "CONNECT", False),
    (None, "TEMPORARY", False),
    *(("postgres", what, False) for what in ("CREATE", "TEMPORARY", "CONNECT")),
)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"owner": "other"}, "database, owner: postgres, then other"),
        ({"connections": 3}, "database, connections: -1, then 3"),
        ({"comment": "x"}, "database, comment: None, then x"),
        ({"tablespace": "fast"}, "database, tablespace: pg_default, then fast"),
        ({"privileges": GIVEN[1:]}, "database, privileges: CONNECT to PUBLIC"),
        ({"privileges": (*GIVEN, ("app", "CREATE", True))}, "CREATE to app with grant option"),
        (
            {"settings": (Setting(None, "work_mem", "8MB"),)},
            "database, setting work_mem: not set, then 8MB",
        ),
        (
            {"settings": (Setting("app", "work_mem", "8MB"),)},
            "database, setting work_mem of role app: not set, then 8MB",
        ),
    ],
)
def test_each_difference_is_named(change: dict[str, Any], said: str) -> None:
    found = compare_surroundings(NEW, replace(NEW, **change))
    assert any(said in one for one in found), found


def test_a_setting_that_is_gone_is_named() -> None:
    before = replace(NEW, settings=(Setting(None, "work_mem", "8MB"),))
    (said,) = compare_surroundings(before, NEW)
    assert said == "database, setting work_mem: 8MB, then not set"


def test_the_first_privileges_written_down_are_no_difference() -> None:
    assert compare_surroundings(NEW, replace(NEW, privileges=GIVEN)) == ()
