"""A server that somebody else runs: used through its DSN, never stopped or killed."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn
from urllib.parse import quote, urlsplit

import psycopg
from psycopg.conninfo import make_conninfo

from harness.errors import InfrastructureError, UsageError
from harness.poll import wait_until
from harness.server.dsn import answers, mask
from harness.server.protocol import Capabilities, Record, StopMode


class ExistingServer:
    """A server behind a DSN. What it cannot do raises UsageError."""

    provider = "existing"

    def __init__(self, record: Record) -> None:
        self._record = record
        self.why: str = record["why"]
        self.passed_over: tuple[str, ...] = tuple(record["passed_over"])
        self.version: int = record["version"]
        self.capabilities = Capabilities(
            can_kill=False, can_restart=False, on_tmpfs=False, local_files=False
        )
        self.pid: int | None = None
        self.data_dir: Path | None = None
        self.bin_dir: Path | None = None

    def start(self) -> None:
        """Only make sure that it answers."""
        self.wait_ready(10)

    def stop(self, mode: StopMode = "fast") -> None:
        """Leave it as it is."""

    def close(self) -> None:
        """Leave it as it is."""

    def kill(self) -> None:
        """Refuse."""
        self._refuse("killed")

    def restart(self) -> None:
        """Refuse."""
        self._refuse("restarted")

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Return when it answers a query."""
        wait_until(lambda: answers(self.dsn()), timeout, f"{mask(self.dsn())} to answer", pause=0.1)

    def dsn(self, dbname: str | None = None) -> str:
        """The DSN as given; with `dbname` that database of the same server."""
        return with_dbname(self._record["dsn"], dbname) if dbname else str(self._record["dsn"])

    def log(self, offset: int = 0) -> str:
        """Refuse."""
        self._refuse(f"read the log of from {offset}")

    def log_offset(self) -> int:
        """Refuse."""
        self._refuse("read the log of")

    def wait_for_log(self, pattern: str, offset: int = 0, timeout: float = 30.0) -> str:  # noqa: ARG002
        """Refuse."""
        self._refuse("read the log of")

    def record(self) -> Record:
        """What `attach` needs."""
        return dict(self._record)

    def _refuse(self, what: str) -> NoReturn:
        raise UsageError(
            f"an existing server cannot be {what}",
            hint="use --server container, embedded or system",
        )


def new(dsn: str, why: str, passed_over: tuple[str, ...]) -> ExistingServer:
    """A server behind a DSN that answers now."""
    try:
        with psycopg.connect(dsn, connect_timeout=10) as conn:
            version = conn.info.server_version // 10_000
    except psycopg.OperationalError as error:
        said = mask(str(error)).strip().replace("\n", " ")
        raise InfrastructureError(f"no connection to {mask(dsn)}: {said}") from None
    except psycopg.ProgrammingError:
        raise UsageError(f"{mask(dsn)!r} is not a libpq URL or connection string") from None
    record = {"id": "existing", "kind": "existing", "provider": "existing", "why": why,
              "passed_over": list(passed_over), "version": version, "dsn": dsn}  # fmt: skip
    return ExistingServer(record)


def with_dbname(dsn: str, dbname: str) -> str:
    """The same DSN for another database; a URL stays a URL."""
    if "://" not in dsn:
        return make_conninfo(dsn, dbname=dbname)
    split = urlsplit(dsn)
    kept = [part for part in split.query.split("&") if part and not part.startswith("dbname=")]
    query = "?" + "&".join(kept) if kept else ""
    return f"{split.scheme}://{split.netloc}/{quote(dbname, safe='')}{query}"
