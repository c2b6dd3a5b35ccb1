"""Headers of what goes away: each planted fault of them is named, on old paths and on new ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.check.contract.postgrest.exchange import ApiSession
from harness.check.contract.session import Actor
from harness.core.errors import UsageError
from harness.core.finding import Finding
from harness.database import admin
from harness.scenario.api.announced import (
    check_announced,
    install_announcer,
    read_http_date,
    read_links,
    read_moment,
)

from .schemas import AS_A_VIEW, BEFORE, ROLE, run_sql

COMMENT = "DEPRECATED: use public.{}; for old clients only since {}, goes away after {}"
PATHS = ["/orders", "/parcels", "/purchases"]
OLD = {"/orders": "/purchases"}
FAULTS = [
    (COMMENT.format("purchases", "2026-07-01", "2026-12-31"), []),
    (COMMENT.format('"Odd ""name"', "2026-07-01", "2026-12-31"), ["as the successor"]),
    (COMMENT.format("purchases", "2027-07-01", "2026-12-31"), ["is before Deprecation 2027-07-01"]),
    (COMMENT.format("purchases", "2026-07-01", "2026-11-30"), ["and the plan promises 2026-12-31"]),
    (COMMENT.format("purchases", "2026-13-01", "2026-12-31"), ["Deprecation is there 0 times"]),
    ("DEPRECATED: soon", ["Deprecation is there 0", "Sunset is there 0", "no successor-version"]),
    (
        "deprecated in another way",
        ["Deprecation is there 0", "Sunset is there 0", "Link is there 0"],
    ),
]
Check = Callable[..., list[Finding]]


@pytest.fixture
def check(harness_empty_database: str) -> Check:
    """Check the headers after a script, on a migrated database."""
    run_sql(harness_empty_database, f"{BEFORE}{AS_A_VIEW}grant select on purchases to {ROLE}")

    def made(script: str, **more: Any) -> list[Finding]:
        run_sql(harness_empty_database, script)
        asked: dict[str, Any] = {"paths": PATHS, "successors": OLD, "sunset": "2026-12-31"}
        with admin.connection(harness_empty_database) as conn:
            session = install_announcer(ApiSession(conn, "public", "public.announce_deprecation"))
            return [*check_announced(session, [Actor(ROLE)], **asked | more)]

    return made


def comment(relation: str, text: str) -> str:
    quoted = text.replace("'", "''")
    return f"comment on {relation} is '{quoted}'"


def test_old_path_has_every_header_and_no_other_path_has_one(check: Check) -> None:
    for text, says in FAULTS:
        found = check(comment("view orders", text))
        assert [one.where for one in found] == ["/orders"] * bool(says), text
        for words in says:
            assert words in found[0].evidence, text


def test_path_that_stays_is_not_announced_and_one_that_nobody_may_ask_is_unknown(
    check: Check,
) -> None:
    good = COMMENT.format("purchases", "2026-07-01", "2026-12-31")
    spoilt = f"{comment('view orders', good)}; {comment('table parcels', good)}"
    (found,) = check(f"{spoilt}; revoke all on purchases from {ROLE}")[:1]
    assert (found.where, found.severity) == ("/parcels", "critical")
    assert "Sunset is announced of a path that stays" in found.evidence
    (found,) = check("drop table hidden", paths=["/hidden"])
    assert (found.severity, "42P01" in found.message) == ("warning", True)


def test_another_pre_request_function_that_is_not_there_is_refused(
    harness_empty_database: str,
) -> None:
    with (
        admin.connection(harness_empty_database) as conn,
        pytest.raises(UsageError, match=r"names public\.mine, which the database does not have"),
    ):
        install_announcer(ApiSession(conn, "public", "public.mine"))


def test_dates_and_links_are_read_as_the_standards_write_them() -> None:
    moment = read_moment("@1688169600")
    assert moment is not None
    assert moment.isoformat() == "2023-07-01T00:00:00+00:00"
    assert [read_moment(text) for text in ("1688169600", "@1.5", "@", "@9" * 2, "true")] == [
        None
    ] * 5
    assert read_http_date("Thu, 31 Dec 2026 23:59:59 GMT") is not None
    bad = ["Fri, 31 Dec 2026 23:59:59 GMT", "31 Dec 2026", "Thu, 31 Dec 2026 23:59:59 +0000"]
    assert [read_http_date(text) for text in bad] == [None] * 3
    links = '<a,b>; rel="successor-version sunset" ; type=x , </c>; title="x, y"; rel=deprecation'
    expected = {"successor-version": "a,b", "sunset": "a,b", "deprecation": "/c"}
    assert read_links(links) == expected
