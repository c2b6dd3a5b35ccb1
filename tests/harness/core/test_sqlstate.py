"""The table of SQLSTATEs: named as Postgres names them, and the one that the runner retries by."""

from __future__ import annotations

import pytest
from psycopg import errors

from harness.core import sqlstate
from harness.plan import RunnerSettings
from harness.runner.backoff import BRIEF_RETRIES, may_retry

NAMED = {
    name: code
    for name, code in vars(sqlstate).items()
    if name.isupper() and isinstance(code, str) and len(code) == 5
}


@pytest.mark.parametrize("name", NAMED)
def test_a_name_is_that_of_the_manual(name: str) -> None:
    words = errors.lookup(NAMED[name]).__name__
    assert name.replace("_", "").lower() == words.replace("_", "").lower()


def test_the_names_are_many_and_each_state_has_one() -> None:
    assert len(NAMED) > 30
    assert len(set(NAMED.values())) == len(NAMED)


@pytest.mark.parametrize("state", sqlstate.BY_STATE)
def test_the_runner_retries_by_the_table(state: str) -> None:
    settings = RunnerSettings(retries=BRIEF_RETRIES + 3)
    attempts = {"never": 0, "briefly": BRIEF_RETRIES, "patiently": settings.retries}
    last = attempts[sqlstate.advice_for(state).retry]
    assert not may_retry(state, last + 1, settings)
    assert last == 0 or may_retry(state, last, settings)


def test_only_what_passes_by_itself_is_retried() -> None:
    retried = {state for state, advice in sqlstate.BY_STATE.items() if advice.retry != "never"}
    assert retried == {
        sqlstate.LOCK_NOT_AVAILABLE,
        sqlstate.DEADLOCK_DETECTED,
        sqlstate.SERIALIZATION_FAILURE,
        sqlstate.QUERY_CANCELED,
    }
    assert all(advice.retry == "never" for advice in sqlstate.BY_CLASS.values())


@pytest.mark.parametrize("state", sorted(sqlstate.CONNECTION_LOST))
def test_a_lost_connection_is_not_retried_by_statement(state: str) -> None:
    assert sqlstate.advice_for(state).retry == "never"
