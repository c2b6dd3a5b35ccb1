"""A client's contract: every way to answer otherwise is seen, and a bad file is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from fixtures import contract as legacy
from harness.check import contract
from harness.check.contract import file as contract_file
from harness.check.contract.providers import PROVIDERS
from harness.core.errors import UsageError
from harness.core.finding import Finding
from harness.database import admin, fingerprint, template
from harness.server import Server

ROWS = 300
Clone = Callable[[str], str]
Templates = Callable[..., str]
# a query, SQL that breaks it, what the finding says
READS = [
    ("kanban", "alter view public.deals rename column amount to sum", "columns"),
    ("kanban", "revoke select on public.deals from authenticated", "42501"),
    ("kanban", "update public.opportunities set index = -1 where archived_at is null", ": row "),
    ("deal_notes", 'delete from public."opportunityNotes"', "0 rows"),
    ("contacts", "drop view public.contacts_summary", "42P01"),
    ("init_state", "revoke select on public.init_state from anon", "as anon through sqlalchemy"),
]
WRITES = [
    ("create_deal_with_defaults", "alter view public.deals alter created_at drop default", "23502"),
    ("edit_deal", "revoke update on public.deals from authenticated", "42501"),
    (
        "delete_company",
        "alter table public.contacts drop constraint contacts_company_id_fkey",
        "public.contacts otherwise",
    ),
    ("upsert_deal", "drop view public.deals cascade", "ends with 42P01"),
]


@pytest.fixture(scope="module")
def before(harness_server: Server, harness_template: Templates) -> Iterator[str]:
    dsn = template.clone(harness_server.dsn(), harness_template(rows=ROWS))
    yield dsn
    admin.drop(harness_server.dsn(), admin.dbname(dsn))


def one(kind: contract_file.Kind, name: str) -> tuple[contract_file.ContractQuery, ...]:
    every = (*legacy.load(kind), *contract_file.load(legacy.HERE / "different", kind))
    return tuple(query for query in every if query.name == name)


def broken(dsn: str, sql: str) -> str:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(sql)
    return dsn


def said(found: list[Finding]) -> list[str]:
    return [finding.message for finding in found]


@pytest.mark.parametrize(("name", "defect", "says"), READS, ids=lambda v: v[:50])
def test_planted_defect_of_a_read_is_reported(
    name: str,
    defect: str,
    says: str,
    before: str,
    harness_migrated_template: Templates,
    harness_clone: Clone,
) -> None:
    recordings = [(contract.record(before, one("read", name), p), p) for p in PROVIDERS]
    after = broken(harness_clone(harness_migrated_template(rows=ROWS)), defect)
    for recording, provider in recordings:
        found = said(contract.replay(after, recording, provider))
        assert found, provider.name
        if provider.name in says or "through" not in says:
            assert [text for text in found if says in text], found


@pytest.mark.parametrize(("name", "defect", "says"), WRITES, ids=lambda v: v[:50])
def test_planted_defect_of_a_write_is_reported(
    name: str,
    defect: str,
    says: str,
    harness_template: Templates,
    harness_migrated_template: Templates,
    harness_clone: Clone,
) -> None:
    provider = PROVIDERS[1]
    recording = contract.record(
        harness_clone(harness_template(rows=ROWS)), one("write", name), provider
    )
    found = said(
        contract.replay(
            broken(harness_clone(harness_migrated_template(rows=ROWS)), defect), recording, provider
        )
    )
    assert [text for text in found if says in text], found


def test_a_lost_effect_is_reported(
    harness_template: Templates, harness_migrated_template: Templates, harness_clone: Clone
) -> None:
    recording = contract.record(
        harness_clone(harness_template(rows=ROWS)), one("write", "drag_deal"), PROVIDERS[0]
    )
    after = broken(
        harness_clone(harness_migrated_template(rows=ROWS)),
        "create function public.keep() returns trigger language plpgsql as"
        " 'begin new.index := old.index; return new; end';"
        "create trigger aa_keep before update on public.opportunities"
        " for each row execute function public.keep()",
    )
    found = contract.replay(after, recording, PROVIDERS[0])
    assert {finding.id for finding in found} >= {"contract.effect"}


def test_a_known_difference_that_is_gone_is_reported(before: str, harness_clone: Clone) -> None:
    known = contract_file.load(legacy.HERE / "different", "read")
    recording = contract.record(before, known, PROVIDERS[0])
    found = contract.replay(before, recording, PROVIDERS[0])  # a table has what a view has not
    assert [finding.id for finding in found] == ["contract.known"]


def test_reads_write_nothing_even_when_they_try(
    before: str, harness_migrated_template: Templates, harness_clone: Clone, tmp_path: Path
) -> None:
    (tmp_path / "read").mkdir()
    (tmp_path / "read" / "sly.sql").write_text(
        "-- about: a read that writes\ndelete from public.tags returning id\n"
    )
    after = harness_clone(harness_migrated_template(rows=ROWS))
    identities = fingerprint.take(before), fingerprint.take(after)
    assert contract.reads(before, after, tmp_path) == []  # refused alike on both sides
    assert (fingerprint.take(before), fingerprint.take(after)) == identities


BAD = [
    ("select 1", ":1: has no header 'about'"),
    ("-- about: x\n-- abuot: y\nselect 1", ":2: unknown header 'abuot'"),
    ("-- about: x\n-- param: deal\nselect 1", ":2: a parameter is written"),
    ("-- about: x\n-- differs: soon\nselect 1", ":1: a known difference is written"),
    ("-- about: x\nselect 1;\nselect from where", ":3: syntax error"),
    ("-- about: x\nselect 1\nwhere %(deal)s = 1", ":3: parameter 'deal' has no header"),
    ("-- about: x\nselect '50%'", ":2: a % that is no parameter"),
    ("-- about: x\n", ":1: holds no statement"),
]


@pytest.mark.parametrize(("text", "says"), BAD, ids=lambda v: v[-40:])
def test_a_bad_query_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "bad.sql"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        contract_file.read(path, "read")
    assert str(caught.value).startswith(f"{path}{says}")


UNKNOWN = [
    ("-- about: x\nselect 1;\nselect * from public.orders", ":3: the old schema cannot answer"),
    ("-- about: x\nselect nobody from public.deals", ":2: the old schema cannot answer"),
    ("-- about: x\n-- param: a = select id from x\nselect %(a)s", ":3: parameter 'a': relation"),
]


@pytest.mark.parametrize(("text", "says"), UNKNOWN, ids=lambda v: v[-40:])
def test_an_unknown_relation_is_refused_with_its_line(
    tmp_path: Path, before: str, text: str, says: str
) -> None:
    (tmp_path / "read").mkdir()
    path = tmp_path / "read" / "bad.sql"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        contract.reads(before, before, tmp_path)
    assert str(caught.value).startswith(f"{path}{says}")


def test_a_directory_without_a_query_is_refused(tmp_path: Path) -> None:
    for asked in (
        lambda: contract_file.load_all(tmp_path),
        lambda: contract.reads("", "", tmp_path),
    ):
        call: Any = asked
        with pytest.raises(UsageError, match="holds no"):
            call()
