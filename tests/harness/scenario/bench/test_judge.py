"""Costs are counted on a real server: what queries lose is named, without a clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.core.errors import UsageError
from harness.core.finding import Finding
from harness.database import admin, template
from harness.scenario.bench.evidence import document_costs
from harness.scenario.bench.judge import judge_costs
from harness.scenario.bench.measure import measure_pair
from harness.scenario.bench.query import BenchmarkQuery, read_query
from tests.harness.support.runner import run_sql

if TYPE_CHECKING:
    from harness.server import Server

SCHEMA = """
create schema shop;
create table shop."Customer" (id bigint primary key, name text not null);
create table shop.orders (
  id bigint generated always as identity primary key, customer bigint references shop."Customer",
  code text, state text not null default 'new', total numeric
);
create index orders_customer on shop.orders (customer);
create index orders_code on shop.orders (code) where state = 'new';
insert into shop."Customer" select n, 'customer ' || n from generate_series(1, 500) n;
insert into shop.orders (customer, code, total)
select 1 + n % 500, 'c' || n, n from generate_series(1, 5000) n;
"""
BY_CODE = BenchmarkQuery(
    "by code", "x",
    ("select id from shop.orders where code = 'c77' and state = 'new'",),
    ("select id from shop.orders where code = 'c77' and state = 'new'",),
)  # fmt: skip
INSERT = "insert into shop.orders (customer, total) select 1, n from generate_series(1, 60) n"
ADD = BenchmarkQuery("add", "x", (INSERT,), (INSERT,), writes=True)
LOG = """
create table shop.log (line text);
create function shop.log() returns trigger language plpgsql as $$ begin
  insert into shop.log select new::text from generate_series(1, 9); return null; end $$;
create trigger log after insert on shop.orders for each row execute function shop.log();
"""
RENAMED = """
alter table shop.orders rename to purchases;
alter table shop.purchases rename customer to buyer;
"""
INVALID = """
update pg_index set indisvalid = false where indexrelid = 'shop.orders_customer'::regclass
"""
VIEW = """
alter table shop.orders rename to purchases;
create view shop.orders as select {} as id, customer, code, state, total from shop.purchases;
"""


@pytest.fixture(scope="module")
def shop(harness_server: Server) -> str:
    return template.ensure(
        harness_server.dsn(), f"bench-shop-{SCHEMA}", lambda dsn: run_sql(dsn, SCHEMA)
    )


@pytest.fixture
def pair(harness_server: Server, shop: str) -> Iterator[tuple[str, str]]:
    made = [template.clone(harness_server.dsn(), shop) for _ in range(2)]
    yield made[0], made[1]
    for dsn in made:
        admin.drop(harness_server.dsn(), admin.dbname(dsn))


def found(
    pair: tuple[str, str], change: str, *queries: BenchmarkQuery, **accepted: str
) -> list[Finding]:
    run_sql(pair[1], change)
    return judge_costs(measure_pair(*pair, queries), accepted)


def said(findings: list[Finding], severity: str = "critical") -> dict[str, str]:
    return {one.id: one.message for one in findings if one.severity == severity}


@pytest.mark.parametrize(
    "change",
    [
        "select 1",
        RENAMED,
        "create index o2 on shop.orders (customer, id); drop index shop.orders_customer",
        "alter table shop.orders drop column customer",
        "drop table shop.orders",
        VIEW.format("id"),
    ],
)
def test_a_migration_that_leaves_queries_their_indexes_passes(
    pair: tuple[str, str], change: str
) -> None:
    measured = measure_pair(*pair, ())
    assert judge_costs(measured) == []
    assert said(found(pair, change)) == {}
    document = document_costs(measured, ())
    names = {one.name for one in document.queries}
    assert {
        "key shop.Customer (id)",
        "index shop.orders (customer)",
        "count of shop.orders",
    } <= names
    assert document.verdict == "pass"


def test_a_dropped_index_is_named_twice_once_by_itself_and_once_by_its_query(
    pair: tuple[str, str],
) -> None:
    run_sql(pair[1], "drop index shop.orders_customer, shop.orders_code")
    measured = measure_pair(*pair, [BY_CODE])
    findings = judge_costs(measured)
    lost = {one.where for one in findings if one.id == "benchmark.index-lost"}
    assert lost == {"shop.orders_customer", "shop.orders_code"}
    scans = {one.where: one.message for one in findings if one.id == "benchmark.scan"}
    for name, index in (("index shop.orders (customer)", "customer"), ("by code", "code")):
        assert f"read all of shop.orders, of which shop.orders_{index} gave" in scans[name]
    assert document_costs(measured, findings).verdict == "fail"


def test_what_the_project_accepts_by_name_is_told_with_its_reason(pair: tuple[str, str]) -> None:
    name = "shop.orders_code"
    findings = found(pair, f"drop index {name}", **{name: "nobody asks by code"})
    assert said(findings) == {}
    assert "accepted: nobody asks by code" in said(findings, "info")["benchmark.index-lost"]


@pytest.mark.parametrize(
    ("change", "query", "id_"),
    [
        (VIEW.format("(id + 0)"), None, "benchmark.scan"),
        (VIEW.format("id::text"), None, "benchmark.scan"),
        (INVALID, None, "benchmark.index-lost"),
        (LOG, ADD, "benchmark.wal"),
        ("delete from shop.orders where code = 'c77'", BY_CODE, "benchmark.rows"),
        ("alter table shop.orders drop column code", BY_CODE, "benchmark.refused"),
    ],
)  # fmt: skip
def test_a_planted_cost_is_found(
    pair: tuple[str, str], change: str, query: BenchmarkQuery | None, id_: str
) -> None:
    assert id_ in said(found(pair, change, *([query] if query else [])))


def test_a_query_of_the_subject_that_cannot_be_asked_before_is_a_usage_error(
    pair: tuple[str, str], tmp_path: Path
) -> None:
    (tmp_path / "none.sql").write_text("-- about: x\nselect 1 from shop.none")
    with pytest.raises(UsageError, match=r'none\.sql.*"shop.none" does not exist'):
        measure_pair(*pair, [read_query(tmp_path / "none.sql")])


def test_a_database_without_tables_has_nothing_to_slow(harness_empty_database: str) -> None:
    measured = measure_pair(harness_empty_database, harness_empty_database, ())
    assert document_costs(measured, ()).verdict == "pass"
