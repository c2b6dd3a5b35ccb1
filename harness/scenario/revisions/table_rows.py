"""Rows for every table that a revision meets: made from the catalog, where a table has too few."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import psycopg

from harness.core.errors import HarnessError
from harness.rows import fill_schema
from harness.rows.overrides import TableOverride

_FEW: Final = """
SELECT n.nspname || '.' || c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1
"""


class Rows:
    """Keeps tables filled; `unfilled` says which cannot be, and why."""

    def __init__(self, wanted: int, seed: int, without: Collection[str]) -> None:
        self._wanted, self._seed, self._without = wanted, seed, tuple(without)
        self._seen: set[str] = set()
        self.unfilled: dict[str, str] = {}

    def forget(self) -> None:
        """Every table is new again: the database is another."""
        self._seen.clear()

    def top_up(self, dsn: str) -> bool:
        """Fill the tables that are new since the last time; whether there were any."""
        if not self._wanted:
            return False
        with psycopg.connect(dsn, autocommit=True) as conn:
            there = [row[0] for row in conn.execute(_FEW).fetchall()]
        fresh = [name for name in there if name not in self._seen and not self._is_own(name)]
        self._seen.update(there)
        if not fresh:
            return False
        rest = (name for name in there if name not in fresh and not self._is_own(name))
        self._fill(dsn, {name: TableOverride(where="", count=0) for name in rest}, fresh)
        return True

    def _fill(self, dsn: str, overrides: dict[str, Any], fresh: list[str]) -> None:
        try:
            filled = fill_schema(
                dsn, rows=self._wanted, seed=self._seed, overrides=overrides, without=self._without
            )
        except HarnessError as error:
            self.unfilled.update({name: str(error) for name in fresh})
            return
        for one in filled.unfilled:
            self.unfilled[one.table] = f"{one.constraint}: {one.reason}"

    def _is_own(self, name: str) -> bool:
        return name in self._without or name.partition(".")[2] in self._without
