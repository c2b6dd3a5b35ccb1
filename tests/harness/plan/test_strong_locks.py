"""The tables whose users a script would stop, as far as its text says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.plan.block_locks import unseen_locks
from harness.plan.strong_locks import strong_locks
from tests.harness.support.runner import plan_of

READ = {
    "ALTER TABLE public.a ADD n int": {"a": "everything"},
    'ALTER TABLE public."B c" RENAME TO d': {"B c": "everything"},
    "ALTER TABLE public.a VALIDATE CONSTRAINT c": {},
    "ALTER TABLE public.a ADD FOREIGN KEY (n) REFERENCES public.b NOT VALID": {
        "a": "writes",
        "b": "writes",
    },
    "ALTER TABLE public.a DISABLE TRIGGER USER": {"a": "writes"},
    "ALTER TABLE public.a DISABLE TRIGGER USER, ADD n int": {"a": "everything"},
    "CREATE INDEX i ON public.a (n)": {"a": "writes"},
    "CREATE TRIGGER t AFTER INSERT ON public.a EXECUTE FUNCTION public.f()": {"a": "writes"},
    "DROP TRIGGER t ON public.a": {"a": "everything"},
    "DROP TABLE public.a, public.b": {"a": "everything", "b": "everything"},
    "DROP INDEX public.i": {"i": "everything"},
    "DROP FUNCTION public.f()": {},
    "CREATE POLICY p ON public.a": {"a": "everything"},
    "LOCK TABLE public.a IN SHARE MODE": {"a": "writes"},
    "LOCK TABLE public.a": {"a": "everything"},
    "LOCK TABLE public.a IN ROW EXCLUSIVE MODE": {},
    "TRUNCATE public.a": {"a": "everything"},
    "CREATE TABLE public.n (id int REFERENCES public.a)": {"a": "writes"},
    "REFRESH MATERIALIZED VIEW public.m": {"m": "everything"},
    "UPDATE public.a SET n = 1": {},
    "CREATE INDEX i ON public.a (n); DROP TABLE public.a": {"a": "everything"},
    "DROP TABLE public.a; CREATE INDEX i ON public.a (n)": {"a": "everything"},
    "DO $$ BEGIN IF true THEN DROP TABLE public.a; END IF; LOCK public.b IN SHARE MODE; END $$": {
        "a": "everything",
        "b": "writes",
    },
    "DO $$ DECLARE n int := 1; BEGIN n := n + 1; UPDATE public.a SET n = n; END $$": {},
    "DO $$ BEGIN EXECUTE 'DROP TABLE public.a'; DROP TABLE public.b; END $$": {"b": "everything"},
}


@pytest.mark.parametrize("text", READ)
def test_a_statement_is_known_by_whom_it_stops(text: str, tmp_path: Path) -> None:
    script = plan_of(tmp_path, (f"{text};", "SELECT 1;")).steps[0].forward
    found = {lock.names[0]: lock.stops for lock in strong_locks(script)}
    assert found == {f'"public"."{name}"': stops for name, stops in READ[text].items()}


def test_a_name_without_a_schema_is_looked_for_where_the_script_looks(tmp_path: Path) -> None:
    text = "-- set: search_path=app, public\nDROP TABLE a;"
    script = plan_of(tmp_path, (text, "SELECT 1;")).steps[0].forward
    assert strong_locks(script)[0].names == ('"app"."a"', '"public"."a"')


UNSEEN = {
    "DROP TABLE public.a": (),
    "SELECT count(*) FROM public.a": (),
    "SELECT pg_catalog.now(), max(n) FROM public.a": (),
    "DO $$ BEGIN DROP TABLE public.a; END $$": (),
    "DO $$ BEGIN EXECUTE format('DROP TABLE %I', 'a'); END $$": (
        "a DO block whose statements are not all in its text (line 1)",
    ),
    "DO LANGUAGE plpython3u 'pass'": (
        "a DO block whose statements are not all in its text (line 1)",
    ),
    "SELECT public.grow(1)": ("function public.grow (line 1)",),
    "CALL app.tidy()": ("function app.tidy (line 1)",),
}


@pytest.mark.parametrize("text", UNSEEN)
def test_what_is_not_known_of_locks_is_said(text: str, tmp_path: Path) -> None:
    script = plan_of(tmp_path, (f"{text};", "SELECT 1;")).steps[0].forward
    assert unseen_locks(script) == UNSEEN[text]
