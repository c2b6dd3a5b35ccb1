"""Every row of a batch's table lies in a range of its key, or the plan is refused at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import runner
from harness.core.errors import HarnessError, Refused, UsageError
from harness.plan import Plan
from tests.harness.support.runner import ask, plan_of, run_sql

NOTHING = "-- nothing: the rows stay\n"
BOUND = "{key} > %(after)s AND {key} <= %(upto)s"
DONE = "done bool"
MARK = "UPDATE public.t SET done = true WHERE"


def batch(table: str = "public.t", key: str = "id", size: int = 2, headers: str = "") -> str:
    """A batch script that marks every row of a table as done."""
    return (
        f"-- kind: batch\n-- summary: about 30% of rows\n-- table: {table}\n-- key: {key}\n"
        f"-- batch: {size}\n{headers}-- 100% of them\n\n"
        f"UPDATE {table.replace('%', '%%')} SET done = coalesce(NOT done, true) -- 100% sure\n"
        f"WHERE {BOUND.format(key=key.replace('%', '%%'))};\n-- all (100%), no %s\n"
    )


def fills(root: Path, table: str = "public.t", key: str = "id", headers: str = "") -> Plan:
    return plan_of(root, (batch(table, key, headers=headers), NOTHING))


REFUSED = {
    "nullable": (f"CREATE TABLE public.t (id int, {DONE})", "'id' of public.t is not declared NOT"),
    "unique but nullable": (f"CREATE TABLE public.t (id int UNIQUE, {DONE})", "not declared NOT"),
    "numeric": (f"CREATE TABLE public.t (id numeric PRIMARY KEY, {DONE})", "of type numeric"),
    "text": (f"CREATE TABLE public.t (id text PRIMARY KEY, {DONE})", "of type text"),
    "uuid": (f"CREATE TABLE public.t (id uuid PRIMARY KEY, {DONE})", "of type uuid"),
    "date": (f"CREATE TABLE public.t (id date PRIMARY KEY, {DONE})", "of type date"),
    "time": (f"CREATE TABLE public.t (id timestamptz PRIMARY KEY, {DONE})", "of type timestamp"),
    "float": (f"CREATE TABLE public.t (id float8 PRIMARY KEY, {DONE})", "of type double prec"),
    "oid": (f"CREATE TABLE public.t (id oid PRIMARY KEY, {DONE})", "of type oid"),
    "row": (
        "CREATE TYPE public.c AS (a int); CREATE TABLE public.t (id public.c, done bool)",
        "c,",
    ),
    "domain over text": (
        f"CREATE DOMAIN public.d AS text; CREATE TABLE public.t (id public.d NOT NULL, {DONE})",
        "of type public.d",
    ),
    "domain that is not null": (
        f"CREATE DOMAIN public.d AS int NOT NULL; CREATE TABLE public.t (id public.d, {DONE})",
        "not declared NOT NULL",
    ),
    "no table": ("CREATE TABLE public.other (id int)", r"there is no table public\.t"),
    "no column": (f"CREATE TABLE public.t (key int NOT NULL, {DONE})", "has no column 'id'"),
    "view": (
        f"CREATE TABLE public.u (id int, {DONE}); CREATE VIEW public.t AS TABLE public.u",
        r"public\.t is a view",
    ),
    "foreign table": (
        """CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;
        CREATE FOREIGN TABLE public.t (id int NOT NULL) SERVER s""",
        r"public\.t is a foreign table",
    ),
    "lowest": (
        f"""CREATE TABLE public.t (id bigint PRIMARY KEY, {DONE});
        INSERT INTO public.t VALUES (-9223372036854775808), (1)""",
        "holds the key -9223372036854775808",
    ),
}


@pytest.mark.parametrize(("setup", "reason"), REFUSED.values(), ids=list(REFUSED))
def test_a_key_that_leaves_rows_out_is_refused_before_anything_is_written(
    tmp_path: Path, harness_empty_database: str, setup: str, reason: str
) -> None:
    run_sql(harness_empty_database, setup)
    with pytest.raises(Refused, match=reason) as refused:
        runner.migrate(harness_empty_database, fills(tmp_path))
    assert refused.value.where == f"{tmp_path}/phases/1_one/010_s.forward.sql:1"
    assert ask(harness_empty_database, "SELECT to_regnamespace('migration_control')") is None


ACCEPTED = {
    "smallint": f"CREATE TABLE public.t (id smallint PRIMARY KEY, {DONE})",
    "integer": f"CREATE TABLE public.t (id int GENERATED ALWAYS AS IDENTITY, {DONE})",
    "without an index, with duplicates": f"CREATE TABLE public.t (id bigint NOT NULL, {DONE})",
    "domain": "CREATE DOMAIN public.d AS int; CREATE DOMAIN public.e AS public.d;"
    f" CREATE TABLE public.t (id public.e NOT NULL, {DONE})",
    "partitioned": f"CREATE TABLE public.t (id int NOT NULL, {DONE}) PARTITION BY RANGE (id);"
    " CREATE TABLE public.t1 PARTITION OF public.t FOR VALUES FROM (MINVALUE) TO (2);"
    " CREATE TABLE public.t2 PARTITION OF public.t DEFAULT",
    "inherited": f"CREATE TABLE public.t (id int NOT NULL, {DONE});"
    " CREATE TABLE public.t1 () INHERITS (public.t);"
    " INSERT INTO public.t1 VALUES (3), (99), (-99)",
    "generated": "CREATE TABLE public.t (n int, id int GENERATED ALWAYS AS (n + 1) STORED NOT NULL,"
    f" {DONE})",
}


@pytest.mark.parametrize("setup", ACCEPTED.values(), ids=list(ACCEPTED))
def test_every_row_is_reached_once(tmp_path: Path, harness_empty_database: str, setup: str) -> None:
    run_sql(harness_empty_database, setup)
    column = "n" if "STORED" in setup else "id"
    run_sql(
        harness_empty_database,
        f"INSERT INTO public.t ({column}) OVERRIDING SYSTEM VALUE"
        " SELECT unnest(ARRAY[-3, 0, 1, 1, 1, 1, 2, 5, 32766])"
        if "PRIMARY" not in setup
        else "INSERT INTO public.t VALUES (-32768), (0), (1), (2), (32767)",
    )
    runner.migrate(harness_empty_database, fills(tmp_path))
    assert ask(harness_empty_database, "SELECT count(*) FROM public.t WHERE done IS NOT TRUE") == 0


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ('public."share %"', "id"),
        ('"S%%".t', '"Id %"'),
        ('public."a.b ""c"" -- /*"', '"ä""x"'),
        ("Public.Größe", "Id"),
        ("public.t", '"order"'),
    ],
)
def test_table_and_key_are_taken_as_they_stand(
    tmp_path: Path, harness_empty_database: str, table: str, key: str
) -> None:
    schema = table.partition(".")[0]
    run_sql(harness_empty_database, f"CREATE SCHEMA IF NOT EXISTS {schema}")
    run_sql(harness_empty_database, f"CREATE TABLE {table} ({key} int PRIMARY KEY, done bool)")
    run_sql(harness_empty_database, f"INSERT INTO {table} VALUES (1), (2), (3)")
    runner.migrate(harness_empty_database, fills(tmp_path, table, key))
    assert ask(harness_empty_database, f"SELECT bool_and(done) FROM {table}") is True


def test_a_percent_sign_in_the_rows_is_written_twice(
    tmp_path: Path, harness_empty_database: str
) -> None:
    run_sql(harness_empty_database, "CREATE TABLE public.t (id int PRIMARY KEY, v text)")
    run_sql(
        harness_empty_database, "INSERT INTO public.t SELECT g, '5%' FROM generate_series(1, 5) g"
    )
    text = (
        "-- kind: batch\n-- table: public.t\n-- key: id\n\n"
        "UPDATE public.t SET v = v || ' 100%%' || $q$%%$q$ WHERE v LIKE '%%5%%' AND id %% 2 = 1"
        f" AND {BOUND.format(key='id')};"
    )
    runner.migrate(harness_empty_database, plan_of(tmp_path, (text, NOTHING)))
    assert ask(harness_empty_database, "SELECT string_agg(v, ',' ORDER BY id) FROM public.t") == (
        "5% 100%%,5%,5% 100%%,5%,5% 100%%"
    )


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("UPDATE public.t SET id = id + 10 WHERE {}", "changes the key 'id'"),
        ("UPDATE public.t AS x SET (done, id) = (true, 7) WHERE {}", "changes the key 'id'"),
        ("WITH u AS (UPDATE public.t SET id = -id WHERE {} RETURNING 1) SELECT 1", "changes the"),
        (
            "INSERT INTO public.t (done) SELECT done FROM public.t WHERE {}",
            "adds rows to the table",
        ),
        ("UPDATE public.t SET done = true WHERE id > 0 -- {}", "does not use %(after)s"),
        ("UPDATE public.t SET done = true WHERE '{}' <> ''", "does not use %(after)s"),
        ("UPDATE public.t SET done = true WHERE id > %(after)s", "does not use %(upto)s"),
        ("SELECT 100 % 3 FROM public.t WHERE {}", "unknown placeholder"),
        (f"{MARK} id BETWEEN %(after)s AND %(upto)s", ">= %(after)s takes the row at the border"),
        (f"{MARK} id >= %(after)s AND id < %(upto)s", "takes the row at the border in two"),
        (f"{MARK} id > %(after)s AND %(upto)s::int > id", "< %(upto)s leaves the row at the"),
        (f"{MARK} id > %(after)s OR id <= %(upto)s", "joined by OR"),
        ("TRUNCATE public.t", "changes rows and nothing else"),
    ],
)
def test_a_statement_that_ranges_cannot_bound_is_refused_when_the_plan_is_read(
    tmp_path: Path, statement: str, reason: str
) -> None:
    header = "-- kind: batch\n-- table: public.t\n-- key: id\n\n"
    text = header + statement.replace("{}", BOUND.format(key="id")) + ";"
    with pytest.raises(UsageError) as refused:
        plan_of(tmp_path, (text, NOTHING))
    assert reason in refused.value.message
    assert refused.value.where is not None
    assert refused.value.where.endswith(":5")


@pytest.mark.parametrize(
    "bound",
    [
        "%(upto)s >= id AND %(after)s < id",
        "id BETWEEN %(after)s + 1 AND %(upto)s",
        "NOT (id <= %(after)s OR id > %(upto)s)",
        "id > %(after)s AND id <= %(upto)s AND n >= %(after)s",
    ],
)
def test_a_range_may_be_said_in_other_words(tmp_path: Path, bound: str) -> None:
    assert plan_of(tmp_path, (batch().replace(BOUND.format(key="id"), bound), NOTHING)).steps


@pytest.mark.parametrize(
    "table",
    ["t", "a.b.c", "ONLY public.t", "public.t LIMIT 1", "public.t, public.u", "public.t; x", "(t)"],
)
def test_a_table_that_is_no_table_is_refused_when_the_plan_is_read(
    tmp_path: Path, table: str
) -> None:
    with pytest.raises(UsageError, match="a schema and a name such as"):
        plan_of(tmp_path, (batch().replace("-- table: public.t", f"-- table: {table}"), NOTHING))


@pytest.mark.parametrize("key", ["id, done", "t.id", "id + 1", "order", "user", "id AS x", "*"])
def test_a_key_that_is_no_column_is_refused_when_the_plan_is_read(tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageError, match="key is one column"):
        plan_of(tmp_path, (batch().replace("-- key: id", f"-- key: {key}"), NOTHING))


def test_what_a_step_before_changes_is_looked_at_when_its_turn_comes(
    tmp_path: Path, harness_empty_database: str
) -> None:
    run_sql(harness_empty_database, "CREATE TABLE public.t (id int, done bool)")
    run_sql(harness_empty_database, "INSERT INTO public.t SELECT g FROM generate_series(1, 5) g")
    declared = "ALTER TABLE public.t ALTER id SET NOT NULL;"
    plan = plan_of(tmp_path / "a", (declared, NOTHING), (batch(), NOTHING))
    assert runner.migrate(harness_empty_database, plan).rows == 5
    runner.rollback(harness_empty_database, plan)
    run_sql(harness_empty_database, "ALTER TABLE public.t ALTER id DROP NOT NULL")
    other = "ALTER TABLE public.t ADD IF NOT EXISTS n int;"
    plan = plan_of(tmp_path / "b", (other, NOTHING), (batch(), NOTHING))
    with pytest.raises(Refused, match="not declared NOT NULL"):
        runner.migrate(harness_empty_database, plan)
    assert runner.status(harness_empty_database, plan).step == "1/020_s"
    run_sql(harness_empty_database, "ALTER TABLE public.t ALTER id SET NOT NULL")
    assert runner.migrate(harness_empty_database, plan).rows == 5


def test_a_way_back_that_cannot_be_gone_is_refused_before_the_way_there(
    tmp_path: Path, harness_empty_database: str
) -> None:
    run_sql(harness_empty_database, "CREATE TABLE public.t (id int, done bool)")
    plan = plan_of(tmp_path, ("SELECT 1;", batch()))
    with pytest.raises(Refused, match=r"010_s\.rollback\.sql:1: key 'id' of public\.t is not"):
        runner.migrate(harness_empty_database, plan)


@pytest.mark.parametrize("headers", ["", "-- set: row_security=on\n"])
def test_rows_that_policies_hide_are_not_left_out_silently(
    tmp_path: Path, harness_empty_database: str, headers: str
) -> None:
    run_sql(
        harness_empty_database,
        "CREATE TABLE public.t (id int PRIMARY KEY, done bool);"
        "INSERT INTO public.t VALUES (1), (2), (3);"
        "CREATE POLICY odd ON public.t USING (id % 2 = 1);"
        "ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;"
        "ALTER TABLE public.t FORCE ROW LEVEL SECURITY",
    )
    name = f"hidden_{ask(harness_empty_database, 'SELECT current_database()')}"[:63]
    run_sql(harness_empty_database, f"CREATE ROLE {name}; ALTER TABLE public.t OWNER TO {name}")
    plan = fills(tmp_path, headers=f"{headers}-- set: role={name}\n")
    try:
        with pytest.raises(HarnessError):
            runner.migrate(harness_empty_database, plan)
        assert ask(harness_empty_database, "SELECT count(*) FROM public.t WHERE done") == 0
    finally:
        run_sql(harness_empty_database, f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


@pytest.mark.postgres(since=18)
def test_a_not_null_that_is_not_validated_is_not_believed(
    tmp_path: Path, harness_empty_database: str
) -> None:
    run_sql(harness_empty_database, "CREATE TABLE public.t (id int, done bool)")
    run_sql(harness_empty_database, "INSERT INTO public.t VALUES (NULL), (1)")
    run_sql(harness_empty_database, "ALTER TABLE public.t ADD CONSTRAINT n NOT NULL id NOT VALID")
    with pytest.raises(Refused, match="not declared NOT NULL"):
        runner.migrate(harness_empty_database, fills(tmp_path))


@pytest.mark.postgres(until=17)  # a part has the NOT NULL of the whole since 18
def test_a_part_that_may_hold_rows_without_a_key_is_named(
    tmp_path: Path, harness_empty_database: str
) -> None:
    run_sql(harness_empty_database, "CREATE TABLE public.t (id int NOT NULL, done bool)")
    run_sql(harness_empty_database, "CREATE TABLE public.t1 () INHERITS (public.t)")
    run_sql(harness_empty_database, "ALTER TABLE public.t1 ALTER id DROP NOT NULL")
    with pytest.raises(Refused, match=r"not declared NOT NULL \(in public\.t1\)"):
        runner.migrate(harness_empty_database, fills(tmp_path))
