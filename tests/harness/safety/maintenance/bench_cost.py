"""What the barrier costs a statement: python -m tests.harness.safety.maintenance.bench_cost

An update of no row, in turns with and without the trigger, in one transaction on a server of its
own. Printed is the median of the rounds' medians, in microseconds.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import psycopg

from harness.safety.maintenance import MaintenanceRequest, turn_off, turn_on
from harness.server import choose

ROUNDS, STATEMENTS = 12, 400
UPDATE = b"UPDATE public.t SET i = i WHERE false"


def microseconds(conn: psycopg.Connection[Any]) -> float:
    """The median time of one statement."""
    times = []
    with conn.transaction():
        for _ in range(STATEMENTS):
            began = time.perf_counter()
            conn.execute(UPDATE)
            times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def main() -> None:
    """Measure and print."""
    server = choose("embedded")
    server.start()
    try:
        server.wait_ready(60)
        dsn = server.dsn()
        with psycopg.connect(dsn, autocommit=True) as conn:
            conn.execute("CREATE TABLE public.t (i int); CREATE ROLE app; GRANT ALL ON t TO app")
            found: dict[str, list[float]] = {"without": [], "another role": [], "application": []}
            for _ in range(ROUNDS):
                found["without"].append(microseconds(conn))
                turn_on(dsn, MaintenanceRequest(("app",)), 0.001)
                found["another role"].append(microseconds(conn))
                conn.execute("SET ROLE app")
                found["application"].append(microseconds(conn))
                conn.execute("RESET ROLE")
                turn_off(dsn, MaintenanceRequest(("app",)))
        for name, values in found.items():
            print(f"{name:<14}{statistics.median(values):8.1f} µs")  # noqa: T201 - its answer
    finally:
        server.close()


if __name__ == "__main__":
    main()
