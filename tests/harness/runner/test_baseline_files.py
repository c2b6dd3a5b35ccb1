"""A baseline is what pg_dump wrote, or any files; and one that is unfinished says so."""

from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness import runner
from harness.core.errors import HarnessError, Refused, StepFailed, UsageError
from harness.database import fingerprint
from harness.plan import Plan, load
from tests.harness.support.runner import ask, run_sql

DUMPS = Path(__file__).with_name("dumps")
TOML = """format = 1
name = "dumped"
version = "1"
[[phase]]
id = "1"
name = "p"
"""
HOSTILE = "tab\there\nnew\\line", "\\.", "$$;--"


def planned(root: Path, **files: str) -> Plan:
    """A plan of one step with these files as its baseline: a_010="…" is 010_a.sql."""
    steps = {"forward": "create table public.nn (a int);", "rollback": "drop table public.nn;"}
    texts = {"plan.toml": TOML} | {
        f"phases/1_p/010_x.{way}.sql": text for way, text in steps.items()
    }
    for name, text in files.items():
        word, number = name.split("_")
        texts[f"baseline/{number}_{word}.sql"] = text
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return load(root)


def dump(name: str) -> str:
    return (DUMPS / f"{name}.sql").read_text("utf-8")


@pytest.mark.parametrize(
    ("roles", "schema"),
    [
        ("roles_15", "plain_15"),
        ("roles_18", "plain_18"),
        ("roles_18", "inserts_18"),
        ("roles_15", "plain_18"),
    ],
)
def test_a_dump_of_any_version_is_a_baseline(
    roles: str, schema: str, tmp_path: Path, harness_empty_database: str
) -> None:
    plan = planned(tmp_path, roles_010=dump(roles), schema_020=dump(schema))
    made = runner.baseline(harness_empty_database, plan)
    assert made == ["app.child", "app.mv", "app.part", "app.part1", "app.t", "app.v"]
    rows = "SELECT array_agg(name ORDER BY id) FROM app.t"
    assert tuple(ask(harness_empty_database, rows)) == HOSTILE
    assert ask(harness_empty_database, "SELECT lo_get(4711)") == b"\0\xffA"
    assert ask(harness_empty_database, "SELECT to_regnamespace('migration_baseline') IS NULL")
    assert ask(harness_empty_database, "SELECT pg_has_role('dump_owner', 'dump_reader', 'USAGE')")
    before = fingerprint.take(harness_empty_database)
    assert runner.migrate(harness_empty_database, plan).state == "migrated"
    runner.rollback(harness_empty_database, plan)
    assert fingerprint.take(harness_empty_database) == before


def test_a_dump_of_roles_keeps_the_role_that_we_are(
    tmp_path: Path, harness_empty_database: str
) -> None:
    """It holds another server's password for it: with that nobody could come back."""
    query = "SELECT rolpassword FROM pg_authid WHERE rolname = session_user"
    before = ask(harness_empty_database, query)
    assert f"ALTER ROLE {ask(harness_empty_database, 'SELECT session_user')} " in dump("roles_15")
    runner.baseline(harness_empty_database, planned(tmp_path, roles_010=dump("roles_15")))
    assert ask(harness_empty_database, query) == before


def test_dumps_of_both_versions_make_the_same(tmp_path: Path, harness_empty_database: str) -> None:
    found = []
    for name in ("plain_15", "plain_18"):
        plan = planned(tmp_path / name, roles_010=dump("roles_15"), schema_020=dump(name))
        runner.baseline(harness_empty_database, plan)
        found.append(fingerprint.take(harness_empty_database))
        run_sql(
            harness_empty_database,
            "DROP SCHEMA app CASCADE; DROP PUBLICATION pub; SELECT lo_unlink(4711)",
        )
    assert found[0] == found[1]


def test_a_label_of_one_file_is_used_in_the_next(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = planned(
        tmp_path,
        type_010="create type public.e as enum ('a');",
        label_020="alter type public.e add value 'b';",
        table_030="create table public.t (e public.e default 'b'); insert into public.t select",
    )
    assert runner.baseline(harness_empty_database, plan) == ["public.t"]


def test_a_deferred_check_ends_with_its_file(tmp_path: Path, harness_empty_database: str) -> None:
    plan = planned(
        tmp_path,
        rows_010="create table public.t (id int primary key, p int references public.t"
        " deferrable initially deferred); insert into public.t values (1, 2), (2, 1);",
        more_020="alter table public.t add column c int;",
    )
    assert runner.baseline(harness_empty_database, plan) == ["public.t"]


def test_the_header_of_a_file_counts(tmp_path: Path, harness_empty_database: str) -> None:
    plan = planned(
        tmp_path,
        one_010="-- set: search_path=public\n-- set: work_mem=7MB\ncreate table t (a int);"
        " create table seen as select current_setting('work_mem') as w;",
        two_020="create table public.other as select current_setting('search_path') as p;",
    )
    runner.baseline(harness_empty_database, plan)
    assert ask(harness_empty_database, "SELECT w FROM public.seen") == "7MB"
    assert ask(harness_empty_database, "SELECT p FROM public.other") in ("", '""')


def test_what_a_session_is_told_ends_with_its_file(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = planned(
        tmp_path,
        one_010="create role dump_other; grant create on schema public to dump_other;"
        " set search_path = public; set session authorization dump_other; create table a (x int);",
        two_020="create table public.b as select current_user::text as u,"
        " current_setting('search_path') as p;",
    )
    try:
        runner.baseline(harness_empty_database, plan)
        assert ask(harness_empty_database, "SELECT u FROM public.b") != "dump_other"
        assert ask(harness_empty_database, "SELECT p FROM public.b") in ("", '""')
        owner = "SELECT relowner::regrole::text FROM pg_class WHERE oid = 'public.a'::regclass"
        assert ask(harness_empty_database, owner) == "dump_other"
    finally:
        run_sql(harness_empty_database, "DROP OWNED BY dump_other CASCADE; DROP ROLE dump_other")


REFUSED = {
    "another database": ("select 1;\n\\connect other\n", 2, "dump without --create"),
    "a database made": ("\nCREATE DATABASE x;", 2, "dump without --create"),
    "a file read": ("\\i other.sql\n", 1, "make each file a file of the baseline"),
    "a variable": ("select 1;\n\\set ON_ERROR_STOP on\n", 2, "\\set is a command of psql"),
    "a command within a line": ("select 1 \\gset\n", 1, "\\gset is a command of psql"),
    "psql's copy": ("\\copy public.t from 'x'\n", 1, "below COPY … FROM stdin"),
    "a variable's value": ("select :x;", 1, "psql's variables are not known here"),
    "rows without an end": ("COPY public.t FROM stdin;\n1\n", 1, "do not end with a line"),
    "an end without rows": ("select 1;\n\\.\n", 2, "no COPY … FROM stdin stands before it"),
    "rows of a file": ("COPY public.t FROM '/tmp/x';", 1, "rows from the file itself"),
    "rows to a client": ("COPY public.t TO stdout;", 1, "rows from the file itself"),
    "a rollback": ("begin;\nselect 1;\nrollback;", 3, "begins and commits"),
    "concurrently": ("create index concurrently i on public.t (a);", 1, "CONCURRENTLY"),
    "a tablespace": ("create tablespace x location '/tmp/x';", 1, "CREATE TABLESPACE"),
    "a batch": ("-- kind: batch\nselect 1;", 1, "is of kind transaction"),
    "a table's name": ("-- table: public.t\nselect 1;", 1, "belongs to a batch script"),
    "an irreversible baseline": ("-- irreversible: yes\nselect 1;", 1, "belongs to a rollback"),
    "nothing": ("", 1, "holds no statement"),
    "nothing with something": ("-- nothing: x\nselect 1;", 2, "must hold no statement"),
    "broken": ("select 1;\nCREATE TABEL x;", 2, "syntax error"),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_what_only_psql_can_do_is_refused_with_file_and_line(mistake: str, tmp_path: Path) -> None:
    text, line, said = REFUSED[mistake]
    with pytest.raises(UsageError) as refused:
        planned(tmp_path, one_010=text)
    assert str(refused.value).startswith(f"{tmp_path}/baseline/010_one.sql:{line}: ")
    assert said in str(refused.value)


def test_what_looks_like_psql_within_a_quote_is_text(
    tmp_path: Path, harness_empty_database: str
) -> None:
    text = """create table public.t (a text);
comment on table public.t is '
\\connect x; COPY public.t FROM stdin;
';
create function public.f() returns text language sql as $f$
select '
\\i x;' $f$; /* \\set x
/* ; */ */
insert into public.t values (E'it\\'s;\\\\connect'), ($a$;$b$
\\.
$a$);
COPY public.t FROM stdin;
b\\;c
\\\\.
\\.
-- \\connect y
insert into public.t values ('last');
"""
    runner.baseline(harness_empty_database, planned(tmp_path, one_010=text))
    assert ask(harness_empty_database, "SELECT array_agg(a ORDER BY ctid) FROM public.t") == [
        "it's;\\connect",
        ";$b$\n\\.\n",
        "b;c",
        "\\.",
        "last",
    ]


DEFERRED = "(id int primary key, p int references public.t initially deferred)"
FAILS = {
    "a row": (
        "create table public.t (a int);\n\nCOPY public.t FROM stdin;\n1\n2\nx\n\\.\n",
        6,
        "invalid input syntax for type integer",
    ),
    "a missing role": (
        "create table public.t (a int);\nalter table public.t owner to nobody_here;",
        2,
        "pg_dumpall --roles-only",
    ),
    "a missing extension": ("\ncreate extension no_such;", 2, "--server system"),
    "a setting": ("-- set: no_such=1\nselect 1;", 1, "unrecognized configuration parameter"),
    "a value": ("-- set: work_mem=much\nselect 1;", 1, "invalid value for parameter"),
    "a check at the end": (
        f"create table public.t {DEFERRED};\ninsert into public.t values (1, 2);",
        2,
        "violates foreign key constraint",
    ),
}


@pytest.mark.parametrize("failure", FAILS)
def test_a_file_that_fails_leaves_nothing_of_itself(
    failure: str, tmp_path: Path, harness_empty_database: str
) -> None:
    text, line, said = FAILS[failure]
    with pytest.raises(StepFailed) as failed:
        runner.baseline(harness_empty_database, planned(tmp_path, one_010=text))
    assert str(failed.value).startswith(f"{tmp_path}/baseline/010_one.sql:{line}: ")
    assert said in str(failed.value)
    plan = planned(tmp_path, one_010="create table public.good (a int);")
    assert runner.baseline(harness_empty_database, plan) == ["public.good"]


FILES = {
    "one_010": "create table public.a (x int);",
    "two_020": "create table public.b (x int); select 1 / 0;",
    "three_030": "create table public.c (x int);",
}


def half_done(root: Path, dsn: str) -> None:
    """A baseline that failed in its second file."""
    with pytest.raises(StepFailed, match="run `harness baseline` again to go on"):
        runner.baseline(dsn, planned(root, **FILES))


def test_an_unfinished_baseline_is_refused_by_everybody_and_finished(
    tmp_path: Path, harness_empty_database: str
) -> None:
    half_done(tmp_path, harness_empty_database)
    plan = planned(tmp_path, **FILES | {"two_020": "create table public.b (x int);"})
    found = runner.status(harness_empty_database, plan)
    assert (found.state, found.next) == ("foreign", "harness baseline")
    assert "its baseline is unfinished: run `harness baseline` again" in str(found.reason)
    for call in (runner.migrate, runner.rollback):
        with pytest.raises(Refused, match="its baseline is unfinished"):
            call(harness_empty_database, plan)
    assert runner.baseline(harness_empty_database, plan) == ["public.a", "public.b", "public.c"]
    with pytest.raises(Refused, match="is not empty"):
        runner.baseline(harness_empty_database, plan)
    assert runner.status(harness_empty_database, plan).state == "clean"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (FILES | {"one_010": "create table public.a (y int);"}, "file 1 of it was baseline/010_"),
        ({"new_005": "select 1;"} | FILES, "file 1 of it was baseline/010_one.sql"),
        ({"one_010": FILES["one_010"]}, "no more files than the 1 that are in place"),
    ],
)
def test_another_baseline_does_not_go_on_with_it(
    files: dict[str, str], said: str, tmp_path: Path, harness_empty_database: str
) -> None:
    half_done(tmp_path / "old", harness_empty_database)
    with pytest.raises(Refused) as refused:
        runner.baseline(harness_empty_database, planned(tmp_path / "new", **files))
    assert said in str(refused.value)
    assert "drop and create the database" in str(refused.value)


def _mortal(dsn: str, root: str, die_at: int) -> None:
    class Mortal(psycopg.Connection[Any]):
        left = die_at

        def wait(self, *args: Any, **kwargs: Any) -> Any:
            Mortal.left -= 1
            if not Mortal.left:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().wait(*args, **kwargs)

    psycopg.connect = Mortal.connect  # type: ignore[method-assign]
    runner.baseline(dsn, load(Path(root)))


def test_a_baseline_killed_anywhere_is_finished_by_the_next(
    tmp_path: Path, harness_empty_database: str
) -> None:
    plan = planned(tmp_path, **FILES | {"two_020": "create table public.b (x int);"})
    context = multiprocessing.get_context("fork")
    states = set()
    for message in range(3, 120, 4):
        process = context.Process(
            target=_mortal, args=(harness_empty_database, str(tmp_path), message)
        )
        process.start()
        process.join(60)
        state = runner.status(harness_empty_database, plan)
        states.add(str(state.reason))
        if process.exitcode == 0:
            break
        if state.state == "clean":  # killed after the last commit
            assert message > 10
        else:
            assert runner.baseline(harness_empty_database, plan) == [
                "public.a",
                "public.b",
                "public.c",
            ]
        run_sql(harness_empty_database, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    assert process.exitcode == 0
    assert states == {
        "the database is empty",
        "its baseline is unfinished: run `harness baseline` again",
        "None",
    }


def test_a_lost_server_is_not_the_files_fault(tmp_path: Path, harness_empty_database: str) -> None:
    text = "select pg_terminate_backend(pg_backend_pid());"
    with pytest.raises((psycopg.OperationalError, HarnessError)) as lost:
        runner.baseline(harness_empty_database, planned(tmp_path, one_010=text))
    assert not isinstance(lost.value, StepFailed)
