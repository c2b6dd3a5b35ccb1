"""What a server is: the one protocol that the four providers implement."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

Record: TypeAlias = dict[str, Any]
StopMode: TypeAlias = Literal["smart", "fast", "immediate"]


@dataclass(frozen=True)
class Capabilities:
    """What may be done to a server, detected, so that nobody has to try."""

    can_kill: bool
    can_restart: bool
    on_tmpfs: bool
    local_files: bool


class Server(Protocol):
    """A Postgres server: started, stopped, killed and started again, with its data kept until
    `close`.
    """

    @property
    def provider(self) -> str:
        """One of container, embedded, system, existing."""

    @property
    def why(self) -> str:
        """Why this provider was taken, for a header."""

    @property
    def passed_over(self) -> tuple[str, ...]:
        """The providers that were not taken, each with its reason."""

    @property
    def version(self) -> int:
        """The major version."""

    @property
    def capabilities(self) -> Capabilities:
        """What may be done to it."""

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs on this machine, else None."""

    @property
    def data_dir(self) -> Path | None:
        """The data directory, where this process can read it."""

    @property
    def bin_dir(self) -> Path | None:
        """Where this server's own programs are, pg_dump among them."""

    def start(self) -> None:
        """Start it and return when it answers; a running server is left as it is."""

    def stop(self, mode: StopMode = "fast") -> None:
        """Stop it in order and return when it is gone; the data stay."""

    def kill(self) -> None:
        """SIGKILL the postmaster and every process of the server; return when all are gone."""

    def restart(self) -> None:
        """Start it again, stopped, killed or running; the DSN may be a new one."""

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Return when it answers a query; raise TimeoutError after `timeout` seconds."""

    def close(self) -> None:
        """End it and remove everything it left; may be called twice."""

    def dsn(self, dbname: str = "postgres") -> str:
        """A libpq URL for one of its databases, password included."""

    def log(self, offset: int = 0) -> str:
        """The server log from a byte offset on."""

    def log_offset(self) -> int:
        """Where the log ends now."""

    def wait_for_log(self, pattern: str, offset: int = 0, timeout: float = 30.0) -> str:
        """Wait until a regular expression is found in the log behind `offset`; return the match."""

    def record(self) -> Record:
        """What another process needs to `attach` to it; JSON-able, and holds the password."""
