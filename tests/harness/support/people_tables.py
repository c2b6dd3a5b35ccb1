"""Tables of people, and statements run on them."""

from __future__ import annotations

import psycopg

PEOPLE = """
create table public.people (id bigint primary key, name text, age numeric, seen timestamptz);
insert into public.people
select n, 'person ' || n, n, timestamptz '2024-01-01 00:00:00+00' + n * interval '1 second'
from generate_series(1, 5000) n;
create table public.tags (name text primary key, color text);
insert into public.tags select 'tag ' || n, 'red' from generate_series(1, 50) n;
create table public.words (word text);
insert into public.words values ('a'), ('a'), ('b');
"""


def execute(dsn: str, statements: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(statements)
