"""Roles for the tests of the runner."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.database import admin
from tests.harness.support.runner import run_sql
from tests.harness.support.seen import SEEN


@pytest.fixture
def owner(harness_empty_database: str) -> Iterator[str]:
    """A role that may make tables, but knows nothing of the ledger."""
    name = admin.unique_name("owner")
    run_sql(
        harness_empty_database, f"CREATE ROLE {name}; GRANT ALL ON SCHEMA public TO {name}; {SEEN}"
    )
    run_sql(harness_empty_database, f"GRANT ALL ON public.seen, public.s TO {name}")
    yield name
    run_sql(harness_empty_database, f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")
