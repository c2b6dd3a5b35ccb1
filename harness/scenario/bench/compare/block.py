"""One arm for a share of the pairs: a fresh server, fresh databases, a fresh process."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg import sql

from harness.core.errors import UsageError
from harness.database import admin, template
from harness.scenario.bench.compare.arm_process import ArmHello, ArmProcess, ArmRun, InstalledArm
from harness.scenario.bench.compare.budget import TimeBudget
from harness.scenario.bench.compare.workloads import (
    BY_NAME,
    DSN,
    NAME,
    ROWS,
    SEED,
    SERVER,
    SOURCE,
    TEMPLATE,
    BenchWorkload,
    Stand,
)
from harness.server import Server, choose

STARTED: Final = "select pg_postmaster_start_time()::text"
TABLES: Final = """
select format('%I.%I', schemaname, tablename), schemaname, tablename from pg_tables
where schemaname not in ('pg_catalog', 'information_schema') order by 1
"""
SETTINGS: Final = """
select name, setting from pg_settings
where name not in (
  'port', 'data_directory', 'config_file', 'hba_file', 'ident_file', 'unix_socket_directories',
  'external_pid_file', 'log_directory', 'log_filename'
) and context <> 'internal'
"""

ORIGINS: Final[dict[Stand, tuple[Stand | None, Sequence[str]]]] = {
    "empty": (None, ("baseline", "--dsn", DSN)),
    "seeded": ("empty", BY_NAME["seed"].arguments),
    "migrated": ("seeded", BY_NAME["migrate"].arguments),
}
"""What each database begins from, and what makes it."""


@dataclass(frozen=True)
class ServerWish:
    """Which servers the arms get, and which rows."""

    provider: str
    version: int | None
    rows: int
    seed: int


@dataclass(frozen=True)
class ArmFacts:
    """What must be alike in both arms before anything is timed."""

    version: str
    settings: dict[str, str]
    rows: dict[str, int]
    place: dict[str, str]


@dataclass
class ArmBlock:
    """An arm at work on a server of its own; `furnishing` is how long its databases took."""

    arm: InstalledArm
    server: Server
    process: ArmProcess
    wish: ServerWish
    hello: ArmHello
    name: str
    databases: dict[Stand, str] = field(default_factory=dict)
    furnishing: float = 0.0

    def furnish(self, stand: Stand) -> None:
        """Make a database that benchmarks begin from, by the arm's own harness, unless it is there.

        Raises UsageError where that fails.
        """
        if stand == "none" or stand in self.databases:
            return
        origin, arguments = ORIGINS[stand]
        if origin is not None:
            self.furnish(origin)
        begun = time.monotonic()
        self._make(stand, origin, arguments)
        self.furnishing += time.monotonic() - begun

    def run(self, workload: BenchWorkload) -> ArmRun:
        """One timed run; what it needs is made before, and its copy removed after."""
        self.furnish(workload.database)
        with self._prepared(workload) as arguments:
            return self.process.run(workload.name, workload.kind, arguments)

    def facts(self) -> ArmFacts:
        """What this arm has of what must be alike."""
        with admin.connection(self.server.dsn()) as conn:
            settings = dict(conn.execute(SETTINGS).fetchall())
            (version,) = conn.execute("show server_version").fetchone() or ("",)
        return ArmFacts(str(version), settings, self._count(), self.hello.place)

    def _count(self) -> dict[str, int]:
        """The rows of every table that was seeded."""
        self.furnish("seeded")
        counted: dict[str, int] = {}
        with admin.connection(self.server.dsn(self.databases["seeded"])) as conn:
            for title, schema, table in conn.execute(TABLES).fetchall():
                query = sql.SQL("select count(*) from {}").format(sql.Identifier(schema, table))
                (rows,) = conn.execute(query).fetchone() or (0,)
                counted[title] = rows
        return counted

    def _make(self, stand: Stand, origin: Stand | None, arguments: Sequence[str]) -> None:
        name = admin.unique_name(f"harness_bench_{stand}")
        if origin is None:
            admin.create(self.server.dsn(), name)
        else:
            template.clone(self.server.dsn(), self.databases[origin], name)
        self.databases[stand] = name
        done = self.process.run(f"make {stand}", "command", self._filled(arguments, name))
        if done.status:
            raise UsageError(
                f"harness {arguments[0]} fails there: {done.said or f'status {done.status}'}",
                where=f"{self.arm.arm} ({self.arm.ref})", hint="see that the ref's own gate is GO",
            )  # fmt: skip
        with admin.connection(self.server.dsn(name)) as conn:
            conn.execute("vacuum (analyze)")

    @contextmanager
    def _prepared(self, workload: BenchWorkload) -> Iterator[list[str]]:
        if workload.database == "none":
            yield list(workload.arguments)
            return
        origin = self.databases[workload.database]
        if not workload.copied and workload.kind == "command":
            yield self._filled(workload.arguments, origin)
            return
        name = admin.unique_name("harness_bench_run")
        try:
            if workload.copied:
                template.clone(self.server.dsn(), origin, name)
            yield self._filled(workload.arguments, name, origin)
        finally:
            admin.drop(self.server.dsn(), name)

    def _filled(self, arguments: Sequence[str], name: str, origin: str = "") -> list[str]:
        words = {
            DSN: self.server.dsn(name),
            SOURCE: self.server.dsn(self.databases.get("seeded", name)),
            ROWS: str(self.wish.rows),
            SEED: str(self.wish.seed),
            SERVER: self.server.dsn(),
            TEMPLATE: origin,
            NAME: name,
        }
        return [words.get(one, one) for one in arguments]


@contextmanager
def open_block(arm: InstalledArm, wish: ServerWish, budget: TimeBudget) -> Iterator[ArmBlock]:
    """A fresh server and a fresh process of an arm; both end with the block."""
    with ExitStack() as stack:
        server = choose(wish.provider, version=wish.version)
        stack.callback(server.close)
        server.start()
        process = stack.enter_context(ArmProcess(arm, budget))
        yield ArmBlock(arm, server, process, wish, _greeted(process, arm), _named(server))


def _greeted(process: ArmProcess, arm: InstalledArm) -> ArmHello:
    """What the process says it is; raises UsageError where it is not that ref's own harness."""
    hello = process.hello()
    if arm.own and not hello.harness.startswith(str(arm.place)):
        raise UsageError(
            f"it runs the harness in {hello.harness}, not its own",
            where=f"{arm.arm} ({arm.ref})", hint="take PYTHONPATH and the like out of the shell",
        )  # fmt: skip
    return hello


def _named(server: Server) -> str:
    """A name that no other server has: where its files are, and when it started."""
    with admin.connection(server.dsn()) as conn:
        row: Any = conn.execute(STARTED).fetchone()
    return f"{server.data_dir} {row[0]}"
