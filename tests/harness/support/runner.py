"""A small throwaway plan with a step of every kind, and runners in processes of their own."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psycopg

from harness import runner
from harness.core.poll import wait_until
from harness.plan import Plan, load
from harness.runner.outcome import Event

WAIT = 60.0
ROWS = 1000
TOML = """
format = 1
name = "small"
version = "1"

[variables]
sunset = "2030-01-01"

[runner]
batch_rows = 400
adaptive = false
retry_base = "10ms"
retry_max = "50ms"
lock_timeout = "200ms"
takeover = "1s"
heartbeat = "200ms"
lease = "1s"
stall = "2s"
long_use = 0
lock_total = 0
max_wait = 0

[preflight]
forbids = ["public.kinds"]

[preflight.requires]
"public.things" = ["id", "name"]

[[phase]]
id = "1.1"
name = "fill"

[[phase]]
id = "1.2"
name = "index"
"""
BASELINE = """
CREATE TABLE public.things (id bigint PRIMARY KEY, name text NOT NULL);
INSERT INTO public.things SELECT g, 'thing ' || g FROM generate_series(1, 1000) AS g;
"""
FILES = {
    "baseline/010_things.sql": BASELINE,
    "phases/1.1_fill/010_column.forward.sql": (
        "-- summary: a column and a table\n"
        "CREATE TABLE public.kinds (id bigint PRIMARY KEY, name text);\n"
        "ALTER TABLE public.things ADD COLUMN upper_name text;\n"
        "INSERT INTO public.kinds VALUES (1, current_setting('harness.sunset'));\n"
    ),
    "phases/1.1_fill/010_column.rollback.sql": (
        "ALTER TABLE public.things DROP COLUMN upper_name;\nDROP TABLE public.kinds;\n"
    ),
    "phases/1.1_fill/020_fill.forward.sql": (
        "-- kind: batch\n-- table: public.things\n-- key: id\n\n"
        "UPDATE public.things SET upper_name = coalesce(upper_name, '') || upper(name)\n"
        "WHERE id > %(after)s AND id <= %(upto)s;\n"
    ),
    "phases/1.1_fill/020_fill.rollback.sql": "-- nothing: the column goes\n",
    "phases/1.2_index/010_index.forward.sql": (
        "-- kind: concurrent\n"
        "CREATE UNIQUE INDEX CONCURRENTLY things_upper ON public.things (upper_name, id DESC)\n"
        "  WHERE id > 5;\n"
    ),
    "phases/1.2_index/010_index.rollback.sql": (
        "-- kind: concurrent\nDROP INDEX CONCURRENTLY public.things_upper;\n"
    ),
    "cleanup/010_kinds.sql": "DROP TABLE public.kinds;\n",
}


class SmallPlan:
    """The files of a small plan below `root`; `write` changes one, `load` reads the plan."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("plan.toml", TOML)
        for name, text in FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> Path:
        """Write one file of the plan."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def replace(self, name: str, old: str, new: str) -> Path:
        """Replace a text that must be in a file."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        return self.write(name, text.replace(old, new))

    def load(self) -> Plan:
        """Read and check it."""
        return load(self.root / "plan.toml")


BARE = """
format = 1
name = "own"
version = "1"
[runner]
adaptive = false
retry_base = "10ms"
retry_max = "50ms"
retries = 3
lock_timeout = "2s"
takeover = "1s"
heartbeat = "200ms"
lease = "1s"
long_use = 0
lock_total = 0
max_wait = 0
[[phase]]
id = "1"
name = "one"
"""


def plan_of(root: Path, *steps: tuple[str, str]) -> Plan:
    """A plan of one phase with these steps, each a way forward and a way back: 1/010_s, 1/020_s."""
    files = {"plan.toml": BARE}
    for number, pair in enumerate(steps, 1):
        for way, text in zip(("forward", "rollback"), pair, strict=True):
            files[f"phases/1_one/{10 * number:03}_s.{way}.sql"] = text
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return load(root / "plan.toml")


def prepared(root: Path, dsn: str) -> Plan:
    """A small plan, and its baseline in an empty database."""
    plan = SmallPlan(root).load()
    runner.baseline(dsn, plan)
    return plan


def prepared_to_fill(root: Path, dsn: str) -> Plan:
    """A small plan whose next step on the database is the batches."""
    plan = prepared(root, dsn)
    runner.migrate(dsn, plan, until="1.1/010_column")
    return plan


def ask(dsn: str, query: str, *params: object) -> Any:
    """The first value of a query's first row, None when there is no row."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        row = conn.execute(query.encode(), params or None).fetchone()
        return row[0] if row else None


def run_sql(dsn: str, statement: str) -> None:
    """Execute statements that give no rows."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute(statement.encode())


@contextmanager
def open_transaction(dsn: str, *statements: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction that has executed some statements and stays open for the block."""
    with psycopg.connect(dsn) as conn:
        for statement in statements:
            conn.execute(statement.encode())
        yield conn
        conn.rollback()


def contents(dsn: str) -> tuple[object, ...]:
    """Everything the small plan changes: columns, rows, relations and the state of the index."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        columns = conn.execute(
            "SELECT a.attrelid::regclass::text, a.attname, a.atttypid::regtype::text"
            " FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'"
            " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2"
        ).fetchall()
        rows = conn.execute(
            "SELECT md5(string_agg(t::text, E'\\n' ORDER BY id)) FROM public.things t"
        ).fetchall()
        indexes = conn.execute(
            "SELECT pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready FROM pg_index i"
            " JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1"
        ).fetchall()
        return tuple(columns), tuple(rows), tuple(indexes)


Verb = Callable[..., object]
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["harness.runner", __name__])


@dataclass
class Child:
    """A runner in a process of its own."""

    process: BaseProcess
    pipe: Pipe

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process.pid is not None
        return self.process.pid

    def signal(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """SIGKILL it and wait for its end."""
        self.signal(signal.SIGKILL)
        self.ended()

    def ended(self) -> int | None:
        """Wait for its end; the exit status."""
        self.process.join(WAIT)
        return self.process.exitcode

    def result(self) -> object:
        """What it returned, or the error it raised."""
        assert self.pipe.poll(WAIT), "the runner did not report"
        return self.pipe.recv()

    def event(self, kind: str) -> Event:
        """Wait until it reports an event of this kind."""
        while True:
            told = self.result()
            assert isinstance(told, Event), told
            if told.kind == kind:
                return told

    def outcome(self) -> object:
        """Skip events until its result."""
        while isinstance(told := self.result(), Event):
            pass
        return told

    def nagged(self, number: int) -> object:
        """Send a signal again and again until its result; pending signals do not add up."""
        while True:
            if not self.pipe.poll(0.1):
                with suppress(ProcessLookupError):  # it may have told and ended just now
                    self.signal(number)
            elif not isinstance(told := self.pipe.recv(), Event):
                return told


@contextmanager
def child(
    verb: str, dsn: str, plan: Plan, *, die_at: int = 0, **options: object
) -> Iterator[Child]:
    """Start `runner.verb` in a process of its own; with `die_at` it kills itself before that

    message to the server (the first is 1), connections and heartbeat not counted.
    """
    ours, theirs = _context.Pipe()
    process = _context.Process(
        target=_work, args=(verb, dsn, plan, die_at, theirs, options), daemon=True
    )
    process.start()
    theirs.close()
    try:
        yield Child(process, ours)
    finally:
        process.kill()  # nothing is sent to one that has just ended and was collected
        process.join(WAIT)
        ours.close()


class _Mortal(psycopg.Connection[Any]):
    """A connection that kills its process before a chosen message."""

    left = 0

    def wait(self, *args: Any, **kwargs: Any) -> Any:
        if _Mortal.left:
            _Mortal.left -= 1
            if not _Mortal.left:
                os.kill(os.getpid(), signal.SIGKILL)
        return super().wait(*args, **kwargs)


def _work(
    verb: str, dsn: str, plan: Plan, die_at: int, pipe: Pipe, options: dict[str, object]
) -> None:
    from harness.runner.signals import stop_requested

    if die_at:
        _Mortal.left = die_at
        psycopg.connect = _Mortal.connect  # type: ignore[method-assign]
    try:
        with stop_requested() as stop:
            call: Verb = getattr(runner, verb)
            listen = None if die_at else pipe.send
            pipe.send(call(dsn, plan, on_event=listen, stop=stop, **options))
    except Exception as error:
        pipe.send(error)


def backend_waits(dsn: str, pattern: str) -> int | None:
    """The pid of a backend that waits for a lock in a statement like `pattern`."""
    return ask(
        dsn,
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        " AND datname = current_database() AND query LIKE %s",
        pattern,
    )


def until_waiting(dsn: str, pattern: str) -> int:
    """Wait until a backend waits for a lock in a statement like `pattern`; its pid."""
    found = wait_until(lambda: backend_waits(dsn, pattern), WAIT, f"a waiting {pattern!r}")
    assert found is not None
    return found
