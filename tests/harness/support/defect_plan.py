"""The plan on which planted engine defects must be caught, and where on it each of them matters.

A step of every kind, all short. What its rollback restores includes privileges, a policy, a
sequence and comments of objects that were there before; what is done twice by mistake shows,
because no step is idempotent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.core.direction import Direction
from harness.crash import runners, state
from harness.crash.model import DomainName, Point
from harness.crash.setup import Setup
from harness.database import admin, fingerprint
from harness.database.fingerprint import Fingerprint
from harness.plan import Plan
from tests.harness.support import engine_defects
from tests.harness.support.runner import SmallPlan

TOML = """
format = 1
name = "defects"
version = "1"

[runner]
lock_timeout = "200ms"

[preflight]
forbids = ["public.kinds"]

[[phase]]
id = "1.1"
name = "fill"

[[phase]]
id = "1.2"
name = "index"
"""
BASELINE = """
CREATE SEQUENCE public.tickets;
CREATE TABLE public.things (
  id bigint PRIMARY KEY DEFAULT nextval('public.tickets'),
  name text NOT NULL
);
ALTER SEQUENCE public.tickets OWNED BY public.things.id;
INSERT INTO public.things SELECT g, 'thing ' || g FROM generate_series(1, 150) AS g;
SELECT setval('public.tickets', 151, false);
CREATE TABLE public.counters (id bigint PRIMARY KEY, value bigint NOT NULL);
INSERT INTO public.counters VALUES (1, 0);
ALTER TABLE public.things ENABLE ROW LEVEL SECURITY;
CREATE POLICY things_read ON public.things FOR SELECT TO pg_monitor USING (id > 0);
GRANT SELECT, INSERT ON public.things TO pg_monitor;
COMMENT ON TABLE public.things IS 'things, as they were';
"""
FILES = {
    "baseline/010_things.sql": BASELINE,
    "phases/1.1_fill/010_access.forward.sql": (
        "ALTER TABLE public.things ADD COLUMN upper_name text;\n"
        "REVOKE INSERT ON public.things FROM pg_monitor;\n"
        "ALTER POLICY things_read ON public.things USING (id > 1);\n"
        "ALTER SEQUENCE public.tickets INCREMENT BY 10 RESTART WITH 1000;\n"
        "COMMENT ON TABLE public.things IS 'things, with upper names';\n"
    ),
    "phases/1.1_fill/010_access.rollback.sql": (
        "COMMENT ON TABLE public.things IS 'things, as they were';\n"
        "ALTER SEQUENCE public.tickets INCREMENT BY 1 RESTART WITH 151;\n"
        "ALTER POLICY things_read ON public.things USING (id > 0);\n"
        "GRANT INSERT ON public.things TO pg_monitor;\n"
        "ALTER TABLE public.things DROP COLUMN upper_name;\n"
    ),
    "phases/1.1_fill/020_fill.forward.sql": (
        "-- kind: batch\n-- table: public.things\n-- key: id\n\n"
        "UPDATE public.things SET upper_name = coalesce(upper_name, '') || upper(name)\n"
        "WHERE id > %(after)s AND id <= %(upto)s;\n"
    ),
    "phases/1.1_fill/020_fill.rollback.sql": "-- nothing: the column goes\n",
    "phases/1.1_fill/030_count.forward.sql": "UPDATE public.counters SET value = value + 1;\n",
    "phases/1.1_fill/030_count.rollback.sql": "UPDATE public.counters SET value = value - 1;\n",
    "phases/1.2_index/010_index.forward.sql": (
        "-- kind: concurrent\n"
        "CREATE UNIQUE INDEX CONCURRENTLY things_upper ON public.things (upper_name, id);\n"
    ),
    "phases/1.2_index/010_index.rollback.sql": (
        "-- kind: concurrent\nDROP INDEX CONCURRENTLY public.things_upper;\n"
    ),
    "phases/1.2_index/020_last.forward.sql": "UPDATE public.counters SET value = value * 2;\n",
    "phases/1.2_index/020_last.rollback.sql": "UPDATE public.counters SET value = value / 2;\n",
}


@dataclass(frozen=True)
class Planted:
    """A defect, and where on the plan of the proof it matters.

    At the points of `step` in `direction` the explorations strike. `hidden` says that a run that
    nothing disturbs ends as it should all the same; `quiet` that it even sends the same messages.
    `unasked` are the domains that would only wait, for a second runner that never comes past the
    locks of the first. `elsewhere` are domains that strike at a few steps of their own choice, and
    which of their points to strike; they are asked about what only one of the others catches.
    Defects of one place that are named apart may be planted `together`, by a function that plants
    them all: `shows` is what a reason says of this one.
    """

    plant: engine_defects.Defect
    step: str
    direction: Direction = "forward"
    hidden: bool = True
    quiet: bool = False
    unasked: tuple[DomainName, ...] = ()
    elsewhere: tuple[tuple[DomainName, str], ...] = ()
    together: engine_defects.Defect | None = None
    shows: str = ""

    def matters_at(self, point: Point) -> bool:
        """Whether this is a point where the defect matters."""
        if point.direction != self.direction:
            return False
        wanted = dict(self.elsewhere).get(point.domain)
        if wanted is not None:
            return re.search(wanted, point.id) is not None
        return point.step == self.step

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """Its name, as in the table."""
        return self.plant.__name__

    @property
    def prepare(self) -> str:
        """What a ground calls it, and those that are planted together with it."""
        return f"{self.plant.__module__}:{(self.together or self.plant).__name__}"

    @property
    def alone(self) -> str:
        """What a ground calls that one defect."""
        return f"{self.plant.__module__}:{self.name}"

    @property
    def told(self) -> str:
        """What such an engine does, in one paragraph."""
        return " ".join((self.plant.__doc__ or "").split())


ACCESS, FILL, COUNT, INDEX = "1.1/010_access", "1.1/020_fill", "1.1/030_count", "1.2/010_index"
DEFECTS: tuple[Planted, ...] = (
    Planted(engine_defects.checkpoint_outside_the_transaction, COUNT),
    Planted(engine_defects.last_key_stored_before_the_batch, FILL),
    Planted(engine_defects.batch_bound_is_exclusive, FILL, hidden=False),
    Planted(engine_defects.resumed_batch_repeats_its_last_key, FILL, quiet=True),
    Planted(engine_defects.if_not_exists_after_a_concurrent_index, INDEX),
    Planted(
        engine_defects.no_advisory_lock,
        FILL,
        "rollback",
        elsewhere=(("tampered", f"{COUNT}:.*:renamed"), ("environment", "pgbouncer-session")),
    ),
    Planted(engine_defects.no_fence, COUNT, unasked=("pinned",)),
    Planted(engine_defects.unhandled_sigstop, COUNT, unasked=("pinned",)),
    Planted(engine_defects.retry_without_reading_again, COUNT, quiet=True),
    Planted(engine_defects.unknown_commit_taken_for_done, COUNT, quiet=True),
    Planted(engine_defects.unknown_commit_taken_for_failed, COUNT, quiet=True),
    Planted(engine_defects.resume_skips_a_begun_step, INDEX, quiet=True),
    Planted(
        engine_defects.resume_skips_a_failed_step,
        COUNT,
        quiet=True,
        elsewhere=(
            ("tampered", f"{COUNT}:.*:renamed"),
            ("environment", "no-connection-persistent"),
        ),
    ),
    Planted(
        engine_defects.rollback_forgets_privileges,
        ACCESS,
        "rollback",
        hidden=False,
        together=engine_defects._rollback_forgets_rights,
        shows="privileges was",
    ),
    Planted(
        engine_defects.rollback_forgets_policies,
        ACCESS,
        "rollback",
        hidden=False,
        together=engine_defects._rollback_forgets_rights,
        shows="policy things_read",
    ),
    Planted(
        engine_defects.rollback_forgets_a_sequence,
        ACCESS,
        "rollback",
        hidden=False,
        together=engine_defects._rollback_forgets_the_rest,
        shows="sequence public.tickets",
    ),
    Planted(
        engine_defects.rollback_forgets_a_comment,
        ACCESS,
        "rollback",
        hidden=False,
        together=engine_defects._rollback_forgets_the_rest,
        shows="comment on table",
    ),
)


def defect_plan(root: Path) -> Plan:
    """Write the plan below `root` and read it."""
    plan = SmallPlan.__new__(SmallPlan)
    plan.root = root
    plan.write("plan.toml", TOML)
    for name, text in FILES.items():
        plan.write(name, text)
    return plan.load()


def undisturbed(ground: Setup, server_dsn: str) -> list[str]:
    """Migrate and roll back with nothing to disturb it, and say what differs from how it should."""
    way: tuple[tuple[Direction, Fingerprint | None], ...]
    way = (("forward", ground.after), ("rollback", ground.before))
    dsn = ground.furnish(server_dsn, admin.unique_name("harness_defect"))
    found: list[str] = []
    try:
        for direction, expected in way:
            assert expected is not None
            ending = runners.run(ground, direction, dsn)
            if ending.status != 0:
                return [f"{direction} ended with status {ending.status}: {ending.error}"]
            state.settle(server_dsn, admin.dbname(dsn))
            found += state.differences(
                expected, fingerprint.take(dsn, workers=1), f"after {direction}"
            )
    finally:
        admin.drop(server_dsn, admin.dbname(dsn))
    return found
