"""A database of a few tables, for the tests of its fingerprint."""

from __future__ import annotations

import pytest

from tests.harness.support.people_tables import PEOPLE, execute


@pytest.fixture
def people(harness_empty_database: str) -> str:
    execute(harness_empty_database, PEOPLE)
    return harness_empty_database
