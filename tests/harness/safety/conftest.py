"""A small shop whose application has a role of its own."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.harness.support.maintenance import TABLES, Shop, grant
from tests.harness.support.runner import run_sql


@pytest.fixture
def shop(harness_empty_database: str, role: str) -> Iterator[Shop]:
    """Its tables, and a role that may write to them."""
    with psycopg.connect(harness_empty_database, autocommit=True) as conn:
        conn.execute(TABLES.encode())
        conn.execute(grant(role))
    yield Shop(harness_empty_database, role)
    run_sql(harness_empty_database, f"DROP OWNED BY {role}")
