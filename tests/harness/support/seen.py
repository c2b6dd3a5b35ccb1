"""A table in which a script of a plan tells what it sees of its session."""

from __future__ import annotations

import psycopg

SEEN = """
CREATE TABLE public.seen (id int GENERATED ALWAYS AS IDENTITY, kind text, value text);
CREATE SEQUENCE public.s;
CREATE FUNCTION public.last() RETURNS text LANGUAGE plpgsql AS
$$ BEGIN RETURN currval('public.s'); EXCEPTION WHEN OTHERS THEN RETURN 'none'; END $$;
CREATE FUNCTION public.tell(text, text) RETURNS void LANGUAGE sql AS
$$ INSERT INTO public.seen (kind, value) VALUES ($1, $2) $$;
"""


def told(dsn: str) -> dict[str, str]:
    """What was seen, by kind; nothing is left of it."""
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("SELECT kind, value FROM public.seen ORDER BY id").fetchall()
        conn.execute("TRUNCATE public.seen")
        return dict(rows)
