"""A script means what it means in one transaction of psql; what cannot run there is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import runner
from harness.core.errors import StepFailed, UsageError
from tests.harness.support.runner import plan_of, run_sql
from tests.harness.support.seen import SEEN, told


def test_what_waits_for_the_commit_sees_what_the_script_left(
    tmp_path: Path, harness_empty_database: str, owner: str
) -> None:
    run_sql(
        harness_empty_database,
        "CREATE TABLE public.t (id int);"
        "CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM"
        " public.tell('at commit', current_user || ' ' || current_setting('own.a', true));"
        " RETURN NULL; END $$;"
        "CREATE CONSTRAINT TRIGGER n AFTER INSERT ON public.t DEFERRABLE INITIALLY DEFERRED"
        f" FOR EACH ROW EXECUTE FUNCTION public.note(); GRANT ALL ON public.t TO {owner}",
    )
    forward = f"SET LOCAL ROLE {owner}; SET LOCAL own.a = 'mine'; INSERT INTO public.t VALUES (1);"
    runner.migrate(harness_empty_database, plan_of(tmp_path, (forward, "SELECT 1;")))
    assert told(harness_empty_database) == {"at commit": f"{owner} mine"}


def test_a_script_that_makes_its_transaction_read_only_is_told_so(
    tmp_path: Path, harness_empty_database: str
) -> None:
    run_sql(harness_empty_database, SEEN)
    forward = "SELECT 1;\nSELECT set_config('transaction_read_only', 'on', true);"
    with pytest.raises(StepFailed, match="the script made its transaction read-only") as failed:
        runner.migrate(harness_empty_database, plan_of(tmp_path, (forward, "SELECT 1;")))
    assert str(failed.value.where).endswith("010_s.forward.sql:2")


REFUSED = [
    ("SELECT 1;\nSET TRANSACTION ISOLATION LEVEL SERIALIZABLE;", "comes before every other"),
    ("SELECT 1;\nSET LOCAL transaction_isolation = 'serializable';", "comes before every other"),
    ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nSET TRANSACTION READ ONLY;", "checkpoint"),
    ("SELECT 1;\nSET LOCAL transaction_read_only = on;", "checkpoint could not be written"),
    ("SELECT 1;\nSET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;", "outlive the step"),
    ("SELECT 1;\nSET TRANSACTION SNAPSHOT '0-1';", "snapshot of another session"),
    ("SELECT 1;\nCLUSTER;", "CLUSTER of every table"),
    ("SELECT 1;\nALTER DATABASE d SET TABLESPACE s;", "SET TABLESPACE cannot run here"),
    ("SELECT 1;\nCREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p;", "that makes its slot"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_cannot_run_in_the_runners_transaction_is_refused_when_the_plan_is_read(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason) as refused:
        plan_of(tmp_path, (text, "SELECT 1;"))
    assert str(refused.value.where).endswith("010_s.forward.sql:2")


VALID = {
    "labels of a new enum": (
        "CREATE TYPE public.e AS ENUM ('a');\nALTER TYPE public.e ADD VALUE 'b';\n"
        "ALTER TABLE public.seen ADD e public.e DEFAULT 'b';"
    ),
    "isolation first": (
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE -- it must\n;\nSET LOCAL"
        " transaction_deferrable = on;\n"
        "SELECT public.tell('a', current_setting('transaction_isolation'));"
    ),
    "isolation in a header": (
        "-- set: transaction_isolation=serializable\n"
        "SELECT public.tell('a', current_setting('transaction_isolation'));"
    ),
    "exported snapshot": "SELECT pg_export_snapshot();",
    "own rows by their transaction": (
        "INSERT INTO public.seen (kind, value) VALUES ('a', 'serializable');\n"
        "DELETE FROM public.seen WHERE xmin <> pg_current_xact_id()::xid;"
    ),
    "cursor": "DECLARE c CURSOR FOR SELECT 1;\nFETCH ALL FROM c;\nCLOSE c;",
    "temporary table": (
        "CREATE TEMPORARY TABLE x (a int) ON COMMIT DROP;\nINSERT INTO x VALUES (1);\n"
        "LOCK TABLE public.seen;\nINSERT INTO public.seen (kind) SELECT 'a' FROM x;"
    ),
}


# before 17 psql cannot add a label and use it either
YOUNG = {name for name, text in VALID.items() if "ADD VALUE" in text}
ALL_VALID = [
    pytest.param(text, id=name, marks=pytest.mark.postgres(since=17) if name in YOUNG else ())
    for name, text in VALID.items()
]


@pytest.mark.parametrize("text", ALL_VALID)
def test_a_script_means_what_it_means_in_one_transaction_of_psql(
    tmp_path: Path, harness_empty_database: str, text: str
) -> None:
    run_sql(harness_empty_database, SEEN)
    runner.migrate(harness_empty_database, plan_of(tmp_path, (text, "SELECT 1;")))
    if "serializable" in text.lower():
        assert told(harness_empty_database) == {"a": "serializable"}
