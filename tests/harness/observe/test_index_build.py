"""`harness watch` tells the phase of an index build, and who it waits for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.core.poll import wait_until
from harness.observe.metrics import exposition
from harness.observe.run_standing import IndexBuild, RunStanding, StepStanding, WorkRate, block
from harness.runner.watching import look, watching
from tests.harness.support.runner import WAIT, child, open_transaction, plan_of, run_sql

INDEX = (
    "-- kind: concurrent\nCREATE INDEX CONCURRENTLY t_slow ON public.t (public.held(id));\n",
    "-- kind: concurrent\nDROP INDEX CONCURRENTLY public.t_slow;\n",
)
KEY = 4711
TABLE = f"""
CREATE TABLE public.t (id int, wide text);
INSERT INTO public.t SELECT g, repeat('x', 900) FROM generate_series(1, 900) AS g;
CREATE FUNCTION public.held(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
  IF n = 500 THEN PERFORM pg_advisory_lock_shared({KEY}); END IF;
  RETURN n;
END $$;
"""


def test_a_watch_tells_the_phase_of_an_index_build_and_who_it_waits_for(
    tmp_path: Path, harness_empty_database: str
) -> None:
    dsn = harness_empty_database
    run_sql(dsn, TABLE)
    plan = plan_of(tmp_path, INDEX)
    plan = replace(plan, runner=replace(plan.runner, concurrent_lock_timeout=600.0))
    hold = f"SELECT pg_advisory_lock({KEY})"
    with watching(dsn) as conn:

        def built(phase: str) -> IndexBuild | None:
            found = look(conn, plan).build
            return found if found is not None and found.phase == phase else None

        with (
            open_transaction(dsn, hold) as halfway,
            child("migrate", dsn, plan) as run,
        ):
            with open_transaction(dsn, "INSERT INTO public.t VALUES (0)") as writer:
                run.event("step_started")
                phase = "waiting for writers before build"
                waits = wait_until(lambda: built(phase), WAIT, phase)
                assert waits == IndexBuild(phase, 0, 1, "transactions", writer.info.backend_pid)
            phase = "building index: scanning table"
            found = wait_until(lambda: built(phase), WAIT, phase)
            assert found is not None
            assert 0 < found.done < found.total
            assert found.unit == "blocks"
            view = look(conn, plan)
            shown = "\n".join(block(view, WorkRate()))
            assert f"    index: {phase}, {100 * found.done // found.total}% of" in shown
            assert (
                f'harness_index_build_done{{direction="forward",phase="{phase}",run="1"}} '
                in exposition(view)
            )
            halfway.execute(f"SELECT pg_advisory_unlock({KEY})".encode())
            run.outcome()
        assert look(conn, plan).build is None


def test_a_block_with_an_index_build_fits_a_terminal() -> None:
    step = StepStanding("1.2/010_index", "concurrent", "intent", 0)
    build = IndexBuild("building index: loading tuples in tree", 10**9, 10**10, "tuples")
    view = RunStanding("partial", 1, "forward", at_work=True, step=step, build=build)
    text = "\n".join(block(view, WorkRate(), 79))
    assert "loading tuples in tree, 10% of 10,000,000,000 tuples" in text
