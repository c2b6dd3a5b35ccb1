"""A small database with an application that works as a role of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from harness.plan.rules import MaintenanceRules
from harness.safety.maintenance import MaintenanceRequest
from tests.harness.support.backup import SECRET

TABLES = """
CREATE TABLE public.owners (id bigint PRIMARY KEY, name text);
CREATE TABLE public.pets (
  id bigint PRIMARY KEY,
  owner_id bigint REFERENCES public.owners ON DELETE CASCADE,
  name text
);
CREATE TABLE public.visits (id bigint, day date) PARTITION BY RANGE (day);
CREATE TABLE public.visits_2026 PARTITION OF public.visits
  FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE VIEW public.pet_names AS SELECT id, name FROM public.pets;
CREATE FUNCTION public.adopt(number bigint) RETURNS void LANGUAGE sql SECURITY DEFINER
  SET search_path = public AS 'INSERT INTO public.pets (id) VALUES (number)';
INSERT INTO public.owners SELECT g, 'owner ' || g FROM generate_series(1, 10) AS g;
INSERT INTO public.pets SELECT g, g, 'pet ' || g FROM generate_series(1, 10) AS g;
"""
GRANTS = """
GRANT USAGE ON SCHEMA public TO {role};
GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};
"""
REFUSED = "25006"


@dataclass(frozen=True)
class Shop:
    """The database, and its application's role."""

    dsn: str
    role: str

    def request(self, **more: Any) -> MaintenanceRequest:
        """What maintenance is asked for here."""
        rules = MaintenanceRules(**{"wait": 10.0, **more.pop("rules", {})})
        given = {"roles": (self.role,), "reason": "moving house", "lock_timeout": 0.2, **more}
        return MaintenanceRequest(rules=rules, **given)

    def named(self, role: str | None = None) -> str:
        """The DSN with which a role logs in: by default the application's."""
        return psycopg.conninfo.make_conninfo(self.dsn, user=role or self.role, password=SECRET)

    @contextmanager
    def client(self, role: str | None = None) -> Iterator[psycopg.Connection[Any]]:
        """An autocommit session of the application, or of another role."""
        with psycopg.connect(self.named(role), autocommit=True) as conn:
            yield conn

    def refusal(self, statement: str, role: str | None = None) -> str | None:
        """The SQLSTATE with which a statement of a client is refused, None when it is done."""
        with self.client(role) as conn:
            return refusal(conn, statement)


def refusal(conn: psycopg.Connection[Any], statement: str) -> str | None:
    """The SQLSTATE with which a statement is refused, None when it is done; COPY sends a row."""
    try:
        if statement.startswith("COPY"):
            with conn.cursor().copy(statement.encode()) as copy:
                copy.write("901\tx\n")
        else:
            conn.execute(statement.encode())
    except psycopg.Error as error:
        return error.sqlstate
    return None


def grant(role: str) -> bytes:
    """The rights of an application on the tables."""
    return sql.SQL(GRANTS).format(role=sql.Identifier(role)).as_string().encode()
