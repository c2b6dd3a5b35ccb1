"""A fingerprint that cannot be whole is refused: what cannot be read is named, and no password."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from harness.core.errors import InfrastructureError, Refused, UsageError
from harness.database import admin, fingerprint
from tests.harness.support.people_tables import execute


def as_role(dsn: str, role: str) -> str:
    return f"{dsn}{'&' if '?' in dsn else '?'}options={quote(f'-c role={role}')}"


@pytest.fixture
def reader(people: str) -> Iterator[str]:
    """A role that may read the tables of `people`."""
    role = admin.unique_name("harness_reader")
    execute(people, f"create role {role}; grant select on all tables in schema public to {role}")
    yield role
    execute(people, f"drop owned by {role}; drop role {role}")


def test_a_role_that_may_read_everything_needs_no_other_right(people: str, reader: str) -> None:
    assert fingerprint.take(as_role(people, reader)) == fingerprint.take(people)


def test_rows_hidden_by_row_level_security_are_refused(people: str, reader: str) -> None:
    execute(people, "alter table tags enable row level security")
    hidden = r"public\.tags cannot be read: row level security would hide rows.*BYPASSRLS"
    with pytest.raises(Refused, match=hidden):
        fingerprint.take(as_role(people, reader))


def test_a_table_that_may_not_be_read_is_refused(people: str, reader: str) -> None:
    execute(people, f"revoke select on people, tags from {reader}")
    denied = r"public\.people cannot be read: the role has no SELECT on it; so it is with 1 more"
    with pytest.raises(Refused, match=denied):
        fingerprint.take(as_role(people, reader))


def test_forced_row_level_security_is_refused_for_the_owner_too(people: str, reader: str) -> None:
    execute(
        people,
        f"alter table tags owner to {reader}; alter table tags enable row level security;"
        "alter table tags force row level security",
    )
    with pytest.raises(Refused, match=r"public\.tags cannot be read: row level security"):
        fingerprint.take(as_role(people, reader))
    execute(
        people,
        "alter table tags owner to current_user; alter table tags no force row level"
        " security; alter table tags disable row level security",
    )


def test_a_sequence_and_a_schema_that_may_not_be_read_are_refused(people: str, reader: str) -> None:
    execute(people, "create sequence apart; create schema closed; create table closed.t (id int)")
    with pytest.raises(Refused, match=r"closed\.t cannot be read: the role has no USAGE on its"):
        fingerprint.take(as_role(people, reader))
    with pytest.raises(Refused, match=r"public\.apart cannot be read: the role has no SELECT"):
        fingerprint.take(as_role(people, reader), data=False)


def test_a_large_object_that_may_not_be_read_is_refused(people: str, reader: str) -> None:
    execute(people, "select lo_create(4711)")
    with pytest.raises(Refused, match="permission denied for large object 4711"):
        fingerprint.take(as_role(people, reader))


def test_a_value_that_cannot_be_read_names_its_table(harness_empty_database: str) -> None:
    execute(
        harness_empty_database,
        "create type mood as enum ('sad'); create table t (m mood); insert into t values ('sad')",
    )
    execute(
        harness_empty_database, "delete from pg_catalog.pg_enum where enumtypid = 'mood'::regtype"
    )
    with pytest.raises(Refused, match=r"a value cannot be read, in public\.t: .*enum"):
        fingerprint.take(harness_empty_database)


def test_no_server_is_infrastructure_and_tells_no_password() -> None:
    with pytest.raises(InfrastructureError) as caught:
        fingerprint.take("postgresql://nobody:sesame@localhost:1/none")
    assert "sesame" not in str(caught.value)


def test_fingerprints_taken_differently_are_not_compared(people: str) -> None:
    whole = fingerprint.take(people)
    with pytest.raises(UsageError, match="only one"):
        fingerprint.compare(whole, fingerprint.take(people, data=False))
    with pytest.raises(UsageError, match="different schemas"):
        fingerprint.compare(whole, fingerprint.take(people, exclude_schemas=()))
