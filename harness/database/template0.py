"""What every database has from template0: schema public and language plpgsql.

A dump does not hold them: pg_restore takes it that they are there as they were made. A database may
have dropped them, and an empty one may have them changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import psycopg

_FURNITURE: Final = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public'),
  EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'plpgsql')
"""
_PUBLIC: Final = (
    "create schema public authorization pg_database_owner",
    "grant all on schema public to pg_database_owner",
    "grant usage on schema public to public",
    "comment on schema public is 'standard public schema'",
)


@dataclass(frozen=True)
class Furniture:
    """Which of it a database has."""

    public: bool = True
    plpgsql: bool = True


def furniture(conn: psycopg.Connection[Any]) -> Furniture:
    """What the connected database has of it."""
    row: Any = conn.execute(_FURNITURE.encode()).fetchone()
    return Furniture(*(bool(value) for value in row))


def furnish(conn: psycopg.Connection[Any], wanted: Furniture) -> None:
    """Make the connected, empty database have what another one has. Postgres' own errors escape."""
    add(conn, wanted)
    remove(conn, wanted)


def add(conn: psycopg.Connection[Any], wanted: Furniture) -> Furniture:
    """Make what is wanted and not there, as template0 has it; what there was before.

    How a database has changed its schema public a dump says itself.
    """
    have = furniture(conn)
    with conn.transaction():
        if wanted.public and not have.public:
            for statement in _PUBLIC:
                conn.execute(statement.encode())
        if wanted.plpgsql and not have.plpgsql:
            conn.execute("create extension plpgsql")
    return have


def remove(conn: psycopg.Connection[Any], wanted: Furniture) -> None:
    """Drop what is there and not wanted, if nothing is in it."""
    have = furniture(conn)
    with conn.transaction():
        if have.public and not wanted.public:
            conn.execute("drop schema public")
        if have.plpgsql and not wanted.plpgsql:
            conn.execute("drop extension plpgsql")
