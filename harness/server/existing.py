"""A server that somebody else runs: used through its DSN, never stopped or killed."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

from harness.core.errors import InfrastructureError, UsageError
from harness.server.dsn import Dsn, with_dbname
from harness.server.protocol import Capabilities, Record, StopMode
from harness.server.readiness import answers, wait_for
from harness.server.resolution import settle
from harness.server.secrets import redact
from harness.server.session import session


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
        dsn = self.dsn()
        wait_for(dsn, lambda: answers(dsn), timeout, f"{redact(dsn)} to answer", pause=0.1)

    def dsn(self, dbname: str | None = None) -> str:
        """The DSN as settled; with `dbname` that database of the same server."""
        settled = Dsn(self._record["dsn"], settled=True)
        return with_dbname(settled, dbname) if dbname else settled

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
    """A server behind a DSN that answers now; it is settled on, whatever the DSN leaves open."""
    try:
        settled = settle(dsn, named=False)
    except InfrastructureError as error:
        where = redact(dsn)
        raise InfrastructureError(error.message, where=where, hint=error.hint) from None
    with session(settled) as conn:
        version = conn.info.server_version // 10_000
    record: Record = {
        "id": "existing", "kind": "existing", "provider": "existing", "why": why,
        "passed_over": list(passed_over), "version": version, "dsn": settled.reveal(),
    }  # fmt: skip
    return ExistingServer(record)
