"""A primary with a real streaming standby, both of them servers of our own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.core.poll import wait_until
from harness.server import choose
from harness.server.account import account, environment
from harness.server.local import LocalServer
from tests.harness.support.runner import WAIT, ask, run_sql

STREAMING = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn IS NOT NULL"
REPLAYED = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"


@dataclass
class Pair:
    """A primary and its standby."""

    primary: LocalServer
    standby: LocalServer

    def until_streaming(self) -> None:
        """Wait until the standby has said how far it came."""
        wait_until(lambda: ask(self.primary.dsn(), STREAMING) == 1, WAIT, "a standby that streams")

    def until_gone(self) -> None:
        """Wait until the primary has noticed that no standby is there."""
        wait_until(lambda: ask(self.primary.dsn(), STREAMING) == 0, WAIT, "a standby that is gone")

    def cut(self) -> None:
        """Let the standby lose its line, and not find it again."""
        run_sql(self.standby.dsn(), "ALTER SYSTEM SET primary_conninfo = ''")
        run_sql(self.standby.dsn(), "SELECT pg_reload_conf()")
        self.until_gone()

    def mend(self) -> None:
        """Give it its line again."""
        run_sql(self.standby.dsn(), "ALTER SYSTEM RESET primary_conninfo")
        run_sql(self.standby.dsn(), f"ALTER SYSTEM SET primary_conninfo = '{self.primary.dsn()}'")
        run_sql(self.standby.dsn(), "SELECT pg_reload_conf()")
        self.until_streaming()

    def until_equal(self) -> None:
        """Wait until the standby has replayed all that the primary has written."""
        here = ask(self.primary.dsn(), "SELECT pg_current_wal_lsn()::text")
        wait_until(lambda: ask(self.standby.dsn(), REPLAYED, here), WAIT, "the replay")


@contextmanager
def pair(provider: str) -> Iterator[Pair]:
    """Start both; they are closed after the block."""
    made: list[LocalServer] = []
    try:
        for _ in range(2):
            server = choose(provider, profile="durable")
            assert isinstance(server, LocalServer)
            made.append(server)
            server.start()
        primary, standby = made
        run_sql(primary.dsn(), "ALTER SYSTEM SET wal_retrieve_retry_interval = '50ms'")
        standby.stop()
        shutil.rmtree(standby.data_dir)
        _base_backup(primary, standby.data_dir)
        standby.start()
        both = Pair(primary, standby)
        both.until_streaming()
        yield both
    finally:
        for server in reversed(made):
            server.close()


def _base_backup(primary: LocalServer, target: Path) -> None:
    command = [str(primary.bin_dir / "pg_basebackup"), "-R", "-X", "stream", "-c", "fast"]
    subprocess.run(
        [*command, "-d", primary.dsn(), "-D", str(target)],
        check=True, capture_output=True, cwd=target.parent, env=environment(target.parent),
        **account().as_child(),
    )  # fmt: skip
