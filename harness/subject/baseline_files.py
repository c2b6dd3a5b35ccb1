"""SQL files into an empty database, as psql runs them: dumps with their own commands as well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.core.errors import Refused
from harness.database import admin, dump
from harness.runner.baseline import RELATIONS


def apply_baseline(dsn: str, files: Sequence[Path]) -> list[str]:
    """Apply each file in a transaction of its own; the relations that were made.

    Raises Refused with psql's own words, which name file and line, when a file fails.
    """
    if not files:
        return []
    with admin.connection(dsn) as conn:
        version = conn.info.server_version // 10_000
    psql = dump.program("psql", version, dsn)
    for file in files:
        status, _, complaint = psql.run(
            "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1",
            f"--file={file}",
        )  # fmt: skip
        if status != 0:
            hint = "a baseline must run in an empty database; correct the file"
            raise Refused(complaint, where=str(file), hint=hint)
    with admin.connection(dsn) as conn:
        return [str(row[0]) for row in conn.execute(RELATIONS).fetchall()]
