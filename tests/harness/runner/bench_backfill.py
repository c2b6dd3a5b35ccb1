"""How much longer a backfill with checkpoints takes than one UPDATE: same rows, in turns.

python tests/harness/runner/bench_backfill.py --dsn DSN [--rows 1000000] [--rounds 3]
prints one JSON document. The DSN names a database of a server on which databases may be created.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from fixtures.seed import load as seed
from harness import runner
from harness.database import admin
from harness.plan import Plan, load

BEFORE, STEP = "1.1/080_contacts_backfill", "1.1/090_deals_backfill"
SEEDED = 10_000
MULTIPLY = """
INSERT INTO public.deals (name, company_id, contact_ids, category, stage, description, amount,
  created_at, updated_at, archived_at, expected_closing_date, sales_id, index)
SELECT d.name, d.company_id, d.contact_ids, d.category, d.stage, d.description, d.amount,
  d.created_at, d.updated_at, d.archived_at, d.expected_closing_date, d.sales_id, d.index
FROM generate_series(1, {copies}) AS g, public.deals AS d ORDER BY g, d.id
LIMIT {missing}
"""


def measure(server_dsn: str, plan: Plan, rows: int, rounds: int) -> dict[str, Any]:
    """Seconds of both, in turns, and the ratio of their medians."""
    base = admin.unique_name("harness_bench")
    admin.create(server_dsn, base)
    try:
        _prepare(admin.with_dbname(server_dsn, base), plan, rows)
        batches: list[float] = []
        single: list[float] = []
        both = [(batches, _batches), (single, _single)]
        for _ in range(rounds):  # each goes first in turn: a machine grows slower or faster
            for seconds, work in both:
                seconds.append(_on_a_copy(server_dsn, base, partial(work, plan=plan, rows=rows)))
            both.reverse()
    finally:
        admin.drop(server_dsn, base)
    ratio = statistics.median(batches) / statistics.median(single)
    return {
        "rows": rows,
        "batches_seconds": batches,
        "single_update_seconds": single,
        "ratio": round(ratio, 3),
        "limit": 1.05,
    }


def _prepare(dsn: str, plan: Plan, rows: int) -> None:
    runner.baseline(dsn, plan)
    seed(dsn, rows=SEEDED)
    with psycopg.connect(dsn, autocommit=True) as conn:
        there = conn.execute("SELECT count(*) FROM public.deals").fetchone()
        assert there is not None
        missing = rows - there[0]
        conn.execute(MULTIPLY.format(copies=missing // there[0] + 1, missing=missing).encode())
    runner.migrate(dsn, plan, until=BEFORE)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("VACUUM (ANALYZE) public.deals")
        conn.execute("CHECKPOINT")


def _on_a_copy(server_dsn: str, base: str, work: Callable[[str], None]) -> float:
    name = admin.unique_name("harness_bench")
    admin.create(server_dsn, name, template=base)
    try:
        began = time.perf_counter()
        work(admin.with_dbname(server_dsn, name))
        return round(time.perf_counter() - began, 3)
    finally:
        admin.drop(server_dsn, name)


def _batches(dsn: str, plan: Plan, rows: int) -> None:
    outcome = runner.migrate(dsn, plan, until=STEP)
    assert outcome.rows == rows, outcome


def _single(dsn: str, plan: Plan, rows: int) -> None:
    text = plan.step(STEP).forward.statements[0].text
    with psycopg.connect(dsn) as conn:
        conn.execute("SET search_path = ''")
        conn.execute("SET jit = off")
        bounds = {"after": -(2**63), "upto": 2**63 - 1}
        assert conn.execute(text.encode(), bounds).rowcount == rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--plan", type=Path, default=Path("sql/plan.toml"))
    given = parser.parse_args()
    found = measure(given.dsn, load(given.plan), given.rows, given.rounds)
    print(json.dumps(found))  # noqa: T201
    sys.exit(found["ratio"] > found["limit"])


if __name__ == "__main__":
    main()
