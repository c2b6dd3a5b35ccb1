"""Whatever CREATE INDEX accepts is recognised when it is there, and nothing else in its place."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.database import admin
from harness.runner import concurrent_step
from harness.runner.context import RunContext
from harness.runner.definition import read, without_names
from harness.runner.index import wanted
from harness.runner.session import RunnerSession
from harness.runner.step_work import StepWork
from tests.harness.support.runner import SmallPlan, ask, run_sql

if TYPE_CHECKING:
    from harness.server import Server

STEP = "phases/1.2_index/010_index.forward.sql"
SETUP = """
CREATE SCHEMA other;
CREATE COLLATION other.plain (provider = libc, locale = 'C');
CREATE TABLE public.t (id int, v text, w text COLLATE "C", d jsonb, a int[], "Größe %" numeric,
  at timestamptz, r int4range);
CREATE TABLE other.t (id int);
CREATE FUNCTION public.label(public.t) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ($1).v';
CREATE FUNCTION public.half(n int, "by" int DEFAULT 2) RETURNS int LANGUAGE sql IMMUTABLE
  AS 'SELECT n / "by"';
CREATE TABLE public.parts (id int, v text) PARTITION BY RANGE (id);
CREATE TABLE public.part PARTITION OF public.parts FOR VALUES FROM (0) TO (9);
CREATE INDEX ix ON other.t (id);
"""
T = "public.t"
ACCEPTED = {
    "plain": f"ON {T} (id)",
    "qualified predicate": f"ON {T} (id) WHERE (t.v IS NOT NULL)",
    "schema-qualified predicate": f"ON {T} (id) WHERE public.t.v > 'a' AND (id > 1 OR t.id < 9)",
    "qualified expression": f"ON {T} ((t.id + 1), (public.t.id))",
    "function of the row": f"ON {T} (public.label(t))",
    "whole row": f"ON {T} (public.label(t.*), (t.*))",
    "default argument": f"ON {T} (public.half(id), public.half(n => id, by => 3) DESC)",
    "class and order": f"ON {T} (v text_pattern_ops DESC NULLS LAST, id ASC NULLS FIRST)",
    "default class and order spelled out": f"ON {T} (id int4_ops ASC NULLS LAST)",
    "collation": f'ON {T} (v COLLATE "C", lower(w) COLLATE other.plain text_pattern_ops)',
    "collation within": f'ON {T} ((lower(v COLLATE "C")), (v || w) COLLATE "POSIX")',
    "unusual names": f'ON {T} ("Größe %", (("Größe %" % 2)))',
    "operators and casts": f"ON {T} ((d ->> 'k'), ((d -> 'x')::text), (a[1]), (v::varchar(3)))",
    "calls with words": f"ON {T} (coalesce(v, w), substring(v from 1 for 2), trim(both from v),"
    " extract(year from at AT TIME ZONE 'UTC'), (CASE WHEN id > 1 THEN 'a,(b' ELSE ')' END),"
    " nullif(v, w), (v IS DISTINCT FROM w), cast(id AS bigint))",
    "access method": f"ON {T} USING gin (d jsonb_path_ops) WITH (fastupdate = off)",
    "class with options": f"ON {T} USING gist (to_tsvector('english', v) tsvector_ops(siglen=64))",
    "hash": f"ON ONLY {T} USING hash (v)",
    "brin": f"ON {T} USING brin (id int4_minmax_multi_ops (values_per_range = 16))"
    " WITH (pages_per_range = 4)",
    "include and more": f"ON {T} (id) INCLUDE (v, w) WITH (fillfactor = 70) TABLESPACE pg_default"
    " WHERE v <> '' -- not all",
    "comments": f"/* ON ( */ ON {T} -- one, (two\n (id /* , */, v)",
    "partition": "ON public.part (id, (part.v || 'x'))",
}
UNIQUE = {
    "unique nulls": f"ON {T} (id) NULLS NOT DISTINCT",
    "unique partial": f"ON {T} (lower(v)) WHERE t.id > 5",
}
STATEMENTS = [
    *(f"CREATE INDEX CONCURRENTLY ix {rest};" for rest in ACCEPTED.values()),
    *(f"CREATE UNIQUE INDEX CONCURRENTLY ix {rest};" for rest in UNIQUE.values()),
    f'CREATE INDEX CONCURRENTLY "on USING (" ON {T} (id);',
    f'CREATE INDEX CONCURRENTLY "{"long" * 20}" ON {T} (id);',
]
NAMES = [*ACCEPTED, *UNIQUE, "quoted name", "name cut to 63 bytes"]


@pytest.fixture(scope="module")
def dsn(harness_server: Server) -> Iterator[str]:
    """A database with tables to index."""
    name = admin.unique_name("index")
    admin.create(harness_server.dsn(), name)
    made = admin.with_dbname(harness_server.dsn(), name)
    run_sql(made, SETUP)
    yield made
    admin.drop(harness_server.dsn(), name)


def is_recognised(tmp_path: Path, dsn: str, statement: str, there: str) -> bool:
    """Whether an index that was made by `there` is taken for the one of `statement`."""
    small = SmallPlan(tmp_path)
    small.write(STEP, f"-- kind: concurrent\n{statement}")
    plan = small.load()
    script = plan.steps[2].forward
    want = wanted(script.statements[0])
    run_sql(dsn, there)
    session = RunnerSession(dsn, RunContext(plan))
    try:
        work = StepWork(session, "1.2/010_index", 3, script)
        found = concurrent_step._look(work, want)
        assert found is not None
        assert found.finished
        return concurrent_step._is_described(work, found, want)
    finally:
        session.close()
        run_sql(dsn, f"DROP INDEX {want.index.sql}")
        left = "SELECT count(*) FROM pg_class WHERE relname LIKE 'harness %'"
        assert ask(dsn, left) == 0


@pytest.mark.parametrize("statement", STATEMENTS, ids=NAMES)
def test_whatever_create_index_accepts_is_recognised(
    tmp_path: Path, dsn: str, statement: str
) -> None:
    assert is_recognised(tmp_path, dsn, statement, statement)


@pytest.mark.parametrize(
    ("statement", "there"),
    [
        (f"ON {T} (id)", f"ON {T} (id DESC)"),
        (f"ON {T} (id)", f"ON {T} (id) WHERE t.id > 0"),
        (f"ON {T} (id) WHERE t.id > 1", f"ON {T} (id) WHERE t.id > 2"),
        (f"ON {T} (id) WHERE t.v = 'a'", f"ON {T} (id) WHERE t.w = 'a'"),
        (f"ON {T} (public.label(t))", f"ON {T} ((v))"),
        (f"ON {T} (v)", f'ON {T} (v COLLATE "C")'),
        (f"ON {T} (id)", f"ON {T} (id) INCLUDE (v)"),
        (f"ON {T} (id)", f"ON {T} (id) WITH (fillfactor = 50)"),
        (f"ON {T} (id)", f"ON {T} USING hash (id)"),
        (f"ON {T} (v, w)", f"ON {T} (w, v)"),
        (f"ON {T} (v, w)", f"ON {T} (v)"),
        (f"ON {T} (id)", "ON public.part (id)"),
    ],
)
def test_another_definition_is_not(tmp_path: Path, dsn: str, statement: str, there: str) -> None:
    named, made = f"CREATE INDEX CONCURRENTLY ix {statement};", f"CREATE INDEX ix {there};"
    assert not is_recognised(tmp_path, dsn, named, made)


def test_a_probe_that_is_refused_does_not_end_the_run(
    tmp_path: Path, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: a probe in which no statement is right, as of a role without TEMPORARY."""
    monkeypatch.setattr("harness.runner.definition.ANSWER", "SELECT 1 / 0")
    rest = f"ON {T} (id, lower(v)) WHERE t.v > ''"
    statement = f"CREATE INDEX CONCURRENTLY ix {rest};"
    assert is_recognised(tmp_path, dsn, statement, statement)
    other = f"CREATE INDEX ix ON {T} (id, lower(v));"
    assert not is_recognised(tmp_path, dsn, statement, other)


def test_names_do_not_count_but_uniqueness_does() -> None:
    plain = without_names('CREATE INDEX "a USING b" ON s.t USING btree (x)')
    assert plain == without_names("CREATE INDEX y ON pg_temp_3.p USING btree (x)")
    assert plain != without_names("CREATE UNIQUE INDEX y ON pg_temp_3.p USING btree (x)")


def test_a_definition_is_taken_apart_where_the_server_would() -> None:
    found = read(
        "CREATE INDEX i ON s.t USING gist (a, s.f(b, ')') \"C\" DESC, (c || ',') x_ops (n=1))"
        " INCLUDE (d) WITH (fillfactor=7) TABLESPACE fast WHERE t.a > 1;"
    )
    assert [(one.column, one.expression, one.options) for one in found.elements] == [
        ("a", "", ""),
        ("", "s.f(b, ')')", '"C" DESC'),
        ("", "(c || ',')", "x_ops (n=1)"),
    ]
    assert (found.more, found.tablespace) == ("INCLUDE (d) WITH (fillfactor=7)", "fast")
    assert found.predicate == "t.a > 1"
