"""Cut a batch step into ranges that several workers share, by the keys that are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import psycopg
from psycopg import sql

from harness.plan.ranges import column, relation
from harness.runner.keys import LOWEST
from harness.runner.ledger_range import RangeRow, cut_into, ranges_sql
from harness.runner.ledger_statements import checkpoint_sql
from harness.runner.step_work import SqlFailed, StepWork

PIECES: Final = 8
"""For each worker: whoever is done early takes another, so that none waits long for the last."""
SAMPLE: Final = 30_000
"""About so many keys are looked at: a skewed key is cut as evenly as any other."""


def cut(work: StepWork, workers: int, about: int, size: int) -> tuple[RangeRow, ...]:
    """Record the ranges of the step, so that each has rows; none where it is not worth while.

    `about` is how many rows the table has, 0 where nobody knows; `size` the rows of a batch.
    """
    session, row = work.session, work.row
    after = LOWEST if row is None or row.last_key is None else row.last_key
    percent = 100.0 if about <= SAMPLE else 100.0 * SAMPLE / about
    try:
        found = session.work.ask(_sample_sql(work, after, percent), work.script).fetchone()
        assert found is not None, "an aggregate gives one row"
        top, keys = found
        if top is None:
            return ()
        sample = [int(str(key)) for key in keys] if isinstance(keys, list) else []
        pieces = min(workers * PIECES, int(len(sample) * 100 / percent) // size)
        bounds = borders(sample, after, int(str(top)), pieces)
        if len(bounds) < 2:
            return ()
        step = (session.run.id, work.id)
        ranges = tuple(
            RangeRow(*step, number, low, high, low) for number, (low, high) in enumerate(bounds, 1)
        )
        begun = work.checkpoint(
            "running",
            last_key=row.last_key if row else None,
            rows=row.rows if row else 0,
            batches=row.batches if row else 0,
            about=cut_into(ranges),
        )
        with session.transaction(work.id):
            session.commit(checkpoint_sql(begun), ranges_sql(ranges))
    except psycopg.Error as error:
        raise SqlFailed(error, work.script, None) from error
    return ranges


def borders(sample: Sequence[int], after: int, top: int, pieces: int) -> list[tuple[int, int]]:
    """So many ranges, or fewer, from behind `after` up to `top`, each with as much of the sample.

    The sample is sorted. A key that fills more than one piece is one.
    """
    shares = range(1, pieces if sample else 1)
    inner = {sample[len(sample) * number // pieces - 1] for number in shares}
    ends = [*sorted(key for key in inner if after < key < top), top]
    return list(zip([after, *ends[:-1]], ends, strict=True))


def _sample_sql(work: StepWork, after: int, percent: float) -> sql.Composed:
    """The highest key there is, and some of those up to it: of whole pages, always the same."""
    script = work.script
    return sql.SQL(
        "SELECT g.top, (SELECT pg_catalog.array_agg(s.k ORDER BY s.k) FROM ("
        "SELECT {key}::bigint AS k FROM {table} TABLESAMPLE SYSTEM ({percent}) REPEATABLE (0)"
        " WHERE {key} {behind} {after} AND {key} <= g.top) AS s)"
        " FROM (SELECT pg_catalog.max({key})::bigint AS top FROM {table}"
        " WHERE {key} {behind} {after}) AS g"
    ).format(
        key=sql.Identifier(column(script)),
        table=sql.Identifier(*relation(script)),
        behind=sql.SQL(">=" if after == LOWEST else ">"),
        after=sql.Literal(after),
        percent=sql.Literal(percent),
    )
