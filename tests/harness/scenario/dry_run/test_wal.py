"""What a database wrote to the log is read from the log."""

from __future__ import annotations

import pytest

from harness.database import admin
from harness.scenario.dry_run import look, wal

PLACE = "SELECT (pg_catalog.pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"

READER = "SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_walinspect'"


def test_what_is_not_on_disk_yet_is_counted(harness_empty_database: str) -> None:
    """Without its flush the log could be read up to where the writer process happened to be."""
    with admin.connection(harness_empty_database) as conn:
        look.install(conn)
        if not conn.execute(READER).fetchall():
            pytest.skip("this server cannot read its log: pg_walinspect is not there")
        conn.execute("SET synchronous_commit = off")
        conn.execute("CREATE TABLE public.t (a int)")
        for _ in range(20):
            begin = _written(conn.execute(PLACE).fetchone())
            conn.execute("INSERT INTO public.t SELECT generate_series(1, 100)")
            end = _written(conn.execute(PLACE).fetchone())
            written = wal.own(conn, begin, end)
            assert written is not None
            assert 100 * 59 <= written <= end - begin


def _written(row: tuple[int] | None) -> int:
    assert row is not None
    return int(row[0])
