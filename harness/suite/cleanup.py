"""The clean-up takes what it lists and no more; what stays holds its rows, rules and rights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from harness.check.plan_parts import with_absences
from harness.check.verify.doubt import CLEANED
from harness.check.verify.run import verify
from harness.core.errors import Refused
from harness.database import admin, template
from harness.plan import Plan
from harness.report import evidence
from harness.runner import cleanup, rollback, status

from . import loss
from .support import TemplateFactory, connected

if TYPE_CHECKING:
    from harness.server import Server

WHY = "the suite cleans up at once"
SAMPLES = 20


@dataclass(frozen=True)
class Cleaned:
    """A database that was cleaned up: what it held before that, and what the clean-up listed."""

    source: str
    dsn: str
    tables: tuple[loss.TableContents, ...]
    dropped: tuple[str, ...]


@pytest.fixture(scope="module")
def harness_cleaned(
    harness_server: Server,
    harness_plan: Plan,
    harness_source: str,
    harness_migrated_template: TemplateFactory,
) -> Iterator[Cleaned]:
    """A database that was migrated and cleaned up; may be redefined, with more in it."""
    dsn = template.clone(harness_server.dsn(), harness_migrated_template())
    with connected(dsn) as conn:
        tables = loss.held(conn)
    dropped = cleanup(dsn, harness_plan, override_retention=WHY)
    yield Cleaned(harness_source, dsn, tables, tuple(dropped))
    admin.drop(harness_server.dsn(), admin.dbname(dsn))


def test_rows_and_values_that_are_gone_were_listed(harness_cleaned: Cleaned) -> None:
    with connected(harness_cleaned.dsn) as conn:
        lost = loss.losses(harness_cleaned.tables, loss.held(conn))
    assert loss.unlisted(lost, harness_cleaned.dropped) == []
    dropped = harness_cleaned.dropped
    evidence.count("cleanup", "objects taken as listed", dropped, dropped)


def test_rows_rules_and_rights_are_verified_after_it(
    harness_cleaned: Cleaned, harness_plan: Plan
) -> None:
    found = verify(
        harness_cleaned.dsn,
        with_absences(harness_plan),
        state=CLEANED,
        source=harness_cleaned.source,
        count=SAMPLES,
    )
    assert [f"{one.id}: {one.message}" for one in found.findings if one.severity != "info"] == []
    assert found.verdict == "pass"


def test_there_is_no_way_back_after_it_and_a_second_one_does_nothing(
    harness_cleaned: Cleaned, harness_plan: Plan
) -> None:
    assert cleanup(harness_cleaned.dsn, harness_plan) == []
    with pytest.raises(Refused, match="cleaned up"):
        rollback(harness_cleaned.dsn, harness_plan)
    found = status(harness_cleaned.dsn, harness_plan)
    assert (found.state, found.reason) == ("migrated", "cleaned up")
